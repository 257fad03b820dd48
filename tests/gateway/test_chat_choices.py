"""Buttons: only what a conversation was offered can be picked."""

from __future__ import annotations

import uuid

import pytest

from bot.core.conversations import Choice, Reply

CHOICES = (Choice("Where is it?", "/track_order"), Choice("A person, please", "/person"))


async def test_a_choice_that_was_offered_is_recorded_with_its_title(gateway):
    gateway.answerer.answer = lambda said: [Reply(f"{said.payload} {said.text}", CHOICES)]
    chat = await gateway.chat()
    await chat.say("hi")
    offer = await chat.expect("message", author="bot")
    assert offer["choices"] == [{"title": choice.title, "payload": choice.payload} for choice in CHOICES]

    client_id = await chat.pick("/track_order")

    seq = (await chat.expect("ack", client_id=client_id))["seq"]
    assert (await chat.expect("message", seq=seq))["text"] == "Where is it?"
    assert (await chat.expect("message", author="bot"))["text"] == "/track_order Where is it?"


async def test_a_choice_picked_twice_with_one_client_id_is_one_message(gateway):
    gateway.answerer.answer = lambda _: [Reply("Which?", CHOICES)]
    chat = await gateway.chat()
    await chat.ask("hi")
    client_id = str(uuid.uuid4())
    await chat.pick("/person", client_id)
    await chat.pick("/person", client_id)

    first, second = await chat.expect("ack", client_id=client_id), await chat.expect("ack", client_id=client_id)

    assert first == second


@pytest.mark.parametrize(
    "payload",
    [
        "/restart",
        "/track_order ",
        "/TRACK_ORDER",
        '/track_order{"order_number": "TC-10001"}',
        "Where is it?",
        "/person\0",
        "\ud800",
        "",
        "/" + "x" * 10_000,
    ],
    ids=lambda payload: ascii(payload)[:40],
)
async def test_a_choice_that_was_not_offered_is_an_error_and_records_nothing(gateway, payload):
    gateway.answerer.answer = lambda _: [Reply("Which?", CHOICES)]
    chat = await gateway.chat()
    await chat.ask("hi")
    client_id = await chat.pick(payload)

    error = await chat.error()

    assert (error["code"], error["client_id"]) == ("unknown_choice", client_id)
    assert gateway.rows("SELECT count(*) FROM messages WHERE author = 'customer'") == [(1,)]


async def test_a_choice_offered_in_another_conversation_is_an_error(gateway):
    gateway.answerer.answer = lambda _: [Reply("Which?", CHOICES)]
    offered, stranger = await gateway.chat(), await gateway.chat()
    await offered.ask("hi")
    await stranger.pick("/person")

    assert (await stranger.error())["code"] == "unknown_choice"


async def test_a_payload_written_as_text_stays_text(gateway):
    chat = await gateway.chat()

    assert await chat.ask("/restart") == "echo: /restart"
    assert gateway.rows("SELECT payload FROM messages WHERE author = 'customer'") == [(None,)]
