"""Pictures in the chat panel: shown from our own server, scannable, and told in words where they cannot be shown."""

from __future__ import annotations

import asyncio
import io
import re
import socket
import threading
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from aiohttp import web
from PIL import Image as Picture
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from bot.business import load_business
from bot.clock import SystemClock
from bot.core.conversations import Author, ConversationId, Image, Message, MessageId
from bot.gateway.application import create_gateway
from bot.gateway.links import SignedLinks
from bot.gateway.settings import LIVE, GatewaySettings
from bot.services.ids import new_id
from bot.services.ports import Hint
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CODE = "SUKI-7K3P-4ACD-9EFG"
WAIT_MS = 10_000
ELSEWHERE = [
    "https://elsewhere.example/track.png",
    "//elsewhere.example/track.png",
    "javascript:alert(1)",
    "data:image/png;base64,AAAA",
    "http://user:word@127.0.0.1/x.png",
    "http://",
]


class Window:
    """A gateway without a worker, in a thread of its own: what the bot says comes from the test."""

    def __init__(self, folder: Path) -> None:
        self._url = f"sqlite:///{folder / 'kasuki.db'}"
        self._metrics = folder
        self._loop = asyncio.new_event_loop()
        self._clock = SystemClock()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        self._thread.start()
        self._run(self._start())

    def stop(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def say(self, *messages: tuple[str, Image | None]) -> None:
        """The bot says something in the newest conversation."""
        self._run(self._say(messages))

    def picture(self, code: str = CODE, secret: str = "v" * 40) -> Image:
        return Image(SignedLinks(self.address, secret, 1).voucher_image(code, self._clock.now()), f"QR code {code}")

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _start(self) -> None:
        engine = create_engine(self._url)
        await migrate(engine)
        wakeups = create_wakeups(self._url)
        self._db = SqlDatabase(engine, wakeups)
        settings = GatewaySettings(
            shop=load_business(ROOT / "business.yml").to_shop(),
            allowed_origins=frozenset({self.address}),
            demo=True,
            metrics_dir=self._metrics,
            secret_key="v" * 40,
            identity_secret="i" * 40,
            api_key="k" * 40,
        )
        app = create_gateway(settings, self._db, self._clock)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._listening = wakeups.listening(app[LIVE].receive_hint)
        await self._listening.__aenter__()

    async def _stop(self) -> None:
        await self._listening.__aexit__(None, None, None)
        await self._runner.cleanup()
        await self._db.close()

    async def _say(self, messages: tuple[tuple[str, Image | None], ...]) -> None:
        async with self._db.transaction() as work:
            newest = "SELECT id FROM conversations ORDER BY created_at DESC LIMIT 1"
            found = await work.conversations._connection.exec_driver_sql(newest)
            conversation = await work.conversations.lock(ConversationId(found.scalar_one()))
            assert conversation is not None
            for seq, (text, image) in enumerate(messages, conversation.last_seq + 1):
                said = Message(
                    *(MessageId(new_id()), conversation.id, seq, Author.BOT, text, self._clock.now()), image=image
                )
                await work.messages.add(said, channel=conversation.channel)
            await work.conversations.save(replace(conversation, last_seq=conversation.last_seq + len(messages)))
            work.hint(Hint("outbound", conversation.id))


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    running = Window(tmp_path_factory.mktemp("window"))
    running.start()
    yield running
    running.stop()


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
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.locator("#subtitle")).not_to_be_empty(timeout=WAIT_MS)
    return panel


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
    window.say(("Here is your reward.", window.picture()))

    picture = loaded(panel)

    expect(picture).to_have_attribute("alt", f"QR code {CODE}")
    box = picture.bounding_box()
    assert box is not None and abs(box["width"] - box["height"]) < 1 and box["width"] >= 200
    shot = Picture.open(io.BytesIO(page.screenshot()))
    assert [found.text for found in zxingcpp.read_barcodes(shot)] == [CODE]


def test_the_chat_stays_at_its_end_when_a_picture_comes(page: Page, window: Window) -> None:
    panel = begin(page)
    window.say(*((f"Line {number} of a long story.", None) for number in range(30)), ("Look:", window.picture()))

    loaded(panel)

    expect(panel.get_by_test_id("picture")).to_be_in_viewport(ratio=0.99)
    log = panel.locator("#log")
    assert log.evaluate("log => log.scrollHeight - log.scrollTop - log.clientHeight") < 2


def test_a_reload_shows_the_picture_again(page: Page, window: Window) -> None:
    panel = begin(page)
    window.say(("Here is your reward.", window.picture()))
    loaded(panel)

    page.reload()

    expect(loaded(open_chat(page))).to_have_attribute("alt", f"QR code {CODE}")


def test_pictures_from_elsewhere_are_told_in_words_and_never_fetched(page: Page, window: Window) -> None:
    asked: list[str] = []
    panel = begin(page)
    page.on("request", lambda request: asked.append(request.url))

    window.say(*(("Look:", Image(url, "A <b>picture</b> of a cat")) for url in ELSEWHERE))

    words = panel.get_by_test_id("picture-words")
    expect(words).to_have_text(["A <b>picture</b> of a cat"] * len(ELSEWHERE), timeout=WAIT_MS)
    expect(panel.locator("[data-testid=message] img, [data-testid=message] b")).to_have_count(0)
    assert [url for url in asked if not url.startswith(window.address)] == []


def test_a_picture_that_does_not_come_is_told_in_words(page: Page, window: Window, complaints: list[str]) -> None:
    panel = begin(page)
    window.say(("Look:", window.picture(secret="x" * 40)))

    expect(panel.get_by_test_id("picture-words")).to_have_text(f"QR code {CODE}", timeout=WAIT_MS)
    expect(panel.get_by_test_id("picture")).to_have_count(0)
    assert all("404" in line for line in complaints)
    complaints.clear()
