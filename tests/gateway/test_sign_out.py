"""On the website: whoever has logged out, or whose proof has run out, is shown nothing more."""

from __future__ import annotations

from datetime import timedelta

import aiohttp
import pytest

from bot.core.conversations import Author, ConversationId, Message, MessageId
from bot.gateway import application, live
from bot.gateway.settings import NEW_CHAT_LIMIT
from bot.services.ids import new_id
from bot.services.ports import Hint
from bot.services.sign_out import sign_out
from tests.gateway.chat_client import ChatClosed, message
from tests.gateway.tokens import identity_token


@pytest.fixture(autouse=True)
def _looking_often(monkeypatch):
    monkeypatch.setattr(live, "POLL_SECONDS", 0.02)


async def ana(gateway):
    return await gateway.chat(identity_token=identity_token())


async def log_out(gateway, chat, goodbye="You are logged out here."):
    """As the bot does it: the answer to what was written last says it."""
    async with gateway.store.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(chat.conversation_id))
        seq = conversation.last_seq + 1
        words = Message(
            *(MessageId(new_id()), conversation.id, seq, Author.BOT, goodbye, gateway.clock.now()),
            reply_to_seq=conversation.last_seq,
        )
        await work.messages.add(words, channel=conversation.channel)
        left = await sign_out(work, gateway.clock, conversation)
        await work.conversations.save(type(left)(**{**vars(left), "last_seq": seq}))
        work.hint(Hint("outbound", conversation.id))


async def closed_without(chat, words):
    """The frames that came until the socket was closed, none of which says that."""
    frames = []
    try:
        while True:
            frames.append(await chat._receive())
    except ChatClosed:
        assert words not in str(frames)
        return [frame["type"] for frame in frames]


async def test_every_window_hears_the_goodbye_and_has_to_go(gateway):
    first = await ana(gateway)
    await first.ask("hello")
    second = await gateway.chat(visitor_token=first.visitor_token, identity_token=identity_token())
    await log_out(gateway, first)

    for chat in (first, second):
        await chat.expect("message", text="You are logged out here.")
        assert await chat.expect("signed_out") == {"type": "signed_out", "reason": "logged_out"}
        await chat.closed()


@pytest.mark.parametrize("who", [{}, {"identity_token": "again"}])
async def test_who_says_hello_again_begins_anew(gateway, who):
    chat = await ana(gateway)
    await chat.ask("my secret")
    await log_out(gateway, chat)
    await chat.closed()

    again = await gateway.chat(
        visitor_token=chat.visitor_token, **({"identity_token": identity_token()} if who else {})
    )

    assert again.conversation_id != chat.conversation_id and again.ready["seq"] == 0
    assert (again.ready["customer"] is None) is (not who)
    assert await again.is_silent()


async def test_what_others_say_later_is_shown_to_nobody(gateway):
    chat = await ana(gateway)
    await chat.ask("hello")
    await log_out(gateway, chat)
    await gateway.bot_says(chat.conversation_id, "About your refund, Ana")

    types = await closed_without(chat, "refund")
    assert types[-1] == "signed_out"


async def test_a_proof_that_runs_out_ends_the_conversation_by_itself(gateway):
    chat = await ana(gateway)
    await chat.ask("hello")
    gateway.clock.ahead = timedelta(minutes=6)
    await gateway.bot_says(chat.conversation_id, "Your points, Ana")

    assert await closed_without(chat, "points") == ["signed_out"]
    again = await gateway.chat(visitor_token=chat.visitor_token)
    assert again.conversation_id != chat.conversation_id and again.ready["customer"] is None


async def test_without_any_news_a_proof_runs_out_as_well(gateway):
    chat = await ana(gateway)
    gateway.clock.ahead = timedelta(minutes=6)

    assert await chat.expect("signed_out") == {"type": "signed_out", "reason": "expired"}


async def test_a_proof_that_was_renewed_goes_on(gateway):
    chat = await ana(gateway)
    longer = identity_token(exp=int(gateway.clock.now().timestamp()) + 3_500)
    second = await gateway.chat(visitor_token=chat.visitor_token, identity_token=longer)
    assert second.conversation_id == chat.conversation_id
    gateway.clock.ahead = timedelta(minutes=6)

    assert await chat.ask("still here?") == "echo: still here?"


async def test_a_message_that_comes_too_late_is_refused_and_not_recorded(gateway):
    _, ready = await gateway.post({"type": "hello", "identity_token": identity_token()})
    gateway.clock.ahead = timedelta(minutes=6)

    status, body = await gateway.post(message("too late"), ready["visitor_token"])

    assert (status, body["code"]) == (401, "unauthorized")
    assert gateway.rows("SELECT * FROM messages") == []


async def test_strangers_stay_as_long_as_they_like(gateway):
    chat = await gateway.chat()
    gateway.clock.ahead = timedelta(days=30)

    assert await chat.ask("hello") == "echo: hello"


async def test_an_event_stream_ends_the_same_way(gateway):
    chat = await ana(gateway)
    await chat.ask("hello")
    async with gateway.events(chat.visitor_token) as events:
        assert [(await events.next())[1]["type"] for _ in range(2)] == ["message", "message"]
        await log_out(gateway, chat)
        assert [(await events.next())[1]["type"] for _ in range(2)] == ["message", "signed_out"]


async def test_who_asks_now_and_then_is_refused(gateway):
    chat = await ana(gateway)
    await log_out(gateway, chat)
    headers = {"Authorization": f"Bearer {chat.visitor_token}"}
    async with gateway.session.get(f"{gateway.url}/chat/messages?after=0", headers=headers) as answer:
        assert answer.status == 401


# How many conversations one address may begin


def limited(gateway):
    """The address's share of new conversations is used up."""
    while True:
        try:
            gateway.app[NEW_CHAT_LIMIT].spend("127.0.0.1")
        except Exception:
            return


async def test_one_address_cannot_fill_the_house_with_conversations(gateway):
    known = await gateway.chat()
    limited(gateway)
    chat = await gateway.connect()
    await chat.send({"type": "hello", "visitor_token": None, "identity_token": None, "last_seq": 0})

    error = await chat.error()
    assert error["code"] == "rate_limited" and 1 <= error["retry_after"] <= 5
    assert gateway.rows("SELECT count(*) FROM conversations") == [(1,)]
    status, body = await gateway.post({"type": "hello"})
    assert (status, body["code"]) == (429, "rate_limited")
    # Who has one goes on, and so does the shop's own system.
    again = await gateway.chat(visitor_token=known.visitor_token)
    assert again.conversation_id == known.conversation_id
    assert (await gateway.webhook({"sender": "anna", "message": "hello"}))[0] == 200


async def test_an_old_token_is_no_way_around_it(gateway):
    chat = await ana(gateway)
    await log_out(gateway, chat)
    await chat.closed()
    limited(gateway)
    again = await gateway.connect()
    await again.send({"type": "hello", "visitor_token": chat.visitor_token, "identity_token": None, "last_seq": 0})

    assert (await again.error())["code"] == "rate_limited"


async def test_other_addresses_are_not_slowed_down(gateway):
    limited(gateway)
    headers = {"X-Forwarded-For": "203.0.113.7"}
    socket: aiohttp.ClientWebSocketResponse = (await gateway.connect(headers=headers)).socket
    await socket.send_json({"type": "hello"})
    assert (await socket.receive_json())["type"] == "ready"


def test_a_whole_office_can_begin_at_once():
    assert application.NEW_CHATS_AT_ONCE >= 50
