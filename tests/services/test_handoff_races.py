"""Two who act on a conversation at the same moment: one of them is first, and the other is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.conversations import Author, Owner, Reply, TurnState
from bot.core.handoffs import HandoffReason, HandoffState, Stage, Step
from bot.errors import LeaseLost, StepRefused
from bot.services import desk as at_the_desk
from bot.services.conversations import receive_message
from bot.services.desk import read_up_to
from bot.services.handoff_words import BACK_TO_BOT
from bot.services.handoffs import request_handoff
from bot.services.ids import new_id
from bot.services.turns import begin_turn, claim_turn, finish_turn
from bot.services.waiting import look_after_line
from tests.builders import an_inbound, conversation_now, events_now, messages_now, stored_conversation, written
from tests.services.desk import ANA, BEN, ask, stage, standing_now, step
from tests.storage.databases import open_database

ROUNDS = 6


@pytest.fixture
async def other_db(sql_url, sql_db):
    """The same database, as another process sees it."""
    database = open_database(sql_url)
    yield database
    await database.close()


async def both(first, second):
    """What became of two that began at once: what they returned, or their error."""
    return await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 30)


async def steps_of(db, conversation):
    return [event.detail["step"] for event in await events_now(db, conversation.id, "handoff_step")]


async def asked(db, clock, shop):
    conversation = await stored_conversation(db)
    await ask(db, clock, shop, conversation)
    return conversation


async def taken(db, clock, shop):
    conversation = await asked(db, clock, shop)
    await step(db, clock, shop, conversation, Step.CLAIM, by=ANA)
    return conversation


async def test_of_two_claims_one_wins(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await asked(sql_db, clock, open_shop)

        ended = await both(
            step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA),
            step(other_db, clock, open_shop, conversation, Step.CLAIM, by=BEN),
        )

        (won,) = [one for one in ended if not isinstance(one, BaseException)]
        (lost,) = [one for one in ended if isinstance(one, BaseException)]
        assert isinstance(lost, StepRefused)
        assert (await standing_now(sql_db, conversation)).handoff.agent_id == won.handoff.agent_id
        assert await steps_of(sql_db, conversation) == ["ask", "claim"]


async def test_a_claim_against_a_customer_who_leaves_the_line(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await asked(sql_db, clock, open_shop)
        clock.advance(open_shop.desk.ask_after)
        await look_after_line(sql_db, clock, open_shop)
        leaves = an_inbound("", payload=BACK_TO_BOT)

        claimed, picked = await both(
            step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA),
            receive_message(other_db, clock, conversation.id, leaves, open_shop),
        )

        # The choice is kept as what the customer said, whoever was first.
        assert picked.turn_state is TurnState.NOT_FOR_BOT
        is_claimed = not isinstance(claimed, BaseException)
        assert await stage(sql_db, conversation) is (Stage.AGENT if is_claimed else Stage.BOT)
        assert (await steps_of(sql_db, conversation))[1:] == ["claim" if is_claimed else "cancel"]
        if is_claimed:
            await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=ANA)


async def test_a_reply_against_passing_it_on(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await taken(sql_db, clock, open_shop)

        replied, passed = await both(
            at_the_desk.reply(sql_db, clock, ANA, conversation.id, "One moment", new_id()),
            step(other_db, clock, open_shop, conversation, Step.TRANSFER, by=ANA, to=BEN),
        )

        assert passed.handoff.agent_id == BEN.id
        said = await messages_now(sql_db, conversation.id)
        after = [one for one in said if one.seq > passed.conversation.last_seq]
        assert after == []
        assert isinstance(replied, StepRefused) or replied.seq < passed.conversation.last_seq
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=BEN)


async def test_a_return_against_a_message_of_the_customer(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await taken(sql_db, clock, open_shop)

        returned, message = await both(
            step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA),
            receive_message(other_db, clock, conversation.id, an_inbound("And when does it come?"), open_shop),
        )

        assert returned.stage is Stage.BOT
        # Whether it was written before or after, the bot answers it: it is nobody's in neither case.
        (kept,) = [one for one in await messages_now(sql_db, conversation.id) if one.id == message.id]
        assert kept.turn_state is TurnState.PENDING
        assert (await conversation_now(sql_db, conversation.id)).next_turn_at is not None


async def answer(db, clock, shop, turn, *, asks=False):
    async with db.transaction() as work:
        conversation = await begin_turn(work, clock, turn)
        if conversation is None:
            return False
        if asks:
            conversation = (await request_handoff(work, clock, shop, conversation, HandoffReason.ASKED)).conversation
        await finish_turn(work, clock, shop, turn, [Reply("Hi!")], conversation)
        return True


@pytest.mark.parametrize("asks", [False, True], ids=["an answer", "a call for a person"])
async def test_stepping_in_against_what_the_bot_is_about_to_say(sql_db, other_db, clock, open_shop, desk, asks):
    for _ in range(ROUNDS):
        conversation = await stored_conversation(sql_db)
        await written(sql_db, clock, conversation)
        turn = await claim_turn(sql_db, clock, "worker")

        answered, taken_over = await both(
            answer(sql_db, clock, open_shop, turn, asks=asks),
            step(other_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA),
        )

        said = [one for one in await messages_now(sql_db, conversation.id) if one.author is Author.BOT]
        if isinstance(taken_over, BaseException):
            # The bot had passed it on already: Ana finds it in the line.
            assert asks and isinstance(taken_over, StepRefused) and answered is True
            assert await stage(sql_db, conversation) is Stage.QUEUE
            await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
        else:
            assert all(one.seq < taken_over.conversation.last_seq for one in said)
            assert answered is (len(said) == 1) or isinstance(answered, LeaseLost)
        now = await conversation_now(sql_db, conversation.id)
        assert now.owner is Owner.AGENT
        await read_up_to(sql_db, now.id, now.last_seq)
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=ANA)


async def test_an_offer_never_overwrites_a_claim(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await asked(sql_db, clock, open_shop)

        _, claimed = await both(
            look_after_line(sql_db, clock, open_shop),
            step(other_db, clock, open_shop, conversation, Step.CLAIM, by=BEN),
        )

        assert claimed.stage is Stage.AGENT
        handoff = (await standing_now(sql_db, conversation)).handoff
        assert (handoff.state, handoff.agent_id, handoff.offered_to) == (HandoffState.ACTIVE, BEN.id, None)
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=BEN)


async def test_two_requests_at_once_are_one(sql_db, other_db, clock, open_shop, desk):
    for _ in range(ROUNDS):
        conversation = await stored_conversation(sql_db)

        one, two = await both(
            ask(sql_db, clock, open_shop, conversation), ask(other_db, clock, open_shop, conversation)
        )

        assert one.handoff.id == two.handoff.id
        assert await steps_of(sql_db, conversation) == ["ask"]


async def test_several_schedulers_give_up_a_line_once(sql_db, other_db, clock, open_shop, desk):
    conversations = [await asked(sql_db, clock, open_shop) for _ in range(5)]
    clock.advance(open_shop.desk.give_up_after + timedelta(seconds=1))

    await asyncio.gather(*(look_after_line(db, clock, open_shop) for db in (sql_db, other_db, sql_db, other_db)))

    for conversation in conversations:
        assert await steps_of(sql_db, conversation) == ["ask", "nobody_came"]
        lines = [one for one in await messages_now(sql_db, conversation.id) if one.author is Author.SYSTEM]
        assert len(lines) == 1
