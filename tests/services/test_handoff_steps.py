"""Passing conversations between the bot and people: what may happen, in any order, and what never does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.agents import Agent, AgentId, Role
from bot.core.conversations import Author, Owner
from bot.core.handoffs import TRANSITIONS, HandoffReason, HandoffState, Stage, Step
from bot.errors import StepRefused
from bot.services.handoffs import request_handoff, standing_of, take_step
from tests.builders import NOW, conversation_now, stored_conversation

ANA = Agent(AgentId("ana"), "ana@example.com", "Ana", Role.AGENT, "hash", NOW, NOW)
BEN = replace(ANA, id=AgentId("ben"), email="ben@example.com", name="Ben")


@pytest.fixture
async def desk(sql_db):
    async with sql_db.transaction() as work:
        for agent in (ANA, BEN):
            assert await work.agents.add(agent)


@pytest.fixture
def open_shop(shop):
    return replace(shop, desk=replace(shop.desk, always_open=True))


async def step(db, clock, shop, conversation, what, *, by=None, to=None, topic=None):
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        return await take_step(work, clock, shop, locked, what, by=by, to=to, topic=topic)


async def ask(db, clock, shop, conversation, reason=HandoffReason.ASKED, **more):
    async with db.transaction() as work:
        return await request_handoff(work, clock, shop, await work.conversations.lock(conversation.id), reason, **more)


async def stage(db, conversation):
    async with db.reading() as work:
        return (await standing_of(work, await work.conversations.get(conversation.id))).stage


async def test_from_the_bot_to_a_person_and_back(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)

    assert (await ask(sql_db, clock, open_shop, conversation)).stage is Stage.QUEUE
    assert (await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)).stage is Stage.AGENT
    assert (await conversation_now(sql_db, conversation.id)).owner is Owner.AGENT
    assert (await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)).stage is Stage.BOT

    async with sql_db.reading() as work:
        said = [message for message in await work.messages.after(conversation.id, 0)]
    assert [(message.author, message.text) for message in said] == [
        (Author.SYSTEM, "Ana has joined the conversation."),
        (Author.SYSTEM, f"Ana has left. {open_shop.assistant_name}, the assistant, goes on from here."),
    ]


async def test_of_two_who_claim_the_second_is_told_so(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=BEN)
    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=BEN)


async def test_whose_agent_vanishes_has_the_place_that_they_had(sql_db, clock, open_shop, desk):
    first, second = await stored_conversation(sql_db), await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, first)
    clock.advance(timedelta(minutes=1))
    await ask(sql_db, clock, open_shop, second)
    await step(sql_db, clock, open_shop, first, Step.CLAIM, by=ANA)
    clock.advance(timedelta(minutes=5))

    await step(sql_db, clock, open_shop, first, Step.VANISH)

    async with sql_db.reading() as work:
        line = await work.handoffs.in_state(HandoffState.WAITING)
    assert [one.conversation_id for one in line] == [first.id, second.id]


async def test_while_the_shop_is_closed_a_call_back_is_noted(sql_db, clock, shop, desk):
    conversation = await stored_conversation(sql_db)
    while shop.hours.is_open(clock.now()):
        clock.advance(timedelta(hours=1))

    standing = await ask(sql_db, clock, shop, conversation)

    assert standing.stage is Stage.CALLBACK
    assert standing.handoff.due_at > shop.hours.next_opening(clock.now())


async def test_a_shop_without_anybody_at_a_desk_is_told_by_mail(sql_db, clock, open_shop):
    conversation = await stored_conversation(sql_db)

    standing = await ask(sql_db, clock, open_shop, conversation)

    assert (standing.stage, standing.conversation.owner) == (Stage.CALLBACK, Owner.BOT)
    async with sql_db.reading() as work:
        assert await work.outbox.has(f"handoff:{standing.handoff.id}")


MOVES = st.lists(
    st.tuples(
        st.sampled_from([None, *Step]),
        st.sampled_from([None, ANA, BEN]),
        st.sampled_from([None, ANA, BEN]),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MOVES)
async def test_whatever_happens_a_conversation_has_one_owner_and_stands_somewhere(
    sql_db, clock, open_shop, desk, moves
):
    conversation = await stored_conversation(sql_db)
    for what, by, to, minutes in moves:
        clock.advance(timedelta(minutes=minutes))
        before = await stage(sql_db, conversation)
        try:
            if what is None:
                after = await ask(sql_db, clock, open_shop, conversation)
            else:
                after = await step(sql_db, clock, open_shop, conversation, what, by=by, to=to)
                assert TRANSITIONS[before, what] is after.stage
        except StepRefused:
            assert await stage(sql_db, conversation) is before
            continue
        async with sql_db.reading() as work:
            now = await standing_of(work, await work.conversations.get(conversation.id))
        assert now.stage is after.stage
        assert (now.stage is Stage.AGENT) == (now.handoff is not None and now.handoff.state is HandoffState.ACTIVE)
        assert (now.stage is Stage.QUEUE) == (now.handoff is not None and now.handoff.state is HandoffState.WAITING)
        assert now.stage is not Stage.AGENT or now.handoff.agent_id in (ANA.id, BEN.id)
