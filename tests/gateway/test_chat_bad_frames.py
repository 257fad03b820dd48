"""Frames that are none of the protocol's."""

from __future__ import annotations

import json
import uuid

import aiohttp
import pytest

from bot.gateway import chat
from tests.gateway.chat_client import eventually, message

BAD_FRAMES = {
    "nothing": "",
    "not JSON": "{oops",
    "half a frame": '{"type":"message","client_id":',
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "a text": '"hello"',
    "NaN": "NaN",
    "no type": "{}",
    "an unknown type": '{"type":"dance"}',
    "a type in capitals": '{"type":"MESSAGE"}',
    "a type that is a list": '{"type":["message"]}',
    "a type that is an object": '{"type":{"message":1}}',
    "a type that is null": '{"type":null}',
    "deep nesting": "[" * 16_000,
    "deep nesting of objects": '{"a":' * 3_000,
    "deep nesting inside a frame": '{"type":"message","text":' + "[" * 12_000,
    "no client_id": '{"type":"message","text":"hi"}',
    "a client_id that is no UUID": '{"type":"message","client_id":"1","text":"hi"}',
    "a client_id that is a number": '{"type":"message","client_id":1,"text":"hi"}',
    "a client_id that is a list": '{"type":"message","client_id":["a"],"text":"hi"}',
    "a client_id that is almost a UUID": json.dumps(message("hi", client_id="g" * 36)),
    "a client_id in braces": json.dumps(message("hi", client_id="{12345678123456781234567812345678}ab")),
    "a client_id of foreign digits": json.dumps(message("hi", client_id="\u0661" * 8 + "-1111-1111-1111-" + "1" * 12)),
    "a client_id with a NUL": json.dumps(message("hi", client_id=str(uuid.uuid4())[:-1] + "\0")),
    "a client_id with half a character": json.dumps(message("hi", client_id=str(uuid.uuid4())[:-1] + "\ud800")),
    "no text": json.dumps({"type": "message", "client_id": str(uuid.uuid4())}),
    "a text that is null": json.dumps(message(None)),
    "a text that is a number": json.dumps(message(5)),
    "a text that is NaN": json.dumps(message(float("nan"))),
    "a text that is a huge number": '{"type":"message","client_id":"%s","text":%s}' % (uuid.uuid4(), "9" * 9_000),  # noqa: UP031
    "a text that is a list": json.dumps(message(["hi"])),
    "a text that is an object": json.dumps(message({"text": "hi"})),
    "an empty text": json.dumps(message("")),
    "a text of spaces": json.dumps(message(" \t\r\n\u3000\u2003 ")),
    "no payload": json.dumps({"type": "choice", "client_id": str(uuid.uuid4())}),
    "a payload that is a list": json.dumps({"type": "choice", "client_id": str(uuid.uuid4()), "payload": []}),
    "a choice without a client_id": '{"type":"choice","payload":"/x"}',
    "a seq that is a text": '{"type":"read","seq":"1"}',
    "a seq that is NaN": '{"type":"read","seq":NaN}',
    "a seq that is infinite": '{"type":"read","seq":Infinity}',
    "a seq that is huge": '{"type":"read","seq":1e999}',
    "a seq of many digits": '{"type":"read","seq":' + "9" * 9_000 + "}",
    "a seq beyond the database": '{"type":"read","seq":9223372036854775808}',
    "a seq below zero": '{"type":"read","seq":-1}',
    "a seq that is true": '{"type":"read","seq":true}',
    "binary JSON": json.dumps(message("hi")).encode(),
    "binary rubbish": b"\x00\xff\xfe\x80",
    "binary UTF-16": json.dumps(message("hi")).encode("utf-16"),
}


@pytest.fixture
async def one_chat_for_all(start_gateway):
    return await start_gateway(limited=False)


async def test_every_bad_frame_is_an_error_and_the_socket_lives(one_chat_for_all, monkeypatch):
    monkeypatch.setattr(chat, "MAX_BAD_FRAMES", 1_000)
    customer = await one_chat_for_all.chat()

    for name, frame in BAD_FRAMES.items():
        await customer.send(frame)
        error = await customer.error()
        assert error["code"] == "bad_request", (name, error)
        assert isinstance(error["message"], str), name
        assert error["message"], name
    assert await customer.ask("are you still there?") == "echo: are you still there?"
    assert one_chat_for_all.rows("SELECT count(*) FROM messages WHERE author = 'customer'") == [(1,)]


@pytest.mark.parametrize("letter", ["x", "é", "字", "☕", "\U0001f602"])
async def test_2000_characters_are_accepted_and_2001_are_too_long(gateway, letter):
    chat = await gateway.chat()

    await chat.send(json.dumps(message(f"  {letter * 2_000}\n"), ensure_ascii=False))
    ack = await chat.expect("ack")
    assert gateway.rows("SELECT text FROM messages WHERE seq = ?", ack["seq"]) == [(letter * 2_000,)]

    too_long = message(letter * 2_001)
    await chat.send(json.dumps(too_long, ensure_ascii=False))
    error = await chat.error()
    assert (error["code"], error["client_id"]) == ("too_long", too_long["client_id"])


async def test_a_text_is_measured_after_trimming(gateway):
    chat = await gateway.chat()

    assert await chat.ask(" " * 12_000 + "here" + " " * 2_000) == "echo: here"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\0b", "a\ufffdb"), ("half \ud83d a smile", "half \ufffd a smile"), ("\udc00\ud800", "\ufffd\ufffd")],
    ids=["NUL", "lone surrogate", "surrogates in the wrong order"],
)
async def test_what_no_database_stores_is_replaced_and_answered(gateway, text, kept):
    chat = await gateway.chat()

    assert await chat.ask(text) == f"echo: {kept}"


async def test_a_frame_of_16_kib_is_read(gateway):
    chat = await gateway.chat()
    frame = json.dumps(message("small", padding=""))
    await chat.send(json.dumps(message("small", padding="p" * (16 * 1024 - len(frame)))))

    assert (await chat.expect("ack"))["seq"] == 1


async def test_a_frame_beyond_16_kib_closes_the_socket_as_too_big(gateway):
    chat = await gateway.chat()
    frame = json.dumps(message("big", padding=""))
    await chat.send(json.dumps(message("big", padding="p" * (16 * 1024 - len(frame) + 1))))

    assert (await chat.closed()).code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_small_frame_that_inflates_beyond_16_kib_closes_the_socket_as_too_big(gateway):
    chat = await gateway.connect(compress=15)
    await chat.hello()
    await chat.send(json.dumps(message("bomb", padding="p" * 1_000_000)))

    assert (await chat.closed()).code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


async def test_text_that_is_not_utf8_closes_the_socket(gateway):
    chat = await gateway.chat()
    await chat.socket._writer.send_frame(b'{"type":"\xff\xfe"}', aiohttp.WSMsgType.TEXT)

    assert (await chat.closed()).code == aiohttp.WSCloseCode.INVALID_TEXT


async def test_repeated_abuse_closes_the_socket(gateway):
    chat = await gateway.chat()
    for _ in range(100):
        await chat.send("{oops")

    assert (await chat.closed()).code == aiohttp.WSCloseCode.POLICY_VIOLATION
    await eventually(lambda: gateway.open_sockets() == 0)


async def test_an_honest_mistake_now_and_then_does_not_close_the_socket(gateway):
    chat = await gateway.chat()
    for _ in range(10):
        await chat.send("{oops")
        await chat.error()

    assert await chat.ask("sorry") == "echo: sorry"
