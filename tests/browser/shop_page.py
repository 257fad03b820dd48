"""A shop's own page, on another origin than the chat and as strict as a page can be, with the chat embedded."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from aiohttp import web
from playwright.sync_api import FrameLocator, Page, expect

WAIT_MS = 10_000
PAGE = """<!doctype html>
<html lang="en" dir="{direction}"><head><title>A shop</title></head><body>
<main><h1>A shop</h1><p>With things to buy.</p><button type="button">Buy</button></main>
<script async src="{address}/widget.js" data-site="a-shop" {attributes}></script>
</body></html>"""
# What docs/widget.md says that a strict page needs, and nothing else.
POLICY = "default-src 'none'; script-src {address}; frame-src {address}; require-trusted-types-for 'script'"


def shop_website(chat: str) -> web.Application:
    """The shop's website; the page's address has the embed script's attributes and the page's direction."""

    async def page(request: web.Request) -> web.Response:
        filled = {"attributes": "", "direction": "ltr", **request.query}
        headers = {"Content-Security-Policy": POLICY.format(address=chat)}
        return web.Response(text=PAGE.format(address=chat, **filled), content_type="text/html", headers=headers)

    async def no_icon(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    website = web.Application()
    website.router.add_get("/", page)
    website.router.add_get("/favicon.ico", no_icon)
    return website


def visit(page: Page, shop: str, attributes: str = "", direction: str = "ltr") -> None:
    """Open the shop's page; `attributes` are those of the embed script."""
    page.goto(f"{shop}/?{urlencode({'attributes': attributes, 'direction': direction})}")
    expect(page.get_by_test_id("kasuki-launcher")).to_be_visible(timeout=WAIT_MS)


def open_panel(page: Page) -> FrameLocator:
    """Press the launcher, and wait until the panel listens."""
    page.get_by_test_id("kasuki-launcher").click()
    return panel_of(page)


def panel_of(page: Page) -> FrameLocator:
    """The open panel, once it has said hello."""
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.locator("#subtitle")).not_to_be_empty(timeout=WAIT_MS)
    return panel


def write(panel: FrameLocator, text: str) -> None:
    """Send a message and wait until the server has it."""
    box = panel.locator("#text")
    box.fill(text)
    box.press("Enter")
    own = panel.locator("[data-testid=message][data-author=customer]").last
    expect(own).to_contain_text(text)
    expect(own).to_have_attribute("data-state", "delivered", timeout=WAIT_MS)


def rgb(colour: str) -> str:
    """#rrggbb as browsers tell it."""
    red, green, blue = (int(digits, 16) for digits in re.findall("..", colour.lstrip("#")))
    return f"rgb({red}, {green}, {blue})"
