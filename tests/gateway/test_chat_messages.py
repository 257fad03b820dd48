"""Messages over a WebSocket: recorded, acknowledged, answered."""

from __future__ import annotations

import asyncio
import uuid
from datetime import datetime

from bot.core.conversations import Choice, Reply

CHOICES = (Choice("Where is it?", "/track_order"), Choice("A person, please", "/person"))


async def test_a_message_is_acknowledged_and_answered(gateway):
    chat = await gateway.chat()
    client_id = await chat.write("  magandang umaga \n")

    ack = await chat.expect("ack")
    own, answer = await chat.messages(2)

    assert ack == {"type": "ack", "client_id": client_id, "seq": 1}
    assert (own["seq"], own["author"], own["text"], own["client_id"]) == (1, "customer", "magandang umaga", client_id)
    assert (answer["seq"], answer["author"], answer["name"]) == (2, "bot", gateway.shop.assistant_name)
    assert (answer["text"], answer["choices"]) == ("echo: magandang umaga", [])
    assert datetime.fromisoformat(answer["at"]).utcoffset() is not None


async def test_a_message_is_in_the_database_when_its_acknowledgement_arrives(quiet_gateway):
    chat = await quiet_gateway.chat()

    for number in range(1, 11):
        seq = await chat.say(f"message {number}")
        rows = quiet_gateway.rows("SELECT text, turn_state FROM messages WHERE seq = ?", seq)
        assert rows == [(f"message {number}", "pending")]


async def test_a_message_that_is_not_committed_yet_is_not_acknowledged(quiet_gateway):
    chat = await quiet_gateway.chat()
    quiet_gateway.db.at_commit.clear()
    quiet_gateway.db.may_commit.clear()
    await chat.write("hold it")
    await asyncio.wait_for(quiet_gateway.db.at_commit.wait(), 5)

    assert await chat.is_silent()
    assert quiet_gateway.rows("SELECT count(*) FROM messages") == [(0,)]

    quiet_gateway.db.may_commit.set()
    assert (await chat.expect("ack"))["seq"] == 1


async def test_the_same_client_id_gets_the_same_acknowledgement_and_is_one_message(gateway):
    chat = await gateway.chat()
    client_id = str(uuid.uuid4())
    first = await chat.say("once", client_id)
    await chat.expect("message", author="bot")

    assert await chat.say("once", client_id) == first
    assert await chat.say("  once  ", client_id) == first
    assert await chat.ask("twice") == "echo: twice"
    assert gateway.rows("SELECT text FROM messages WHERE author = 'customer' ORDER BY seq") == [("once",), ("twice",)]


async def test_the_same_message_from_two_sockets_at_once_is_one_message(quiet_gateway):
    first = await quiet_gateway.chat()
    second = await quiet_gateway.chat(visitor_token=first.visitor_token)
    client_id = str(uuid.uuid4())

    for chat in (first, second) * 3:
        await chat.write("again!", client_id)
    acks = [await chat.expect("ack") for chat in (first, second) * 3]

    assert {ack["seq"] for ack in acks} == {1}
    assert quiet_gateway.rows("SELECT count(*) FROM messages") == [(1,)]


async def test_the_same_client_id_with_other_content_is_an_error(gateway):
    chat = await gateway.chat()
    client_id = str(uuid.uuid4())
    await chat.say("one thing", client_id)
    await chat.write("another thing", client_id)

    error = await chat.error()

    assert (error["code"], error["client_id"]) == ("duplicate_client_id", client_id)
    assert gateway.rows("SELECT count(*) FROM messages WHERE text = 'another thing'") == [(0,)]


async def test_a_choice_with_the_client_id_of_a_message_is_an_error(gateway):
    gateway.answerer.answer = lambda _: [Reply("Which?", CHOICES)]
    chat = await gateway.chat()
    client_id = str(uuid.uuid4())
    await chat.say("Where is it?", client_id)
    await chat.expect("message", author="bot")
    await chat.pick("/track_order", client_id)

    assert (await chat.error())["code"] == "duplicate_client_id"


async def test_two_visitors_may_use_the_same_client_id(gateway):
    one, other = await gateway.chat(), await gateway.chat()
    client_id = str(uuid.uuid4())

    assert await one.say("mine", client_id) == 1
    assert await other.say("also mine", client_id) == 1


async def test_a_client_id_comes_back_as_it_was_written(gateway):
    chat = await gateway.chat()
    client_id = str(uuid.uuid4()).upper()

    await chat.say("from a phone that writes its ids in capitals", client_id)

    assert (await chat.expect("message", author="customer"))["client_id"] == client_id


async def test_messages_are_answered_in_their_order(gateway):
    chat = await gateway.chat()
    texts = [f"number {number}" for number in range(8)]
    for text in texts:
        await chat.write(text)

    said = await chat.messages(16)

    assert [frame["seq"] for frame in said] == list(range(1, 17))
    assert [frame["text"] for frame in said if frame["author"] == "customer"] == texts
    assert [frame["text"] for frame in said if frame["author"] == "bot"] == [f"echo: {text}" for text in texts]
