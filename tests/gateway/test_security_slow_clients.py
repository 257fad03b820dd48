"""Those who do not read, or hold more connections than anybody needs: cut off, and the others notice nothing."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from bot.gateway import connections
from bot.gateway.settings import CONNECTIONS, LIVE, SOCKETS
from tests.gateway.chat_client import eventually
from tests.gateway.raw_socket import raw_connection, raw_socket

# Twelve bytes a letter on the way: more than the system's own buffers hold.
LONG = ["\N{FACE WITH TEARS OF JOY}" * 2_000] * 400
# What asyncio buffers before it calls a halt, one long frame, and what the gateway writes before it asks.
MOST_BUFFERED = 64 * 1024 + 25_000 + connections.WRITTEN_AHEAD_BYTES + 25_000


def buffered(gateway) -> list[int]:
    """What waits to be read, on each socket."""
    transports = [socket._req.transport for socket in gateway.app[SOCKETS] if socket._req is not None]
    return [transport.get_write_buffer_size() for transport in transports if transport is not None]


async def test_a_client_that_does_not_read_is_cut_off_and_nobody_else_waits(quiet_gateway, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.5)
    other = await quiet_gateway.chat()
    talker = await quiet_gateway.chat()
    async with raw_socket(quiet_gateway.url) as slow:
        slow.say({"type": "hello", "visitor_token": talker.visitor_token, "last_seq": 0})
        await eventually(lambda: len(quiet_gateway.app[LIVE]._watches[talker.conversation_id]) == 2)
        await quiet_gateway.bot_says(talker.conversation_id, *LONG)
        most = 0

        async def is_cut_off():
            nonlocal most
            most = max([most, *buffered(quiet_gateway)])
            return quiet_gateway.open_sockets() == 2

        began = time.perf_counter()
        assert await other.say("is anybody slow here?") == 1
        assert time.perf_counter() - began < 2
        assert [frame["seq"] for frame in await talker.messages(len(LONG))] == list(range(1, len(LONG) + 1))
        await eventually(is_cut_off)
    assert 0 < most <= MOST_BUFFERED
    assert await other.say("and now?") == 2


async def test_a_stream_that_is_not_read_is_cut_off(quiet_gateway, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE_SECONDS", 0.2)
    talker = await quiet_gateway.chat()
    await quiet_gateway.bot_says(talker.conversation_id, *LONG)
    async with raw_connection(quiet_gateway.url) as (_, writer):
        writer.write(
            b"GET /chat/events HTTP/1.1\r\nHost: x\r\n"
            b"Authorization: Bearer " + talker.visitor_token.encode() + b"\r\n\r\n"
        )
        held = quiet_gateway.app[CONNECTIONS]._by_address
        await eventually(lambda: sum(held.values()) == 2)
        await eventually(lambda: sum(held.values()) == 1)
    assert len(quiet_gateway.app[LIVE]._watches[talker.conversation_id]) == 1


async def test_a_stop_does_not_wait_for_those_who_do_not_read(quiet_gateway, monkeypatch):
    monkeypatch.setattr("bot.gateway.application.GOODBYE_SECONDS", 0.5)
    talker = await quiet_gateway.chat()
    async with raw_socket(quiet_gateway.url) as slow:
        slow.say({"type": "hello", "visitor_token": talker.visitor_token, "last_seq": 0})
        await quiet_gateway.bot_says(talker.conversation_id, *LONG)
        await talker.messages(len(LONG))
        stopping = asyncio.create_task(quiet_gateway.runner.cleanup())

        assert (await talker.closed()).code == aiohttp.WSCloseCode.GOING_AWAY
        await asyncio.wait_for(stopping, 8)


async def test_many_sockets_are_all_served(start_gateway):
    gateway = await start_gateway(answering=False)

    async def arrive(number):
        # Each from an address of its own: one alone may not begin so many conversations at once.
        chat = await gateway.connect(headers={"X-Forwarded-For": f"10.0.0.{number}"})
        await chat.hello()
        return chat

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as gateway.session:
        chats = await asyncio.gather(*map(arrive, range(150)))

        assert await asyncio.gather(*(chat.say("here") for chat in chats)) == [1] * 150
        assert len({chat.conversation_id for chat in chats}) == 150
        await asyncio.gather(*(chat.close() for chat in chats))
    await eventually(lambda: gateway.open_sockets() == 0)
    assert gateway.app[CONNECTIONS]._by_address == {}
    assert not gateway.app[LIVE]._watches


async def test_one_address_holds_so_many_connections_and_another_is_served_all_the_same(quiet_gateway, monkeypatch):
    monkeypatch.setattr(connections, "MAX_FROM_ONE_ADDRESS", 3)
    held = [await quiet_gateway.chat() for _ in range(3)]

    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await quiet_gateway.connect()
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) >= 1
    async with quiet_gateway.session.get(
        f"{quiet_gateway.url}/chat/events", headers={"Authorization": f"Bearer {held[0].visitor_token}"}
    ) as stream:
        assert stream.status == 429
    other = await quiet_gateway.connect(headers={"X-Forwarded-For": "192.0.2.7"})
    await other.hello()
    assert await other.say("not me") == 1
    await held[0].close()
    await eventually(lambda: quiet_gateway.open_sockets() == 3)
    await (await quiet_gateway.connect()).hello()


async def test_a_flood_of_pings_is_answered_and_does_not_hold_up_the_others(quiet_gateway):
    other = await quiet_gateway.chat()
    async with raw_socket(quiet_gateway.url) as flooding:
        for _ in range(5_000):
            flooding.send(b"", 9)
        assert await other.say("only me") == 1
