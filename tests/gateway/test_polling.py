"""The conversation for networks that carry neither sockets nor streams: asking for what is new."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from bot.core.conversations import ConversationId, Owner
from bot.gateway import live
from tests.gateway.chat_client import eventually, message
from tests.gateway.conftest import SHOP_ORIGIN, broken_database
from tests.gateway.tokens import identity_token


async def news(gateway, token, after="0", **options):
    """Status and body of one question."""
    headers = {**options.pop("headers", {}), **({"Authorization": f"Bearer {token}"} if token else {})}
    async with gateway.session.get(
        f"{gateway.url}/chat/messages", params={"after": after}, headers=headers, **options
    ) as response:
        return response.status, await response.json(content_type=None)


def seqs(body):
    return [frame["seq"] for frame in body["frames"] if frame["type"] == "message"]


async def test_asking_shows_what_the_socket_and_the_stream_show(gateway):
    socket = await gateway.chat()
    await socket.ask("first")
    shown = [await socket.expect("message", seq=1), await gateway_answer(gateway, socket)]
    async with gateway.events(socket.visitor_token) as events:
        streamed = [await events.message() for _ in range(2)]

    status, body = await news(gateway, socket.visitor_token)

    assert status == 200
    owner = {"type": "owner", "owner": "bot", "position": None, "name": None}
    assert body == {"frames": [*streamed, owner]}
    assert streamed == shown


async def gateway_answer(gateway, socket):
    """The second message, as a second socket of the same conversation is shown it."""
    other = await gateway.chat(visitor_token=socket.visitor_token, last_seq=1)
    return await other.expect("message", seq=2)


async def test_only_what_comes_after_is_shown(quiet_gateway):
    socket = await quiet_gateway.chat()
    await quiet_gateway.bot_says(socket.conversation_id, *"abcde")

    assert seqs((await news(quiet_gateway, socket.visitor_token, "3"))[1]) == [4, 5]
    assert seqs((await news(quiet_gateway, socket.visitor_token, "5"))[1]) == []
    # Remembered from another conversation: all of this one must be seen.
    assert seqs((await news(quiet_gateway, socket.visitor_token, "999"))[1]) == [1, 2, 3, 4, 5]


async def test_a_long_conversation_comes_in_pages(quiet_gateway):
    socket = await quiet_gateway.chat()
    await quiet_gateway.bot_says(socket.conversation_id, *(str(number) for number in range(live.PAGE + 5)))

    first = seqs((await news(quiet_gateway, socket.visitor_token))[1])
    second = seqs((await news(quiet_gateway, socket.visitor_token, str(first[-1])))[1])

    assert (len(first), len(second)) == (live.PAGE, 5)
    assert first + second == list(range(1, live.PAGE + 6))


async def test_who_speaks_is_told_each_time(quiet_gateway):
    socket = await quiet_gateway.chat()
    async with quiet_gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(socket.conversation_id))
        await work.conversations.save(replace(conversation, owner=Owner.QUEUE))

    _, body = await news(quiet_gateway, socket.visitor_token)

    assert body["frames"][-1]["owner"] == "queue"


async def test_a_message_that_was_posted_is_found_with_its_answer(gateway):
    _, ready = await gateway.post({"type": "hello"})
    asked = message("hello")
    await gateway.post(asked, ready["visitor_token"])

    async def is_answered():
        _, body = await news(gateway, ready["visitor_token"])
        return [frame.get("text") for frame in body["frames"]] == ["hello", "echo: hello", None]

    await eventually(is_answered)
    _, body = await news(gateway, ready["visitor_token"])
    assert body["frames"][0]["client_id"] == asked["client_id"]


async def test_without_a_good_token_nothing_is_told(gateway):
    for token in (None, "forged", identity_token()):
        status, body = await news(gateway, token)
        assert (status, body["code"]) == (401, "unauthorized")


async def test_a_token_tells_of_its_own_conversation_and_of_no_other(gateway):
    own, other = await gateway.chat(), await gateway.chat()
    await other.ask("a secret of another customer")

    _, body = await news(gateway, own.visitor_token)

    assert "secret" not in json.dumps(body)


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 10, "\u0663", ""])
async def test_an_after_that_is_no_seq_is_a_400(gateway, after):
    socket = await gateway.chat()

    assert (await news(gateway, socket.visitor_token, after))[0] == 400


async def test_foreign_pages_may_not_ask(gateway):
    socket = await gateway.chat()

    assert (await news(gateway, socket.visitor_token, headers={"Origin": "https://evil.example"}))[0] == 403
    assert (await news(gateway, socket.visitor_token, headers={"Origin": SHOP_ORIGIN}))[0] == 200


async def test_a_database_that_is_away_is_a_503(gateway):
    socket = await gateway.chat()
    gateway.db.error = broken_database()

    assert (await news(gateway, socket.visitor_token))[0] == 503


async def test_asking_at_once_from_many_tabs_shows_everybody_the_same(gateway):
    socket = await gateway.chat()
    await socket.ask("one for all")

    answers = await asyncio.gather(*(news(gateway, socket.visitor_token) for _ in range(20)))

    assert all(answer == answers[0] for answer in answers)
