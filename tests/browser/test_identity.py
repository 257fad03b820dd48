"""A visitor signs in with a code from the demo's inbox, and logs out again: nothing of theirs is left to see."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_chat import ANSWER_MS, ask, expect_answer, open_chat

pytestmark = pytest.mark.browser


def test_a_code_from_the_demos_inbox_signs_in_and_logging_out_leaves_nothing(page: Page) -> None:
    panel = open_chat(page)
    ask(panel, "how many points do I have")
    expect_answer(panel, "Which e-mail address")
    ask(panel, "john@example.com")
    expect_answer(panel, "six digits")

    page.evaluate("Kasuki('close')")
    button = page.get_by_role("button", name=re.compile(r"^Inbox \(demo\), [0-9]+ new$"))
    expect(button).to_be_visible(timeout=ANSWER_MS)
    button.click()
    inbox = page.get_by_role("complementary", name="Inbox (demo)")
    mail = inbox.locator("details").filter(has_text="to john@example.com").filter(has_text="Your code").first
    if mail.get_attribute("open") is None:
        mail.locator("summary").click()
    code = re.search(r"is: ([0-9]{6})", mail.inner_text())
    assert code is not None
    page.keyboard.press("Escape")
    expect(inbox).to_be_hidden()
    expect(page.get_by_role("button", name="Inbox (demo)", exact=True)).to_be_focused()

    page.evaluate("Kasuki('open')")
    ask(panel, code[1])
    expect_answer(panel, "You have 80 points")

    ask(panel, "log me out")
    expect(panel.get_by_test_id("problem")).to_contain_text("You are logged out here", timeout=ANSWER_MS)
    expect(panel.locator("[data-testid=message]")).to_have_count(0)
    assert "80 points" not in panel.locator("body").inner_text()
    ask(panel, "how many points do I have")
    expect_answer(panel, "Which e-mail address")
    expect(panel.get_by_test_id("problem")).to_be_hidden()
    page.reload()
    assert "80 points" not in open_chat(page).locator("body").inner_text()


def test_who_is_signed_in_on_the_page_logs_out_of_the_chat_alone(page: Page) -> None:
    page.get_by_role("button", name="John").click()
    panel = open_chat(page)
    ask(panel, "how many points do I have")
    expect_answer(panel, "You have 80 points")

    ask(panel, "log me out")
    expect(panel.get_by_test_id("problem")).to_contain_text("sign out there, too", timeout=ANSWER_MS)
    expect(panel.locator("#subtitle")).not_to_contain_text("John")
