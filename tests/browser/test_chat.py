"""A customer on the demo shop's page: opens the chat, asks for an order, and reads the answer."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

pytestmark = pytest.mark.browser

ANSWER_MS = 20_000


def open_chat(page: Page) -> FrameLocator:
    page.get_by_role("button", name=re.compile("^Open chat")).click()
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.get_by_role("textbox", name="Your message")).to_be_visible(timeout=ANSWER_MS)
    # Written by the panel's script once it is connected: from then on it listens to the keyboard.
    expect(panel.locator("#subtitle")).not_to_be_empty(timeout=ANSWER_MS)
    return panel


def ask(panel: FrameLocator, text: str) -> None:
    box = panel.get_by_role("textbox", name="Your message")
    box.fill(text)
    box.press("Enter")


def expect_answer(panel: FrameLocator, text: str | re.Pattern[str]) -> None:
    answers = panel.locator("[data-testid=message][data-author=bot]")
    expect(answers.filter(has_text=text).last).to_be_visible(timeout=ANSWER_MS)


def test_a_customer_asks_for_an_order_and_reads_where_it_is(page: Page) -> None:
    panel = open_chat(page)
    ask(panel, "Where is my order TC-10002?")
    expect_answer(panel, "e-mail address or the postcode")
    ask(panel, "maria@example.com")
    expect_answer(panel, "TC-10002 is on its way")
    own = panel.locator("[data-testid=message][data-author=customer]")
    expect(own).to_have_count(2)
    expect(own.last).to_have_attribute("data-state", "delivered", timeout=ANSWER_MS)


def test_a_signed_in_customer_picks_one_of_several_orders(page: Page) -> None:
    page.get_by_role("button", name="Maria").click()
    panel = open_chat(page)
    ask(panel, "where is my order?")
    expect_answer(panel, "Which one do you mean?")
    panel.get_by_test_id("choice").filter(has_text="TC-10002").click()
    expect_answer(panel, re.compile("TC-10002 is on its way.*Tracking number", re.DOTALL))
    expect(panel.get_by_test_id("choice").filter(has_text="TC-10003")).to_be_disabled()


def test_signing_out_hides_what_was_said(page: Page) -> None:
    page.get_by_role("button", name="Maria").click()
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "Hello, Maria!")
    panel.get_by_role("button", name="Close chat").click()
    page.get_by_role("button", name="Visitor").click()
    panel = open_chat(page)
    expect(panel.get_by_text("Hello, Maria!")).to_have_count(0)
    ask(panel, "show me my orders")
    expect_answer(panel, "once you have signed in")


def test_markup_is_shown_as_text(page: Page) -> None:
    panel = open_chat(page)
    ask(panel, "<img src=x onerror=alert(1)><b>hello</b>")
    message = panel.locator("[data-testid=message][data-author=customer]").last
    expect(message).to_contain_text("<img src=x onerror=alert(1)><b>hello</b>", timeout=ANSWER_MS)
    expect(message.locator("img, b")).to_have_count(0)


def test_a_reload_shows_the_conversation_again(page: Page) -> None:
    panel = open_chat(page)
    ask(panel, "what can you do?")
    expect_answer(panel, "I can tell you where an order is")
    page.reload()
    panel = open_chat(page)
    expect_answer(panel, "I can tell you where an order is")
    expect(panel.locator("[data-testid=message]")).to_have_count(2)


def test_it_works_by_keyboard_alone_and_escape_closes(page: Page) -> None:
    launcher = page.get_by_role("button", name="Open chat")
    launcher.focus()
    page.keyboard.press("Enter")
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.get_by_role("textbox", name="Your message")).to_be_focused(timeout=ANSWER_MS)
    expect(panel.locator("#subtitle")).not_to_be_empty(timeout=ANSWER_MS)
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect_answer(panel, "I'm Suki")
    expect(panel.get_by_role("textbox", name="Your message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Open chat")).to_be_focused()


@pytest.mark.slow
@pytest.mark.parametrize("page", [(1280, 800)], ids=["desktop"], indirect=True)  # a restart takes long
def test_what_is_written_while_the_server_is_away_is_answered_once_when_it_is_back(page: Page, service) -> None:
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    service.stop()
    ask(panel, "are you a bot?")
    expect(panel.get_by_test_id("connection-notice")).to_be_visible(timeout=ANSWER_MS)
    service.start()
    # The wait before the next try has grown meanwhile; the button is there for those who do not want to wait.
    if panel.get_by_role("button", name="Try now").is_visible():
        panel.get_by_role("button", name="Try now").click()
    expect(panel.locator("[data-testid=message][data-author=bot]").filter(has_text="I'm a bot")).to_have_count(
        1, timeout=45_000
    )
    expect(panel.locator("[data-testid=message][data-author=customer]")).to_have_count(2)
