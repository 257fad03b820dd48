"""Signing in at the desk and staying there, in a browser: passwords, locks, sessions that end, and who is online."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bot.core.agents import Agent
from bot.core.conversations import Author
from tests.browser.desk_page import (
    ANA,
    BEN,
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    is_told,
    lines,
    open_at,
    open_desk,
    open_row,
    sign_in,
    stands,
    write,
)
from tests.browser.desk_window import PASSWORD, DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser


def problem(page: Page, words: str) -> None:
    expect(page.get_by_test_id("sign-in-problem")).to_contain_text(words, timeout=WAIT_MS)


def test_after_several_wrong_passwords_even_the_right_one_has_to_wait(desk: DeskWindow, open_desk: Open) -> None:
    desk.hire("locked@corner.example", "Lou Locked")
    page = open_desk(None)
    for _ in range(4):
        sign_in(page, "locked@corner.example", "wrong")
        problem(page, "password is wrong.")
        expect(page.get_by_test_id("sign-in-problem")).not_to_contain_text("Too many")
        expect(page.get_by_test_id("sign-in-password")).to_be_focused()
    sign_in(page, "locked@corner.example", "wrong")
    problem(page, "Too many wrong passwords were tried: wait a while, or ask an admin")
    sign_in(page, "locked@corner.example", PASSWORD)
    problem(page, "Too many wrong passwords")
    expect(page.get_by_test_id("presence")).to_be_hidden()


def test_whoever_does_not_exist_is_refused_in_the_same_words(open_desk: Open) -> None:
    page = open_desk(None)
    sign_in(page, "nobody@corner.example", "wrong")
    problem(page, "The e-mail address or the password is wrong.")


def test_a_password_of_ones_own_is_changed_and_the_desk_goes_on(desk: DeskWindow, open_desk: Open) -> None:
    dora, _ = desk.hire("dora@corner.example", "Dora Diaz")
    elsewhere, page = open_desk(dora.email), open_desk(dora.email)
    chat = desk.waiting("Hello?")
    desk.claim(dora, chat)
    open_row(page, "mine", chat)

    # Thought better of it: everything works as before.
    to_change_password(page)
    page.get_by_role("button", name="Cancel").click()
    stands(page, "With you")
    write(page, "Still here.")
    expect(lines(page, "agent")).to_contain_text("Still here.", timeout=WAIT_MS)

    to_change_password(page)
    for old, new, again, words in (
        ("not mine at all", "four words of mine", "four words of mine", "wrong"),
        (PASSWORD, "four words of mine", "four other words", "not the same"),
        (PASSWORD, PASSWORD, PASSWORD, "the old one"),
        (PASSWORD, "aaaaaaaaaaaa", "aaaaaaaaaaaa", "repeats the same few characters"),
        (PASSWORD, "my name is dora", "my name is dora", "your own address"),
    ):
        page.get_by_test_id("old-password").fill(old)
        page.get_by_test_id("new-password").fill(new)
        page.get_by_test_id("new-password-again").fill(again)
        page.get_by_test_id("save-password").click()
        problem(page, words)
    page.get_by_test_id("new-password").fill("four words of mine")
    page.get_by_test_id("new-password-again").fill("four words of mine")
    page.get_by_test_id("save-password").click()
    stands(page, "With you")
    write(page, "With a new password.")
    expect(lines(page, "agent").last).to_contain_text("With a new password.", timeout=WAIT_MS)

    # Whoever sits at another screen with the old one is out.
    problem(elsewhere, "Your session is over")
    sign_in(elsewhere, dora.email, PASSWORD)
    problem(elsewhere, "password is wrong")
    sign_in(elsewhere, dora.email, "four words of mine")
    expect(elsewhere.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)


def to_change_password(page: Page) -> None:
    page.get_by_test_id("me").click()
    page.get_by_test_id("change-password").click()
    expect(page.get_by_test_id("old-password")).to_be_focused()


def test_what_was_written_when_the_session_ended_is_there_afterwards(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    chat, other = desk.waiting("Hello", name="Secret Name"), desk.waiting("Hello")
    for one in (chat, other):
        desk.claim(ana, one)
    page = open_desk()
    open_row(page, "mine", chat)
    page.get_by_test_id("text").fill("half a thought")
    desk.change(lambda work: work.agents.end_sessions(ana.id))
    open_at(page, other)
    problem(page, "Your session is over. Please sign in again; what you wrote is kept.")
    # Whoever comes to the screen now reads nothing of customers on it.
    assert "Secret Name" not in page.locator("body").inner_text()
    expect(page.get_by_test_id("conversation-row")).to_have_count(0)
    expect(page.get_by_test_id("sign-in-email")).to_have_value(ANA)
    expect(page.get_by_test_id("sign-in-password")).to_be_focused()

    sign_in(page, ANA)
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)
    open_row(page, "mine", chat)
    expect(page.get_by_test_id("text")).to_have_value("half a thought")
    page.get_by_test_id("text").press("Enter")
    expect(lines(page, "agent")).to_contain_text("half a thought", timeout=WAIT_MS)
    assert desk.texts(chat, Author.AGENT) == ["half a thought"]


def test_whoever_signs_in_after_somebody_else_has_nothing_of_theirs(
    desk: DeskWindow, open_desk: Open, ana: Agent
) -> None:
    chat = desk.waiting("Hello")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    page.get_by_test_id("text").fill("half a thought of Ana's")
    page.get_by_test_id("me").click()
    page.get_by_test_id("sign-out").click()
    expect(page.get_by_test_id("sign-in-email")).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("Object.keys(localStorage).filter(key => /drafts|outgoing/.test(key))") == []

    sign_in(page, BEN)
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)
    open_at(page, chat)
    stands(page, "With Ana Cruz")
    expect(page.get_by_test_id("text")).to_have_value("")


def test_being_away_or_online_is_said_kept_and_seen_by_others(desk: DeskWindow, open_desk: Open) -> None:
    eve, _ = desk.hire("eve@corner.example", "Eve Ocampo")
    page, admins = open_desk(eve.email), open_desk(BEN, "/desk#/agents")
    switch, shown = page.get_by_test_id("presence"), admins.get_by_role("row", name=re.compile("Eve Ocampo"))
    expect(shown).to_contain_text("Online", timeout=WAIT_MS)
    expect(switch).to_have_attribute("aria-checked", "true")
    switch.focus()
    page.keyboard.press("Space")
    expect(switch).to_have_text("Away", timeout=WAIT_MS)
    expect(switch).to_have_attribute("aria-checked", "false")
    expect(switch).to_be_focused()
    page.reload()
    expect(switch).to_have_text("Away", timeout=WAIT_MS)
    admins.reload()
    expect(shown).to_contain_text("Away", timeout=WAIT_MS)

    chat = desk.waiting("Anybody?")
    open_row(page, "queue", chat)
    page.get_by_test_id("action-claim").click()
    is_told(page, "You are away, and take no conversations.")
    page.get_by_role("button", name="Go online and take it").click()
    stands(page, "With you")
    expect(switch).to_have_text("Online")


def test_each_sees_what_the_other_does_in_a_conversation(desk: DeskWindow, open_desk: Open, ana: Agent) -> None:
    chat = desk.waiting("Who helps me?", name="Lia")
    desk.claim(ana, chat)
    anas, bens = open_desk(ANA), open_desk(BEN)
    open_row(anas, "mine", chat)
    open_at(bens, chat)
    expect(anas.get_by_test_id("viewers")).to_have_text("Ben Lim is here, too", timeout=WAIT_MS)
    expect(bens.get_by_test_id("viewers")).to_have_text("Ana Cruz is here, too", timeout=WAIT_MS)
    expect(bens.locator("#mode-hint")).to_have_text("Ana Cruz has this conversation.")

    anas.get_by_test_id("text").press_sequentially("One mom")
    expect(bens.get_by_test_id("typing")).to_contain_text("Ana Cruz is typing", timeout=WAIT_MS)
    expect(anas.get_by_test_id("typing")).to_be_hidden()
    write(bens, "Ask for the order number.")
    expect(anas.get_by_test_id("note")).to_contain_text("Ask for the order number.", timeout=WAIT_MS)
    expect(anas.get_by_test_id("text")).to_have_value("One mom")
    expect(anas.get_by_test_id("text")).to_be_focused()

    bens.get_by_test_id("nav-canned").click()
    expect(anas.get_by_test_id("viewers")).to_be_hidden(timeout=WAIT_MS)
