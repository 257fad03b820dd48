"""What customers, importers and platforms may write anywhere is shown as text, and none of it ever runs."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.browser.conftest import Service
from tests.browser.test_chat import ANSWER_MS, ask, open_chat
from tests.gateway.hostile import INJECTION

pytestmark = pytest.mark.browser

FLAG = "(window.top.__xss = 1)"
SCRIPTS = [
    f"<script>{FLAG}</script>",
    f"<img src=x onerror={FLAG}>",
    f"<svg/onload={FLAG}>",
    f'"><iframe srcdoc="<script>{FLAG}</script>">',
    f"' onmouseover='{FLAG}' autofocus onfocus='{FLAG}",
    f"</textarea></title><script>{FLAG}</script>",
    f"[click](javascript:{FLAG})",
    f"javascript:{FLAG}",
    f'https://example.com/"onclick="{FLAG}',
    f"data:text/html,<script>{FLAG}</script>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={FLAG}>",
    f"{{{{constructor.constructor('{FLAG}')()}}}}",
]
EVERYTHING = [*SCRIPTS, *(text for text in INJECTION if "<" in text or "script" in text)]


@pytest.fixture
def page(browser: Browser, service: Service) -> Any:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=service.url)
    yield context.new_page()
    context.close()


def expect_that_nothing_ran(page: Page) -> None:
    frames = [frame for frame in page.frames if frame.url.startswith("http")]
    assert frames
    for frame in frames:
        assert frame.evaluate("window.__xss === undefined")
        assert frame.evaluate("document.querySelectorAll('iframe[srcdoc], [onerror], [onload], [onclick]').length") == 0
        links = frame.evaluate("[...document.querySelectorAll('a')].map((link) => link.protocol)")
        assert not {"javascript:", "data:", "vbscript:"} & set(links)


def test_what_a_customer_writes_is_text(page: Page) -> None:
    page.goto("/")
    panel = open_chat(page)
    for text in EVERYTHING[:12]:
        ask(panel, text)
    own = panel.locator("[data-testid=message][data-author=customer]")
    expect(own).to_have_count(12, timeout=ANSWER_MS)
    for number, text in enumerate(EVERYTHING[:12]):
        if not text.startswith("http"):  # a link says besides where it opens
            expect(own.nth(number)).to_contain_text(" ".join(text.split())[:30])
    expect_that_nothing_ran(page)
    page.reload()
    panel = open_chat(page)
    expect(panel.locator("[data-testid=message][data-author=customer]")).to_have_count(12, timeout=ANSWER_MS)
    expect_that_nothing_ran(page)


def hostile_frames(text: str, seq: int) -> list[dict[str, Any]]:
    """Every frame with every field that somebody else may have written."""
    at = "2026-11-23T10:00:00+00:00"
    card = {"kind": text, "title": text, "facts": [{"label": text, "value": text}], "steps": [text, text], "step": 0}
    message = {"type": "message", "author": "agent", "name": text, "text": text, "at": at, "choices": []}
    return [
        {**message, "seq": seq, "choices": [{"title": text, "payload": text}]},
        {**message, "seq": seq + 1, "author": "bot", "cards": [{**card, "choice": {"title": text, "payload": text}}]},
        {**message, "seq": seq + 2, "file": {"id": text, "name": text, "media_type": text, "size": 5}},
        {**message, "seq": seq + 3, "author": "customer", "client_id": text, "name": text},
        {**message, "seq": seq + 4, "author": "bot", "image": {"url": text, "alt": text}},
        {**message, "seq": seq + 5, "author": "system"},
        {"type": "owner", "owner": "agent", "position": None, "name": text},
        {"type": "error", "code": text, "message": text, "client_id": None},
    ]


def test_whatever_the_server_passes_on_is_text_in_the_panel(page: Page) -> None:
    sockets: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda data: socket.send(_with_hostile_names(data)))
        sockets.append(socket)

    page.context.route_web_socket(re.compile(r"/chat/ws$"), connect)
    page.goto("/")
    panel = open_chat(page)
    # Before the server has begun the conversation, what it passes on is of another one.
    expect(panel.locator("#shop")).to_have_text(SCRIPTS[1], timeout=ANSWER_MS)
    for number, text in enumerate(EVERYTHING):
        for frame in hostile_frames(text, 100 + 10 * number):
            sockets[-1].send(json.dumps(frame))
    shown = panel.locator("[data-testid=message]")
    expect(shown).to_have_count(6 * len(EVERYTHING), timeout=ANSWER_MS)
    expect(panel.locator("[data-testid=message][data-author=system]").first).to_contain_text("<script>")
    expect_that_nothing_ran(page)


def _with_hostile_names(data: str | bytes) -> str:
    frame = json.loads(data)
    if frame["type"] == "ready":
        frame |= {"shop": SCRIPTS[1], "assistant": SCRIPTS[1], "customer": {"name": SCRIPTS[1]}}
    return json.dumps(frame)


def test_a_draft_and_a_site_from_the_address_are_text(page: Page) -> None:
    for text in SCRIPTS:
        page.goto(f"/chat/frame?site={text.replace('#', '').replace('&', '')}&host=javascript:{FLAG}&lang={FLAG}")
        expect(page.locator("#shop, [data-testid=shop]").first).to_be_attached()
        expect_that_nothing_ran(page)
