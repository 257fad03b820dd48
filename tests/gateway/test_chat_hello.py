"""How a chat over a WebSocket begins."""

from __future__ import annotations

import aiohttp
import pytest

from bot.gateway import chat


async def test_hello_is_answered_by_ready(gateway):
    chat = await gateway.chat()

    assert chat.ready["owner"] == "bot"
    assert chat.ready["seq"] == 0
    assert chat.ready["customer"] is None
    assert chat.ready["conversation_id"]
    assert chat.ready["visitor_token"]


async def test_a_message_before_hello_is_refused_and_hello_still_works(gateway):
    chat = await gateway.connect()
    client_id = await chat.write("hi")

    error = await chat.error()

    assert (error["code"], error["client_id"]) == ("bad_request", client_id)
    assert await chat.hello()
    assert gateway.rows("SELECT count(*) FROM messages") == [(0,)]


async def test_a_second_hello_is_refused_and_the_conversation_stays(gateway):
    chat = await gateway.chat()
    await chat.send({"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0})

    assert (await chat.error())["code"] == "bad_request"
    assert await chat.ask("still there?") == "echo: still there?"
    assert gateway.rows("SELECT count(*) FROM conversations") == [(1,)]


async def test_a_socket_without_a_hello_is_closed(gateway, monkeypatch):
    monkeypatch.setattr(chat, "HELLO_SECONDS", 0.05)
    silent = await gateway.connect()

    assert (await silent.closed()).code == aiohttp.WSCloseCode.POLICY_VIOLATION


async def test_a_silent_customer_is_not_closed_after_hello(gateway, monkeypatch):
    monkeypatch.setattr(chat, "HELLO_SECONDS", 0.05)
    customer = await gateway.chat()

    assert await customer.is_silent(0.2)
    assert await customer.ask("sorry, I was away") == "echo: sorry, I was away"


@pytest.mark.parametrize(
    "hello",
    [
        {"visitor_token": 5},
        {"identity_token": ["a"]},
        {"last_seq": "1"},
        {"last_seq": -1},
        {"last_seq": 1.5},
        {"last_seq": True},
        {"last_seq": None},
        {"last_seq": 2**31},
        {"last_seq": 10**400},
    ],
    ids=str,
)
async def test_a_hello_of_wrong_types_is_refused_and_can_be_repeated(gateway, hello):
    chat = await gateway.connect()
    await chat.send({"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0, **hello})

    assert (await chat.error())["code"] == "bad_request"
    assert await chat.hello()


async def test_a_hello_with_its_type_alone_begins_a_conversation(gateway):
    chat = await gateway.connect()
    await chat.send({"type": "hello"})

    assert (await chat.expect("ready"))["seq"] == 0


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        *[("es-MX", "es"), ("fil", "fil"), ("tl", "fil"), ("EN", "en")],
        *[(None, None), ("", None), ("nonsense", None), (5, None), (["en"], None), ("und", None), ("<script>", None)],
    ],
)
async def test_the_language_of_the_chat_is_kept_and_nonsense_is_no_matter(gateway, said, kept):
    chat = await gateway.chat(language=said)

    assert gateway.rows("SELECT language FROM conversations") == [(kept,)]
    assert await chat.ask("hi") == "echo: hi"


async def test_the_language_is_that_of_the_last_hello_that_said_one(gateway):
    token = (await gateway.chat(language="es")).visitor_token

    for said, kept in ((None, "es"), ("nonsense", "es"), ("fil", "fil")):
        await gateway.chat(visitor_token=token, language=said)
        assert gateway.rows("SELECT language FROM conversations") == [(kept,)]

    await gateway.post({"type": "hello", "visitor_token": token, "language": "ar"})
    assert gateway.rows("SELECT language FROM conversations") == [("ar",)]
