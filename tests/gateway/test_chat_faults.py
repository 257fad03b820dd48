"""When a socket, a wake-up or the database breaks, and when the gateway stops."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace

import aiohttp
import pytest

from bot.core.conversations import ConversationId, Owner
from bot.gateway import chat, live
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import broken_database


# When something breaks
async def test_a_socket_that_dies_in_a_broadcast_does_not_disturb_the_others(gateway):
    first = await gateway.chat()
    tabs = [await gateway.chat(visitor_token=first.visitor_token) for _ in range(6)]
    for tab in tabs[::2]:
        tab.vanish()

    for number in range(5):
        await first.ask(f"{number}")

    for tab in tabs[1::2]:
        assert [frame["seq"] for frame in await tab.messages(10)] == list(range(1, 11))
    await eventually(lambda: gateway.open_sockets() == 4)


async def test_a_send_that_fails_ends_only_its_own_feed(gateway, monkeypatch):
    one = await gateway.chat()
    two = await gateway.chat(visitor_token=one.visitor_token)
    send, broken = chat._Session._send, []

    async def fail_for_one(self, frame):
        if frame["type"] == "message" and not broken:
            broken.append(self)
        if self in broken:
            raise ConnectionResetError("gone")
        await send(self, frame)

    monkeypatch.setattr(chat._Session, "_send", fail_for_one)
    third = await gateway.chat(visitor_token=one.visitor_token)
    await third.write("who is left?")
    reading = [asyncio.create_task(tab.messages(2)) for tab in (one, two, third)]
    seen = [await whole for whole in itertools.islice(asyncio.as_completed(reading), 2)]
    left = [task for task in reading if not task.done()]
    for task in left:
        task.cancel()

    assert len(broken) == len(left) == 1
    assert [[frame["seq"] for frame in frames] for frames in seen] == [[1, 2], [1, 2]]


async def test_a_lost_wake_up_delays_a_message_by_a_poll_and_loses_nothing(start_gateway, monkeypatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    gateway = await start_gateway(hints=False)
    chat = await gateway.chat()

    assert await chat.ask("can you hear me?") == "echo: can you hear me?"
    assert await chat.ask("and now?") == "echo: and now?"


async def test_a_poll_that_fails_is_tried_again(start_gateway, monkeypatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.05)
    gateway = await start_gateway(hints=False)
    chat = await gateway.chat()
    gateway.db.error = broken_database()
    await gateway.bot_says(chat.conversation_id, "hello?")
    assert await chat.is_silent(0.2)
    gateway.db.error = None

    assert (await chat.expect("message"))["text"] == "hello?"


ERRORS = [broken_database(), ConnectionRefusedError("no database"), asyncio.TimeoutError(), RuntimeError("a driver's")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
async def test_a_database_that_is_away_acknowledges_nothing_and_the_socket_lives(quiet_gateway, error):
    chat = await quiet_gateway.chat()
    quiet_gateway.db.error = error
    client_id = await chat.write("keep this")

    refused = await chat.error()

    assert (refused["code"], refused["client_id"]) == ("unavailable", client_id)
    quiet_gateway.db.error = None
    assert await chat.say("keep this", client_id) == 1
    assert quiet_gateway.rows("SELECT text FROM messages") == [("keep this",)]


async def test_a_commit_that_fails_acknowledges_nothing(quiet_gateway):
    chat = await quiet_gateway.chat()
    quiet_gateway.db.commit_error = broken_database()
    client_id = await chat.write("keep this")

    assert (await chat.error())["code"] == "unavailable"
    assert quiet_gateway.rows("SELECT count(*) FROM messages") == [(0,)]
    quiet_gateway.db.commit_error = None
    assert await chat.say("keep this", client_id) == 1


@pytest.mark.parametrize("frame", [{"type": "read", "seq": 1}, {"type": "end"}], ids=str)
async def test_a_note_that_cannot_be_kept_is_unavailable_and_the_socket_lives(gateway, frame):
    chat = await gateway.chat()
    await chat.ask("hi")
    gateway.db.error = broken_database()
    await chat.send(frame)

    assert (await chat.error())["code"] == "unavailable"
    gateway.db.error = None
    assert await chat.ask("still here") == "echo: still here"


async def test_hello_while_the_database_is_away_is_unavailable_and_can_be_repeated(gateway):
    gateway.db.error = broken_database()
    chat = await gateway.connect()
    await chat.send({"type": "hello"})

    assert (await chat.error())["code"] == "unavailable"
    gateway.db.error = None
    await chat.hello()
    assert await chat.ask("hi") == "echo: hi"


async def test_a_feed_that_cannot_read_closes_the_socket_for_another_try(gateway):
    chat = await gateway.chat()
    gateway.db.error = broken_database()
    await gateway.bot_says(chat.conversation_id, "hello?")

    assert (await chat.closed()).code == aiohttp.WSCloseCode.TRY_AGAIN_LATER


async def test_a_fault_of_ours_closes_the_socket_with_a_code(gateway, monkeypatch, caplog):
    customer = await gateway.chat()

    async def fail(*_args):
        raise ZeroDivisionError

    monkeypatch.setattr(chat, "take_frame", fail)
    await customer.write("hi")

    assert (await customer.closed()).code == aiohttp.WSCloseCode.INTERNAL_ERROR
    assert "ZeroDivisionError" in caplog.text
    await eventually(lambda: gateway.open_sockets() == 0)


# Stopping
async def test_a_stop_closes_the_sockets_with_a_reason(gateway):
    chats = [await gateway.chat() for _ in range(3)]
    stopping = asyncio.create_task(gateway.runner.cleanup())

    for customer in chats:
        closed = await customer.closed()
        assert (closed.code, closed.reason) == (aiohttp.WSCloseCode.GOING_AWAY, "the server is restarting")
    await asyncio.wait_for(stopping, 5)


async def test_a_stop_lets_a_message_that_is_being_recorded_be_recorded(quiet_gateway):
    chat = await quiet_gateway.chat()
    quiet_gateway.db.at_commit.clear()
    quiet_gateway.db.may_commit.clear()
    await chat.write("just in time")
    await asyncio.wait_for(quiet_gateway.db.at_commit.wait(), 5)
    stopping = asyncio.create_task(quiet_gateway.runner.cleanup())
    assert (await chat.closed()).code == aiohttp.WSCloseCode.GOING_AWAY
    quiet_gateway.db.may_commit.set()
    await asyncio.wait_for(stopping, 5)

    assert quiet_gateway.rows("SELECT text FROM messages") == [("just in time",)]


async def test_a_socket_that_never_said_hello_is_closed_at_a_stop_too(gateway):
    chat = await gateway.connect()
    stopping = asyncio.create_task(gateway.runner.cleanup())

    assert (await chat.closed()).code == aiohttp.WSCloseCode.GOING_AWAY
    await asyncio.wait_for(stopping, 5)


async def test_a_conversation_in_a_queue_keeps_its_messages_for_people(gateway):
    chat = await gateway.chat()
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(chat.conversation_id))
        await work.conversations.save(replace(conversation, owner=Owner.QUEUE))
    await chat.say("I wait for a person")

    assert (await chat.expect("message"))["author"] == "customer"
    assert gateway.rows("SELECT turn_state FROM messages") == [("not_for_bot",)]
