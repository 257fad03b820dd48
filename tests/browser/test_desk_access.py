"""The desk for everybody: by keyboard alone, with a screen reader, enlarged, in high contrast, without motion."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from bot.core.agents import Agent
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
from tests.browser.desk_people import proven, stored, understood, with_history
from tests.browser.desk_window import DeskWindow

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# A screen of 1280 × 720 at 200 %, and a narrow window of it at 400 %.
DOUBLED, ENLARGED = {"width": 640, "height": 360}, {"width": 320, "height": 256}
FOCUSED = """() => {
  const { id, dataset, textContent } = document.activeElement;
  return dataset.testid || id || textContent.trim();
}"""
HEAR = """() => {
  window.heard = [];
  const hear = (node) => heard.push(node.textContent);
  new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(hear)))
    .observe(document.getElementById('announcer'), { childList: true });
}"""


def barriers(page: Page) -> list[str]:
    """What axe finds that is serious or critical, each with where it is."""
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture(scope="module")
def full(desk: DeskWindow, ana: Agent) -> str:
    """A conversation of Ana's in which there is something of everything."""
    customer = stored(desk, name="Maria Santos", phone="+639175550101", address="1 Mango Street, Manila")
    for number in range(5):
        with_history(desk, customer, f"A mug, number {number}", f"TC-4000{number}")
    chat = desk.waiting("Where is my mug? https://shop.example/orders/1234567890/and/so/on", priority=1)
    proven(desk, chat, customer)
    understood(desk, chat, 1, "track_order", 0.9)
    earlier = desk.customer("An earlier question, and a long one, so that it is cut where the column ends")
    proven(desk, earlier, customer)
    desk.claim(ana, chat)
    desk.note(ana, chat, "a note")
    desk.label(chat, "vip", "wholesale customer")
    desk.reply(ana, chat, "On its way.")
    return chat


# What axe sees


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_bars_anybody_from_a_full_conversation_and_its_dialogs(
    desk: DeskWindow, open_desk: Open, full: str, scheme: str
) -> None:
    page = open_desk(color_scheme=scheme, reduced_motion="reduce")
    open_at(page, full)
    expect(page.get_by_test_id("panel-orders")).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("understood-toggle").evaluate("button => button.click()")
    page.get_by_test_id("order").first.locator("summary").click()
    page.get_by_test_id("more-actions").click()
    assert barriers(page) == []
    page.get_by_test_id("more-actions").click()
    for opener, dialog in (
        ("edit-contact", "contact"),
        ("give-points", "goodwill"),
        ("propose-merge", "merge"),
        ("open-help", "help"),
    ):
        page.get_by_test_id(opener).click()
        expect(page.get_by_test_id(dialog)).to_be_visible()
        assert barriers(page) == [], dialog
        page.keyboard.press("Escape")
    for action, dialog in (("snooze", "snooze"), ("label", "labels"), ("block", "block")):
        do(page, action)
        expect(page.get_by_test_id(f"{dialog}-ok")).to_be_visible()
        assert barriers(page) == [], dialog
        page.keyboard.press("Escape")


def test_nothing_bars_an_admin_from_the_other_pages_and_their_dialogs(open_desk: Open) -> None:
    page = open_desk(BEN, "/desk#/agents", reduced_motion="reduce")
    for opener in ("edit-agent", "add-agent"):
        page.get_by_test_id(opener).first.click()
        expect(page.get_by_test_id("agent-dialog")).to_be_visible()
        assert barriers(page) == []
        page.keyboard.press("Escape")
    page.get_by_test_id("me").click()
    page.get_by_test_id("change-password").click()
    expect(page.get_by_test_id("old-password")).to_be_focused()
    assert barriers(page) == []


def test_the_check_for_barriers_finds_one(open_desk: Open) -> None:
    page = open_desk()
    # A node of its own: what the desk has drawn, it draws again at any time.
    page.locator("#rows-empty").evaluate(
        "node => node.insertAdjacentHTML('beforebegin', '<p id=pale>Hardly to be read.</p>')"
    )
    page.locator("#pale").evaluate("node => { node.style.color = '#999'; }")
    assert any("color-contrast" in one for one in barriers(page))


def test_everything_that_can_be_pressed_or_filled_has_a_name(open_desk: Open, full: str) -> None:
    page = open_desk()
    open_at(page, full)
    expect(page.get_by_test_id("panel-orders")).to_be_visible(timeout=WAIT_MS)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input, select, textarea, summary')]
          .filter(node => node.checkVisibility())
          .filter(node => !(node.textContent.trim() || node.getAttribute('aria-label') || node.labels?.length))
          .map(node => node.outerHTML)"""
    )
    assert nameless == []


# By keyboard


def test_a_customer_is_helped_by_keyboard_alone(desk: DeskWindow, open_desk: Open) -> None:
    chat = desk.waiting("Hello?", name="Kim Keys", priority=50)
    page = open_desk()
    press = page.keyboard.press
    page.get_by_test_id("tab-mine").focus()
    press("ArrowRight")
    expect(page.get_by_test_id("tab-queue")).to_be_focused()
    expect(row(page, chat)).to_be_visible(timeout=WAIT_MS)
    tab_to(page, row(page, chat).get_by_role("button"))
    press("Enter")
    expect(page.get_by_test_id("thread-name")).to_have_text("Kim Keys", timeout=WAIT_MS)
    tab_to(page, page.get_by_test_id("action-claim"))
    press("Enter")
    stands(page, "With you")
    expect(page.get_by_test_id("text")).to_be_focused()
    page.keyboard.type("How can I help?")
    press("Enter")
    expect(lines(page, "agent")).to_contain_text("How can I help?", timeout=WAIT_MS)
    expect(page.get_by_test_id("text")).to_be_focused()

    tab_to(page, page.get_by_test_id("more-actions"), "Shift+Tab")
    press("Enter")
    tab_to(page, page.get_by_test_id("action-label"))
    press("Enter")
    expect(page.get_by_test_id("new-label")).to_be_focused()
    page.keyboard.type("by key")
    press("Enter")
    expect(page.get_by_test_id("panel-why")).to_contain_text("by key", timeout=WAIT_MS)
    expect(page.get_by_test_id("more-actions")).to_be_focused()

    tab_to(page, page.get_by_test_id("action-resolve"), "Shift+Tab")
    press("Enter")
    stands(page, "Resolved")
    # Not on "Reopen", which the same key would press.
    expect(page.get_by_test_id("thread-name")).to_be_focused()


def tab_to(page: Page, target, key: str = "Tab") -> None:  # type: ignore[no-untyped-def]
    for _ in range(40):
        if target.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press(key)
    expect(target).to_be_focused()


def test_the_tab_key_goes_through_the_desk_in_the_order_of_reading(open_desk: Open, full: str) -> None:
    page = open_desk()
    open_row(page, "mine", full)
    expect(page.get_by_test_id("panel-orders")).to_be_visible(timeout=WAIT_MS)
    page.locator(".brand").focus()
    stops = []
    for _ in range(60):
        page.keyboard.press("Tab")
        stops.append(page.evaluate(FOCUSED))
        if stops[-1] == "propose-merge":
            break
    wanted = ["nav-conversations", "presence", "me", "tab-mine", "action-resolve", "action-transfer", "more-actions"]
    wanted += ["transcript", "mode-reply", "text", "send", "panel", "edit-contact", "give-points", "propose-merge"]
    assert [stop for stop in stops if stop in wanted] == wanted


def test_the_focus_goes_back_to_where_a_dialog_was_opened(open_desk: Open, full: str) -> None:
    page = open_desk()
    open_at(page, full)
    for opener in ("give-points", "edit-contact", "propose-merge", "open-help", "action-transfer"):
        page.get_by_test_id(opener).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible(timeout=WAIT_MS)
        page.keyboard.press("Escape")
        expect(page.get_by_test_id(opener)).to_be_focused()

    # Also where what it belongs to is drawn anew.
    page.get_by_test_id("edit-contact").focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("edit-phone").fill("+639175550111")
    page.get_by_test_id("edit-phone").press("Enter")
    expect(page.get_by_test_id("panel-contact")).to_contain_text("+639175550111", timeout=WAIT_MS)
    expect(page.get_by_test_id("edit-contact")).to_be_focused()


def test_a_refusal_leaves_the_focus_in_the_dialog_and_is_an_alert(open_desk: Open, full: str) -> None:
    page = open_desk()
    open_at(page, full)
    page.get_by_test_id("edit-contact").click()
    page.get_by_test_id("contact-ok").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Nothing was changed.")
    expect(page.get_by_test_id("contact-ok")).to_be_focused()


# With a screen reader


def test_what_happens_is_told_once_and_moves_nothing(desk: DeskWindow, open_desk: Open, ana: Agent, full: str) -> None:
    chat = desk.waiting("Hello", name="Lola")
    desk.claim(ana, chat)
    page = open_desk()
    open_row(page, "mine", chat)
    page.get_by_test_id("text").fill("I was just")
    page.evaluate(HEAR)
    desk.say(chat, "One more question")
    expect(lines(page, "customer").last).to_contain_text("One more question", timeout=WAIT_MS)
    waiting = desk.waiting("Anybody?", name="Rosa")
    expect(page.get_by_test_id("count-queue")).not_to_be_empty(timeout=WAIT_MS)
    page.evaluate("async () => { while (heard.length < 2) await new Promise(requestAnimationFrame); }")
    assert page.evaluate("heard") == ["Lola: One more question", "A visitor waits for a person."]
    expect(page.get_by_test_id("announcer")).to_have_attribute("aria-live", "polite")
    expect(page.get_by_test_id("text")).to_be_focused()
    expect(page.get_by_test_id("text")).to_have_value("I was just")
    desk.claim(ana, waiting)


def test_what_was_said_before_is_not_told_again(desk: DeskWindow, open_desk: Open, full: str) -> None:
    page = open_desk()
    page.evaluate(HEAR)
    open_at(page, full)
    expect(page.get_by_test_id("note")).to_be_visible(timeout=WAIT_MS)
    page.get_by_test_id("tab-search").click()
    page.get_by_test_id("search").fill("mug")
    expect(row(page, full)).to_be_visible(timeout=WAIT_MS)
    assert page.evaluate("heard") == []


# Screens and eyes


@pytest.mark.parametrize("viewport", [WIDE, TABLET, DOUBLED, ENLARGED], ids=["1280", "820", "200%", "400%"])
def test_nothing_is_cut_off_or_to_be_scrolled_sideways(
    desk: DeskWindow, open_desk: Open, full: str, viewport: dict[str, int]
) -> None:
    page = open_desk(BEN, viewport=viewport)
    for tab in ("mine", "queue", "callback", "bot", "search"):
        page.get_by_test_id(f"tab-{tab}").click()
        fits(page)
    open_at(page, full)
    expect(page.get_by_test_id("message").first).to_be_visible(timeout=WAIT_MS)
    fits(page)
    write(page, "A note with a verylongwordthatdoesnotendforalongtimeandgoesonandonandonandonandonandonandonandon")
    expect(page.get_by_test_id("note").last).to_contain_text("verylongword", timeout=WAIT_MS)
    fits(page)
    # Whoever reads sees some of it, and reaches the rest.
    log = page.get_by_test_id("transcript").bounding_box()
    assert log is not None and log["height"] >= 90
    for name in ("text", "send", "action-label"):
        part = page.get_by_test_id(name)
        part.scroll_into_view_if_needed()
        expect(part).to_be_in_viewport(ratio=0.99)
    if viewport["width"] < 1180:
        page.get_by_role("button", name="Customer", exact=True).click()
    expect(page.get_by_test_id("panel-orders")).to_be_visible()
    fits(page)
    for name in ("canned", "reports", "agents", "teaching"):
        page.goto(f"{desk.address}/desk#/{name}")
        expect(page.get_by_test_id("page").get_by_role("heading", level=1)).to_be_visible(timeout=WAIT_MS)
        fits(page)


def fits(page: Page) -> None:
    wide = page.evaluate(
        """() => [...document.querySelectorAll('html, .log, .panel, .side-body, .page, .composer, .top')]
          .filter(node => node.checkVisibility() && node.scrollWidth > node.clientWidth + 1)
          .map(node => `${node.id || node.className || 'the page'}: ${node.scrollWidth} > ${node.clientWidth}`)"""
    )
    assert wide == []


def test_who_wants_no_motion_sees_none(desk: DeskWindow, open_desk: Open, full: str) -> None:
    page = open_desk(reduced_motion="reduce", viewport=TABLET)
    open_at(page, full)
    page.get_by_test_id("typing").evaluate("node => { node.hidden = false; }")
    page.get_by_role("button", name="Customer", exact=True).click()
    moving = """() => document.getAnimations()
      .filter(({ effect, playState }) => effect.getComputedTiming().duration > 10 && playState === 'running')
      .map(({ effect }) => effect.target.className)"""
    assert page.evaluate(moving) == []


def test_in_high_contrast_what_is_chosen_and_whose_words_are_whose_is_seen(open_desk: Open, full: str) -> None:
    page = open_desk(forced_colors="active")
    open_row(page, "mine", full)
    styles = page.locator(".bubble").evaluate_all("all => all.map(one => getComputedStyle(one).borderTopStyle)")
    assert styles and set(styles) == {"solid"}
    for chosen in ("[aria-selected=true]", ".row-open[aria-current]"):
        assert page.locator(chosen).first.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    is_chosen = page.locator(".mode input:checked + span").evaluate("node => getComputedStyle(node).outlineStyle")
    other = page.locator(".mode input:not(:checked) + span").evaluate("node => getComputedStyle(node).outlineStyle")
    assert is_chosen != other


def test_a_short_message_is_dismissed_by_hand(open_desk: Open, full: str) -> None:
    page = open_desk()
    open_at(page, full)
    page.get_by_test_id("notifications").click()
    is_told(page, "otification")
    page.get_by_test_id("toast").get_by_role("button", name="Dismiss").click()
    expect(page.get_by_test_id("toast")).to_have_count(0)
