"""The desk's other pages, in a browser: agents, canned replies and reports, and what they say where they refuse."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from bot.core.agents import Agent
from bot.core.handoffs import Step
from tests.browser.desk_page import (
    ANA,
    BEN,
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    is_told,
    open_desk,
    open_row,
    sign_in,
)
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


def of(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.get_by_test_id("agents").get_by_role("row", name=re.compile(name))


def test_an_admin_gives_a_new_password_and_the_old_sessions_end(desk: DeskWindow, open_desk: Open) -> None:
    fay, old = desk.hire("fay@corner.example", "Fay Forgets")
    hers, page = open_desk(fay.email), open_desk(BEN, "/desk#/agents")
    of(page, "Fay Forgets").get_by_role("button", name="Reset password").click()
    page.get_by_test_id("dialog-cancel").click()
    expect(hers.get_by_test_id("presence")).to_be_visible()
    of(page, "Fay Forgets").get_by_role("button", name="Reset password").click()
    page.get_by_test_id("dialog-ok").click()
    password = page.get_by_test_id("one-time-password").inner_text()
    page.get_by_test_id("password-dialog-cancel").click()
    expect(page.get_by_test_id("one-time-password")).to_have_count(0, timeout=WAIT_MS)
    assert password != old and password not in page.content()

    expect(hers.get_by_test_id("sign-in-problem")).to_contain_text("session is over", timeout=WAIT_MS)
    sign_in(hers, fay.email, old)
    expect(hers.get_by_test_id("sign-in-problem")).to_contain_text("wrong", timeout=WAIT_MS)
    sign_in(hers, fay.email, password)
    expect(hers.get_by_test_id("new-password")).to_be_focused(timeout=WAIT_MS)
    hers.reload()
    # Still to be replaced, and this browser does not know it any more.
    hers.get_by_test_id("old-password").fill(password)
    hers.get_by_test_id("new-password").fill("four words of hers")
    hers.get_by_test_id("new-password-again").fill("four words of hers")
    hers.get_by_test_id("save-password").click()
    expect(hers.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)


def test_what_somebody_knows_and_takes_is_changed(desk: DeskWindow, open_desk: Open) -> None:
    desk.hire("gus@corner.example", "Gus Gomez")
    page = open_desk(BEN, "/desk#/agents")
    page.get_by_title("Edit Gus Gomez").click()
    page.get_by_test_id("agent-name").fill("Gus G.")
    page.get_by_test_id("agent-capacity").fill("51")
    page.get_by_test_id("agent-dialog-ok").click()
    assert not page.get_by_test_id("agent-capacity").evaluate("box => box.validity.valid")
    page.get_by_test_id("agent-capacity").fill("5")
    page.get_by_test_id("agent-skills").fill("Grinders, refunds,")
    page.get_by_test_id("agent-languages").fill("en, es")
    page.get_by_test_id("agent-role").select_option("admin")
    page.get_by_test_id("agent-dialog-ok").click()
    is_told(page, "Saved.")
    for words in ("Gus G.", "Admin", "5", "Grinders, Refunds", "en, es"):
        expect(of(page, "gus@corner.example")).to_contain_text(words, timeout=WAIT_MS)


def test_whoever_was_disabled_is_let_in_again(desk: DeskWindow, open_desk: Open) -> None:
    desk.hire("hal@corner.example", "Hal Holiday")
    page = open_desk(BEN, "/desk#/agents")
    theirs = open_desk(None)
    for disabled in (True, False):
        page.get_by_title("Edit Hal Holiday").click()
        page.get_by_test_id("agent-disabled").set_checked(disabled)
        page.get_by_test_id("agent-dialog-ok").click()
        expect(of(page, "Hal Holiday").get_by_text("Disabled")).to_have_count(int(disabled), timeout=WAIT_MS)
        sign_in(theirs, "hal@corner.example")
        if disabled:
            expect(theirs.get_by_test_id("sign-in-problem")).to_contain_text("is wrong", timeout=WAIT_MS)
    expect(theirs.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)


def test_nobody_locks_the_last_admin_out_or_adds_somebody_twice(desk: DeskWindow, open_desk: Open) -> None:
    page = open_desk(BEN, "/desk#/agents")
    page.get_by_title("Edit Ben Lim").click()
    expect(page.get_by_test_id("agent-disabled")).to_be_disabled()
    page.get_by_test_id("agent-dialog-cancel").click()

    page.get_by_test_id("add-agent").click()
    page.get_by_test_id("agent-email").fill(ANA)
    page.get_by_test_id("agent-name").fill("Another Ana")
    page.get_by_test_id("agent-dialog-ok").click()
    expect(page.get_by_role("alert")).to_contain_text("somebody with the address", timeout=WAIT_MS)
    expect(page.get_by_test_id("agent-name")).to_have_value("Another Ana")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("add-agent")).to_be_focused()


def test_whoever_goes_where_they_may_not_is_told(open_desk: Open) -> None:
    page = open_desk(ANA, "/desk#/teaching")
    expect(page.get_by_role("alert")).to_contain_text("Only admins", timeout=WAIT_MS)
    page.goto(page.url.split("#")[0] + "#/nowhere")
    expect(page.get_by_role("alert")).to_contain_text("no such page", timeout=WAIT_MS)
    page.goto(page.url.split("#")[0] + "#/c/%E0%A4%A")
    expect(page.get_by_text("No conversation is open")).to_be_visible(timeout=WAIT_MS)


# Canned replies


def test_a_canned_reply_is_renamed_and_an_impossible_shortcut_refused(desk: DeskWindow, open_desk: Open) -> None:
    page = open_desk(BEN, "/desk#/canned")
    page.get_by_test_id("new-canned").click()
    page.get_by_test_id("canned-shortcut").fill("ünter")
    page.get_by_test_id("canned-text").fill("We open at nine.")
    page.get_by_test_id("canned-dialog-ok").click()
    expect(page.get_by_role("alert")).to_contain_text("letters, digits", timeout=WAIT_MS)
    page.get_by_test_id("canned-shortcut").fill("Open")
    page.get_by_test_id("canned-dialog-ok").click()
    item = page.get_by_test_id("canned-item")
    expect(item.filter(has_text="/open")).to_contain_text("We open at nine.", timeout=WAIT_MS)
    item.filter(has_text="/open").get_by_role("button", name="Edit").click()
    page.get_by_test_id("canned-shortcut").fill("hours")
    page.get_by_test_id("canned-dialog-ok").click()
    expect(item.filter(has_text="/hours")).to_have_count(1, timeout=WAIT_MS)
    expect(item.filter(has_text="/open")).to_have_count(0)


def test_what_a_canned_reply_leaves_open_is_selected_whatever_it_is_called(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    desk.canned(ana, "sorry", "Sorry {name}, here are {amount} off order {order}. {agent}")
    chat = desk.waiting("Hello", name="Liza Gomez")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    text = page.get_by_test_id("text")
    text.fill("First: ")
    text.press_sequentially("/SOR")
    page.get_by_test_id("canned-option").click()
    expect(text).to_have_value("First: Sorry Liza, here are {amount} off order {order}. Ana")
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "{amount}"
    page.keyboard.type("5 dollars")
    expect(text).to_have_value("First: Sorry Liza, here are 5 dollars off order {order}. Ana")


# Reports


def test_reports_count_what_happened_in_the_days_that_are_asked_for(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    chat = desk.waiting("Count me")
    desk.claim(ana, chat)
    desk.reply(ana, chat, "One.")
    desk.step(ana, chat, Step.RESOLVE)
    page = open_desk(BEN, "/desk#/reports")
    handed = page.locator(".tile").filter(has_text="Handed to people")
    expect(handed).to_contain_text(re.compile(r"[1-9]\d* times?"), timeout=WAIT_MS)
    agents = page.get_by_role("table", name="Agents")
    expect(agents.get_by_role("row", name=re.compile("Ana Cruz"))).to_be_visible()

    today = desk.now().astimezone(desk.shop.hours.zone).date()
    long_ago = today - timedelta(days=400)
    for first, last in ((today, long_ago), (long_ago, today)):
        ask(page, str(first), str(last))
        expect(page.get_by_role("alert")).to_contain_text("within 366 days", timeout=WAIT_MS)
        expect(page.get_by_test_id("report-csv")).to_be_hidden()

    ask(page, str(long_ago), str(long_ago))
    expect(handed).to_contain_text("0 times", timeout=WAIT_MS)
    assert figures(page)["total", "", "handoffs"] == "0"

    ask(page, "", "")
    expect(handed).to_contain_text(re.compile(r"[1-9]\d* times?"), timeout=WAIT_MS)
    saved = figures(page)
    assert f"{saved['total', '', 'handoffs']} time" in handed.inner_text()
    assert saved["agent", "Ana Cruz", "replies"] == "1"


def ask(page: Page, first: str, last: str) -> None:
    page.get_by_test_id("report-from").fill(first)
    page.get_by_test_id("report-to").fill(last)
    page.get_by_role("button", name="Show").click()


def figures(page: Page) -> dict[tuple[str, str, str], str]:
    """The table that is saved, as it is then."""
    with page.expect_download() as found:
        page.get_by_test_id("report-csv").click()
    rows = list(csv.reader(io.StringIO(found.value.path().read_text())))
    return {(of, which, figure): value for of, which, figure, value in rows[1:]}
