"""Files at the desk, in two browsers: what an agent attaches reaches the customer, and what customers send is seen."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect
from sqlalchemy import select, update

from bot.core.agents import Agent
from bot.core.conversations import Author, Card, ConversationId, Message, MessageId
from bot.core.widget import Question
from bot.services.ids import new_id
from bot.services.ports import Hint, UnitOfWork
from bot.storage import tables
from tests.browser import desk_page
from tests.browser.desk_page import (
    WAIT_MS,
    Open,
    ana,
    barriers,
    ben,
    desk,
    is_told,
    lines,
    open_at,
    open_desk,
    write,
)
from tests.browser.desk_window import DeskWindow
from tests.browser.test_chat import ask, open_chat
from tests.browser.test_files import DROP, PASTE, slow_down
from tests.gateway.hostile import INJECTION
from tests.sample_files import PDF, TAKEN

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser

Shop = Callable[[], tuple[FrameLocator, str]]
# Of a blob's address: whether there is still something behind it.
IS_THERE = """(src) => new Promise((done) => {
  const picture = new Image();
  picture.onload = () => done(true);
  picture.onerror = () => done(false);
  picture.src = src;
})"""
STRANGE_NODES = "#items img:not(.file-picture img), #items script, #items iframe, #dialogs script"


@pytest.fixture(autouse=True)
def _expected(monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser also complains of a lost network and of what is gone, as some tests here want it."""
    more = r"|ERR_INTERNET_DISCONNECTED|ERR_FILE_NOT_FOUND|status of 410"
    monkeypatch.setattr(desk_page, "EXPECTED", re.compile(desk_page.EXPECTED.pattern + more))


def a_picture(colour: str = "tomato", kind: str = "JPEG") -> bytes:
    made = io.BytesIO()
    Picture.new("RGB", (400, 300), colour).save(made, kind)
    return made.getvalue()


@pytest.fixture
def shop(browser: Browser, desk: DeskWindow, ana: Agent) -> Iterator[Shop]:
    """A customer at the shop's page, whom Ana helps: their chat, and the conversation's id."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    complaints: list[str] = []

    def come() -> tuple[FrameLocator, str]:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a script ran: {dialog.message}"))
        page.goto(desk.address)
        panel = open_chat(page)
        ask(panel, "Hello there")
        expect(panel.locator("[data-testid=message][data-state=delivered]")).to_be_visible(timeout=WAIT_MS)
        newest = select(tables.conversations.c.id).order_by(tables.conversations.c.created_at.desc()).limit(1)
        talk = desk.change(lambda work: work.customers._connection.scalar(newest))  # type: ignore[attr-defined]
        desk.wants_a_person(talk)
        desk.claim(ana, talk)
        return panel, talk

    yield come
    context.close()
    assert complaints == []


def attach(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator("#attachment").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": content} for name, content in files]
    )


def size_of(picture: Locator) -> list[int]:
    """That of a picture that has come."""
    expect(picture).to_be_visible(timeout=WAIT_MS)
    picture.evaluate("(image) => image.decode()")
    return picture.evaluate("(image) => [image.naturalWidth, image.naturalHeight]")  # type: ignore[no-any-return]


def helped(desk: DeskWindow, agent: Agent, *texts: str) -> str:
    """Somebody whom an agent helps."""
    talk = desk.waiting(*texts)
    desk.claim(agent, talk)
    return talk


# From the desk to the customer


def test_what_an_agent_attaches_is_looked_at_once_more_and_then_seen_by_the_customer(
    desk: DeskWindow, open_desk: Open, shop: Shop, tmp_path: Path
) -> None:
    panel, talk = shop()
    page = open_desk()
    open_at(page, talk)
    content = a_picture()
    (tmp_path / "mug.jpg").write_bytes(content)
    # By keyboard alone.
    page.get_by_test_id("text").focus()
    with page.expect_file_chooser() as chosen:
        page.keyboard.press("Tab")
        expect(page.get_by_test_id("attach")).to_be_focused()
        page.keyboard.press("Enter")
    chosen.value.set_files(tmp_path / "mug.jpg")
    attach(page, ("invoice.pdf", PDF), ("wrong.txt", b"the wrong one"))
    expect(page.get_by_test_id("attached")).to_have_count(3)
    page.get_by_role("button", name="Remove wrong.txt").click()
    expect(panel.get_by_test_id("file")).to_have_count(0)

    write(page, "Here is what you need.")
    said = panel.locator("[data-testid=message][data-author=agent]")
    expect(said).to_have_count(3, timeout=WAIT_MS)
    expect(said.first).to_contain_text("Here is what you need.")
    assert size_of(panel.get_by_test_id("file-picture")) == [400, 300]
    expect(panel.get_by_test_id("file-chip")).to_contain_text("invoice.pdf")
    with panel.owner.page.expect_download() as saved:
        panel.get_by_test_id("file-chip").click()
    assert Path(saved.value.path()).read_bytes() == PDF

    expect(page.get_by_test_id("attached")).to_have_count(0)
    expect(page.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)
    own = lines(page, "agent")
    assert size_of(own.get_by_test_id("file-picture").locator("img")) == [400, 300]
    expect(own.get_by_test_id("file")).to_contain_text("invoice.pdf")
    expect(page.get_by_test_id("state")).to_contain_text("Read", timeout=WAIT_MS)
    page.reload()
    expect(lines(page, "agent")).to_have_count(3, timeout=WAIT_MS)
    assert desk.texts(talk, Author.AGENT) == ["Here is what you need.", "[photo: mug.jpg]", "[file: invoice.pdf]"]


@pytest.mark.parametrize("how", [DROP, PASTE], ids=["dropped", "pasted"])
def test_a_picture_is_dropped_or_pasted_and_waits_to_be_sent(
    desk: DeskWindow, open_desk: Open, ana: Agent, how: str
) -> None:
    talk = helped(desk, ana, "Hello")
    page = open_desk()
    open_at(page, talk)
    page.evaluate(how, ["image.png", "image/png", list(a_picture("seagreen", "PNG"))])
    expect(page.get_by_test_id("attached")).to_contain_text("image.png")
    assert desk.texts(talk, Author.AGENT) == []

    page.get_by_test_id("text").press("Enter")
    assert size_of(page.get_by_test_id("file-picture").locator("img")) == [400, 300]
    expect(page.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)
    assert desk.texts(talk, Author.AGENT) == ["[photo: image.png]"]


def test_where_somebody_may_not_reply_they_may_not_attach(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = desk.waiting("Hello")
    page = open_desk()
    open_at(page, talk)
    expect(page.get_by_test_id("attach")).to_be_hidden()
    page.evaluate(DROP, ["image.png", "image/png", list(a_picture())])
    is_told(page, "Claim it to reply.")
    expect(page.get_by_test_id("attached")).to_have_count(0)

    desk.claim(ana, talk)
    expect(page.get_by_test_id("attach")).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("mode-note").check()
    expect(page.get_by_test_id("attach")).to_be_hidden()
    # What comes from outside goes with the reply, and never with a note.
    page.evaluate(DROP, ["image.png", "image/png", list(a_picture())])
    expect(page.get_by_test_id("mode-reply")).to_be_checked()
    expect(page.get_by_test_id("attached")).to_have_count(1)


def test_what_waits_stays_with_its_conversation(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    one, other = helped(desk, ana, "One"), helped(desk, ana, "Two")
    page = open_desk()
    open_at(page, one)
    attach(page, ("for-one.txt", b"words"))
    open_at(page, other)
    expect(page.get_by_test_id("thread-name")).to_be_visible()
    expect(lines(page, "customer")).to_contain_text("Two", timeout=WAIT_MS)
    expect(page.get_by_test_id("attached")).to_have_count(0)
    page.get_by_test_id("text").fill("No file here")
    page.get_by_test_id("text").press("Enter")
    expect(page.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)

    open_at(page, one)
    expect(page.get_by_test_id("attached")).to_contain_text("for-one.txt", timeout=WAIT_MS)
    assert (desk.texts(one, Author.AGENT), desk.texts(other, Author.AGENT)) == ([], ["No file here"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("big.pdf", bytes(10 * 2**20 + 1), "big.pdf is too large: a file may have 10 MB at most."),
        ("setup.exe", b"MZ", "setup.exe cannot be sent: only pictures, PDFs and texts can."),
        ("empty.txt", b"", "empty.txt is empty."),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_it_is(
    desk: DeskWindow, open_desk: Open, ana: Agent, name: str, content: bytes, words: str
) -> None:
    page = open_desk()
    open_at(page, helped(desk, ana))
    attach(page, (name, content), ("fine.txt", b"words"))

    is_told(page, words)
    expect(page.get_by_test_id("attached")).to_have_count(1)


def test_a_file_that_lies_is_refused_in_words_and_put_away(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    page = open_desk()
    open_at(page, talk)
    attach(page, ("photo.jpg", b"<!doctype html><script>alert(1)</script>"))
    write(page, "See the picture")

    failed = page.locator("[data-testid=pending][data-state=failed]")
    expect(failed).to_contain_text("This file is a web page, which cannot be taken.", timeout=WAIT_MS)
    expect(failed.get_by_test_id("retry")).to_have_count(0)
    failed.get_by_test_id("dismiss-file").click()
    expect(failed).to_have_count(0)
    assert desk.texts(talk, Author.AGENT) == ["See the picture"]


def test_what_is_on_its_way_shows_how_far_it_is_holds_up_no_words_and_can_be_cancelled(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    talk = helped(desk, ana)
    page = open_desk()
    open_at(page, talk)
    slow_down(page, 200_000)
    attach(page, ("long.pdf", PDF.ljust(4 * 2**20, b"%")))
    page.get_by_test_id("text").press("Enter")

    bar = page.get_by_role("progressbar", name="Sending long.pdf")
    expect(bar).to_be_visible()
    write(page, "It takes a moment")
    expect(lines(page, "agent")).to_contain_text("It takes a moment", timeout=WAIT_MS)
    page.wait_for_function("document.querySelector('progress').value > 0")
    page.get_by_test_id("cancel-file").click()

    expect(page.get_by_test_id("pending")).to_have_count(0)
    attach(page, ("short.txt", b"words"))
    page.get_by_test_id("text").press("Enter")
    expect(lines(page, "agent").get_by_test_id("file")).to_contain_text("short.txt", timeout=WAIT_MS)
    assert desk.texts(talk, Author.AGENT) == ["It takes a moment", "[file: short.txt]"]


def test_a_file_sent_while_the_server_is_away_goes_out_once_when_it_is_back(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    talk = helped(desk, ana)
    page = open_desk()
    open_at(page, talk)
    page.context.set_offline(True)
    attach(page, ("mug.jpg", a_picture("teal")))
    page.get_by_test_id("text").press("Enter")
    expect(page.locator("[data-testid=pending][data-state=failed]")).to_be_visible(timeout=WAIT_MS)
    page.context.set_offline(False)

    assert size_of(page.get_by_test_id("file-picture").locator("img")) == [400, 300]
    expect(page.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)
    assert desk.texts(talk, Author.AGENT) == ["[photo: mug.jpg]"]


def test_what_a_reload_loses_is_said(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    page = open_desk()
    open_at(page, talk)
    slow_down(page, 100_000)
    attach(page, ("long.pdf", PDF.ljust(4 * 2**20, b"%")))
    page.get_by_test_id("text").press("Enter")
    expect(page.get_by_role("progressbar")).to_be_visible()
    page.reload()

    failed = page.locator("[data-testid=pending][data-state=failed]")
    expect(failed).to_contain_text("The page was loaded anew: please choose the file again.", timeout=WAIT_MS)
    expect(failed.get_by_test_id("retry")).to_have_count(0)
    failed.get_by_test_id("dismiss-file").click()
    page.reload()
    expect(lines(page, "customer")).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("pending")).to_have_count(0)


# From the customer to the desk


def test_a_picture_of_the_customer_is_seen_looked_at_and_saved(desk: DeskWindow, open_desk: Open, shop: Shop) -> None:
    panel, talk = shop()
    page = open_desk()
    open_at(page, talk)
    content = a_picture("gold")
    panel.locator("#attachment").set_input_files(
        {"name": "broken mug.jpg", "mimeType": "image/jpeg", "buffer": content}
    )

    preview = lines(page, "customer").get_by_test_id("file-picture")
    assert size_of(preview.locator("img")) == [400, 300]
    # Everything in a transcript can be reached by keyboard.
    preview.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("picture")).to_contain_text("broken mug.jpg")
    with page.expect_download() as saved:
        page.get_by_test_id("file-save").click()
    assert saved.value.suggested_filename == "broken mug.jpg"
    assert Path(saved.value.path()).read_bytes() == content
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("picture")).to_have_count(0)
    # Once for each page that was open, however often it is drawn.
    panel.get_by_role("textbox", name="Your message").fill("That is how it came")
    expect(page.get_by_test_id("typing")).to_contain_text("is typing", timeout=WAIT_MS)
    ask(panel, "That is how it came")
    expect(lines(page, "customer").last).to_contain_text("That is how it came", timeout=WAIT_MS)
    seen = select(tables.audit_log.c.detail).where(tables.audit_log.c.action == "read_file")
    looks = desk.change(lambda work: work.customers._connection.scalars(seen)).all()  # type: ignore[attr-defined]
    assert [one["conversation"] for one in looks].count(talk) == 1


def test_a_file_that_is_no_picture_is_a_link_with_its_size(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    desk.send_file(talk, "photo.jpg.exe", PDF.ljust(348_160, b"%"))
    page = open_desk()
    open_at(page, talk)
    link = page.get_by_test_id("file")
    expect(link).to_have_text(re.compile("photo.jpg.exe.pdf ?340 KB"))
    with page.expect_download() as saved:
        link.click()

    assert saved.value.suggested_filename == "photo.jpg.exe.pdf"
    expect(page).to_have_url(re.compile(talk))


def test_a_picture_that_is_none_is_a_link(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    desk.send_file(talk, "nothing in it.jpg", TAKEN["image/jpeg"])
    page = open_desk()
    open_at(page, talk)

    expect(page.get_by_test_id("file")).to_contain_text("nothing in it.jpg", timeout=WAIT_MS)
    expect(page.get_by_test_id("file-picture")).to_have_count(0)


def test_what_was_deleted_is_said_to_be(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    deleted, going = desk.send_file(talk, "old.jpg", a_picture()), desk.send_file(talk, "going.pdf", PDF)

    def forget(file_id: str) -> None:
        gone = update(tables.attachments).where(tables.attachments.c.id == file_id).values(content=None)
        desk.change(lambda work: work.customers._connection.execute(gone))  # type: ignore[attr-defined]

    forget(deleted)
    page = open_desk()
    open_at(page, talk)
    expect(page.get_by_test_id("file-gone")).to_have_text(re.compile("old.jpg.*deleted"), timeout=WAIT_MS)
    forget(going)
    page.get_by_test_id("file").click()

    is_told(page, "This file was deleted")
    expect(page.get_by_test_id("file-gone")).to_have_count(2)


def test_whatever_a_file_is_called_it_stays_a_name(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    names = [
        "../../etc/passwd",
        "invoice\u202egpj.exe",
        "x" * 300,
        "a\r\nb: c",
        "[photo: y]",
        "",
        ".htaccess",
        "📦 ünï.png",
    ]
    page = open_desk()
    for start in range(0, len(INJECTION), 8):
        talk = helped(desk, ana, f"Files from {start}")
        for name in INJECTION[start : start + 8]:
            desk.send_file(talk, name, a_picture())
        for name in names:
            desk.send_file(talk, name, PDF)
        open_at(page, talk)
        expect(lines(page, "customer").first).to_contain_text(f"Files from {start}", timeout=WAIT_MS)
        expect(page.get_by_test_id("file")).to_have_count(len(names))
        for picture in page.get_by_test_id("file-picture").all():
            picture.scroll_into_view_if_needed()
            assert size_of(picture.locator("img")) == [400, 300]
        picture = page.get_by_test_id("file-picture").last
        picture.click()
        expect(page.get_by_test_id("picture")).to_be_visible()
        assert (
            page.locator("#items img:not(.file-picture img), #items script, #items iframe, #dialogs script").count()
            == 0
        )
        page.keyboard.press("Escape")
        shown = page.get_by_test_id("file").all_inner_texts()
        assert all(re.search(r"\.pdf\s*1 KB$", text) and "\u202e" not in text for text in shown), shown
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_signing_out_takes_the_pictures_along(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    talk = helped(desk, ana)
    desk.send_file(talk, "mug.jpg", a_picture())
    page = open_desk()
    open_at(page, talk)
    picture = page.get_by_test_id("file-picture").locator("img")
    size_of(picture)
    address = picture.get_attribute("src")
    attach(page, ("waiting.txt", b"words"))
    page.get_by_test_id("me").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in-email")).to_be_visible(timeout=WAIT_MS)

    assert page.evaluate(IS_THERE, address) is False
    expect(page.get_by_test_id("attached")).to_have_count(0)


# What else is in a transcript


def shows(desk: DeskWindow, talk: str, text: str, *cards: Card, helpful: bool | None = None) -> None:
    """The bot answers with cards, and the customer says whether that helped."""

    async def say(work: UnitOfWork) -> None:
        conversation = await work.conversations.lock(ConversationId(talk))
        assert conversation is not None
        seq = conversation.last_seq + 1
        said = Message(MessageId(new_id()), conversation.id, seq, Author.BOT, text, desk.now(), cards=cards)
        await work.messages.add(said, channel=conversation.channel)
        await work.conversations.save(replace(conversation, last_seq=seq))
        if helpful is not None:
            await work.messages.rate(conversation.id, seq, helpful)
        work.hint(Hint("outbound", conversation.id))

    desk.change(say)


def test_cards_are_shown_in_short_and_what_customers_thought_of_them(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    talk = desk.customer("Where is my order?")
    steps = ("Ordered", "Packed", "On its way", "Delivered")
    facts = (("Total", "₱1,450.00"), ("<b>Carrier</b>", "<img src=x onerror=alert(1)>"))
    shows(desk, talk, "TC-1 is on its way.\nIt comes tomorrow.", Card("order", "TC-1", facts, steps, 2), helpful=True)
    shows(desk, talk, "Rewards:\n1. A mug", Card("reward", "A mug", (("Price", "500 points"),)), helpful=False)
    shows(desk, talk, "You have 420 points.", Card("points", "420 points"), Card("<i>odd</i>", "Odd"))
    desk.wants_a_person(talk)
    desk.claim(ana, talk)
    page = open_desk()
    open_at(page, talk)

    order, reward, points = lines(page, "bot").all()
    expect(order.get_by_test_id("card")).to_contain_text("TC-1")
    expect(order.get_by_test_id("card")).to_contain_text("On its way · step 3 of 4")
    expect(order.get_by_test_id("card")).to_contain_text("<b>Carrier</b>: <img src=x onerror=alert(1)>")
    expect(order.get_by_test_id("helpful")).to_have_text("Helped")
    expect(reward.get_by_test_id("card")).to_contain_text("Price: 500 points")
    expect(reward.get_by_test_id("helpful")).to_have_text("Did not help")
    expect(points.get_by_test_id("card")).to_have_count(2)
    expect(points.get_by_test_id("helpful")).to_have_count(0)
    assert order.get_by_test_id("card").evaluate("(card) => card.offsetHeight") < 110
    assert barriers(page) == []


def test_what_was_said_before_the_chat_stands_below_the_shops_own_questions(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    label = "What is it about? <b>"
    before = desk.shop.widget
    asked = replace(before, questions=(Question("name", "Your name"), Question("topic", label)))
    object.__setattr__(desk.shop, "widget", asked)
    try:
        talk = desk.customer("Hello", details={"name": "Maria", "topic": "A <i>late</i> order", "old_one": "yes"})
        desk.wants_a_person(talk)
        page = open_desk()
        open_at(page, talk)
        claimed = page.get_by_test_id("panel-claimed")
        expect(claimed).to_contain_text("Claimed, not proven")
        assert claimed.locator("dt").all_inner_texts() == ["Your name", label, "Old one"]
        assert claimed.locator("dd").all_inner_texts() == ["Maria", "A <i>late</i> order", "yes"]
    finally:
        object.__setattr__(desk.shop, "widget", before)
