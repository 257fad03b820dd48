"""What goes with the messages in the panel: cards, ratings, the hours, questions before the chat, the sound."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from bot.core.conversations import Card, Choice, Reply
from tests.browser.shop_page import panel_of
from tests.browser.test_chat import ask, expect_answer
from tests.browser.test_chat import open_chat as open_demo_chat
from tests.browser.window import ROOT, Window

pytestmark = pytest.mark.browser

WAIT_MS = 10_000
EVIL = "<img src=x onerror=alert(1)><b>bold</b>\u202e"
STEPS = ("Ordered", "Being prepared", "On its way", "Delivered")
LONG = "We are open from Monday to Friday, from seven in the morning to eight in the evening."
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ALWAYS_OPEN = "\n".join(f'  {day}: ["00:00-24:00"]' for day in DAYS)
QUESTIONS = """  questions:
    - {id: name, label: What is <b>your</b> name?}
    - {id: topic, label: What is it about?, kind: choice, choices: [An order, Our coffee]}
    - {id: email, label: Your e-mail address, kind: email, required: REQUIRED}
"""
# Elsewhere than the shop, and than the machine that runs the tests.
NEW_YORK = "America/New_York"

Open = Callable[..., FrameLocator]


def business(folder: Path, hours: str, questions: str = "") -> Path:
    """Our business file with other hours, and with questions before the chat."""
    text = (ROOT / "business.yml").read_text()
    for group, instead in (("opening_hours", f"opening_hours:\n{hours}\n"), ("holidays", "")):
        text, changed = re.subn(rf"(?m)^{group}:\n(?: .*\n)+", instead, text)
        assert changed == 1
    text = text.replace("\nwidget:\n", f"\nwidget:\n{questions}")
    file = folder / "business.yml"
    file.write_text(text)
    return file


def started(folder: Path, hours: str = ALWAYS_OPEN, questions: str = "") -> Iterator[Window]:
    running = Window(folder, business(folder, hours, questions))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    yield from started(tmp_path_factory.mktemp("content"))


@pytest.fixture(scope="module")
def closed_window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    opens = datetime.now(ZoneInfo("Asia/Manila")) + timedelta(days=2)
    hours = {day: '["07:00-07:30"]' if number == opens.weekday() else "[]" for number, day in enumerate(DAYS)}
    yield from started(tmp_path_factory.mktemp("closed"), "\n".join(f"  {day}: {each}" for day, each in hours.items()))


@pytest.fixture(scope="module")
def asking_window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    yield from started(tmp_path_factory.mktemp("asking"), questions=QUESTIONS.replace("REQUIRED", "true"))


@pytest.fixture(scope="module")
def curious_window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    yield from started(tmp_path_factory.mktemp("curious"), questions=QUESTIONS.replace("REQUIRED", "false"))


@pytest.fixture
def opened(browser: Browser) -> Iterator[Open]:
    """Opens the chat on a window's demo page; anything that the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_window(window: Window, size: tuple[int, int] = (1280, 800), **options) -> FrameLocator:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.goto(window.address)
        return open_chat(page)

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def open_chat(page: Page) -> FrameLocator:
    page.get_by_role("button", name=re.compile("^Open chat")).click()
    return panel_of(page)


def again(panel: FrameLocator) -> FrameLocator:
    """The same after the page was loaded anew."""
    page = panel.owner.page
    page.reload()
    return open_chat(page)


def write(panel: FrameLocator, text: str) -> None:
    panel.locator("#text").fill(text)
    panel.locator("#text").press("Enter")
    sent = panel.locator("[data-testid=message][data-author=customer]").last
    expect(sent).to_have_attribute("data-state", "delivered", timeout=WAIT_MS)


def rated(window: Window) -> list[bool | None]:
    return [row[0] for row in window.rows("SELECT helpful FROM messages WHERE author = 'bot' ORDER BY at, seq")]


# Cards


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_an_order_is_a_card_with_its_steps_and_not_told_twice(window, opened, size):
    panel = opened(window, size)
    write(panel, "where is it")
    facts = (("Items", "1 × Beans"), ("Total", "$20.80"))
    text = "Order TC-1 is on its way.\nIn it: 1 × Beans. It came to $20.80."
    window.say(Reply(text, cards=(Card("order", "TC-1", facts, STEPS, 2),)))

    message = panel.locator("[data-author=bot]").last
    expect(message.locator(".bubble")).to_have_text(re.compile(r"Order TC-1 is on its way\.$"), timeout=WAIT_MS)
    card = message.get_by_test_id("card")
    expect(card.locator(".card-title")).to_have_text("TC-1")
    expect(card.get_by_role("listitem")).to_have_count(4)
    expect(card.locator("[aria-current=step]")).to_have_text("On its way")
    expect(card.locator(".fact")).to_have_text(["Items1 × Beans", "Total$20.80"])
    expect(panel.get_by_test_id("announcer")).to_contain_text("It came to $20.80.")
    box, log = card.bounding_box(), panel.locator("#log").bounding_box()
    assert log["x"] <= box["x"] and box["x"] + box["width"] <= log["x"] + log["width"]


def test_everything_on_a_card_is_text(window, opened):
    panel = opened(window)
    write(panel, "hi")
    card = Card(f"order {EVIL}", EVIL, ((EVIL, EVIL),), (EVIL, EVIL), 1, Choice(EVIL * 2, "/evil"))
    window.say(Reply(f"{EVIL}\n{EVIL}", cards=(card,)))

    shown = panel.get_by_test_id("card")
    expect(shown).to_contain_text("<img src=x onerror=alert(1)><b>bold</b>", timeout=WAIT_MS)
    expect(panel.locator(".item img, .item b, .item script")).to_have_count(0)
    assert shown.get_attribute("class") == "card card-other"


def test_each_order_in_a_list_leads_on_once_and_the_others_stay(window, opened):
    panel = opened(window)
    write(panel, "my orders")
    cards = [Card("order", name, choice=Choice(f"{name}: details", f"/track {name}")) for name in ("TC-1", "TC-2")]
    window.say(Reply("These are your orders:\nTC-1\nTC-2", cards=tuple(cards)))
    details = panel.get_by_role("button", name="Details")
    expect(details).to_have_count(2, timeout=WAIT_MS)
    assert details.last.inner_text().startswith("Details")
    expect(details.last).to_have_accessible_name("Details TC-2")

    details.last.click()
    sent = panel.locator("[data-author=customer]").last
    expect(sent).to_contain_text("TC-2: details")
    expect(sent).to_have_attribute("data-state", "delivered", timeout=WAIT_MS)
    window.say(Reply("Here.", choices=(Choice("Something is wrong with it", "/report"),)))

    for view in (panel, again(panel)):
        picked = view.locator(".card .choice")
        expect(picked).to_have_count(2, timeout=WAIT_MS)
        expect(picked.last).to_be_disabled()
        expect(picked.first).to_be_enabled()


def test_a_reward_is_picked_on_its_card_and_the_question_is_closed(window, opened):
    panel = opened(window)
    write(panel, "rewards")
    mug, tea = Choice("Parol mug", "/pick mug"), Choice("Tea", "/pick tea")
    cards = (Card("reward", "Parol mug", (("For", "250 points"),), choice=mug), Card("reward", "Tea", choice=tea))
    window.say(Reply("What would you like?\nParol mug: 250 points\nTea", choices=(mug, tea), cards=cards))
    buttons = panel.get_by_test_id("choice")
    expect(buttons).to_have_count(2, timeout=WAIT_MS)  # on the cards, and not below them once more
    expect(buttons.first).to_have_accessible_name("Choose Parol mug")

    buttons.first.click()
    expect(panel.locator("[data-author=customer]").last).to_contain_text("Parol mug")
    expect(buttons.first).to_be_disabled()
    expect(buttons.last).to_be_disabled()


def test_a_saved_conversation_has_what_the_cards_show(window, opened):
    panel = opened(window)
    write(panel, "where is it")
    window.say(Reply("On its way.\nIt came to $20.80.", cards=(Card("order", "TC-1", (("Total", "$20.80"),)),)))
    expect(panel.get_by_test_id("card")).to_be_visible(timeout=WAIT_MS)
    with panel.owner.page.expect_download() as download:
        panel.locator("#save").click()

    assert "On its way.\nIt came to $20.80." in download.value.path().read_text()


def test_a_customer_looks_at_an_order_from_the_list(page: Page):
    page.get_by_role("button", name="Maria").click()
    panel = open_demo_chat(page)
    ask(panel, "show me my orders")
    expect_answer(panel, "newest first")
    panel.get_by_role("button", name="Details TC-10002").click()
    expect_answer(panel, re.compile(r"Order TC-10002 is on its way\."))
    steps = panel.locator(".cards").last.get_by_test_id("steps")
    expect(steps.locator("[aria-current=step]")).to_have_text("On its way")
    expect(panel.get_by_role("button", name="Details TC-10002")).to_be_disabled()
    expect(panel.get_by_role("button", name="Details TC-10003")).to_be_enabled()


# Was this helpful?


def test_an_answer_is_rated_which_is_kept_and_can_be_changed(window, opened):
    panel = opened(window)
    write(panel, "when do you open")
    window.say(Reply(LONG))
    before = len(rated(window))
    up, down = panel.get_by_role("button", name="Yes, this was"), panel.get_by_role("button", name="No, this was not")
    up.click(timeout=WAIT_MS)
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(panel.get_by_test_id("rating-after")).to_have_text("Thank you for telling us.")
    down.click()
    expect(up).to_have_attribute("aria-pressed", "false")
    write(panel, "thanks")

    panel = again(panel)
    expect(panel.get_by_role("button", name="No, this was not")).to_have_attribute("aria-pressed", "true")
    assert rated(window)[before - 1] == 0


def test_a_thumb_down_offers_a_person_and_asks_nothing_of_the_bot_by_itself(window, opened):
    panel = opened(window)
    write(panel, "when do you open")
    window.say(Reply(LONG))
    panel.get_by_role("button", name="No, this was not").click(timeout=WAIT_MS)
    expect(panel.get_by_test_id("announcer")).to_contain_text("Would you like to talk to a person?")
    own = panel.locator("[data-author=customer]")
    expect(own).to_have_count(1)

    panel.get_by_role("button", name="Talk to a person").click()
    expect(own).to_have_count(2)
    expect(own.last).to_contain_text("I'd like to talk to a person")


def test_only_the_latest_answer_is_asked_about_and_no_question_or_greeting(window, opened):
    panel = opened(window)
    ratings = panel.get_by_test_id("rating")
    for text, count in (
        (LONG, 1),
        ("Hello!", 0),
        (LONG, 1),
        (f"{LONG} Is that what you wanted to know?", 0),
        (LONG, 1),
    ):
        write(panel, "hi")
        expect(ratings).to_have_count(0)
        window.say(Reply(text))
        expect(panel.locator("[data-author=bot]").last).to_contain_text(text, timeout=WAIT_MS)
        expect(ratings).to_have_count(count)


# The hours


def test_before_anything_is_written_it_is_said_when_people_are_back(closed_window, opened):
    panel = opened(closed_window, locale="en-US", timezone_id=NEW_YORK)
    notice = panel.get_by_test_id("away-notice")
    manila = datetime.now(ZoneInfo("Asia/Manila")).replace(hour=7, minute=0) + timedelta(days=2)
    there = manila.astimezone(ZoneInfo(NEW_YORK))
    expect(notice).to_be_visible(timeout=WAIT_MS)
    words = notice.inner_text().replace("\u202f", " ")
    hour = there.strftime("%I:%M %p").lstrip("0")
    assert words == f"Our team is away until {there:%A} {hour} (your time). Suki answers right now."
    expect(panel.get_by_test_id("announcer")).to_contain_text("Our team is away until")

    write(panel, "hello")
    expect(notice).to_be_hidden()
    panel = again(panel)
    expect(panel.locator("[data-author=customer]")).to_have_count(1, timeout=WAIT_MS)
    expect(panel.get_by_test_id("away-notice")).to_be_hidden()


def test_while_people_are_there_nothing_is_said_about_it(window, opened):
    panel = opened(window)

    expect(panel.get_by_test_id("away-notice")).to_be_hidden()


def test_whoever_waits_sees_their_place_and_when_people_are_back(window, closed_window, opened):
    for at, words in ((window, "You are number 1 in line"), (closed_window, "Our team is away until")):
        panel = opened(at)
        write(panel, "a person please")
        at.put_in_line()
        expect(panel.get_by_test_id("owner-notice")).to_contain_text(words, timeout=WAIT_MS)


# Questions before the chat


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])
def test_what_must_be_answered_comes_before_the_chat(asking_window, opened, size):
    panel = opened(asking_window, size)
    form = panel.get_by_test_id("details")
    expect(form).to_be_visible(timeout=WAIT_MS)
    expect(panel.locator("#composer")).to_be_hidden()
    expect(form.get_by_role("button", name="Skip")).to_have_count(0)
    expect(form.locator("b")).to_have_count(0)
    start = form.get_by_role("button", name="Start the chat")
    start.click()
    email = form.get_by_label("Your e-mail address")
    expect(email).to_be_focused()
    expect(email).to_have_accessible_description("Please answer this.")
    email.fill("maria@example")
    start.click()
    expect(email).to_have_attribute("aria-invalid", "true")
    email.fill("maria@example.com")
    form.get_by_label("What is it about? (optional)").select_option("Our coffee")
    form.get_by_label("What is <b>your</b> name? (optional)").fill("Maria <b>")
    start.click()

    expect(form).to_be_hidden(timeout=WAIT_MS)
    expect(panel.locator("#text")).to_be_focused()
    kept = '{"name": "Maria <b>", "topic": "Our coffee", "email": "maria@example.com"}'
    newest = "SELECT visitor_details FROM conversations ORDER BY created_at DESC LIMIT 1"
    assert asking_window.rows(newest) == [(kept,)]
    panel = again(panel)
    expect(panel.locator("#composer")).to_be_visible(timeout=WAIT_MS)
    expect(panel.get_by_test_id("details")).to_be_hidden()


def test_what_was_typed_is_there_after_a_reload(asking_window, opened):
    panel = opened(asking_window)
    panel.get_by_label("Your e-mail address").fill("maria@")
    panel = again(panel)

    expect(panel.get_by_label("Your e-mail address")).to_have_value("maria@", timeout=WAIT_MS)


def test_what_need_not_be_answered_can_be_skipped_or_simply_written_past(curious_window, opened):
    panel = opened(curious_window)
    form = panel.get_by_test_id("details")
    expect(form).to_be_visible(timeout=WAIT_MS)
    expect(panel.locator("#composer")).to_be_visible()
    write(panel, "hello")
    expect(form).to_be_hidden()
    expect(again(panel).get_by_test_id("details")).to_be_hidden()

    panel = opened(curious_window)
    panel.get_by_role("button", name="Skip").click(timeout=WAIT_MS)
    expect(panel.get_by_test_id("details")).to_be_hidden(timeout=WAIT_MS)
    expect(panel.get_by_test_id("starter").first).to_be_visible()
    panel = again(panel)
    expect(panel.get_by_test_id("starter").first).to_be_visible(timeout=WAIT_MS)
    expect(panel.get_by_test_id("details")).to_be_hidden()


def test_answers_that_cannot_be_delivered_do_not_hold_up_the_chat_and_come_later(asking_window, browser):
    context = browser.new_context()
    page = context.new_page()
    page.goto(asking_window.address)
    panel = open_chat(page)
    page.route("**/chat/messages", lambda route: route.abort())
    panel.get_by_label("Your e-mail address").fill("late@example.com")
    panel.get_by_role("button", name="Start the chat").click()
    expect(panel.locator("#composer")).to_be_visible(timeout=WAIT_MS)
    page.unroute("**/chat/messages")
    with page.expect_response("**/chat/messages"):
        panel = again(panel)

    expect(panel.get_by_test_id("details")).to_be_hidden()
    kept = "SELECT count(*) FROM conversations WHERE visitor_details LIKE '%late@example.com%'"
    assert asking_window.rows(kept) == [(1,)]
    context.close()


# The sound

COUNT_TONES = """
window.tones = 0;
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...rest) { window.tones += 1; return start.apply(this, rest); };
"""

# The page tells the panel; what is said before that counts as seen.
NOTE_WHEN_CLOSED = """() => addEventListener("message", ({ data }) => {
  if (data?.type === "close") window.knowsItIsClosed = true;
})"""


def test_a_sound_is_off_until_wanted_remembered_and_made_only_for_what_is_not_seen(window, browser):
    context = browser.new_context()
    context.add_init_script(COUNT_TONES)
    page = context.new_page()
    page.goto(window.address)
    panel = open_chat(page)

    frame = page.frame(url=re.compile("/chat/frame"))

    def tones() -> int:
        return frame.evaluate("() => window.tones")

    switch = panel.get_by_role("button", name="Sound for new messages")
    expect(switch).to_have_attribute("aria-pressed", "false")
    write(panel, "hi")
    window.say(Reply("Off."))
    expect(panel.locator("[data-author=bot]", has_text="Off.")).to_be_visible(timeout=WAIT_MS)
    assert tones() == 0

    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    frame.wait_for_function("() => window.tones > 0", polling=50)
    heard = tones()
    window.say(Reply("Seen."))
    expect(panel.locator("[data-author=bot]", has_text="Seen.")).to_be_visible(timeout=WAIT_MS)
    assert tones() == heard
    frame.evaluate(NOTE_WHEN_CLOSED)
    panel.get_by_role("button", name="Close chat").click()
    frame.wait_for_function("() => window.knowsItIsClosed", polling=50)
    window.say(Reply("Not seen."))
    frame.wait_for_function(f"() => window.tones > {heard}", polling=50)

    page.reload()
    panel = open_chat(page)
    expect(panel.get_by_role("button", name="Sound for new messages")).to_have_attribute("aria-pressed", "true")
    context.close()
