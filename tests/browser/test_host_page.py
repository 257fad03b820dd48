"""What the shop's page can say to the chat, and hear from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bot.business import load_business
from bot.gateway.embedding import Embedding
from bot.gateway.served import served_file
from tests.browser.test_chat import ANSWER_MS, ask, expect_answer, open_chat

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
STATIC = ROOT / "bot/gateway/static"
DESKTOP = pytest.mark.parametrize("page", [(1280, 800)], ids=["desktop"], indirect=True)


@DESKTOP
def test_the_page_opens_the_chat_with_a_draft_hears_what_comes_in_and_closes_it(page: Page) -> None:
    page.wait_for_function("typeof window.Kasuki === 'function'")
    page.evaluate(
        """() => {
            window.heard = [];
            for (const name of ["message", "unread", "open", "close"])
                Kasuki("on", name, (said) => heard.push([name, said]));
            Kasuki("on", "message", () => { throw new Error("a listener of the page's that fails"); });
            Kasuki("nothing of ours");
            Kasuki("open", "are you a bot?");
        }"""
    )
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.get_by_role("textbox", name="Your message")).to_have_value("are you a bot?", timeout=ANSWER_MS)
    ask(panel, "are you a bot?")
    expect_answer(panel, "a computer program")
    page.evaluate("Kasuki('close')")
    expect(page.get_by_role("button", name="Open chat")).to_be_visible()

    heard = page.evaluate("heard")
    assert [name for name, _ in heard if name != "unread"] == ["open", "message", "close"]
    said = dict(heard)["message"]
    assert said["author"] == "bot" and "a computer program" in said["text"]


@DESKTOP
def test_a_chat_that_was_shut_down_is_gone_and_comes_back_with_its_conversation(page: Page) -> None:
    page.wait_for_function("typeof window.Kasuki === 'function'")
    page.evaluate("Kasuki('open')")
    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.locator("#subtitle")).not_to_be_empty(timeout=ANSWER_MS)
    ask(panel, "are you a bot?")
    expect_answer(panel, "a computer program")

    page.evaluate("Kasuki('shutdown'); Kasuki('shutdown')")
    expect(page.locator("#kasuki-chat")).to_have_count(0)
    page.evaluate("Kasuki.open()")

    assert page.locator("#kasuki-chat").count() == 1
    expect_answer(page.frame_locator("iframe[data-testid=kasuki-frame]"), "a computer program")


@DESKTOP
def test_calls_from_before_the_script_are_carried_out(page: Page) -> None:
    page.add_init_script(
        "window.Kasuki = function () { (Kasuki.q = Kasuki.q || []).push(arguments); }; Kasuki('open');"
    )
    page.reload()

    panel = page.frame_locator("iframe[data-testid=kasuki-frame]")
    expect(panel.get_by_role("textbox", name="Your message")).to_be_visible(timeout=ANSWER_MS)


def test_the_script_and_the_panel_are_small() -> None:
    def sent(name: str) -> int:
        served = served_file(name)
        assert served is not None, name
        return len(served.packed)

    embedding = Embedding(load_business(ROOT / "business.yml").to_shop())
    page = (STATIC / "frame.html").read_text()
    files = sum(map(sent, re.findall(r'="/static/([\w.-]+)"', page)))
    texts = max(len(embedding.panel(code, "").packed) for code in ("en", "es", "fil", "ar"))
    assert len(embedding.script.packed) <= 5 * 1024
    assert files + texts + len(page) <= 45 * 1024


def test_the_page_of_the_panel_has_all_its_modules_fetched_at_once() -> None:
    page = (STATIC / "frame.html").read_text()
    named = {name for name in re.findall(r'="/static/([\w.-]+)"', page) if name.endswith(".js")}
    imported = {name for module in named for name in re.findall(r'from "\./([\w.-]+)"', (STATIC / module).read_text())}
    assert named - {"frame.js"} == imported


def test_a_customer_saves_the_conversation_as_a_file(page: Page) -> None:
    panel = open_chat(page)
    save = panel.get_by_role("button", name="Save the conversation")
    expect(save).to_be_hidden()
    ask(panel, "are you a bot? <b>&amp;</b>")
    expect_answer(panel, "a computer program")

    with page.expect_download() as found:
        save.click()
    download = found.value
    saved = Path(download.path()).read_text()
    assert download.suggested_filename.startswith("Tala Coffee 20") and download.suggested_filename.endswith(".txt")
    asked, answered = saved.index("are you a bot? <b>&amp;</b>"), saved.index("a computer program")
    assert saved.startswith("Tala Coffee\n") and "You" in saved[:asked] and "Suki" in saved[asked:answered]


def test_a_long_link_is_shown_short_and_leads_where_it_says(page: Page) -> None:
    panel = open_chat(page)
    long = f"https://shop.example/rewards/{'a' * 200}"
    hidden = f"https://{'shop.example.' * 5}elsewhere.example/{'a' * 90}"
    ask(panel, f"{long} {hidden} https://shop.example/x")

    links = panel.locator("[data-testid=message][data-author=customer] a")
    expect(links).to_have_count(3)
    assert [link.get_attribute("href") for link in links.all()] == [long, hidden, "https://shop.example/x"]
    first, second, third = (link.evaluate("link => link.firstChild.data") for link in links.all())
    assert first == f"{long[:40]}…"
    assert second.endswith("elsewhere.example/…")
    assert third == "https://shop.example/x"
