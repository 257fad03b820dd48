"""Networks that block, hold back, cut or delay: the customer's conversation goes on, in order and without doubles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request, WebSocketRoute, expect

from tests.browser.conftest import Service
from tests.browser.test_chat import ANSWER_MS, ask, expect_answer, open_chat

pytestmark = pytest.mark.browser

SOCKET, STREAM, NEWS = re.compile(r"/chat/ws$"), re.compile(r"/chat/events"), re.compile(r"/chat/messages\?after=")


@pytest.fixture
def context(browser: Browser, service: Service) -> Iterator[BrowserContext]:
    made = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=service.url)
    yield made
    made.unroute_all(behavior="ignoreErrors")
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page of the shop that is still to be opened; a script's error fails the test."""
    opened = context.new_page()
    opened.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))
    return opened


class Requests:
    """The ways by which a page has talked to the server."""

    def __init__(self, page: Page) -> None:
        self.streams = self.questions = 0
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        self.streams += bool(STREAM.search(request.url))
        self.questions += bool(NEWS.search(request.url))


def block_sockets(context: BrowserContext) -> None:
    context.route_web_socket(SOCKET, lambda socket: socket.close())


def expect_all_delivered(panel: FrameLocator, count: int) -> None:
    own = panel.locator("[data-testid=message][data-author=customer]")
    expect(own).to_have_count(count, timeout=ANSWER_MS)
    for number in range(count):
        expect(own.nth(number)).to_have_attribute("data-state", "delivered", timeout=ANSWER_MS)


def test_where_sockets_are_blocked_the_conversation_is_carried_by_events(page: Page, context: BrowserContext) -> None:
    block_sockets(context)
    used = Requests(page)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    expect_all_delivered(panel, 1)
    assert used.streams == 1
    assert used.questions == 0


def test_where_streams_are_blocked_too_the_panel_asks_for_news(page: Page, context: BrowserContext) -> None:
    block_sockets(context)
    context.route(STREAM, lambda route: route.abort())
    used = Requests(page)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    expect_all_delivered(panel, 2)
    expect(panel.locator("[data-testid=message]")).to_have_count(4)
    assert used.questions >= 2


def test_a_stream_whose_bytes_are_held_back_is_given_up_for_asking(page: Page, context: BrowserContext) -> None:
    block_sockets(context)
    context.route(STREAM, lambda route: None)  # a proxy that waits for the end of the answer before it passes it on
    used = Requests(page)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    assert used.streams == 1
    page.reload()
    panel = open_chat(page)
    expect_answer(panel, "I'm a bot")
    expect(panel.locator("[data-testid=message]")).to_have_count(2)
    assert used.streams == 1, "the page after has to find out anew"


def test_a_socket_that_opens_and_carries_nothing_is_given_up(page: Page, context: BrowserContext) -> None:
    context.route_web_socket(SOCKET, lambda socket: None)
    used = Requests(page)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    assert used.streams == 1


def test_when_the_network_carries_sockets_again_they_are_used_again(page: Page, context: BrowserContext) -> None:
    is_blocked = True
    connected: list[WebSocketRoute] = []

    def connect(socket: WebSocketRoute) -> None:
        if is_blocked:
            socket.close()
        else:
            connected.append(socket.connect_to_server())

    context.route_web_socket(SOCKET, connect)
    context.route(STREAM, lambda route: route.abort())
    page.clock.install()
    used = Requests(page)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    is_blocked = False
    page.clock.fast_forward(61_000)
    expect(panel.get_by_test_id("connection-notice")).to_be_hidden(timeout=ANSWER_MS)
    page.wait_for_timeout(1_500)
    assert len(connected) == 2  # one to try it, one to keep
    asked = used.questions
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    expect(panel.locator("[data-testid=message]")).to_have_count(4)
    assert used.questions == asked


def test_what_is_written_while_the_network_is_cut_is_sent_once_and_in_order(
    page: Page, context: BrowserContext
) -> None:
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "hello")
    expect_answer(panel, "I'm Suki")
    box = panel.get_by_role("textbox", name="Your message")
    box.press_sequentially("are you a ")
    context.set_offline(True)
    box.press_sequentially("bot?")
    expect(panel.get_by_test_id("connection-notice")).to_be_visible(timeout=ANSWER_MS)
    expect(box).to_have_value("are you a bot?")
    box.press("Enter")
    ask(panel, "what can you do?")
    own = panel.locator("[data-testid=message][data-author=customer]")
    expect(own.last).to_have_attribute("data-state", "sending")
    context.set_offline(False)
    expect_answer(panel, "I can tell you where an order is")
    expect(panel.get_by_test_id("connection-notice")).to_be_hidden()
    expect_all_delivered(panel, 3)
    texts = [text for text in own.all_inner_texts()]
    assert [words in text for words, text in zip(("hello", "are you a bot?", "what can you do?"), texts, strict=True)]
    expect(panel.locator("[data-testid=message]")).to_have_count(6)


def test_a_message_whose_acknowledgement_was_lost_is_sent_again_and_there_once(
    page: Page, context: BrowserContext
) -> None:
    sent: list[str] = []
    opened: list[WebSocketRoute] = []

    def lose_the_first_ack(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        opened.append(socket)
        is_cut = False

        def from_page(data: str | bytes) -> None:
            frame = json.loads(data)
            if frame["type"] == "message":
                sent.append(frame["client_id"])
            server.send(data)

        def from_server(data: str | bytes) -> None:
            nonlocal is_cut
            is_cut = is_cut or (socket is opened[0] and json.loads(data)["type"] in ("ack", "message"))
            if is_cut:
                socket.close(code=1011)
            else:
                socket.send(data)

        socket.on_message(from_page)
        server.on_message(from_server)

    context.route_web_socket(SOCKET, lose_the_first_ack)
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "are you a bot?")
    expect_answer(panel, "I'm a bot")
    expect_all_delivered(panel, 1)
    expect(panel.locator("[data-testid=message]")).to_have_count(2)
    assert len(sent) == 2
    assert len(set(sent)) == 1


def test_two_tabs_show_the_same_and_both_can_write(page: Page, context: BrowserContext) -> None:
    page.goto("/")
    first = open_chat(page)
    ask(first, "hello")
    expect_answer(first, "I'm Suki")
    other = context.new_page()
    other.goto("/")
    second = open_chat(other)
    expect_answer(second, "I'm Suki")
    for number, (panel, text) in enumerate([(second, "are you a bot?"), (first, "what can you do?")] * 2):
        ask(panel, text)
        for tab in (first, second):
            expect(tab.locator("[data-testid=message][data-author=bot]")).to_have_count(number + 2, timeout=ANSWER_MS)
            expect(tab.locator("[data-testid=message][data-author=customer]")).to_have_count(number + 2)
    shown = [tab.locator("[data-testid=message]").all_inner_texts() for tab in (first, second)]
    words = [[re.sub(r"\s*(Delivered|Sent|Sending…)\s*", "", text).strip() for text in texts] for texts in shown]
    assert words[0] == words[1]
    assert len(words[0]) == 10


def test_both_tabs_write_at_once_and_nothing_is_lost_or_doubled(page: Page, context: BrowserContext) -> None:
    page.goto("/")
    first = open_chat(page)
    other = context.new_page()
    other.goto("/")
    second = open_chat(other)
    for number in range(3):
        ask(first, f"are you a bot? {number}")
        ask(second, f"what can you do? {number}")
    wanted = sorted([f"are you a bot? {number}" for number in range(3)] + [f"what can you do? {n}" for n in range(3)])
    orders = []
    for tab in (first, second):
        expect_all_delivered(tab, 6)
        texts = tab.locator("[data-testid=message][data-author=customer]").all_inner_texts()
        orders.append([re.search(r"(are you|what can).*\? \d", text)[0] for text in texts])
    assert sorted(orders[0]) == wanted
    assert orders[0] == orders[1]


def test_an_answer_that_takes_long_is_waited_for_and_shown_when_it_comes(page: Page, context: BrowserContext) -> None:
    held: list[str | bytes] = []
    sockets: list[WebSocketRoute] = []

    def hold_answers(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        server = socket.connect_to_server()

        def from_server(data: str | bytes) -> None:
            (held.append if json.loads(data).get("author") == "bot" else socket.send)(data)

        server.on_message(from_server)

    context.route_web_socket(SOCKET, hold_answers)
    page.clock.install()
    page.goto("/")
    panel = open_chat(page)
    ask(panel, "are you a bot?")
    expect_all_delivered(panel, 1)
    page.clock.fast_forward(13_000)
    expect(panel.locator("#slow")).to_be_visible()
    for _ in range(100):
        if any(json.loads(data)["type"] == "message" for data in held):
            break
        page.wait_for_timeout(100)
    for data in held:
        sockets[0].send(data)
    expect_answer(panel, "I'm a bot")
    expect(panel.locator("#slow")).to_be_hidden()


def test_reconnecting_is_spread_in_time_and_never_waits_longer_than_half_a_minute(page: Page) -> None:
    page.goto("/")
    waits = page.evaluate(
        """async () => {
          const { backoff } = await import("/static/connection.js");
          const attempts = [...Array(40).keys()];
          return {
            lowest: attempts.map((attempt) => backoff(attempt, () => 0)),
            highest: attempts.map((attempt) => backoff(attempt, () => 1)),
            drawn: [...Array(200)].map(() => backoff(4)),
          };
        }"""
    )
    assert set(waits["lowest"]) == {0}
    assert waits["highest"][:4] == [500, 1_000, 2_000, 4_000]
    assert max(waits["highest"]) == 30_000
    assert len(set(waits["drawn"])) == 200
    assert max(waits["drawn"]) < 8_000
    assert min(waits["drawn"]) < 2_000 < 6_000 < max(waits["drawn"])


def test_asking_slows_down_when_nothing_happens_or_nobody_looks(page: Page) -> None:
    page.goto("/")
    delays = page.evaluate(
        """async () => {
          const { pollDelay } = await import("/static/transports.js");
          const at = (quiet, hidden, random) => pollDelay(quiet, hidden, () => random);
          return {
            active: [0, 10, 24].map((quiet) => at(quiet, false, 0.5)),
            slower: [25, 26, 27].map((quiet) => at(quiet, false, 0.5)),
            quiet: at(1000, false, 0.5), refused: at(Infinity, false, 0.5), hidden: at(0, true, 0.5),
            spread: [at(0, false, 0), at(0, false, 1)],
          };
        }"""
    )
    assert delays["active"] == [2_500, 2_500, 2_500]
    assert delays["slower"] == sorted(delays["slower"])
    assert delays["slower"][0] > 2_500
    assert delays["quiet"] == delays["refused"] == delays["hidden"] == 15_000
    assert delays["spread"] == [pytest.approx(2_000), pytest.approx(3_000)]
