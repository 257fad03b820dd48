"""Files in the chat panel: sent, seen, kept over a reload, saved again, and refused in words."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image as Picture
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.browser.test_chat import ANSWER_MS, ask, expect_answer, open_chat
from tests.sample_files import PDF

pytestmark = pytest.mark.browser

DROP = """([name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true });
    document.querySelector("#log").dispatchEvent(event);
  }
}"""
PASTE = """([name, type, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  const event = new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true, cancelable: true });
  document.querySelector("#text").dispatchEvent(event);
}"""


def a_picture(colour: str = "tomato") -> bytes:
    made = io.BytesIO()
    Picture.new("RGB", (400, 300), colour).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture(params=[(1280, 800), (390, 844)], ids=["desktop", "phone"])
def page(browser: Browser, service, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The demo shop. A refused file is an error to the console; anything else that is one fails the test."""
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.goto(service.url)
    yield opened
    expected = ("422", "WebSocket", "ERR_CONNECTION", "ERR_INTERNET_DISCONNECTED")
    assert [line for line in complaints if not any(word in line for word in expected)] == []
    context.close()


def send(panel: FrameLocator, name: str, media_type: str, content: bytes) -> None:
    file = {"name": name, "mimeType": media_type, "buffer": content}
    panel.locator("#attachment").set_input_files(file)


def the_picture(panel: FrameLocator) -> Locator:
    picture = panel.get_by_test_id("file-picture").last
    expect(picture).to_be_visible(timeout=ANSWER_MS)
    picture.evaluate("(image) => image.decode()")
    return picture


def test_a_picture_is_seen_answered_and_still_there_after_a_reload_to_be_saved(page: Page, tmp_path: Path) -> None:
    panel = open_chat(page)
    content = a_picture()
    with page.expect_file_chooser() as chosen:
        panel.get_by_role("button", name="Send a picture or a file").click()
    (tmp_path / "mug.jpg").write_bytes(content)
    chosen.value.set_files(tmp_path / "mug.jpg")

    expect_answer(panel, "our team sees this one")
    expect(panel.get_by_test_id("choice").filter(has_text="Talk to a person")).to_be_visible()
    message = panel.locator("[data-testid=message][data-author=customer]")
    expect(message).to_have_attribute("data-state", "delivered")
    the_picture(panel)
    expect(panel.get_by_test_id("announcer")).to_contain_text("mug.jpg was sent.")

    page.reload()
    panel = open_chat(page)
    assert the_picture(panel).evaluate("(image) => [image.naturalWidth, image.naturalHeight, image.alt]") == [
        *(400, 300, "mug.jpg"),
    ]
    with page.expect_download() as saved:
        panel.get_by_role("button", name="Save mug.jpg").click()
    assert saved.value.suggested_filename == "mug.jpg"
    assert Path(saved.value.path()).read_bytes() == content
    expect(message).to_have_count(1)


def test_another_tab_shows_what_was_sent_here(page: Page, service) -> None:
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    other = page.context.new_page()
    other.goto(service.url)
    beside = open_chat(other)
    send(panel, "invoice.pdf", "application/pdf", PDF)

    chip = beside.get_by_test_id("file-chip")
    expect(chip).to_contain_text("invoice.pdf", timeout=ANSWER_MS)
    with other.expect_download() as saved:
        chip.click()
    assert Path(saved.value.path()).read_bytes() == PDF
    other.close()


def test_a_file_that_lies_is_refused_in_words(page: Page) -> None:
    panel = open_chat(page)
    send(panel, "photo.jpg", "image/jpeg", b"<!doctype html><script>parent.hacked = true</script>")

    failed = panel.locator("[data-testid=message][data-state=failed]")
    expect(failed).to_contain_text("This file is a web page, which cannot be taken.", timeout=ANSWER_MS)
    expect(failed.get_by_role("button", name="Try again")).to_have_count(0)
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    ("name", "media_type", "content", "words"),
    [
        ("big.pdf", "application/pdf", bytes(10 * 2**20 + 1), "big.pdf is too large: a file may have 10 MB at most."),
        ("setup.exe", "application/octet-stream", b"MZ", "setup.exe cannot be sent. Please send a picture"),
        ("empty.txt", "text/plain", b"", "empty.txt is empty."),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_said_before_it_is(page: Page, name, media_type, content, words) -> None:
    panel = open_chat(page)
    sent = []
    page.on("request", lambda request: sent.append(request.url) if request.url.endswith("/chat/files") else None)
    send(panel, name, media_type, content)

    expect(panel.get_by_test_id("problem")).to_contain_text(words)
    expect(panel.get_by_test_id("file")).to_have_count(0)
    assert sent == []


@pytest.mark.parametrize("how", [DROP, PASTE], ids=["dropped", "pasted"])
def test_a_picture_can_be_dropped_or_pasted(page: Page, how: str) -> None:
    panel = open_chat(page)
    frame = page.frame(url=lambda url: "/chat/frame" in url)
    assert frame is not None
    frame.evaluate(how, ["image.png", "image/jpeg", list(a_picture("seagreen"))])

    expect_answer(panel, "our team sees this one")
    # It is a JPEG, whatever the clipboard calls it.
    page.reload()
    panel = open_chat(page)
    the_picture(panel)
    expect(panel.get_by_role("button", name="Save image.jpg")).to_be_visible()


def slow_down(page: Page, bytes_per_second: int) -> None:
    session = page.context.new_cdp_session(page)
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", limits)


def test_what_is_on_its_way_shows_how_far_it_is_and_can_be_cancelled(page: Page) -> None:
    panel = open_chat(page)
    slow_down(page, 200_000)
    send(panel, "long.pdf", "application/pdf", PDF.ljust(4 * 2**20, b"%"))

    bar = panel.get_by_role("progressbar", name="Sending long.pdf")
    expect(bar).to_be_visible()
    # A text is not held up by it.
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    panel.get_by_role("button", name="Cancel sending long.pdf").click()

    expect(panel.get_by_test_id("file")).to_have_count(0)
    page.reload()
    panel = open_chat(page)
    expect_answer(panel, "I'm Suki")
    expect(panel.get_by_test_id("file")).to_have_count(0)


def test_what_a_reload_loses_is_said(page: Page) -> None:
    panel = open_chat(page)
    slow_down(page, 100_000)
    send(panel, "long.pdf", "application/pdf", PDF.ljust(4 * 2**20, b"%"))
    expect(panel.get_by_role("progressbar")).to_be_visible()
    page.reload()
    panel = open_chat(page)

    words = "Not sent, because the page was loaded anew: long.pdf. Please choose it again."
    expect(panel.get_by_test_id("problem")).to_have_text(words, timeout=ANSWER_MS)
    page.reload()
    panel = open_chat(page)
    expect(panel.get_by_test_id("problem")).to_be_hidden()


def test_a_file_chosen_while_the_connection_is_away_goes_out_when_it_is_back(page: Page) -> None:
    panel = open_chat(page)
    page.context.set_offline(True)
    send(panel, "mug.jpg", "image/jpeg", a_picture("teal"))
    message = panel.locator("[data-testid=message][data-author=customer]")
    expect(message).to_have_count(1)
    page.context.set_offline(False)

    expect(message).to_have_attribute("data-state", "delivered", timeout=40_000)
    expect_answer(panel, "our team sees this one")
    page.reload()
    panel = open_chat(page)
    the_picture(panel)
    expect(message).to_have_count(1)


def test_signing_out_takes_the_pictures_away(page: Page) -> None:
    page.get_by_role("button", name="Maria").click()
    panel = open_chat(page)
    send(panel, "mug.jpg", "image/jpeg", a_picture("gold"))
    the_picture(panel)
    expect_answer(panel, "our team sees this one")
    panel.get_by_role("button", name="Close chat").click()
    page.get_by_role("button", name="Visitor").click()
    panel = open_chat(page)

    expect(panel.get_by_test_id("file")).to_have_count(0)
