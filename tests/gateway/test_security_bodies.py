"""Small requests that unpack to a hundred megabytes, and requests that no browser sends: refused, in little memory."""

from __future__ import annotations

import asyncio
import json
import tracemalloc
import zlib
from collections.abc import Iterator

import aiohttp
import pytest

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.inbox import SECRET_HEADER, TelegramInbox
from bot.gateway.channels import WEBHOOKS
from bot.gateway.tokens import issue_feedback_token, issue_unsubscribe_token
from tests.gateway.chat_client import message
from tests.gateway.conftest import API_KEY
from tests.gateway.raw_socket import raw_connection, raw_socket
from tests.gateway.tokens import SECRET

MEGABYTE = 2**20
UNPACKED = 100 * MEGABYTE
MOST_MEMORY = 12 * MEGABYTE
SAFE = {"GET", "HEAD", "OPTIONS"}


def packed(wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    parts = [packer.compress(b" " * MEGABYTE) for _ in range(UNPACKED // MEGABYTE)]
    return b"".join([*parts, packer.flush()])


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """By encoding: small, and a hundred megabytes when unpacked."""
    found = {"gzip": packed(31), "deflate": packed(15), "br": b"\x00" * 1_000, "zstd": b"\x00" * 1_000}
    assert max(map(len, found.values())) < 200_000
    return found


@pytest.fixture
def memory() -> Iterator[None]:
    """The test may not use much memory at any time."""
    tracemalloc.start(1)
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - before < MOST_MEMORY, f"{(peak - before) / MEGABYTE:.0f} MB at the highest"


@pytest.fixture
async def with_telegram(quiet_gateway):
    """The gateway with Telegram's webhook, whose secret is SECRET."""
    client = TelegramClient("http://127.0.0.1:9", "123:token")

    async def no_picture(_url):
        return None

    inbox = TelegramInbox(quiet_gateway.db, quiet_gateway.clock, TelegramChannel(client, no_picture), SECRET)
    quiet_gateway.app[WEBHOOKS]["telegram"] = inbox
    yield quiet_gateway
    await inbox.close()
    await client.close()


def routes_that_take_bodies(gateway, visitor_token):
    """Every route that is not only read from, with what proves to it who asks."""
    now = gateway.clock.now()
    tokens = {
        "/feedback/{token}": issue_feedback_token("none", SECRET, now),
        "/unsubscribe/{token}": issue_unsubscribe_token("hash", "marketing", SECRET, now),
    }
    for route in gateway.app.router.routes():
        if route.method in SAFE or route.resource is None:
            continue
        path = route.resource.canonical
        headers = {
            "Authorization": f"Bearer {visitor_token if path.startswith('/chat') else API_KEY}",
            SECRET_HEADER: SECRET,
        }
        for name in ("{number}", "{external_id}", "{code}", "{id}"):
            path = path.replace(name, "X-1")
        path = path.replace("{channel}", "telegram").replace("{token}", tokens.get(path, "token"))
        yield route.method, path, headers


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
async def test_a_body_that_unpacks_to_a_hundred_megabytes_is_refused_everywhere(with_telegram, bombs, encoding, memory):
    visitor = await with_telegram.chat()
    tried = 0
    for method, path, headers in routes_that_take_bodies(with_telegram, visitor.visitor_token):
        headers |= {"Content-Encoding": encoding, "Content-Type": "application/json"}
        async with with_telegram.session.request(
            method, with_telegram.url + path, data=bombs[encoding], headers=headers
        ) as answer:
            assert answer.status == 415, (method, path)
        tried += 1
    assert tried >= 10
    assert await visitor.say("all is well") == 1


@pytest.mark.parametrize("path", ["/channels/telegram/webhook", "/chat/messages", "/api/v1/customers/X-1"])
async def test_a_body_without_an_end_is_not_kept(with_telegram, path, memory):
    visitor = await with_telegram.chat()

    async def endless():
        for _ in range(UNPACKED // 2**16):
            yield b" " * 2**16

    token = visitor.visitor_token if path.startswith("/chat") else API_KEY
    headers = {"Authorization": f"Bearer {token}", SECRET_HEADER: SECRET, "Content-Type": "application/json"}
    method = "PUT" if path.startswith("/api") else "POST"
    try:
        async with with_telegram.session.request(
            method, with_telegram.url + path, data=endless(), headers=headers
        ) as answer:
            assert answer.status in (200, 400, 413)
    except aiohttp.ClientConnectionError:
        pass  # cut off in the middle
    assert await visitor.say("all is well") == 1


async def test_packed_frames_are_not_agreed_to_and_not_unpacked(quiet_gateway, bombs, memory):
    async with raw_socket(quiet_gateway.url, **{"Sec-WebSocket-Extensions": "permessage-deflate"}) as bomber:
        bomber.send(bombs["deflate"][2:][:60_000], first_byte=0xC1)
        assert await bomber.close_code() == aiohttp.WSCloseCode.PROTOCOL_ERROR
    chat = await quiet_gateway.connect(compress=15)
    assert chat.socket.compress == 0
    await chat.hello()
    assert await chat.say("all is well") == 1


async def test_a_frame_that_says_it_is_huge_is_refused_before_it_is_read(quiet_gateway, memory):
    for size in (17_000, 2**31, 2**62):
        async with raw_socket(quiet_gateway.url) as liar:
            liar.writer.write(b"\x81\xff" + size.to_bytes(8, "big") + b"mask" + b"x" * 1_000)
            assert await liar.close_code() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_a_message_in_endless_pieces_is_refused(quiet_gateway, memory):
    async with raw_socket(quiet_gateway.url) as endless:
        endless.send(b"x" * 1_000, first_byte=0x01)
        for _ in range(20):
            endless.send(b"x" * 1_000, first_byte=0x00)
        assert await endless.close_code() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


FRAMES_OF_NO_CLIENT = {
    "a reserved bit": (0xA1, b"{}"),
    "an unknown kind": (0x83, b"{}"),
    "a continuation of nothing": (0x80, b"{}"),
    "half a ping": (0x09, b""),
    "a ping that is too long": (0x89, b"p" * 126),
    "a close of one byte": (0x88, b"x"),
    "a close with a code that does not exist": (0x88, (5).to_bytes(2, "big")),
    "a close with a reason that is no text": (0x88, (1000).to_bytes(2, "big") + b"\xff\xfe"),
}


@pytest.mark.parametrize("name", FRAMES_OF_NO_CLIENT)
async def test_frames_that_break_the_protocol_close_the_socket(quiet_gateway, name):
    first_byte, payload = FRAMES_OF_NO_CLIENT[name]
    async with raw_socket(quiet_gateway.url) as odd:
        odd.send(payload, first_byte=first_byte)
        assert await odd.close_code() in (
            aiohttp.WSCloseCode.PROTOCOL_ERROR,
            aiohttp.WSCloseCode.INVALID_TEXT,
            aiohttp.WSCloseCode.MESSAGE_TOO_BIG,
        )
    chat = await quiet_gateway.chat()
    assert await chat.say("all is well") == 1


# Requests


async def status_of(gateway, request: bytes) -> int:
    """The status of a request of any bytes; 0 where the connection is closed without one."""
    async with raw_connection(gateway.url) as (reader, writer):
        writer.write(request)
        line = await asyncio.wait_for(reader.readline(), 10)
        return int(line.split()[1]) if line else 0


ODD_REQUESTS = {
    "no HTTP": b"hello\r\n\r\n",
    "rubbish": bytes(range(256)) + b"\r\n\r\n",
    "another version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "an unknown method": b"DANCE / HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long path": b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    "a header without a name": b"GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
    "a header with a NUL": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "two lengths": b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a length and chunks": b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below zero": b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "a length that is no number": b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    "chunks that are none": b"POST /chat/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a whole address": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "an upgrade to something else": b"GET /chat/ws HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    "an upgrade without a key": b"GET /chat/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n\r\n",
    "an upgrade with a bad key": b"GET /chat/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \xff\xfe\r\n\r\n",
    "an upgrade of another version": b"GET /chat/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
    b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    "half a character in the path": b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in the path": b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a NUL in a file's name": b"GET /static/frame.js%00.css HTTP/1.1\r\nHost: x\r\n\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a new line in the path": b"GET /%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("name", ODD_REQUESTS)
async def test_odd_requests_are_refused_and_are_no_fault_of_ours(quiet_gateway, name, caplog):
    status = await status_of(quiet_gateway, ODD_REQUESTS[name])

    assert status == 0 or status < 500, status
    assert status != 101
    assert "a request failed" not in caplog.text
    assert await status_of(quiet_gateway, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == 200


PATHS_OUT = [
    "/static/../chat.py",
    "/static/..%2fchat.py",
    "/static/%2e%2e/chat.py",
    "/static/%2e%2e%2f%2e%2e%2fconfig.py",
    "/static/..\\chat.py",
    "/static/..%5cchat.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/....//chat.py",
    "/static/languages/../../chat.py",
    "/static/.",
    "/static/..",
    "/static/%00",
    "/static/" + "a" * 5_000,
    "/../../etc/passwd",
    "/invoices/..%2f..%2fetc%2fpasswd",
    "/feedback/..%2f..%2fetc%2fpasswd",
    "/unsubscribe/%2e%2e",
    "/chat/files/..%2f..%2f..%2fetc%2fpasswd",
]


@pytest.mark.parametrize("path", PATHS_OUT, ids=lambda path: path[:40])
async def test_no_path_leads_out_of_what_is_served(quiet_gateway, path):
    async with raw_connection(quiet_gateway.url) as (reader, writer):
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(-1), 10)

    assert int(answer.split()[1]) in range(400, 500), answer[:200]
    assert b"root:" not in answer
    assert b"import" not in answer


@pytest.mark.parametrize(
    "data",
    [
        json.dumps(message("hi")).encode("utf-16"),
        b"\xef\xbb\xbf" + json.dumps(message("hi")).encode(),
        json.dumps([message("hi")] * 20).encode(),
        b'{"type":"message","type":"hello"}',
    ],
    ids=["UTF-16", "a byte order mark", "a list of frames", "a name twice"],
)
async def test_bodies_of_other_shapes_are_never_a_fault_of_ours(quiet_gateway, data):
    visitor = await quiet_gateway.chat()
    status, _ = await quiet_gateway.post(data, visitor.visitor_token)

    assert status in (200, 400)
