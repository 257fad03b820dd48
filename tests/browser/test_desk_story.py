"""A whole case in two browsers, from the first word to the rating: a customer on the shop's page, and the desk."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_chat import ANSWER_MS, ask, expect_answer, open_chat

pytestmark = pytest.mark.browser

EMAIL = "agent@example.com"


@pytest.fixture
def desk(browser: Browser, service) -> Iterator[Page]:
    """Ana at her desk, online."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    page.set_default_timeout(ANSWER_MS)
    page.goto(f"{service.url}/desk")
    page.get_by_test_id("sign-in-email").fill(EMAIL)
    page.get_by_test_id("sign-in-password").fill(service.password(EMAIL))
    page.get_by_test_id("sign-in").click()
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=ANSWER_MS)
    if page.get_by_test_id("presence").get_attribute("data-status") != "online":
        page.get_by_test_id("presence").click()
    expect(page.get_by_test_id("presence")).to_have_attribute("data-status", "online", timeout=ANSWER_MS)
    yield page
    page.get_by_test_id("presence").click()
    expect(page.get_by_test_id("presence")).to_have_attribute("data-status", "away", timeout=ANSWER_MS)
    context.close()


@pytest.mark.parametrize("page", [(1280, 800)], ids=["desktop"], indirect=True)
def test_a_customer_asks_for_a_person_is_helped_and_rates_the_help(page: Page, desk: Page) -> None:
    page.get_by_role("button", name="Maria").click()
    panel = open_chat(page)
    ask(panel, "where is my order TC-10002?")
    expect_answer(panel, "TC-10002 is on its way")
    ask(panel, "I want to talk to a real person")

    # The line offers it to the only one who is there.
    expect(desk.get_by_test_id("offer")).to_contain_text("Maria Santos", timeout=ANSWER_MS)
    desk.get_by_test_id("offer-accept").click()
    expect(desk.get_by_test_id("stage")).to_have_text("With you", timeout=ANSWER_MS)
    expect(desk.get_by_test_id("proof")).to_contain_text("Verified")
    expect(desk.get_by_test_id("panel-why")).to_contain_text("TC-10002")
    expect(desk.get_by_test_id("points")).to_contain_text("420")
    expect(desk.get_by_test_id("order").first).to_be_visible()
    expect(panel.get_by_test_id("owner-notice")).to_contain_text("Ana Cruz", timeout=ANSWER_MS)

    desk.get_by_test_id("text").fill("Hello Maria, the courier comes today.")
    desk.get_by_test_id("text").press("Enter")
    reply = panel.locator("[data-testid=message][data-author=agent]").last
    expect(reply).to_contain_text("the courier comes today", timeout=ANSWER_MS)
    expect(desk.get_by_test_id("state")).to_have_text("Read", timeout=ANSWER_MS)

    panel.get_by_role("textbox", name="Your message").press_sequentially("Thank")
    expect(desk.get_by_test_id("typing")).to_contain_text("Maria Santos is typing", timeout=ANSWER_MS)
    ask(panel, "Thank you, <b>Ana</b>!")
    said = desk.locator("[data-testid=message][data-author=customer]").last
    expect(said).to_contain_text("Thank you, <b>Ana</b>!", timeout=ANSWER_MS)

    desk.get_by_test_id("mode-note").check()
    desk.get_by_test_id("text").fill("Called the courier.")
    desk.get_by_test_id("text").press("Enter")
    expect(desk.get_by_test_id("note")).to_contain_text("Called the courier.", timeout=ANSWER_MS)
    desk.get_by_test_id("action-resolve").click()
    expect(desk.get_by_test_id("stage")).to_have_text("Resolved", timeout=ANSWER_MS)

    desk.get_by_test_id("understood-toggle").first.click()
    desk.get_by_test_id("teach-wish").select_option("delivery_period")
    desk.get_by_test_id("teach").click()
    expect(desk.get_by_test_id("understood")).to_contain_text("Marked as: Delivery period", timeout=ANSWER_MS)

    panel.get_by_test_id("choice").filter(has_text="5").first.click(timeout=ANSWER_MS)
    expect(desk.locator("[data-testid=message][data-author=customer]").last).to_contain_text("5", timeout=ANSWER_MS)
    expect(panel.get_by_text("Called the courier.")).to_have_count(0)
    ask(panel, "what are your opening hours?")
    expect_answer(panel, "Monday")


@pytest.mark.parametrize("page", [(1280, 800)], ids=["desktop"], indirect=True)
def test_given_back_to_the_bot_it_answers_again(page: Page, desk: Page) -> None:
    panel = open_chat(page)
    ask(panel, "I want to talk to a real person")
    desk.get_by_test_id("offer-accept").click()
    expect(desk.get_by_test_id("stage")).to_have_text("With you", timeout=ANSWER_MS)
    desk.get_by_test_id("text").fill("Suki can tell you that.")
    desk.get_by_test_id("text").press("Enter")
    expect(panel.locator("[data-testid=message][data-author=agent]")).to_be_visible(timeout=ANSWER_MS)
    desk.get_by_test_id("action-return").click()
    expect(desk.get_by_test_id("stage")).to_have_text("With the assistant", timeout=ANSWER_MS)
    ask(panel, "what are your opening hours?")
    expect_answer(panel, "Monday")


@pytest.mark.parametrize("page", [(1280, 800)], ids=["desktop"], indirect=True)
def test_a_customer_may_leave_the_line_and_the_person(page: Page, desk: Page) -> None:
    panel = open_chat(page)
    notice = panel.get_by_test_id("owner-notice")
    ask(panel, "I want to talk to a real person")
    expect(desk.get_by_test_id("offer")).to_be_visible(timeout=ANSWER_MS)
    notice.get_by_role("button", name="Stop waiting").click(timeout=ANSWER_MS)
    notice.get_by_role("button", name="Yes").click()
    left = panel.locator("[data-testid=message][data-author=system]").filter(has_text="You have left the line")
    expect(left).to_be_visible(timeout=ANSWER_MS)
    expect(notice).to_be_hidden(timeout=ANSWER_MS)
    expect(desk.get_by_test_id("offer")).to_have_count(0, timeout=ANSWER_MS)

    ask(panel, "I want to talk to a real person")
    desk.get_by_test_id("offer-accept").click(timeout=ANSWER_MS)
    expect(desk.get_by_test_id("stage")).to_have_text("With you", timeout=ANSWER_MS)
    notice.get_by_role("button", name="End chat").click(timeout=ANSWER_MS)
    notice.get_by_role("button", name="Yes").click()
    expect(desk.get_by_test_id("stage")).to_have_text("Resolved", timeout=ANSWER_MS)
    expect(notice).to_be_hidden(timeout=ANSWER_MS)
    ask(panel, "what are your opening hours?")
    expect_answer(panel, "Monday")
