"""The place in the line: what customers hear about it, and that it is no more than is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.agents import Presence
from bot.core.desk import Assignment
from bot.core.handoffs import Step
from bot.services.handoff_words import place_in_words
from bot.services.line_places import PACE_WINDOW, place_of
from bot.services.waiting import look_after_line
from tests.builders import stored_conversation
from tests.services.desk import ANA, BEN, add_agents, ask, change_agent, open_always, see, step

MINUTE = timedelta(minutes=1)
FREE = "Somebody of our team is free, and is being asked to come."
UNKNOWN = "Our team is at the desk, but I cannot say yet how long it will take."


@pytest.fixture
async def desk(sql_db):
    await add_agents(sql_db, replace(ANA, capacity=1), replace(BEN, presence=Presence.AWAY))


async def waiting(db, clock, shop):
    conversation = await stored_conversation(db)
    await ask(db, clock, shop, conversation)
    return conversation


async def helped(db, clock, shop, times, every):
    """So many are taken from the line, one after the other, and dealt with."""
    for _ in range(times):
        conversation = await waiting(db, clock, shop)
        await step(db, clock, shop, conversation, Step.CLAIM, by=ANA)
        await step(db, clock, shop, conversation, Step.RESOLVE, by=ANA)
        clock.advance(every)


async def busy(db, clock, shop):
    """Ana has no room, and is there."""
    await step(db, clock, shop, await stored_conversation(db), Step.TAKE_OVER, by=ANA)


async def told(db, clock, shop, conversation):
    async with db.reading() as work:
        return place_in_words(await place_of(work, clock, shop, await work.handoffs.open_for(conversation.id)))


async def test_where_somebody_is_free_no_figure_is_told(sql_db, clock, open_shop, desk):
    await helped(sql_db, clock, open_shop, 3, 5 * MINUTE)
    clock.advance(35 * MINUTE)
    await see(sql_db, clock, ANA)

    first = await waiting(sql_db, clock, open_shop)
    assert await told(sql_db, clock, open_shop, first) == f"You are next in line. {FREE}"
    await look_after_line(sql_db, clock, open_shop)
    assert await told(sql_db, clock, open_shop, first) == f"You are next in line. {FREE}"

    # There is room for one.
    clock.advance(timedelta(seconds=1))
    second = await waiting(sql_db, clock, open_shop)
    assert FREE not in await told(sql_db, clock, open_shop, second)


async def test_nobody_is_said_to_come_who_has_let_it_pass(sql_db, clock, open_shop, desk):
    conversation = await waiting(sql_db, clock, open_shop)
    await look_after_line(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.offer_time)
    await see(sql_db, clock, ANA)

    assert await told(sql_db, clock, open_shop, conversation) == f"You are next in line. {UNKNOWN}"


async def test_where_nobody_is_asked_nobody_is_said_to_be(sql_db, clock, shop, desk):
    manual_shop = open_always(shop, assignment=Assignment.MANUAL)
    conversation = await waiting(sql_db, clock, manual_shop)

    assert await told(sql_db, clock, manual_shop, conversation) == f"You are next in line. {UNKNOWN}"


async def test_a_line_that_was_empty_did_not_stand_still(sql_db, clock, open_shop, desk):
    await helped(sql_db, clock, open_shop, 4, 5 * MINUTE)
    await busy(sql_db, clock, open_shop)
    clock.advance(35 * MINUTE)
    await see(sql_db, clock, ANA)
    conversation = await waiting(sql_db, clock, open_shop)

    assert (await told(sql_db, clock, open_shop, conversation)).endswith("that takes about 5 minutes.")
    # From now on it does.
    clock.advance(8 * MINUTE)
    await see(sql_db, clock, ANA)
    assert (await told(sql_db, clock, open_shop, conversation)).endswith("that takes about 8 minutes.")


@pytest.mark.parametrize("what", [Step.TAKE_OVER, Step.TRANSFER])
async def test_only_who_was_taken_from_the_line_tells_how_fast_it_moves(sql_db, clock, open_shop, desk, what):
    await change_agent(sql_db, BEN, presence=Presence.ONLINE)
    for _ in range(4):
        await see(sql_db, clock, ANA, BEN)
        conversation = await stored_conversation(sql_db)
        await step(sql_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA)
        if what is Step.TRANSFER:
            await step(sql_db, clock, open_shop, conversation, Step.TRANSFER, by=ANA, to=BEN)
        clock.advance(timedelta(seconds=20))
    await change_agent(sql_db, BEN, presence=Presence.AWAY)
    await busy(sql_db, clock, open_shop)

    conversation = await waiting(sql_db, clock, open_shop)

    assert await told(sql_db, clock, open_shop, conversation) == f"You are next in line. {UNKNOWN}"


async def test_a_call_back_that_is_taken_up_was_not_in_the_line(sql_db, clock, open_shop, desk):
    begun = clock.now()
    for from_line in (True, False):
        conversation = await waiting(sql_db, clock, open_shop)
        if not from_line:
            await step(sql_db, clock, open_shop, conversation, Step.LEAVE_MESSAGE)
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
        clock.advance(MINUTE)

    async with sql_db.reading() as work:
        assert await work.handoffs.claims_since(begun - PACE_WINDOW) == [begun]
        assert await work.handoffs.claims_since(begun + MINUTE) == []


async def test_since_when_the_line_stands_is_since_when_the_first_came(sql_db, clock, open_shop, desk):
    begun = clock.now()
    async with sql_db.reading() as work:
        assert await work.handoffs.line_since() is None
    for _ in range(2):
        await waiting(sql_db, clock, open_shop)
        clock.advance(MINUTE)

    async with sql_db.reading() as work:
        assert await work.handoffs.line_since() == begun
