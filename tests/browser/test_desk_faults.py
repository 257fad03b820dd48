"""What once went wrong at the desk's page: words for the wrong customer, keys nobody meant, work that was missed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from bot.clock import SystemClock
from bot.core.agents import Agent
from bot.core.conversations import Author, ConversationId
from bot.core.handoffs import HandoffReason, Step
from bot.services.ports import UnitOfWork
from bot.services.sign_out import sign_out
from tests.browser.desk_page import (
    BEN,
    TABLET,
    WAIT_MS,
    WIDE,
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
from tests.browser.desk_people import to_call_back
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


class SlowLook:
    """The look at one conversation is on its way until it is let go."""

    def __init__(self, page: Page, conversation_id: str) -> None:
        self._held: list[Route] | None = []
        page.route(f"**/desk/api/conversations/{conversation_id}", self._look)

    def _look(self, route: Route) -> None:
        if self._held is None:
            route.continue_()
        else:
            self._held.append(route)

    def let_go(self) -> None:
        """This one, and all after it."""
        held, self._held = self._held or [], None
        for route in held:
            route.continue_()


def of_ana(desk: DeskWindow, ana: Agent, *names: str) -> list[str]:
    """Conversations that she has."""
    chats = [desk.waiting("Hello", name=name) for name in names]
    for chat in chats:
        desk.claim(ana, chat)
    return chats


# While the next conversation is on its way


def test_what_is_written_while_another_conversation_opens_goes_to_neither(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    maria, john = of_ana(desk, ana, "Maria", "John")
    page = open_desk()
    open_row(page, "mine", maria)
    expect(page.get_by_test_id("text")).to_be_visible(timeout=WAIT_MS)
    slow = SlowLook(page, john)
    with page.expect_request(f"**/desk/api/conversations/{john}"):
        row(page, john).get_by_role("button").click()

    expect(row(page, john).get_by_role("button")).to_have_attribute("aria-current", "true")
    expect(row(page, maria).get_by_role("button")).not_to_have_attribute("aria-current", "true")
    expect(page.get_by_test_id("text")).to_be_hidden()
    expect(page.get_by_test_id("actions")).to_be_hidden()
    page.keyboard.type("rJohn, your refund is on its way.")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+E")
    slow.let_go()
    expect(page.get_by_test_id("thread-name")).to_have_text("John", timeout=WAIT_MS)
    expect(page.get_by_test_id("text")).to_have_value("")
    stands(page, "With you")

    write(page, "John, here you are.")
    expect(lines(page, "agent")).to_contain_text("here you are", timeout=WAIT_MS)
    assert desk.texts(john, Author.AGENT) == ["John, here you are."]
    assert desk.texts(maria, Author.AGENT) == []


def test_a_conversation_that_cannot_be_opened_leaves_none_open(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    maria, john = of_ana(desk, ana, "Maria", "John")
    page = open_desk()
    open_row(page, "mine", maria)
    page.route(f"**/desk/api/conversations/{john}", lambda route: route.abort())
    row(page, john).get_by_role("button").click()
    expect(page.get_by_text("No conversation is open")).to_be_visible(timeout=WAIT_MS)
    open_row(page, "mine", maria)
    expect(page.get_by_test_id("text")).to_be_visible(timeout=WAIT_MS)


def test_the_keyboard_is_where_it_was_once_the_next_conversation_is_there(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    maria, john = of_ana(desk, ana, "Maria", "John")
    page = open_desk()
    open_row(page, "mine", maria)
    page.get_by_test_id("text").focus()
    open_at(page, john)
    expect(page.get_by_test_id("thread-name")).to_have_text("John", timeout=WAIT_MS)
    expect(page.get_by_test_id("text")).to_be_focused()


# Keys


def let_keys_rest(page: Page) -> None:
    """For longer than a key waits for the next letter."""
    page.clock.run_for(600)


def test_a_word_that_is_written_in_the_wrong_place_does_nothing(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    (chat,) = of_ana(desk, ana, "Maria")
    page = open_desk()
    open_row(page, "mine", chat)
    stands(page, "With you")
    page.clock.install()
    page.get_by_test_id("transcript").click()
    for word in ("Hello", "late", "EVERYTHING", "beeps", "cats"):
        page.keyboard.type(word)
    let_keys_rest(page)
    expect(page.get_by_role("dialog")).to_have_count(0)
    stands(page, "With you")
    assert desk.texts(chat, Author.SYSTEM)[-1].endswith("has joined the conversation.")


def test_what_the_customer_is_told_of_takes_shift(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    (chat,) = of_ana(desk, ana, "Maria")
    page = open_desk()
    open_row(page, "mine", chat)
    stands(page, "With you")
    page.clock.install()
    page.get_by_test_id("transcript").click()
    for key in ("e", "b"):
        page.keyboard.press(key)
        let_keys_rest(page)
    stands(page, "With you")
    page.keyboard.press("Shift+E")
    stands(page, "Resolved")


# What is said of a conversation


def test_whoever_logged_out_is_not_taken_over(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("Hello", name="Gone Girl")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    stands(page, "With you")

    async def log_out(work: UnitOfWork) -> None:
        talk = await work.conversations.lock(ConversationId(chat))
        assert talk is not None
        await sign_out(work, SystemClock(), talk)

    desk.change(log_out)
    stands(page, "Resolved")
    expect(page.get_by_test_id("thread-facts")).to_contain_text("Logged out")
    expect(page.get_by_test_id("step").last).to_contain_text("The customer logged out")
    expect(page.get_by_test_id("action-label")).to_be_visible()
    expect(page.get_by_test_id("action-takeover")).to_have_count(0)
    expect(page.get_by_test_id("mode-reply")).to_be_disabled()
    expect(page.get_by_test_id("composer")).to_contain_text("would not see what you write")


def test_what_is_blocked_can_only_be_unblocked_and_says_who_did_it(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    (chat,) = of_ana(desk, ana, "Spammer")
    page = open_desk()
    open_row(page, "mine", chat)
    do(page, "block")
    expect(page.get_by_role("dialog")).to_contain_text("they are told so")
    page.get_by_test_id("block-ok").click()
    expect(page.get_by_test_id("step").last).to_contain_text("Ana Cruz blocked it", timeout=WAIT_MS)
    expect(page.get_by_test_id("action-unblock")).to_be_visible()
    expect(page.get_by_test_id("action-takeover")).to_have_count(0)
    expect(page.get_by_test_id("composer")).to_contain_text("nobody answers here")
    do(page, "unblock")
    expect(page.get_by_test_id("step").last).to_contain_text("Ana Cruz unblocked it", timeout=WAIT_MS)
    expect(page.get_by_test_id("action-takeover")).to_be_visible()


def test_a_call_back_that_was_asked_for_is_not_one_that_had_to_be_promised(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.customer("Please call me")
    to_call_back(desk, chat, "+63 917 555 0101")
    page = open_desk()
    open_row(page, "callback", chat)
    expect(page.get_by_test_id("step")).to_contain_text("The customer asked for a call-back", timeout=WAIT_MS)
    expect(page.get_by_test_id("transcript")).not_to_contain_text("Nobody could be reached")


# New work


def told(page: Page) -> None:
    """Keep what is told in `window.told`."""
    page.evaluate(
        """() => {
          window.told = [];
          document.hasFocus = () => false;
          window.Notification = class extends EventTarget {
            static permission = 'granted';
            constructor(title, options) { super(); window.told.push(options.body); }
          };
        }"""
    )
    page.get_by_test_id("notifications").click()
    expect(page.get_by_test_id("notifications")).to_have_attribute("aria-pressed", "true")


def waiting(page: Page) -> int:
    """How many wait in the line and for a call."""
    counts = [page.get_by_test_id(f"count-{tab}").inner_text() for tab in ("queue", "callback")]
    return sum(int(count or 0) for count in counts)


def title_of(number: int) -> re.Pattern[str]:
    return re.compile(rf"^\({number}\) Desk$" if number else "^Desk$")


def test_what_is_passed_on_to_somebody_makes_itself_known(
    desk: DeskWindow, open_desk: Open, ana: Agent, ben: Agent
) -> None:
    (chat,) = of_ana(desk, ana, "Maria")
    page = open_desk(BEN, permissions=["notifications"])
    told(page)
    to_call_back(desk, desk.customer("Please call me"), "+63 917 555 0101")
    expect(page.get_by_test_id("count-callback")).not_to_be_empty(timeout=WAIT_MS)
    page.get_by_test_id("tab-mine").click()
    desk.step(ana, chat, Step.TRANSFER, to=ben.id)

    expect(row(page, chat)).to_contain_text("New", timeout=WAIT_MS)
    assert page.evaluate("window.told.filter(one => !one.includes('called back'))") == ["A visitor is with you now."]
    expect(page).to_have_title(title_of(waiting(page) + 1))
    open_row(page, "mine", chat)
    expect(row(page, chat)).not_to_contain_text("New", timeout=WAIT_MS)
    expect(page).to_have_title(title_of(waiting(page)), timeout=WAIT_MS)


def test_what_one_takes_oneself_is_no_news(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.waiting("Hello", name="Rosa")
    page = open_desk(permissions=["notifications"])
    open_row(page, "queue", chat)
    told(page)
    page.get_by_test_id("action-claim").click()
    stands(page, "With you")
    page.get_by_test_id("tab-mine").click()
    expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("window.told") == []


def test_a_new_call_back_makes_itself_known_and_is_counted_at_once(desk: DeskWindow, open_desk: Open) -> None:
    first, second = desk.customer("Please call me"), desk.customer("Me, too")
    to_call_back(desk, first, "+63 917 555 0101")
    page = open_desk(BEN, permissions=["notifications"])
    told(page)
    page.get_by_test_id("tab-callback").click()
    expect(row(page, first)).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("tab-mine").click()
    before = int(page.get_by_test_id("count-callback").inner_text())
    to_call_back(desk, second, "+63 917 555 0102")

    # Sooner than one looks anyway.
    expect(page.get_by_test_id("count-callback")).to_have_text(str(before + 1), timeout=WAIT_MS)
    expect(page).to_have_title(title_of(waiting(page)))
    assert page.evaluate("window.told") == ["A visitor is to be called back."]


# Canned replies


def test_what_is_left_open_in_a_canned_reply_is_not_sent_unseen(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    (chat,) = of_ana(desk, ana, "Liza")
    page = open_desk()
    open_row(page, "mine", chat)
    text = page.get_by_test_id("text")
    write(page, "Your order {order} is here.")
    is_told(page, "{order} is still to be filled in")
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "{order}"
    page.keyboard.type("TC-1042")
    text.press("Enter")
    expect(lines(page, "agent")).to_contain_text("Your order TC-1042 is here.", timeout=WAIT_MS)

    write(page, "Write {name} for the name.")
    text.press("Enter")
    expect(lines(page, "agent").last).to_contain_text("Write {name} for the name.", timeout=WAIT_MS)
    assert len(desk.texts(chat, Author.AGENT)) == 2


def test_a_slash_says_that_there_are_no_canned_replies_and_where_to_write_them(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    (chat,) = of_ana(desk, ana, "Liza")
    page = open_desk()
    open_row(page, "mine", chat)
    none = page.get_by_test_id("no-canned")
    page.get_by_test_id("text").press_sequentially("/")
    expect(none).to_contain_text("no canned replies yet")
    page.get_by_test_id("text").press("Escape")
    expect(none).to_be_hidden()
    expect(page.get_by_test_id("text")).to_be_focused()
    page.get_by_test_id("text").press_sequentially(" /")
    none.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Canned replies")).to_be_visible(timeout=WAIT_MS)


# Places


def test_the_pages_of_admins_are_for_admins(open_desk: Open) -> None:
    page = open_desk(path="/desk#/agents")
    expect(page.get_by_role("alert")).to_contain_text("Only admins", timeout=WAIT_MS)
    expect(page.get_by_test_id("add-agent")).to_have_count(0)


def test_an_empty_customer_column_is_no_stop_for_the_keyboard(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    (chat,) = of_ana(desk, ana, "Liza")
    page = open_desk()
    expect(page.get_by_test_id("panel")).to_have_attribute("tabindex", "-1")
    open_row(page, "mine", chat)
    expect(page.get_by_test_id("panel")).to_have_attribute("tabindex", "0", timeout=WAIT_MS)


# Two tabs


def test_what_is_written_in_two_tabs_is_kept_in_both(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    maria, john = of_ana(desk, ana, "Maria", "John")
    page = open_desk()
    open_row(page, "mine", maria)
    page.get_by_test_id("text").fill("for Maria")
    other = page.context.new_page()
    other.goto(page.url.split("#")[0])
    open_row(other, "mine", john)
    other.get_by_test_id("text").fill("for John")
    page.get_by_test_id("text").fill("for Maria, still")

    for tab, chat, words in ((page, john, "for John"), (other, maria, "for Maria, still")):
        expect(row(tab, chat)).to_contain_text("Draft", timeout=WAIT_MS)
        open_row(tab, "mine", chat)
        expect(tab.get_by_test_id("text")).to_have_value(words, timeout=WAIT_MS)

    # What was sent in one tab is no draft in the other.
    write(other, "for Maria, done")
    expect(lines(other, "agent")).to_contain_text("done", timeout=WAIT_MS)
    expect(row(page, maria)).not_to_contain_text("Draft", timeout=WAIT_MS)


def test_what_one_tab_is_sending_has_not_failed_in_the_other(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    (maria,) = of_ana(desk, ana, "Maria")
    page = open_desk()
    open_row(page, "mine", maria)
    held: list[Route] = []
    with page.expect_request("**/reply"):
        page.route("**/reply", lambda route: held.append(route))
        write(page, "On its way.")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_test_id("thread-name")).to_have_text("Maria", timeout=WAIT_MS)
    expect(lines(other, "customer")).to_be_visible(timeout=WAIT_MS)
    expect(other.get_by_test_id("pending")).to_have_count(0)

    # What has failed is shown in both, and sent again from either it is gone from both.
    held[0].abort()
    for tab in (page, other):
        expect(tab.get_by_test_id("pending")).to_have_attribute("data-state", "failed", timeout=WAIT_MS)
    other.get_by_test_id("retry").click()
    for tab in (page, other):
        expect(tab.get_by_test_id("pending")).to_have_count(0, timeout=WAIT_MS)
    assert desk.texts(maria, Author.AGENT) == ["On its way."]


# Looks

CUT = """() => [...document.querySelectorAll('.tabs, .tab, .thread-facts, .thread-facts > *')]
  .filter(node => node.scrollWidth > node.clientWidth + 1).map(node => node.className)"""
OUTSIDE = """() => {
  const edges = document.getElementById('tabs').getBoundingClientRect();
  return [...document.querySelectorAll('.tab, .tab > *')].filter(node => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return left < edges.left || right > edges.right || top < edges.top || bottom > edges.bottom;
  }).map(node => node.id || node.className);
}"""


@pytest.mark.parametrize("viewport", [WIDE, TABLET], ids=["desktop", "tablet"])
def test_nothing_of_the_tabs_and_of_the_head_is_cut(
    desk: DeskWindow, open_desk: Open, ana: Agent, viewport: dict[str, int]
) -> None:
    chat = desk.waiting("Hello", name="Maria", topic="wholesale coffee", priority=1, reason=HandoffReason.COMPLAINT)
    desk.claim(ana, chat)
    desk.label(chat, "vip", "wholesale", "a label of many words")
    page = open_desk(viewport=viewport)
    open_row(page, "mine", chat)
    stands(page, "With you")
    # More than a test of a desk has.
    page.evaluate("document.querySelectorAll('.tab-count').forEach(node => { node.textContent = '100+'; })")
    assert page.evaluate(CUT) == []
    assert page.evaluate(OUTSIDE) == []
