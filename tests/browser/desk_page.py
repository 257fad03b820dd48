"""The desk in a browser: somebody signs in, opens a conversation, writes; a script error fails the test."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from argon2 import PasswordHasher
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from bot.core.agents import Agent, Role
from bot.services import agents
from tests.browser.desk_window import PASSWORD, DeskWindow

WAIT_MS = 15_000
ANA, BEN = "ana@corner.example", "ben@corner.example"
WIDE, TABLET = {"width": 1280, "height": 720}, {"width": 820, "height": 1180}
# What a browser says when the test takes the server away, or does what is refused.
EXPECTED = re.compile(r"WebSocket|ERR_(CONNECTION|INCOMPLETE|EMPTY|FAILED)|status of (400|401|403|404|409|422)")

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskWindow]:
    """A gateway for all tests of a file."""
    patch = pytest.MonkeyPatch()
    # That a password takes long to compare is for whoever guesses it.
    patch.setattr(agents, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    running = DeskWindow(tmp_path_factory.mktemp("desk"))
    running.start()
    yield running
    running.stop()
    patch.undo()


@pytest.fixture(scope="module")
def ana(desk: DeskWindow) -> Agent:
    """Somebody who takes conversations."""
    return desk.hire(ANA, "Ana Cruz")[0]


@pytest.fixture(scope="module")
def ben(desk: DeskWindow) -> Agent:
    """An admin, who takes conversations as well."""
    return desk.hire(BEN, "Ben Lim", Role.ADMIN)[0]


@pytest.fixture
def open_desk(browser: Browser, desk: DeskWindow, ana: Agent, ben: Agent) -> Iterator[Open]:
    """The desk in a browser of its own, with somebody signed in and online."""
    complaints: list[str] = []
    contexts: list[BrowserContext] = []

    def open_(email: str | None = ANA, path: str = "/desk", password: str = PASSWORD, **options: object) -> Page:
        context = browser.new_context(**{"viewport": WIDE, "locale": "en-GB", **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("dialog", lambda dialog: complaints.append(f"a script ran: {dialog.message}"))
        page.goto(desk.address + path)
        if email is not None:
            sign_in(page, email, password)
            go_online(page)
        return page

    yield open_
    for context in contexts:
        context.close()
    if unexpected := [line for line in complaints if not EXPECTED.search(line)]:
        pytest.fail(f"the page complained: {unexpected}")


def sign_in(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_test_id("sign-in-email").fill(email)
    page.get_by_test_id("sign-in-password").fill(password)
    page.get_by_test_id("sign-in").click()


def go_online(page: Page) -> None:
    expect(page.get_by_test_id("presence")).to_be_visible(timeout=WAIT_MS)
    if page.get_by_test_id("presence").get_attribute("data-status") != "online":
        page.get_by_test_id("presence").click()
    expect(page.get_by_test_id("presence")).to_have_attribute("data-status", "online", timeout=WAIT_MS)


def row(page: Page, conversation_id: str) -> Locator:
    return page.locator(f"[data-testid=conversation-row][data-id='{conversation_id}']")


def open_row(page: Page, tab: str, conversation_id: str) -> None:
    page.get_by_test_id(f"tab-{tab}").click()
    # By keyboard: a line that comes in meanwhile must not move it away from under the mouse.
    row(page, conversation_id).get_by_role("button").press("Enter")
    expect(page).to_have_url(re.compile(conversation_id), timeout=WAIT_MS)
    expect(page.get_by_test_id("thread-name")).not_to_be_empty(timeout=WAIT_MS)


def open_at(page: Page, conversation_id: str) -> None:
    """Open a conversation by its address, wherever it is listed."""
    page.evaluate("id => { location.hash = `#/c/${id}`; }", conversation_id)
    expect(page.get_by_test_id("thread-name")).not_to_be_empty(timeout=WAIT_MS)


def do(page: Page, action: str) -> None:
    """Press the button of an action, which may be behind "More"."""
    button = page.get_by_test_id(f"action-{action}")
    if not button.is_visible():
        page.get_by_test_id("more-actions").click()
    button.click()


def lines(page: Page, author: str) -> Locator:
    return page.locator(f"[data-testid=message][data-author={author}]")


def write(page: Page, text: str) -> None:
    page.get_by_test_id("text").fill(text)
    page.get_by_test_id("text").press("Enter")


def stands(page: Page, stage: str) -> None:
    """The open conversation stands there, or soon will."""
    expect(page.get_by_test_id("stage")).to_have_text(stage, timeout=WAIT_MS)


def is_told(page: Page, words: str) -> None:
    """A short message says so."""
    expect(page.get_by_test_id("toast").filter(has_text=words).first).to_be_visible(timeout=WAIT_MS)


def barriers(page: Page) -> list[tuple[str, str]]:
    """What axe finds serious or worse."""
    found = Axe().run(page).response["violations"]
    return [
        (one["id"], str([node["html"] for node in one["nodes"]][:3]))
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
