"""Strings that break programs: each gets an answer or a clear error, and the conversation lives on.

NAUGHTY_STRINGS names a JSON file with a list of more of them.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from bot.core.conversations import MAX_TEXT_CHARACTERS, clean_text, is_external_id
from bot.core.orders import MAX_ORDER_NUMBER_CHARACTERS, normalise_order_number
from tests.gateway.chat_client import message
from tests.gateway.hostile import HOSTILE

LISTS = [
    pytest.param(HOSTILE, id="our own"),
    pytest.param(
        json.loads(Path(os.environ["NAUGHTY_STRINGS"]).read_text()) if os.environ.get("NAUGHTY_STRINGS") else [],
        id="NAUGHTY_STRINGS",
        marks=pytest.mark.skipif(not os.environ.get("NAUGHTY_STRINGS"), reason="NAUGHTY_STRINGS names no file"),
    ),
]


def expected_error(text: str) -> str | None:
    kept = clean_text(text)
    return "bad_request" if not kept else "too_long" if len(kept) > MAX_TEXT_CHARACTERS else None


def is_encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


@pytest.mark.parametrize("strings", LISTS)
async def test_every_string_is_a_message_that_is_answered_or_refused(start_gateway, strings):
    gateway = await start_gateway(limited=False)
    chat = await gateway.chat()

    for text in strings:
        frame = message(text)
        await chat.send(json.dumps(frame, ensure_ascii=not is_encodable(text)))
        if (code := expected_error(text)) is not None:
            error = await chat.error()
            assert (error["code"], error["client_id"]) == (code, frame["client_id"]), ascii(text)
        else:
            seq = (await chat.expect("ack", client_id=frame["client_id"]))["seq"]
            assert (await chat.expect("message", seq=seq))["text"] == clean_text(text)
            assert (await chat.expect("message", seq=seq + 1))["text"] == f"echo: {clean_text(text)}"

    assert await chat.ask("are you all right?") == "echo: are you all right?"
    kept = [text for (text,) in gateway.rows("SELECT text FROM messages WHERE author = 'customer' ORDER BY seq")]
    assert kept[:-1] == [clean_text(text) for text in strings if expected_error(text) is None]


@pytest.mark.parametrize("strings", LISTS)
async def test_every_string_is_a_choice_that_is_refused(start_gateway, strings):
    gateway = await start_gateway(limited=False)
    chat = await gateway.chat()

    for text in strings:
        if len(json.dumps(text)) < 16_000:
            client_id = await chat.pick(text)
            error = await chat.error()
            assert (error["code"], error["client_id"]) == ("unknown_choice", client_id), ascii(text)
    assert await chat.ask("are you all right?") == "echo: are you all right?"


@pytest.mark.parametrize("strings", LISTS)
async def test_every_string_is_a_sender_that_is_answered_or_refused(start_gateway, strings):
    gateway = await start_gateway(limited=False)

    async def send(text: str) -> None:
        status, body = await gateway.webhook({"sender": text, "message": "hi", "message_id": "m1"})
        if is_external_id(text):
            assert (status, body) == (200, [{"recipient_id": text, "text": "echo: hi"}]), ascii(text)
        else:
            assert (status, body["code"]) == (400, "bad_request"), ascii(text)

    for start in range(0, len(strings), 20):
        await asyncio.gather(*(send(text) for text in strings[start : start + 20]))
    senders = {text for text in strings if is_external_id(text)}
    assert gateway.rows("SELECT count(*) FROM conversations") == [(len(senders),)]


@pytest.mark.parametrize("strings", LISTS)
def test_every_string_is_an_order_number_or_none(strings):
    for text in strings:
        for prefix in ("TC", ""):
            number = normalise_order_number(text, prefix)
            if number is not None:
                assert number.isascii(), ascii(text)
                assert number == number.upper(), ascii(text)
                assert len(number) <= MAX_ORDER_NUMBER_CHARACTERS, ascii(text)
                assert normalise_order_number(number, prefix) == number, ascii(text)


def test_our_own_list_has_no_string_twice():
    assert len(set(HOSTILE)) == len(HOSTILE) >= 150
