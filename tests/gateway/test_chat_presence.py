"""Who speaks, who types, what was read."""

from __future__ import annotations

import asyncio

from bot.core.conversations import Owner
from tests.builders import change_owner
from tests.gateway.chat_client import eventually


async def test_the_bot_is_seen_typing_while_a_turn_runs(gateway):
    gateway.answerer.may_answer.clear()
    chat = await gateway.chat()
    await chat.say("think about it")

    assert await chat.expect("typing") == {"type": "typing", "author": "bot"}
    gateway.answerer.may_answer.set()
    await chat.expect("message", author="bot")


async def test_a_change_of_owner_is_shown_to_every_tab_and_in_ready(gateway):
    one = await gateway.chat()
    two = await gateway.chat(visitor_token=one.visitor_token)
    await change_owner(gateway.store, gateway.clock, one.conversation_id, Owner.QUEUE)

    for tab in (one, two):
        assert await tab.expect("owner") == {"type": "owner", "owner": "queue", "position": None, "name": None}
    late = await gateway.chat(visitor_token=one.visitor_token)
    assert late.ready["owner"] == "queue"


async def test_a_reply_in_flight_is_dropped_when_a_person_takes_over(gateway):
    gateway.answerer.may_answer.clear()
    chat = await gateway.chat()
    await chat.say("I am talking to a bot")
    await asyncio.wait_for(gateway.answerer.claimed.wait(), 5)
    await change_owner(gateway.store, gateway.clock, chat.conversation_id, Owner.AGENT)
    gateway.answerer.may_answer.set()
    await chat.expect("owner", owner="agent")
    await eventually(lambda: gateway.answerer.turns == 1)

    assert await chat.say("hello, person") == 2
    assert gateway.rows("SELECT seq, author, turn_state FROM messages ORDER BY seq") == [
        (1, "customer", "not_for_bot"),
        (2, "customer", "not_for_bot"),
    ]
    assert ("turn_dropped",) in gateway.rows("SELECT kind FROM conversation_events")


async def test_reading_is_noted_and_never_goes_back_or_past_the_end(gateway):
    chat = await gateway.chat()
    await chat.ask("one")

    def read_seq() -> int:
        return gateway.rows("SELECT read_seq FROM conversations")[0][0]

    for seq, noted in ((1, 1), (0, 1), (2**31 - 1, 2), (1, 2)):
        await chat.send({"type": "read", "seq": seq})
        # Frames of one socket are taken one after the other, so this answer comes after the note.
        await chat.send("{}")
        await chat.error()
        assert read_seq() == noted


async def test_typing_is_taken_without_an_answer(gateway):
    chat = await gateway.chat()
    await chat.send({"type": "typing"})

    assert await chat.is_silent()
    assert await chat.say("done typing") == 1


async def test_an_end_is_noted_and_what_was_written_is_still_answered(gateway):
    gateway.answerer.may_answer.clear()
    chat = await gateway.chat()
    await chat.say("bye")
    await chat.send({"type": "end"})
    await eventually(lambda: gateway.rows("SELECT kind FROM conversation_events") == [("ended_by_customer",)])
    await chat.close()
    gateway.answerer.may_answer.set()

    again = await gateway.chat(visitor_token=chat.visitor_token)
    assert (await again.expect("message", author="bot"))["text"] == "echo: bye"
