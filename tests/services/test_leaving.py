"""Leaving, and being left: who ends a chat with people, and what they wrote that nobody answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.core.conversations import Author, Choice, TurnState
from bot.core.feedback import FeedbackPolicy, Survey
from bot.core.handoffs import Stage, Step
from bot.services.bot_lines import say_at_once
from bot.services.conversations import end_conversation, receive_message
from bot.services.desk import read_up_to
from bot.services.left_unanswered import ANSWERED_AT_MOST
from bot.services.system_lines import say as tell
from bot.services.turns import claim_turn
from tests.builders import an_inbound, conversation_now, events_now, messages_now, stored_conversation
from tests.services.desk import (
    ANA,
    add_agents,
    agent_now,
    ask,
    offered,
    open_always,
    reply,
    stage,
    standing_now,
    step,
    system_lines,
)


@pytest.fixture
async def shop(shop, sql_db):
    await add_agents(sql_db, ANA)
    return replace(open_always(shop), feedback=FeedbackPolicy(surveys=frozenset({Survey.CSAT})))


@pytest.fixture
async def talk(sql_db):
    return await stored_conversation(sql_db)


async def wait(db, clock, shop, talk):
    await ask(db, clock, shop, talk)


async def be_helped(db, clock, shop, talk):
    await ask(db, clock, shop, talk)
    await step(db, clock, shop, talk, Step.CLAIM, by=ANA)


async def say(db, clock, talk, *texts):
    return [await receive_message(db, clock, talk.id, an_inbound(text=text)) for text in texts]


async def pending(db, talk):
    """What the bot is to answer."""
    return [one.text for one in await messages_now(db, talk.id) if one.turn_state is TurnState.PENDING]


# The customer ends it


async def test_whoever_stops_waiting_leaves_the_line(sql_db, clock, shop, talk):
    await wait(sql_db, clock, shop, talk)
    await end_conversation(sql_db, clock, shop, talk.id)

    assert await stage(sql_db, talk) is Stage.BOT
    assert "You have left the line" in (await system_lines(sql_db, talk))[-1]
    async with sql_db.reading() as work:
        assert await work.handoffs.line() == []


async def test_whoever_ends_the_chat_with_a_person_frees_them_and_is_asked_how_it_was(sql_db, clock, shop, talk):
    await be_helped(sql_db, clock, shop, talk)
    await reply(sql_db, clock, talk, ANA)
    await end_conversation(sql_db, clock, shop, talk.id)

    assert await stage(sql_db, talk) is Stage.RESOLVED
    assert (await agent_now(sql_db, ANA)).free_since == clock.now()
    assert "The chat has been ended. Write again whenever you like." in await system_lines(sql_db, talk)
    assert await offered(sql_db, talk)
    assert (await standing_now(sql_db, talk)).handoff is None


async def test_whoever_ends_a_chat_with_the_bot_changes_nothing(sql_db, clock, shop, talk):
    for _ in range(2):
        await end_conversation(sql_db, clock, shop, talk.id)

    assert await stage(sql_db, talk) is Stage.BOT
    assert await messages_now(sql_db, talk.id) == []
    assert {event.kind for event in await events_now(sql_db, talk.id)} == {"ended_by_customer"}


# What nobody answered


async def test_given_back_what_is_open_is_answered_by_the_assistant(sql_db, clock, shop, talk):
    await wait(sql_db, clock, shop, talk)
    await say(sql_db, clock, talk, "Where is my order?")
    await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    await reply(sql_db, clock, talk, ANA, "On its way.")
    await say(sql_db, clock, talk, "And your hours?", "When do you open?")
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == ["And your hours?", "When do you open?"]
    assert (await conversation_now(sql_db, talk.id)).next_turn_at == clock.now()
    assert (await claim_turn(sql_db, clock, "worker")).message.text == "And your hours?"


async def test_back_from_the_line_what_was_asked_there_is_answered(sql_db, clock, shop, talk):
    await wait(sql_db, clock, shop, talk)
    await say(sql_db, clock, talk, "How long does delivery take?")
    await step(sql_db, clock, shop, talk, Step.CANCEL)

    assert await pending(sql_db, talk) == ["How long does delivery take?"]


async def test_what_was_asked_while_the_bot_still_answered_something_else_is_not_lost(sql_db, clock, shop, talk):
    first, _ = await say(sql_db, clock, talk, "Hi there", "Where is my parcel?")
    async with sql_db.transaction() as work:
        await work.messages.set_turn(first.id, TurnState.HANDLED, 1)
        locked = await work.conversations.lock(talk.id)
        await say_at_once(work, clock, locked, "Hello!", answering=first)
    await step(sql_db, clock, shop, talk, Step.TAKE_OVER, by=ANA)
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == ["Where is my parcel?"]


async def test_what_was_answered_is_not_answered_again(sql_db, clock, shop, talk):
    await be_helped(sql_db, clock, shop, talk)
    await say(sql_db, clock, talk, "When do you open?")
    await reply(sql_db, clock, talk, ANA, "At eight.")
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == []
    assert await claim_turn(sql_db, clock, "worker") is None


async def test_of_many_lines_the_last_ones_are_answered(sql_db, clock, shop, talk):
    await be_helped(sql_db, clock, shop, talk)
    await say(sql_db, clock, talk, *(f"line {number}" for number in range(9)))
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == [f"line {number}" for number in range(9)][-ANSWERED_AT_MOST:]


@pytest.mark.parametrize("text", ["Thanks!", "ok thank you so much, bye", "Perfect, got it.", "👍"])
async def test_thanks_are_no_question(sql_db, clock, shop, talk, text):
    await be_helped(sql_db, clock, shop, talk)
    await say(sql_db, clock, talk, text)
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == []


async def test_a_choice_of_the_line_is_no_question(sql_db, clock, shop, talk):
    await be_helped(sql_db, clock, shop, talk)
    async with sql_db.transaction() as work:
        locked = await work.conversations.lock(talk.id)
        await tell(work, clock, locked, "Go on waiting?", (Choice("Go on waiting", "/wait_on"),))
    await receive_message(sql_db, clock, talk.id, an_inbound(text="", payload="/wait_on"), shop)
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert await pending(sql_db, talk) == []


@pytest.mark.parametrize("is_seen", [True, False])
async def test_what_was_written_as_it_was_resolved_is_not_lost(sql_db, clock, shop, talk, is_seen):
    await be_helped(sql_db, clock, shop, talk)
    await reply(sql_db, clock, talk, ANA)
    (last,) = await say(sql_db, clock, talk, "One more thing: when do you open?")
    if is_seen:
        await read_up_to(sql_db, talk.id, last.seq)
    await step(sql_db, clock, shop, talk, Step.RESOLVE, by=ANA)

    assert await stage(sql_db, talk) is (Stage.RESOLVED if is_seen else Stage.BOT)
    assert await pending(sql_db, talk) == ([] if is_seen else [last.text])
    assert any(one.author is Author.SYSTEM and one.choices for one in await messages_now(sql_db, talk.id))
