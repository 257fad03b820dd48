"""An agent at the desk, in a browser: signs in, takes, answers, notes and gives back; and what could go wrong there."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from bot.core.agents import Agent
from bot.core.conversations import Author, Choice, clean_text
from bot.gateway.served import STATIC, served_file
from tests.browser.desk_page import (
    ANA,
    BEN,
    TABLET,
    WAIT_MS,
    WIDE,
    Open,
    ana,
    barriers,
    ben,
    desk,
    lines,
    open_desk,
    open_row,
    row,
    sign_in,
    write,
)
from tests.browser.desk_window import PASSWORD, DeskWindow
from tests.gateway.hostile import HOSTILE, INJECTION, UNICODE

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser

NAUGHTY = json.loads(Path(os.environ["NAUGHTY_STRINGS"]).read_text()) if os.environ.get("NAUGHTY_STRINGS") else []


# Signing in


def test_a_wrong_password_is_said_in_words_and_the_right_one_opens_the_desk(open_desk: Open) -> None:
    page = open_desk(None)
    sign_in(page, ANA, "wrong")
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text("password is wrong", timeout=WAIT_MS)
    expect(page.get_by_test_id("rows")).to_be_hidden()

    sign_in(page, ANA, PASSWORD)
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)

    page.get_by_test_id("me").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in-email")).to_be_visible(timeout=WAIT_MS)
    page.reload()
    expect(page.get_by_test_id("sign-in-email")).to_be_visible(timeout=WAIT_MS)


def test_a_one_time_password_is_replaced_before_anything_is_shown(desk: DeskWindow, open_desk: Open) -> None:
    _, password = desk.hire("new@corner.example", "Newt", password=None)
    page = open_desk(None)
    sign_in(page, "new@corner.example", password)
    page.get_by_test_id("new-password").fill("four words of mine")
    page.get_by_test_id("new-password-again").fill("four other words")
    page.get_by_test_id("save-password").click()
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text("not the same")
    expect(page.get_by_test_id("presence")).to_be_hidden()

    page.get_by_test_id("new-password-again").fill("four words of mine")
    page.get_by_test_id("save-password").click()
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)


# A conversation


def test_an_agent_claims_replies_notes_and_gives_back(desk: DeskWindow, open_desk: Open) -> None:
    waiting = desk.waiting("Is anybody there?", name="Liza")
    page = open_desk()
    open_row(page, "queue", waiting)
    expect(page.get_by_test_id("stage")).to_have_text("Waiting")
    expect(page.get_by_test_id("mode-reply")).to_be_disabled()

    page.get_by_test_id("action-claim").click()
    expect(page.get_by_test_id("stage")).to_have_text("With you", timeout=WAIT_MS)
    expect(page.get_by_test_id("text")).to_be_focused(timeout=WAIT_MS)
    write(page, "Hello, this is Ana.")
    expect(lines(page, "agent")).to_contain_text("Hello, this is Ana.", timeout=WAIT_MS)
    desk.say(waiting, "Oh good!")
    expect(lines(page, "customer").last).to_contain_text("Oh good!", timeout=WAIT_MS)

    page.get_by_test_id("thread-name").click()
    page.keyboard.press("n")
    write(page, "A friendly one.")
    expect(page.get_by_test_id("note")).to_contain_text("A friendly one.", timeout=WAIT_MS)
    page.get_by_test_id("action-return").click()
    expect(page.get_by_test_id("stage")).to_have_text("With the assistant", timeout=WAIT_MS)

    assert desk.texts(waiting, Author.AGENT) == ["Hello, this is Ana."]
    assert not any("friendly" in text for text in desk.texts(waiting, Author.SYSTEM))


def test_new_work_comes_up_by_itself_with_the_time_it_waits(desk: DeskWindow, open_desk: Open) -> None:
    page = open_desk()
    page.get_by_test_id("tab-queue").click()
    expect(page.get_by_test_id("connection-notice")).to_be_hidden()
    waiting = desk.waiting("Hello?", name="Rosa", priority=1)

    expect(row(page, waiting)).to_contain_text("Rosa", timeout=WAIT_MS)
    expect(row(page, waiting)).to_contain_text("Urgent")
    expect(row(page, waiting).locator("[data-since]")).to_have_text(re.compile(r"^\d+:\d\d$"))
    expect(page).to_have_title(re.compile(r"^\(\d+\) Desk"))


def test_an_offer_comes_with_a_countdown_and_is_accepted_or_passed(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    first, second = desk.waiting("one", name="First"), desk.waiting("two", name="Second")
    page = open_desk()
    desk.offer(ana, first)
    banner = page.get_by_test_id("offer")
    expect(banner).to_contain_text("First", timeout=WAIT_MS)
    expect(banner.get_by_role("timer")).to_have_text(re.compile(r"^0:[012]\d$"))
    page.get_by_test_id("offer-pass").click()
    expect(banner).to_have_count(0, timeout=WAIT_MS)

    desk.offer(ana, second)
    page.get_by_test_id("offer-accept").click()
    expect(page.get_by_test_id("thread-name")).to_have_text("Second", timeout=WAIT_MS)
    expect(page.get_by_test_id("stage")).to_have_text("With you", timeout=WAIT_MS)


def test_who_is_away_is_asked_to_come_online_before_taking_anything(desk: DeskWindow, open_desk: Open) -> None:
    waiting = desk.waiting("Hello")
    page = open_desk(BEN)
    page.get_by_test_id("presence").click()
    expect(page.get_by_test_id("presence")).to_have_attribute("data-status", "away", timeout=WAIT_MS)
    open_row(page, "queue", waiting)
    page.get_by_test_id("action-claim").click()
    page.get_by_role("button", name="Go online and take it").click()
    expect(page.get_by_test_id("stage")).to_have_text("With you", timeout=WAIT_MS)
    expect(page.get_by_test_id("presence")).to_have_attribute("data-status", "online")


def test_new_work_is_told_on_the_desktop_and_by_a_sound_without_what_was_written(
    desk: DeskWindow, open_desk: Open
) -> None:
    page = open_desk(permissions=["notifications"])
    page.evaluate(
        """() => {
          window.told = [];
          document.hasFocus = () => false;
          window.Notification = class extends EventTarget {
            static permission = 'granted';
            constructor(title, options) { super(); window.told.push(`${title} ${options.body}`); }
          };
        }"""
    )
    for switch in ("notifications", "sound"):
        page.get_by_test_id(switch).click()
        expect(page.get_by_test_id(switch)).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("tab-queue").click()
    page.wait_for_function("document.title.length > 0")
    waiting = desk.waiting("my card number is 4111", name="Rosa")
    expect(row(page, waiting)).to_be_visible(timeout=WAIT_MS)

    told = page.evaluate("window.told")
    assert told and all("waits for a person" in one for one in told)
    assert not any("4111" in one for one in told)
    page.reload()
    expect(page.get_by_test_id("sound")).to_have_attribute("aria-pressed", "true", timeout=WAIT_MS)


def test_of_two_who_look_each_sees_the_other_and_only_one_may_answer(desk: DeskWindow, open_desk: Open) -> None:
    waiting = desk.waiting("Who takes me?")
    first, second = open_desk(ANA), open_desk(BEN)
    for page in (first, second):
        open_row(page, "queue", waiting)
    expect(first.get_by_test_id("viewers")).to_contain_text("Ben Lim", timeout=WAIT_MS)
    expect(second.get_by_test_id("viewers")).to_contain_text("Ana Cruz", timeout=WAIT_MS)

    second.get_by_test_id("action-claim").click()
    expect(first.get_by_test_id("stage")).to_have_text("With Ben Lim", timeout=WAIT_MS)
    expect(first.get_by_test_id("mode-reply")).to_be_disabled()
    write(second, "I do.")
    expect(lines(first, "agent")).to_contain_text("I do.", timeout=WAIT_MS)


def test_what_could_not_be_sent_is_kept_and_sent_once_when_the_server_is_back(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    waiting = desk.waiting("Hello")
    desk.claim(ana, waiting)
    page = open_desk()
    open_row(page, "mine", waiting)
    desk.leave()
    try:
        expect(page.get_by_test_id("connection-notice")).to_be_visible(timeout=WAIT_MS)
        write(page, "Are you still there?")
        expect(page.get_by_test_id("pending")).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
        page.get_by_test_id("text").fill("half a thought")
    finally:
        desk.return_()
    expect(page.get_by_test_id("connection-notice")).to_be_hidden(timeout=45_000)
    expect(page.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)
    expect(lines(page, "agent")).to_have_count(1)

    page.reload()
    expect(page.get_by_test_id("text")).to_have_value("half a thought", timeout=WAIT_MS)
    assert desk.texts(waiting, Author.AGENT) == ["Are you still there?"]


def test_a_slash_opens_canned_replies_and_fills_what_is_known(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    desk.canned(ana, "hello", "Hi {name}, this is {agent}. Is it about {order}?")
    waiting = desk.waiting("Hello", name="Liza Gomez")
    desk.claim(ana, waiting)
    page = open_desk()
    open_row(page, "mine", waiting)
    page.get_by_test_id("text").press_sequentially("/hel")
    expect(page.get_by_test_id("canned-option")).to_have_count(1)
    page.get_by_test_id("text").press("Enter")

    expect(page.get_by_test_id("text")).to_have_value("Hi Liza, this is Ana. Is it about {order}?")
    selected = page.get_by_test_id("text").evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)")
    assert selected == "{order}"


def test_choices_are_shown_without_what_they_do_and_the_bot_is_watched_and_taken_over(
    desk: DeskWindow, open_desk: Open
) -> None:
    chat = desk.customer("Where is my order?")
    desk.bot_says(chat, "Which one?", (Choice("The mugs", '/inform{"order_number":"TC-1"}'),))
    page = open_desk()
    open_row(page, "bot", chat)
    expect(page.get_by_test_id("choices")).to_contain_text("The mugs")
    assert "/inform" not in page.content()
    page.keyboard.press("Escape")
    page.get_by_test_id("thread-name").click()
    page.keyboard.press("c")
    expect(page.get_by_test_id("stage")).to_have_text("With you", timeout=WAIT_MS)


def test_labels_snooze_and_search_find_it_again(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    waiting = desk.waiting("The grinder hums", name="Otto Finder")
    desk.claim(ana, waiting)
    page = open_desk()
    open_row(page, "mine", waiting)
    page.get_by_test_id("more-actions").click()
    page.get_by_test_id("action-label").click()
    page.get_by_test_id("new-label").fill("grinder, warranty")
    page.get_by_test_id("labels-ok").click()
    expect(row(page, waiting)).to_contain_text("warranty", timeout=WAIT_MS)

    page.get_by_test_id("thread-name").click()
    page.keyboard.press("s")
    page.get_by_test_id("snooze-ok").click()
    expect(row(page, waiting)).to_contain_text("Snoozed until", timeout=WAIT_MS)

    page.get_by_test_id("tab-search").click()
    page.get_by_test_id("search").fill("Otto")
    expect(row(page, waiting)).to_contain_text("Otto Finder", timeout=WAIT_MS)


def test_a_transfer_goes_to_a_colleague_with_a_note(desk: DeskWindow, open_desk: Open, ana: Agent, ben: Agent) -> None:
    waiting = desk.waiting("I need Ben")
    desk.claim(ana, waiting)
    page, other = open_desk(), open_desk(BEN)
    open_row(page, "mine", waiting)
    page.get_by_test_id("action-transfer").click()
    page.get_by_test_id("transfer-to").select_option(f"agent {ben.id}")
    page.get_by_test_id("transfer-note").fill("He asked for you.")
    page.get_by_test_id("transfer-ok").click()

    expect(row(page, waiting)).to_have_count(0, timeout=WAIT_MS)
    expect(row(other, waiting)).to_be_visible(timeout=WAIT_MS)
    open_row(other, "mine", waiting)
    expect(other.get_by_test_id("note")).to_contain_text("He asked for you.", timeout=WAIT_MS)


def test_what_happens_in_the_conversation_one_leaves_does_not_bring_it_back(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    left, wanted = desk.waiting("one", name="Left"), desk.waiting("two", name="Wanted")
    for chat in (left, wanted):
        desk.claim(ana, chat)
    page = open_desk()
    page.clock.install()
    open_row(page, "mine", left)
    expect(page.get_by_test_id("thread-name")).to_have_text("Left", timeout=WAIT_MS)
    desk.say(left, "one more thing")
    expect(lines(page, "customer").last).to_contain_text("one more thing", timeout=WAIT_MS)
    held: list[Route] = []
    with page.expect_request(f"**/desk/api/conversations/{wanted}"):
        page.route(f"**/desk/api/conversations/{wanted}", lambda route: held.append(route))
        row(page, wanted).get_by_role("button").press("Enter")
    page.clock.run_for(10_000)
    held[0].continue_()
    expect(page.get_by_test_id("thread-name")).to_have_text("Wanted", timeout=WAIT_MS)
    expect(page.get_by_test_id("transcript")).not_to_contain_text("one more thing")


def test_shortcuts_are_listed_and_can_be_turned_off(desk: DeskWindow, open_desk: Open) -> None:
    first, second = desk.waiting("one", name="One", priority=9), desk.waiting("two", name="Two", priority=8)
    page = open_desk()
    page.keyboard.press("2")
    expect(row(page, first)).to_be_visible(timeout=WAIT_MS)
    page.keyboard.press("j")
    expect(page.get_by_test_id("thread-name")).to_have_text("One", timeout=WAIT_MS)
    page.keyboard.press("j")
    expect(page.get_by_test_id("thread-name")).to_have_text("Two", timeout=WAIT_MS)
    expect(row(page, second).get_by_role("button")).to_have_attribute("aria-current", "true")

    page.keyboard.press("?")
    expect(page.get_by_test_id("help")).to_contain_text("Claim")
    page.get_by_test_id("shortcuts-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(page.get_by_test_id("thread-name")).to_have_text("Two")


# Admins


def test_an_admin_adds_somebody_whose_password_is_shown_once(open_desk: Open) -> None:
    page = open_desk(BEN)
    page.get_by_test_id("nav-agents").click()
    page.get_by_test_id("add-agent").click()
    page.get_by_test_id("agent-email").fill("carla@corner.example")
    page.get_by_test_id("agent-name").fill("Carla Diaz")
    page.get_by_test_id("agent-dialog-ok").click()
    password = page.get_by_test_id("one-time-password").inner_text()
    page.get_by_test_id("password-dialog-cancel").click()
    expect(page.get_by_test_id("agents")).to_contain_text("Carla Diaz", timeout=WAIT_MS)
    assert len(password) >= 12 and password not in page.content()

    fresh = open_desk(None)
    sign_in(fresh, "carla@corner.example", password)
    expect(fresh.get_by_test_id("new-password")).to_be_visible(timeout=WAIT_MS)


def test_who_is_disabled_is_out_at_once(desk: DeskWindow, open_desk: Open) -> None:
    desk.hire("gone@corner.example", "Gone Soon")
    theirs, page = open_desk("gone@corner.example"), open_desk(BEN, "/desk#/agents")
    page.get_by_title("Edit Gone Soon").click()
    page.get_by_test_id("agent-disabled").check()
    page.get_by_test_id("agent-dialog-ok").click()
    expect(theirs.get_by_test_id("sign-in-problem")).to_contain_text("session is over", timeout=WAIT_MS)
    expect(page.get_by_role("row", name="Gone Soon")).to_contain_text("Disabled", timeout=WAIT_MS)


def test_an_agent_sees_no_page_of_admins(open_desk: Open) -> None:
    page = open_desk(ANA)
    expect(page.get_by_test_id("nav-agents")).to_have_count(0)
    expect(page.get_by_test_id("nav-teaching")).to_have_count(0)


def test_canned_replies_are_added_changed_and_deleted(open_desk: Open) -> None:
    page = open_desk(BEN, "/desk#/canned")
    page.get_by_test_id("new-canned").click()
    page.get_by_test_id("canned-shortcut").fill("bye")
    page.get_by_test_id("canned-text").fill("See you <b>soon</b>!")
    page.get_by_test_id("canned-dialog-ok").click()
    item = page.get_by_test_id("canned-item").filter(has_text="/bye")
    expect(item).to_contain_text("See you <b>soon</b>!", timeout=WAIT_MS)
    item.get_by_role("button", name="Delete").click()
    page.get_by_test_id("dialog-ok").click()
    expect(item).to_have_count(0, timeout=WAIT_MS)


def test_reports_explain_every_figure_and_are_saved_as_a_table(open_desk: Open) -> None:
    page = open_desk(BEN, "/desk#/reports")
    expect(page.get_by_test_id("definitions")).to_contain_text("pause of an hour", timeout=WAIT_MS)
    expect(page.get_by_role("img", name=re.compile("Conversations a day"))).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_test_id("report").get_by_role("columnheader", name="Handed to people").first).to_be_visible()
    with page.expect_download() as found:
        page.get_by_test_id("report-csv").click()
    assert Path(found.value.path()).read_text().startswith("of,which,figure,value\n")


# What must not happen

SHOWN_TEXT = """root => [...root.querySelectorAll('[data-author=customer] .bubble')].map(bubble => {
  const copy = bubble.cloneNode(true);
  copy.querySelectorAll('.visually-hidden').forEach(node => node.remove());
  copy.querySelectorAll('a').forEach(link => link.replaceWith(link.title));
  return copy.textContent;
})"""
STRANGE_NODES = "script:not([src^='/static/']), iframe, object, embed, img:not([src^='http://127.0.0.1'])"


def hostile_texts() -> list[str]:
    kept = dict.fromkeys(clean_text(text) for text in [*HOSTILE, *NAUGHTY])
    return [text for text in kept if text and len(text) <= 2_000]


def test_hostile_strings_are_text_in_the_transcript_and_run_nothing(desk: DeskWindow, open_desk: Open) -> None:
    texts = hostile_texts()
    seen: list[str] = []
    for start in range(0, len(texts), 150):
        part = texts[start : start + 150]
        chat = desk.customer()
        for text in part:
            # Some are nothing but blanks to the service, which takes no empty message.
            try:
                desk.say(chat, text)
            except Exception as error:
                assert type(error).__name__ == "EmptyText", (text, error)
        page = open_desk()
        open_row(page, "bot", chat)
        expect(lines(page, "customer").last).to_be_visible(timeout=WAIT_MS)
        shown = page.get_by_test_id("transcript").evaluate(SHOWN_TEXT)
        assert shown == [text for text in part if text in set(shown)]
        seen += shown
        assert page.locator(STRANGE_NODES).count() == 0
        assert page.get_by_test_id("transcript").locator("img, svg:not(.icon), b, table, form, style").count() == 0
        for link in page.get_by_test_id("transcript").locator("a").all():
            assert re.match("https?://", link.get_attribute("href") or "")
            assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        page.context.close()

    assert len(seen) > 0.9 * len(texts)


def test_hostile_names_notes_and_labels_are_text_wherever_they_are_shown(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    page = open_desk()
    for name in (*INJECTION[8:22], UNICODE[20], UNICODE[27], "A" * 200):
        chat = desk.customer("Hello", details={"name": name, name[:40]: name})
        desk.wants_a_person(chat, summary={"wish": name, "order": name})
        desk.claim(ana, chat)
        desk.note(ana, chat, name)
        if name.isprintable():
            desk.label(chat, name[:40])
        open_row(page, "mine", chat)

        plain = re.sub(r"\s+", " ", name).strip()
        expect(page.get_by_test_id("thread-name")).to_have_text(plain)
        expect(row(page, chat).locator(".row-name")).to_have_text(plain)
        expect(page.get_by_test_id("panel-name")).to_have_text(plain)
        expect(page.get_by_test_id("panel-claimed")).to_contain_text(plain)
        expect(page.get_by_test_id("panel-why")).to_contain_text(plain)
        expect(page.get_by_test_id("note")).to_contain_text(plain)
        expect(page.get_by_test_id("proof")).to_contain_text("Claimed only")
        assert page.locator(STRANGE_NODES).count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [WIDE, TABLET], ids=["desktop", "tablet"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_with_disabilities_out(
    desk: DeskWindow, open_desk: Open, ana: Agent, viewport: dict[str, int], scheme: str
) -> None:
    chat = desk.waiting("Hello", "https://shop.example/a/b", name="Liza", priority=1)
    desk.claim(ana, chat)
    desk.note(ana, chat, "a note")
    desk.label(chat, "vip")
    desk.canned(ana, "hello", "Hello {name}")
    signed_out = open_desk(None, viewport=viewport, color_scheme=scheme)
    expect(signed_out.get_by_test_id("sign-in-email")).to_be_visible(timeout=WAIT_MS)
    assert barriers(signed_out) == []
    page = open_desk(BEN, viewport=viewport, color_scheme=scheme)
    open_row(page, "bot", desk.customer("Hi"))
    assert barriers(page) == []
    page = open_desk(viewport=viewport, color_scheme=scheme)
    open_row(page, "mine", chat)
    expect(page.get_by_test_id("note")).to_be_visible(timeout=WAIT_MS)
    assert barriers(page) == []
    page.get_by_test_id("text").press_sequentially("/")
    expect(page.get_by_test_id("canned")).to_be_visible()
    assert barriers(page) == []
    page.get_by_test_id("text").fill("")
    page.get_by_test_id("text").press("Escape")
    page.keyboard.press("t")
    expect(page.get_by_test_id("transfer-to")).to_be_visible(timeout=WAIT_MS)
    assert barriers(page) == []


@pytest.mark.parametrize("name", ["canned", "agents", "teaching", "reports"])
def test_nothing_keeps_people_with_disabilities_out_of_the_other_pages(open_desk: Open, name: str) -> None:
    for scheme in ("light", "dark"):
        page = open_desk(BEN, f"/desk#/{name}", color_scheme=scheme)
        expect(page.get_by_test_id("page").get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
        assert barriers(page) == []


def test_on_a_tablet_the_customers_column_opens_and_closes(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("Hello", name="Liza")
    desk.claim(ana, chat)
    page = open_desk(viewport=TABLET)
    open_row(page, "mine", chat)
    expect(page.get_by_test_id("panel")).to_be_hidden()
    page.get_by_role("button", name="Customer", exact=True).click()
    expect(page.get_by_test_id("panel-name")).to_have_text("Liza")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("panel")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_desk_is_small_and_has_nothing_of_others() -> None:
    own = [file for file in (STATIC / "desk").iterdir() if file.is_file()]
    shared = ("cards", "config", "connection", "dom", "outbox", "storage", "texts", "transports")
    # As it is sent.
    code = [served_file(name) for name in [*(f"desk/{file.name}" for file in own), *(f"{name}.js" for name in shared)]]
    rest = [gzip.compress(file.read_bytes(), 9) for file in own if file.suffix not in (".js", ".css")]
    assert sum(len(one) for one in [*rest, *(each.packed for each in code if each)]) <= 80 * 1024
    for file in own:
        code = file.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", code), (
            file
        )
        assert not re.search(r"(?:from|import)\s*\(?\s*[\"'](?:https?:)?//", code), file
