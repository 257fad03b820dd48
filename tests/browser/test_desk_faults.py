"""What once went wrong at the desk's page: words for the wrong customer, keys nobody meant, work that was missed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from bot.core.agents import Agent
from bot.core.conversations import Author
from tests.browser.desk_page import (
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    lines,
    open_at,
    open_desk,
    open_row,
    row,
    stands,
    write,
)
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


class SlowLook:
    """The look at one conversation is on its way until it is let go."""

    def __init__(self, page: Page, conversation_id: str) -> None:
        self._held: list[Route] = []
        page.route(f"**/desk/api/conversations/{conversation_id}", lambda route: self._held.append(route))

    def let_go(self) -> None:
        for route in self._held:
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
