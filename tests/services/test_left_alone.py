"""Conversations that people have: whoever is gone, whoever is away, and whoever has been silent for too long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from bot.core.agents import Presence
from bot.core.conversations import Author
from bot.core.handoffs import Stage, Step
from bot.services import desk as desk_services
from bot.services.agents import set_presence
from bot.services.handoff_words import BACK_TO_BOT, LEAVE_MESSAGE, STILL_THERE
from bot.services.left_alone import ABSENT_FOR, AWAY_GRACE
from bot.services.waiting import look_after_line
from tests.builders import stored_conversation, written
from tests.services.desk import (
    ANA,
    BEN,
    ask,
    change_agent,
    offered,
    reply,
    see,
    stage,
    standing_now,
    step,
    system_lines,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def taken(db, clock, shop, agent=ANA):
    conversation = await stored_conversation(db)
    await ask(db, clock, shop, conversation)
    await step(db, clock, shop, conversation, Step.CLAIM, by=agent)
    return conversation


async def answered(db, clock, shop, agent=ANA):
    """Somebody was helped, and the agent had the last word."""
    conversation = await taken(db, clock, shop, agent)
    await written(db, clock, conversation, "Hello")
    clock.advance(SECOND)
    await reply(db, clock, conversation, agent)
    clock.advance(SECOND)
    return conversation


async def let_pass(db, clock, shop, span, *there):
    """Time goes by, while those are there, and the line is looked after."""
    clock.advance(span)
    await see(db, clock, *there)
    return await look_after_line(db, clock, shop)


async def close(shop, clock):
    clock.advance(shop.hours.closes_at(clock.now()) - clock.now() + MINUTE)


# Away


async def test_who_is_away_with_the_desk_open_does_not_keep_a_customer_waiting(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)
    await set_presence(sql_db, clock, ANA.id, Presence.AWAY)
    await written(sql_db, clock, conversation, "Are you there?")
    grace = AWAY_GRACE * open_shop.desk.agent_grace

    await let_pass(sql_db, clock, open_shop, grace - SECOND, ANA, BEN)
    assert await stage(sql_db, conversation) is Stage.AGENT
    await let_pass(sql_db, clock, open_shop, SECOND, ANA, BEN)

    standing = await standing_now(sql_db, conversation)
    assert (standing.stage, standing.handoff.offered_to) == (Stage.QUEUE, BEN.id)


async def test_who_is_away_and_finishes_what_they_have_is_given_time_for_each_answer(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)
    await set_presence(sql_db, clock, ANA.id, Presence.AWAY)
    grace = AWAY_GRACE * open_shop.desk.agent_grace

    # Nothing is owed for long, and then a question has only just come.
    await let_pass(sql_db, clock, open_shop, grace * 2, ANA)
    await written(sql_db, clock, conversation, "One more thing")
    await let_pass(sql_db, clock, open_shop, grace - SECOND, ANA)

    assert await stage(sql_db, conversation) is Stage.AGENT


async def test_a_customer_whom_nobody_has_answered_yet_is_not_left_to_somebody_away(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    clock.advance(MINUTE)
    await set_presence(sql_db, clock, ANA.id, Presence.AWAY)

    await let_pass(sql_db, clock, open_shop, AWAY_GRACE * open_shop.desk.agent_grace, ANA)

    assert await stage(sql_db, conversation) is Stage.QUEUE


async def test_who_is_back_has_the_usual_time_again(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    await set_presence(sql_db, clock, ANA.id, Presence.AWAY)
    await let_pass(sql_db, clock, open_shop, 4 * MINUTE, ANA)
    await set_presence(sql_db, clock, ANA.id, Presence.ONLINE)

    await let_pass(sql_db, clock, open_shop, 10 * MINUTE, ANA)

    assert await stage(sql_db, conversation) is Stage.AGENT


# Put off


@pytest.mark.parametrize("how", ["shut out", "absent"])
async def test_what_was_put_off_by_somebody_who_does_not_come_back_is_somebody_elses(
    sql_db, clock, open_shop, desk, how
):
    conversation = await answered(sql_db, clock, open_shop)
    async with sql_db.transaction() as work:
        handoff = await work.handoffs.open_for(conversation.id)
        await work.handoffs.save(replace(handoff, snoozed_until=clock.now() + timedelta(days=29)))
    await let_pass(sql_db, clock, open_shop, timedelta(days=3), BEN)
    assert await stage(sql_db, conversation) is Stage.AGENT

    if how == "shut out":
        await change_agent(sql_db, ANA, disabled_at=clock.now())
    await let_pass(sql_db, clock, open_shop, MINUTE if how == "shut out" else ABSENT_FOR - timedelta(days=3), BEN)

    standing = await standing_now(sql_db, conversation)
    assert (standing.stage, standing.handoff.offered_to) == (Stage.QUEUE, BEN.id)


# Back in line


async def test_whose_agent_is_gone_hears_their_place_and_what_they_can_choose(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)

    await let_pass(sql_db, clock, open_shop, open_shop.desk.agent_grace)

    *_, gone, place = await system_lines(sql_db, conversation)
    assert gone == "I'm sorry: Ana cannot go on just now. You are at the front of the line again."
    assert "nobody of our team is at the desk right now" in place
    assert [choice.payload for choice in await offered(sql_db, conversation)] == [LEAVE_MESSAGE, BACK_TO_BOT]


async def test_who_is_passed_to_a_team_hears_it_too(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)

    await desk_services.step(sql_db, clock, open_shop, ANA, conversation.id, Step.TRANSFER_TEAM)

    *_, passed, place = await system_lines(sql_db, conversation)
    assert passed.startswith("Ana has passed you on to a colleague")
    assert place.startswith("You are next in line.")
    assert [choice.payload for choice in await offered(sql_db, conversation)] == [LEAVE_MESSAGE, BACK_TO_BOT]


async def test_whose_agent_goes_home_with_a_question_open_is_called_back(sql_db, clock, shop, desk):
    conversation = await answered(sql_db, clock, shop)
    await written(sql_db, clock, conversation, "And where is it?")
    await close(shop, clock)

    await look_after_line(sql_db, clock, shop)

    assert await stage(sql_db, conversation) is Stage.CALLBACK
    *_, gone, noted = await system_lines(sql_db, conversation)
    assert gone == "I'm sorry: Ana cannot go on just now."
    assert noted.startswith("Nobody of our team is here now; we are here again tomorrow at 08:00. Your request")


@pytest.mark.parametrize("last", [None, "thanks Ana, bye"])
async def test_who_needs_nothing_more_when_the_agent_goes_home_is_let_go_kindly(sql_db, clock, shop, desk, last):
    clock.advance(shop.hours.closes_at(clock.now()) - clock.now() - MINUTE)
    await see(sql_db, clock, ANA)
    conversation = await answered(sql_db, clock, shop)
    if last is not None:
        await written(sql_db, clock, conversation, last)
    await let_pass(sql_db, clock, shop, 5 * MINUTE)
    assert await stage(sql_db, conversation) is Stage.AGENT

    await let_pass(sql_db, clock, shop, shop.desk.customer_grace)

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    _, closed = await system_lines(sql_db, conversation)
    assert closed.startswith("We have not heard from you")


# Silence


async def test_a_silent_customer_is_asked_once_before_they_are_let_go(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)
    grace = open_shop.desk.customer_grace

    await let_pass(sql_db, clock, open_shop, grace, ANA)
    assert (await system_lines(sql_db, conversation))[-1] == STILL_THERE
    await let_pass(sql_db, clock, open_shop, grace - SECOND, ANA)
    assert await stage(sql_db, conversation) is Stage.AGENT
    await let_pass(sql_db, clock, open_shop, SECOND, ANA)

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    assert (await system_lines(sql_db, conversation)).count(STILL_THERE) == 1


async def test_who_says_that_they_are_still_there_is_waited_for(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)
    await let_pass(sql_db, clock, open_shop, open_shop.desk.customer_grace, ANA)
    clock.advance(MINUTE)

    await written(sql_db, clock, conversation, "Yes, I am waiting")
    await let_pass(sql_db, clock, open_shop, 20 * MINUTE, ANA)
    await reply(sql_db, clock, conversation, ANA)
    await let_pass(sql_db, clock, open_shop, 29 * MINUTE, ANA)

    assert await stage(sql_db, conversation) is Stage.AGENT
    assert (await system_lines(sql_db, conversation)).count(STILL_THERE) == 1


async def test_who_has_said_goodbye_is_neither_asked_nor_put_back_into_the_line(sql_db, clock, open_shop, desk):
    conversation = await answered(sql_db, clock, open_shop)
    await written(sql_db, clock, conversation, "Thank you, bye!")

    await let_pass(sql_db, clock, open_shop, open_shop.desk.customer_grace - SECOND, ANA)
    assert await stage(sql_db, conversation) is Stage.AGENT
    await let_pass(sql_db, clock, open_shop, SECOND, ANA)

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    assert STILL_THERE not in await system_lines(sql_db, conversation)


async def test_thanks_from_before_somebody_came_are_no_goodbye(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await written(sql_db, clock, conversation, "ok thanks")
    clock.advance(SECOND)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    await let_pass(sql_db, clock, open_shop, open_shop.desk.give_up_after, ANA)

    assert await stage(sql_db, conversation) is Stage.QUEUE


# At scale


async def test_nothing_is_locked_where_people_keep_talking(sql_db, clock, open_shop, desk):
    await change_agent(sql_db, ANA, capacity=50)
    conversations = [await answered(sql_db, clock, open_shop) for _ in range(5)]
    clock.advance(open_shop.desk.give_up_after)
    for conversation in conversations:
        await reply(sql_db, clock, conversation, ANA)
    await see(sql_db, clock, ANA)
    statements = []

    def note(connection, cursor, statement, *_):
        statements.append(statement)

    engine = sql_db.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert await look_after_line(sql_db, clock, open_shop) == 0
    finally:
        event.remove(engine, "before_cursor_execute", note)

    # Who waits, who is helped, who is there, and what was said last in all of them.
    assert len([one for one in statements if one.startswith("SELECT")]) == 4
    assert not [one for one in statements if "FOR UPDATE" in one or "UPDATE conversations" in one]


async def test_what_was_said_last_is_read_for_many_conversations_at_once(sql_db, clock, open_shop, desk):
    first, second, silent = [await taken(sql_db, clock, open_shop) for _ in range(3)]
    await written(sql_db, clock, first, "One", "Two")
    await reply(sql_db, clock, second, ANA, "Three")

    async with sql_db.reading() as work:
        said = await work.messages.last_said([first.id, second.id])
        assert await work.messages.last_said([]) == {}

    joined = "Ana has joined the conversation."
    assert {one.author: one.text for one in said[first.id]} == {Author.SYSTEM: joined, Author.CUSTOMER: "Two"}
    assert {one.author: one.text for one in said[second.id]} == {Author.SYSTEM: joined, Author.AGENT: "Three"}
    assert silent.id not in said
