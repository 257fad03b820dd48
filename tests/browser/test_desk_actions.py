"""What people at the desk do with a conversation, in a browser: every action, and what is said where it is refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from bot.core.agents import Agent
from bot.core.conversations import Author
from bot.core.handoffs import HandoffReason
from tests.browser.desk_page import (
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    do,
    is_told,
    lines,
    open_at,
    open_desk,
    open_row,
    row,
    stands,
    write,
)
from tests.browser.desk_people import long_talk, to_call_back
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


def test_whoever_was_called_back_is_off_the_list(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("Please call me", details={"name": "Pia Callme"})
    to_call_back(desk, chat, "+63 917 555 0101")
    page = open_desk()
    open_row(page, "callback", chat)
    expect(row(page, chat)).to_contain_text("Due")
    expect(page.get_by_test_id("panel-why")).to_contain_text("+63 917 555 0101")
    expect(page.get_by_test_id("mode-reply")).to_be_disabled()

    do(page, "called")
    is_told(page, "Noted as called.")
    stands(page, "Resolved")
    expect(page.get_by_test_id("step").last).to_contain_text("was called back")
    expect(row(page, chat)).to_have_count(0, timeout=WAIT_MS)


def test_a_call_back_is_taken_up_in_writing(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("Write to me")
    to_call_back(desk, chat, "pia@example.com")
    page = open_desk()
    open_row(page, "callback", chat)
    do(page, "claim")
    stands(page, "With you")
    write(page, "Here I am.")
    expect(lines(page, "agent")).to_contain_text("Here I am.", timeout=WAIT_MS)


def test_whoever_is_blocked_writes_to_nobody_until_it_is_undone(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("Buy my pills", name="Spammer")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    do(page, "block")
    dialog = page.get_by_role("dialog", name="Block this visitor?")
    expect(dialog).to_contain_text("Nobody answers here any more")
    page.get_by_test_id("block-cancel").click()
    stands(page, "With you")

    do(page, "block")
    page.get_by_test_id("block-ok").click()
    is_told(page, "Blocked.")
    stands(page, "Resolved")
    expect(page.get_by_test_id("thread-facts")).to_contain_text("Blocked")
    expect(lines(page, "system").last).to_contain_text("nobody reads it any more")
    expect(row(page, chat)).to_have_count(0, timeout=WAIT_MS)

    do(page, "unblock")
    is_told(page, "They are answered again")
    expect(page.get_by_test_id("thread-facts")).not_to_contain_text("Blocked", timeout=WAIT_MS)
    desk.say(chat, "I am sorry")
    expect(lines(page, "customer").last).to_contain_text("I am sorry", timeout=WAIT_MS)


def test_what_was_snoozed_goes_last_and_comes_back_when_it_is_time(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    first, second = desk.waiting("one", name="Resting"), desk.waiting("two", name="Awake")
    for chat in (second, first):
        desk.claim(ana, chat)
    desk.say(first, "the newest")
    page = open_desk()
    open_row(page, "mine", first)
    do(page, "snooze")
    page.get_by_test_id("snooze-until").select_option("own")
    page.get_by_test_id("snooze-own").fill("2020-01-01T10:00")
    page.get_by_test_id("snooze-ok").click()
    expect(page.get_by_role("alert")).to_contain_text("still to come")
    page.get_by_test_id("snooze-until").select_option(label="In two hours")
    page.get_by_test_id("snooze-ok").click()
    is_told(page, "Snoozed until")
    expect(row(page, first)).to_contain_text("Snoozed until", timeout=WAIT_MS)
    assert page.evaluate(ORDER, [first, second]) == [second, first]

    # Somebody who writes is not left to rest …
    desk.say(first, "one more thing")
    expect(row(page, first)).not_to_contain_text("Snoozed until", timeout=WAIT_MS)
    assert page.evaluate(ORDER, [first, second]) == [first, second]

    # … and what was put off comes up by itself, with nobody touching anything.
    page.evaluate(HEAR)
    desk.snooze(ana, first, seconds=3)
    expect(row(page, first)).to_contain_text("Snoozed until", timeout=WAIT_MS)
    expect(row(page, first)).not_to_contain_text("Snoozed until", timeout=WAIT_MS)
    assert page.evaluate(ORDER, [first, second]) == [first, second]
    assert any("you snoozed it until now" in line for line in page.evaluate("window.heard"))


ORDER = """wanted => [...document.querySelectorAll('[data-testid=conversation-row]')]
  .map(node => node.dataset.id).filter(id => wanted.includes(id))"""
HEAR = """() => {
  window.heard = [];
  const hear = node => heard.push(node.textContent);
  new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(hear)))
    .observe(document.getElementById('announcer'), { childList: true });
}"""


def test_labels_come_and_go_and_find_what_has_them(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat, other = desk.waiting("one", name="Labelled"), desk.waiting("two", name="Plain")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    do(page, "label")
    page.get_by_test_id("new-label").fill("x" * 41)
    assert page.get_by_test_id("new-label").input_value() == "x" * 40
    page.get_by_test_id("new-label").fill("VIP, wholesale ,, vip")
    page.get_by_test_id("labels-ok").click()
    chips = page.get_by_test_id("panel-why").get_by_title("Find what has this label")
    expect(chips).to_have_text(["vip", "wholesale"], timeout=WAIT_MS)

    do(page, "label")
    page.get_by_role("checkbox", name="vip").uncheck()
    page.get_by_test_id("labels-ok").click()
    expect(chips).to_have_text(["wholesale"], timeout=WAIT_MS)

    chips.first.click()
    expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("conversation-row")).to_have_count(1)
    page.get_by_test_id("search").fill("nothing like it")
    expect(page.get_by_text("Nothing was found.")).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("search").fill("two")
    page.get_by_role("button", name="wholesale × remove this filter").click()
    expect(row(page, other)).to_be_visible(timeout=WAIT_MS)
    expect(page.get_by_test_id("search")).to_be_focused()


def test_passed_to_whoever_is_free_it_is_about_nothing_that_only_some_know(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    chat = desk.waiting("The grinder hums", name="Otto Grind", topic="grinders")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    do(page, "transfer")
    page.get_by_test_id("transfer-to").select_option(label="Whoever is free")
    page.get_by_test_id("transfer-note").fill("Needs a hand.")
    page.get_by_test_id("transfer-ok").click()
    is_told(page, "Passed on. The customer was told.")
    stands(page, "Waiting")
    expect(page.get_by_test_id("note")).to_contain_text("Needs a hand.")
    page.get_by_test_id("tab-queue").click()
    expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
    expect(row(page, chat)).not_to_contain_text(re.compile("grinders|anyone", re.IGNORECASE))
    told = lines(page, "system").filter(has_text="Ana Cruz has passed you on to a colleague")
    expect(told).to_have_count(1, timeout=WAIT_MS)


def test_passed_to_those_who_know_a_topic_it_carries_the_topic(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("The grinder hums", name="Otto Repair", topic="repairs")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    page.get_by_test_id("thread-name").click()
    page.keyboard.press("t")
    page.get_by_test_id("transfer-to").select_option(label="Whoever knows: Repairs")
    page.get_by_test_id("transfer-ok").click()
    stands(page, "Waiting")
    page.get_by_test_id("tab-queue").click()
    expect(row(page, chat)).to_contain_text("Repairs", timeout=WAIT_MS)


def test_nobody_is_passed_on_to_somebody_who_is_away(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("Is Cleo in?")
    desk.claim(ana, chat)
    cleo, _ = desk.hire("cleo@corner.example", "Cleo Ong")
    page, hers = open_desk(), open_desk(cleo.email)
    open_row(page, "mine", chat)
    do(page, "transfer")
    option = page.get_by_test_id("transfer-to").locator(f"option[value='agent {cleo.id}']")
    expect(option).to_have_count(1, timeout=WAIT_MS)
    page.get_by_test_id("transfer-to").select_option(f"agent {cleo.id}")

    # She leaves while the dialog is open.
    hers.get_by_test_id("presence").click()
    expect(hers.get_by_test_id("presence")).to_have_attribute("data-status", "away", timeout=WAIT_MS)
    page.get_by_test_id("transfer-ok").click()
    expect(page.get_by_role("alert")).to_contain_text("Cleo Ong is not there now", timeout=WAIT_MS)
    page.get_by_test_id("transfer-cancel").click()
    stands(page, "With you")
    do(page, "transfer")
    expect(option).to_have_count(0, timeout=WAIT_MS)


def test_the_bot_is_taken_over_and_given_back_and_the_customer_is_told(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("Where is my parcel?", details={"name": "Tina Takeover"})
    page = open_desk()
    open_row(page, "bot", chat)
    expect(page.locator("#mode-hint")).to_contain_text("take it over to reply")
    do(page, "takeover")
    stands(page, "With you")
    write(page, "A person here.")
    expect(lines(page, "agent")).to_contain_text("A person here.", timeout=WAIT_MS)

    do(page, "return")
    is_told(page, "Back with the assistant.")
    stands(page, "With the assistant")
    told = desk.texts(chat, Author.SYSTEM)
    assert told[0] == "Ana Cruz has joined the conversation."
    assert any(text.startswith("Ana Cruz has left.") for text in told)


def test_what_is_resolved_is_reopened_from_the_message_that_says_so(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    chat = desk.waiting("All fine")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    page.get_by_test_id("thread-name").click()
    page.keyboard.press("Shift+E")
    is_told(page, "Resolved. The customer was told")
    stands(page, "Resolved")
    page.get_by_test_id("toast").get_by_role("button", name="Reopen").click()
    stands(page, "With you")


def test_an_action_that_comes_too_late_says_so_and_shows_how_it_stands(
    desk: DeskWindow, open_desk: Open, ben: Agent
) -> None:
    chat = desk.waiting("Quick!")
    page = open_desk()
    open_row(page, "queue", chat)

    def be_quicker(route: Route) -> None:
        desk.claim(ben, chat)
        route.continue_()

    page.route("**/claim", be_quicker)
    page.get_by_test_id("action-claim").click()
    is_told(page, "Somebody was quicker")
    stands(page, "With Ben Lim")


def test_earlier_messages_come_on_demand_and_the_reader_stays_in_place(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("the very first")
    long_talk(desk, chat, 230)
    page = open_desk()
    open_at(page, chat)
    expect(page.get_by_test_id("message")).to_have_count(200, timeout=WAIT_MS)
    expect(page.get_by_text("line 231")).to_be_in_viewport()
    page.get_by_test_id("transcript").evaluate("log => { log.scrollTop = 0; }")
    kept = page.locator("[data-testid=message][data-seq='40']")
    before = kept.bounding_box()

    page.get_by_test_id("earlier-messages").click()
    expect(page.get_by_test_id("message")).to_have_count(231, timeout=WAIT_MS)
    after = kept.bounding_box()
    assert before and after and abs(before["y"] - after["y"]) <= 2
    expect(page.get_by_test_id("message").first).to_contain_text("the very first")
    expect(page.get_by_test_id("earlier-messages")).to_have_count(0)
    # What comes now is offered, and does not tear the reader away.
    page.get_by_test_id("transcript").evaluate("log => { log.scrollTop = 0; }")
    desk.bot_says(chat, "And now?")
    page.get_by_role("button", name="New messages").click(timeout=WAIT_MS)
    expect(page.get_by_text("And now?").last).to_be_in_viewport()


def test_a_notification_leads_to_the_conversation_and_the_title_counts_what_waits(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    page = open_desk(permissions=["notifications"])
    page.evaluate(
        """() => {
          window.told = [];
          document.hasFocus = () => false;
          window.Notification = class extends EventTarget {
            static permission = 'granted';
            constructor(title, options) { super(); this.body = options.body; window.told.push(this); }
            close() { this.closed = true; }
          };
        }"""
    )
    page.get_by_test_id("notifications").click()
    page.get_by_test_id("tab-mine").click()
    page.wait_for_load_state("networkidle")
    before = counted(page.title())
    chat = desk.waiting("my secret", name="Rosa Ring")
    desk.claim(ana, chat)
    expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
    desk.say(chat, "hello? my secret")
    until(page, "window.told.some(one => one.body.includes('has written'))")
    assert counted(page.title()) == before + 1

    page.evaluate("window.told.find(one => one.body.includes('has written')).dispatchEvent(new Event('click'))")
    expect(page.get_by_test_id("thread-name")).to_have_text("Rosa Ring", timeout=WAIT_MS)
    until(page, f"Number(/\\d+/.exec(document.title) ?? 0) === {before}")
    assert not any("secret" in one for one in page.evaluate("window.told.map(one => one.body)"))


def until(page: Page, what: str) -> None:
    """Wait until it is so; playwright's own way to wait needs a page that lets texts be run."""
    page.evaluate(f"async () => {{ while (!({what})) await new Promise(requestAnimationFrame); }}")


def counted(title: str) -> int:
    found = re.match(r"\((\d+)\)", title)
    return int(found[1]) if found else 0


def test_keys_do_everything_but_while_somebody_writes(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("by key", name="Kay", reason=HandoffReason.COMPLAINT, priority=30)
    desk.offer(ana, chat)
    page = open_desk()
    press = page.keyboard.press
    open_row(page, "queue", chat)
    page.get_by_test_id("thread-name").click()
    press("Shift+P")
    is_told(page, "Passed on to the next one.")
    press("c")
    stands(page, "With you")

    page.get_by_test_id("text").press_sequentially("test b e s t")
    expect(page.get_by_test_id("text")).to_have_value("test b e s t")
    stands(page, "With you")
    press("Escape")
    for key, test in (("s", "snooze"), ("l", "labels"), ("t", "transfer")):
        press(key)
        expect(page.get_by_test_id(f"{test}-ok")).to_be_visible(timeout=WAIT_MS)
        press("Escape")
        expect(page.get_by_test_id(f"{test}-ok")).to_have_count(0)
    press("Control+b")
    stands(page, "With you")
    press("Shift+B")
    stands(page, "With the assistant")
    press("/")
    expect(page.get_by_test_id("search")).to_be_focused()
    page.get_by_test_id("tab-queue").click()
    press("ArrowRight")
    expect(page.get_by_test_id("tab-callback")).to_be_focused()
    expect(page.get_by_test_id("tab-callback")).to_have_attribute("aria-selected", "true")
