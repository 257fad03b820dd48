"""Pictures in the chat panel: shown from our own server, scannable, and told in words where they cannot be shown."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
import zxingcpp
from PIL import Image as Picture
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from bot.core.conversations import Image, Reply
from tests.browser.shop_page import panel_of
from tests.browser.window import CODE, Window

pytestmark = pytest.mark.browser

WAIT_MS = 10_000
ELSEWHERE = [
    "https://elsewhere.example/track.png",
    "//elsewhere.example/track.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "http://user:word@127.0.0.1/x.png",
    "http://",
]


@pytest.fixture
def complaints() -> list[str]:
    """What the browser complains of; a test takes out what it expects."""
    return []


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desktop", "phone"])
def page(browser: Browser, window: Window, complaints: list[str], request: pytest.FixtureRequest) -> Iterator[Page]:
    """The demo shop; anything that the browser complains of fails the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=2)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.goto(window.address)
    yield opened
    context.close()
    assert complaints == []


def open_chat(page: Page) -> FrameLocator:
    page.get_by_role("button", name=re.compile("^Open chat")).click()
    return panel_of(page)


def begin(page: Page) -> FrameLocator:
    """A conversation in which the customer has said something, so that the server has it."""
    panel = open_chat(page)
    box = panel.get_by_role("textbox", name="Your message")
    box.fill("Hello!")
    box.press("Enter")
    expect(panel.get_by_test_id("message").last).to_have_attribute("data-state", "delivered", timeout=WAIT_MS)
    return panel


def loaded(panel: FrameLocator) -> Locator:
    picture = panel.get_by_test_id("picture").last
    expect(picture).to_be_visible(timeout=WAIT_MS)
    expect(picture).to_have_js_property("complete", True)
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    return picture


def test_a_picture_in_the_chat_scans_as_its_code(page: Page, window: Window) -> None:
    panel = begin(page)
    window.say(Reply("Here is your reward.", image=window.picture()))

    picture = loaded(panel)

    expect(picture).to_have_attribute("alt", f"QR code {CODE}")
    box = picture.bounding_box()
    assert box is not None and abs(box["width"] - box["height"]) < 1 and box["width"] >= 200
    shot = Picture.open(io.BytesIO(page.screenshot()))
    assert [found.text for found in zxingcpp.read_barcodes(shot)] == [CODE]


def test_the_chat_stays_at_its_end_when_a_picture_comes(page: Page, window: Window) -> None:
    panel = begin(page)
    story = [Reply(f"Line {number} of a long story.") for number in range(30)]
    window.say(*story, Reply("Look:", image=window.picture()))

    loaded(panel)

    expect(panel.get_by_test_id("picture")).to_be_in_viewport(ratio=0.99)
    log = panel.locator("#log")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 2


def test_a_reload_shows_the_picture_again(page: Page, window: Window) -> None:
    panel = begin(page)
    window.say(Reply("Here is your reward.", image=window.picture()))
    loaded(panel)

    page.reload()

    expect(loaded(open_chat(page))).to_have_attribute("alt", f"QR code {CODE}")


def test_pictures_from_elsewhere_are_told_in_words_and_never_fetched(page: Page, window: Window) -> None:
    asked: list[str] = []
    panel = begin(page)
    page.on("request", lambda request: asked.append(request.url))

    window.say(*(Reply("Look:", image=Image(url, "A <b>picture</b> of a cat")) for url in ELSEWHERE))

    words = panel.get_by_test_id("picture-words")
    expect(words).to_have_text(["A <b>picture</b> of a cat"] * len(ELSEWHERE), timeout=WAIT_MS)
    expect(panel.locator("[data-testid=message] img, [data-testid=message] b")).to_have_count(0)
    assert [url for url in asked if not url.startswith(window.address)] == []


def test_a_picture_that_does_not_come_is_told_in_words(page: Page, window: Window, complaints: list[str]) -> None:
    panel = begin(page)
    window.say(Reply("Look:", image=window.picture(secret="x" * 40)))

    expect(panel.get_by_test_id("picture-words")).to_have_text(f"QR code {CODE}", timeout=WAIT_MS)
    expect(panel.get_by_test_id("picture")).to_have_count(0)
    assert all("404" in line for line in complaints)
    complaints.clear()
