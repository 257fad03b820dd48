"""The chat in a shop's own colours, words and language, on a page of the shop's."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bot.core.colours import dark_palette
from bot.core.conversations import Choice, Reply
from tests.browser.shop_page import open_panel, panel_of, rgb, visit, write
from tests.browser.window import ROOT, Window

pytestmark = pytest.mark.browser

COLOUR = "#7a1f6b"
# One dot of tomato red.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4X5YDAAQuAa3LHQw9AAAAAElFTkSuQmCC"
)
WIDGET = f"""widget:
  colour: "{COLOUR}"
  position: left
  theme: light
  language: auto
  avatar: suki.png
  welcome: "Hello, {{name}}! This is {{assistant}} of {{shop}}."
  starters: [Is the <b>mug</b> back?, أين طلبي؟]
"""

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    folder = tmp_path_factory.mktemp("look")
    ours, _, rest = (ROOT / "business.yml").read_text().partition("\n# The chat on your website.")
    business = folder / "business.yml"
    business.write_text(f"{ours}\n{WIDGET}\n# What customers are told{rest.partition('# What customers are told')[2]}")
    (folder / "suki.png").write_bytes(PICTURE)
    (folder / "languages").mkdir()
    (folder / "languages" / "es.json").write_text('{"send": "¡Venga!"}')
    running = Window(folder, business)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def shop_page(browser: Browser, window: Window) -> Iterator[Open]:
    """Opens the shop's page; anything that the browser complains of fails the test."""
    contexts = []
    complaints: list[str] = []

    def open_page(attributes: str = "", size: tuple[int, int] = (1280, 800), direction: str = "ltr", **options) -> Page:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type in ("error", "warning") else None)
        visit(page, window.shop, attributes, direction)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def style(locator, name: str) -> str:
    return locator.evaluate("(node, name) => getComputedStyle(node)[name]", name)


def test_the_chat_has_the_shops_colour_side_picture_and_words(shop_page: Open):
    page = shop_page()
    launcher = page.get_by_test_id("kasuki-launcher")
    assert style(launcher, "backgroundColor") == rgb(COLOUR)
    box = launcher.bounding_box()
    assert box is not None and (box["x"], box["width"]) == (20, 60)

    panel = open_panel(page)

    frame = page.get_by_test_id("kasuki-panel").bounding_box()
    assert frame is not None and frame["x"] == 20
    assert style(panel.locator(".top"), "backgroundColor") == rgb(COLOUR)
    expect(panel.locator("#greeting-text")).to_have_text("Hello! This is Suki of Tala Coffee.")
    starters = panel.get_by_test_id("starter")
    expect(starters).to_have_text(["Is the <b>mug</b> back?", "أين طلبي؟"])
    assert style(starters.first, "color") == rgb(COLOUR)
    # Each runs as its own language does.
    assert [style(starter, "direction") for starter in starters.all()] == ["ltr", "rtl"]
    picture = panel.locator(".avatar img")
    expect(picture).to_have_js_property("complete", True)
    expect(picture).to_have_js_property("naturalWidth", 1)


def test_nothing_but_the_script_is_loaded_before_the_chat_is_opened(browser: Browser, window: Window):
    asked: list[str] = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url.removeprefix(window.address)))

    visit(page, window.shop)
    page.wait_for_load_state("networkidle")

    assert [address for address in asked if not address.startswith(window.shop)] == ["/widget.js"]
    open_panel(page)
    assert "/chat/config?lang=en" in asked
    # Fetched ahead by its header, and asked for by the panel: one request all the same.
    assert asked.count("/chat/config?lang=en") == 1
    context.close()


def test_the_pages_theme_wins_and_may_change_at_any_time(shop_page: Open):
    page = shop_page('data-theme="dark"')
    panel = open_panel(page)
    dark = dark_palette(COLOUR)
    expect(panel.locator("html")).to_have_attribute("data-theme", "dark")
    assert style(panel.locator("body"), "backgroundColor") == rgb("#161a19")
    assert style(panel.get_by_test_id("starter").first, "color") == rgb(dark.accent)
    assert style(page.get_by_test_id("kasuki-panel"), "backgroundColor") == rgb("#161a19")

    page.evaluate("document.querySelector('script[data-site]').dataset.theme = 'light'")

    expect(panel.locator("html")).to_have_attribute("data-theme", "light")
    assert style(panel.locator("body"), "backgroundColor") == rgb("#ffffff")


def test_an_automatic_theme_follows_the_device(shop_page: Open):
    page = shop_page('data-theme="auto"', color_scheme="dark")
    panel = open_panel(page)
    expect(panel.locator("html")).to_have_attribute("data-theme", "dark")

    page.emulate_media(color_scheme="light")

    expect(panel.locator("html")).to_have_attribute("data-theme", "light")


def test_the_shops_theme_counts_where_the_page_says_nothing(shop_page: Open):
    page = shop_page('data-theme="sepia"', color_scheme="dark")

    expect(open_panel(page).locator("html")).to_have_attribute("data-theme", "light")


def test_codes_to_scan_stay_on_white_in_the_dark(shop_page: Open, window: Window):
    page = shop_page('data-theme="dark"')
    panel = open_panel(page)
    write(panel, "hello")
    window.say(Reply("Look:", image=window.picture()))

    picture = panel.get_by_test_id("picture")
    expect(picture).to_be_visible()
    assert style(picture, "backgroundColor") == rgb("#ffffff")


def test_an_arabic_page_has_the_chat_the_other_way_round(shop_page: Open, window: Window):
    page = shop_page('data-lang="ar"')
    launcher = page.get_by_role("button", name="افتح المحادثة")
    box = launcher.bounding_box()
    # "left" of a language that begins at the right.
    assert box is not None and box["x"] == 1280 - 20 - 60

    launcher.click()
    panel = panel_of(page)
    expect(panel.locator("html")).to_have_attribute("lang", "ar")
    expect(panel.locator("html")).to_have_attribute("dir", "rtl")
    expect(panel.locator("#text")).to_have_attribute("placeholder", "اكتب رسالة")
    assert style(panel.locator("#text"), "direction") == "rtl"
    write(panel, "Where is my order?")
    window.say(Reply("أين تريد أن نرسله؟", (Choice("Here", "/here"), Choice("هناك", "/there"))))

    bubbles = panel.locator("[data-testid=message] .bubble")
    expect(bubbles).to_have_count(2)
    own, bots = (bubble.bounding_box() for bubble in bubbles.all())
    log = panel.locator("#log").bounding_box()
    assert own is not None and bots is not None and log is not None
    assert own["x"] - log["x"] < 20, "the customer's words are at the end of the line: left"
    assert log["x"] + log["width"] - bots["x"] - bots["width"] < 40
    assert [style(words, "direction") for words in panel.locator(".bubble > [dir=auto]").all()][1:] == ["ltr", "rtl"]
    choices = panel.get_by_test_id("choice")
    assert [style(choice, "direction") for choice in choices.all()] == ["ltr", "rtl"]


def test_an_english_chat_on_an_arabic_page_stays_english(shop_page: Open):
    page = shop_page('data-lang="en"', direction="rtl")
    box = page.get_by_role("button", name="Open chat").bounding_box()

    assert box is not None and box["x"] == 20
    expect(open_panel(page).locator("html")).to_have_attribute("dir", "ltr")


@pytest.mark.parametrize(
    ("browsers", "opens", "sends"), [("es-MX", "Abrir el chat", "¡Venga!"), ("de-DE", "Open chat", "Send")]
)
def test_an_automatic_language_is_the_browsers_where_there_is_one(
    shop_page: Open, browsers: str, opens: str, sends: str
):
    page = shop_page(locale=browsers)

    expect(page.get_by_role("button", name=opens)).to_be_visible()
    # The shop's own wording comes over ours.
    expect(open_panel(page).get_by_role("button", name=sends, exact=True)).to_be_visible()


def test_new_messages_are_counted_on_the_launcher_in_the_plural_of_the_language(shop_page: Open, window: Window):
    page = shop_page('data-lang="es"')
    panel = open_panel(page)
    write(panel, "hola")
    page.get_by_role("button", name="Cerrar el chat").first.click()

    window.say(Reply("uno"))
    expect(page.get_by_role("button", name="Abrir el chat, 1 mensaje nuevo")).to_be_visible()
    window.say(Reply("dos"))
    expect(page.get_by_role("button", name="Abrir el chat, 2 mensajes nuevos")).to_be_visible()


@pytest.mark.parametrize(("file", "seen"), [("light.svg", ("image/svg+xml", "sandbox"))])
def test_a_picture_is_served_so_that_nothing_in_it_runs(
    browser: Browser, tmp_path: Path, file: str, seen: tuple[str, str]
):
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>document.title = "ran"</script></svg>'
    )
    (tmp_path / file).write_text(drawing)
    business = (ROOT / "business.yml").read_text().replace("  # avatar: avatar.png\n", f"  avatar: {file}\n")
    (tmp_path / "business.yml").write_text(business)
    window = Window(tmp_path, tmp_path / "business.yml")
    window.start()
    page = browser.new_page()

    answer = page.goto(f"{window.address}/chat/avatar")

    assert answer is not None
    assert answer.headers["content-type"] == seen[0] and seen[1] in answer.headers["content-security-policy"]
    assert page.title() != "ran"
    page.close()
    window.stop()
