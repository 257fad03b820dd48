"""The chat for everybody: with a screen reader, by keyboard alone, enlarged, without motion, in high contrast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, FrameLocator, Page, expect

from bot.core.conversations import Choice, Reply
from tests.browser.shop_page import WAIT_MS, open_panel, panel_of, visit, write
from tests.browser.window import ROOT, Window

pytestmark = pytest.mark.browser

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
QUESTION = Reply("Which one do you mean?", (Choice("TC-10002", "/one"), Choice("TC-10003, the mug", "/two")))
# How WCAG 1.4.10 measures: 1280 × 1024 at 400 %.
ENLARGED = (320, 256)

Open = Callable[..., Page]


@pytest.fixture
def shop_page(browser: Browser, window: Window) -> Iterator[Open]:
    """Opens the shop's page in a browser that is set in some way."""
    contexts = []

    def open_page(attributes: str = "", size: tuple[int, int] = (1280, 800), **options) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        visit(page, window.shop, attributes)
        return page

    yield open_page
    for context in contexts:
        context.close()


def frame_of(page: Page) -> Frame:
    return next(frame for frame in page.frames if "/chat/frame" in frame.url)


def barriers(place: Page | Frame) -> list[str]:
    """What axe finds that is serious or critical, each with where it is."""
    found = Axe().run(place, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def converse(panel: FrameLocator, window: Window) -> None:
    """A conversation with choices that are open, and others that were used."""
    write(panel, "Where is my order? https://shop.example/orders")
    window.say(QUESTION)
    panel.get_by_test_id("choice").first.click()
    expect(panel.locator(".chosen")).to_have_count(1)
    write(panel, "And the other?")
    window.say(QUESTION, Reply("A reward.", image=window.picture()))
    expect(panel.get_by_test_id("picture")).to_be_visible(timeout=WAIT_MS)


@pytest.mark.parametrize(
    ("attributes", "size", "options"),
    [
        ("", (1280, 800), {}),
        ("", (1280, 800), {"color_scheme": "dark"}),
        ("", (390, 844), {"has_touch": True, "is_mobile": True}),
        ('data-lang="ar"', (1280, 800), {}),
        ('data-lang="ar"', (390, 844), {"color_scheme": "dark"}),
        ("", ENLARGED, {}),
    ],
    ids=["desktop", "dark", "phone", "arabic", "arabic-phone-dark", "enlarged"],
)
def test_nothing_bars_anybody(shop_page: Open, window: Window, attributes: str, size: tuple[int, int], options: dict):
    page = shop_page(attributes, size, reduced_motion="reduce", **options)
    assert barriers(page) == []

    panel = open_panel(page)
    assert barriers(frame_of(page)) == []

    converse(panel, window)
    panel.locator("#typing").evaluate("node => { node.hidden = false; }")
    assert barriers(frame_of(page)) == []
    assert barriers(page) == []


def test_nothing_bars_anybody_from_the_questions_before_the_chat(browser: Browser, tmp_path: Path):
    business = tmp_path / "business.yml"
    asked = "  questions: [{id: topic, label: About what?, kind: choice, choices: [An order, Else], required: true}]\n"
    business.write_text((ROOT / "business.yml").read_text().replace("  sound: false\n", f"  sound: false\n{asked}"))
    window = Window(tmp_path, business)
    window.start()
    page = browser.new_page(color_scheme="dark", reduced_motion="reduce")
    visit(page, window.shop)
    panel = open_panel(page)

    expect(panel.get_by_label("About what?")).to_be_visible()
    assert barriers(frame_of(page)) == []
    page.close()
    window.stop()


def test_the_check_for_barriers_finds_one(shop_page: Open):
    page = shop_page()
    open_panel(page).locator("#subtitle").evaluate("node => { node.style.color = '#888'; }")

    assert len(barriers(frame_of(page))) == 1


def test_everything_can_be_done_by_keyboard_alone(shop_page: Open, window: Window):
    page = shop_page()
    press = page.keyboard.press
    page.get_by_role("button", name="Buy").focus()
    press("Tab")
    expect(page.get_by_test_id("kasuki-launcher")).to_be_focused()
    press("Enter")
    panel = panel_of(page)
    expect(panel.locator("#text")).to_be_focused()

    page.keyboard.type("Where is my order?")
    press("Enter")
    expect(panel.locator("[data-author=customer]")).to_have_attribute("data-state", "delivered", timeout=WAIT_MS)
    expect(panel.locator("#text")).to_be_focused()
    window.say(QUESTION)
    expect(panel.get_by_test_id("choice")).to_have_count(2)

    # Backwards through what lies before the message box, up to the choice that is wanted.
    second = panel.get_by_test_id("choice").nth(1)
    for _ in range(8):
        press("Shift+Tab")
        if second.evaluate("node => node === document.activeElement"):
            break
    expect(second).to_be_focused()
    press("Enter")
    expect(panel.locator(".chosen")).to_have_text("TC-10003, the mug (chosen)")
    expect(panel.locator("#text")).to_be_focused()

    press("Escape")
    expect(page.get_by_test_id("kasuki-launcher")).to_be_focused()
    expect(page.get_by_test_id("kasuki-panel")).to_be_hidden()


def test_the_tab_key_goes_through_the_panel_in_the_order_of_reading(shop_page: Open, window: Window):
    page = shop_page()
    panel = open_panel(page)
    write(panel, "hello")
    window.say(QUESTION)
    expect(panel.get_by_test_id("choice")).to_have_count(2)
    panel.locator("#shop").focus()

    stops = []
    for _ in range(20):
        page.keyboard.press("Tab")
        stops.append(frame_of(page).evaluate("document.activeElement.id || document.activeElement.textContent"))
        if stops[-1] == "text":
            break

    order = ["save", "close", "log", "TC-10002", "TC-10003, the mug", "text"]
    assert [stop for stop in stops if stop in order] == order


def test_a_reply_is_announced_once_and_moves_neither_focus_nor_what_is_written(shop_page: Open, window: Window):
    page = shop_page()
    panel = open_panel(page)
    write(panel, "hello")
    panel.locator("#text").fill("I was just")
    panel.locator("#announcer").evaluate(
        """node => {
          window.said = [];
          new MutationObserver((changes) => changes.forEach(({ addedNodes }) =>
            addedNodes.forEach((added) => said.push(added.textContent)))).observe(node, { childList: true });
        }"""
    )

    window.say(QUESTION)

    expect(panel.get_by_test_id("choice")).to_have_count(2)
    heard = frame_of(page).evaluate("said")
    assert len(heard) == 1
    assert heard[0].startswith("Suki · assistant said: Which one do you mean?")
    assert "TC-10002, TC-10003, the mug" in heard[0]
    expect(panel.locator("#announcer")).to_have_attribute("aria-live", "polite")
    expect(panel.locator("#text")).to_be_focused()
    expect(panel.locator("#text")).to_have_value("I was just")

    # Nor from elsewhere in the panel.
    panel.locator("#close").focus()
    window.say(Reply("There is more."))
    expect(panel.get_by_text("There is more.").first).to_be_visible()
    expect(panel.locator("#close")).to_be_focused()


def test_what_was_said_before_is_not_announced_when_the_chat_opens_again(shop_page: Open, window: Window):
    page = shop_page()
    # A page of the chat's own site: of others, a private window keeps nothing over a reload.
    page.goto(window.address)
    panel = open_panel(page)
    write(panel, "hello")
    window.say(Reply("Good day."))
    expect(panel.get_by_text("Good day.").first).to_be_visible()

    page.reload()
    panel = open_panel(page)

    expect(panel.locator("[data-author=bot]")).to_have_count(1)
    expect(panel.locator("#announcer")).to_be_empty()


def test_who_wants_no_motion_sees_none(shop_page: Open, window: Window):
    moving = """() => [...document.querySelectorAll("*")]
      .flatMap((node) => [node, ...(node.shadowRoot?.querySelectorAll("*") ?? [])])
      .flatMap((node) => node.getAnimations({ subtree: false }))
      .filter((each) => each.effect.getComputedTiming().duration > 10).length"""

    def motions(**options: str) -> int:
        page = shop_page(**options)
        panel = open_panel(page)
        write(panel, "hello")
        panel.locator("#typing").evaluate("node => { node.hidden = false; }")
        window.say(Reply("Good day."))
        expect(panel.locator("[data-author=bot]")).to_have_count(1)
        return page.evaluate(moving) + frame_of(page).evaluate(moving)

    assert motions(reduced_motion="no-preference") > 0
    assert motions(reduced_motion="reduce") == 0


def test_enlarged_four_times_everything_fits_and_nothing_overlaps(shop_page: Open, window: Window):
    page = shop_page(size=ENLARGED)
    panel = open_panel(page)
    converse(panel, window)
    panel.locator("#owner").evaluate(
        "node => { node.hidden = false; node.firstElementChild.textContent = 'A person '.repeat(9); }"
    )

    for place in (page.main_frame, frame_of(page)):
        assert place.evaluate("document.documentElement.scrollWidth") <= ENLARGED[0]
    assert panel.locator("#log").evaluate("log => log.scrollWidth - log.clientWidth") == 0
    main = panel.locator("main")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0
    stage = panel.locator(".stage").bounding_box()
    assert stage is not None and stage["height"] >= 90

    # What does not fit at once can be scrolled to.
    top = panel.locator(".top").bounding_box()
    assert top is not None and top["height"] <= 50
    for name in ("#close", "#text", ".send"):
        part = panel.locator(name)
        part.scroll_into_view_if_needed()
        expect(part).to_be_in_viewport(ratio=0.99)
        assert part.evaluate(
            """node => {
              const { x, y, width, height } = node.getBoundingClientRect();
              return node.contains(document.elementFromPoint(x + width / 2, y + height / 2));
            }"""
        ), f"{name} is covered"


def test_in_high_contrast_bubbles_have_edges_and_codes_stay_on_white(shop_page: Open, window: Window):
    page = shop_page(forced_colors="active")
    panel = open_panel(page)
    converse(panel, window)

    edges = panel.locator("[data-testid=message] .bubble").evaluate_all(
        "all => all.map((bubble) => getComputedStyle(bubble).borderTopStyle)"
    )
    assert edges and set(edges) == {"solid"}
    assert (
        panel.get_by_test_id("picture").evaluate("node => getComputedStyle(node).backgroundColor")
        == "rgb(255, 255, 255)"
    )
