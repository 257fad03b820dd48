"""The line looked after: offers, asking who waits, promises of a call-back, and whoever is gone."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.channels.telegram.channel import CAPABILITIES
from bot.core.agents import Presence
from bot.core.conversations import Author
from bot.core.desk import Assignment
from bot.core.handoffs import HandoffState, Stage, Step
from bot.core.waiting_line import LANGUAGE_WAITED_FOR
from bot.services.channel_inbox import Picked, take_in
from bot.services.conversations import receive_message
from bot.services.desk import pass_offer
from bot.services.handoff_words import BACK_TO_BOT, LEAVE_MESSAGE, NOT_IN_LINE, WAIT_ON
from bot.services.waiting import look_after_line
from bot.storage.tables import channel_identities
from tests.builders import NOW, an_inbound, messages_now, stored_conversation, written
from tests.services.desk import (
    ANA,
    BEN,
    add_agents,
    agent_now,
    ask,
    change_agent,
    offered,
    open_always,
    reply,
    see,
    stage,
    standing_now,
    step,
    system_lines,
)

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
async def nobody_there(sql_db):
    await add_agents(sql_db, replace(ANA, presence=Presence.AWAY), replace(BEN, presence=Presence.AWAY))


@pytest.fixture
def manual_shop(shop):
    return open_always(shop, assignment=Assignment.MANUAL)


async def waiting(db, clock, shop):
    conversation = await stored_conversation(db)
    await ask(db, clock, shop, conversation)
    return conversation


async def taken(db, clock, shop, agent=ANA):
    conversation = await waiting(db, clock, shop)
    await step(db, clock, shop, conversation, Step.CLAIM, by=agent)
    return conversation


async def offered_to(db, conversation):
    return (await standing_now(db, conversation)).handoff.offered_to


async def pick(db, clock, shop, conversation, payload):
    return await receive_message(db, clock, conversation.id, an_inbound("", payload=payload), shop)


# Offers


async def test_who_waits_is_offered_to_somebody_and_then_to_the_next(sql_db, clock, open_shop, desk):
    conversation = await waiting(sql_db, clock, open_shop)

    assert await look_after_line(sql_db, clock, open_shop) == 1
    assert await offered_to(sql_db, conversation) == ANA.id
    assert await look_after_line(sql_db, clock, open_shop) == 0
    clock.advance(open_shop.desk.offer_time)
    assert await look_after_line(sql_db, clock, open_shop) == 2
    assert await offered_to(sql_db, conversation) == BEN.id
    # Nobody else is left: she is asked again.
    clock.advance(open_shop.desk.offer_time)
    await see(sql_db, clock, ANA, BEN)
    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, conversation) is not None


async def test_an_offer_that_is_let_go_is_passed_on_at_once(sql_db, clock, open_shop, desk):
    conversation = await waiting(sql_db, clock, open_shop)
    await look_after_line(sql_db, clock, open_shop)

    await pass_offer(sql_db, ANA, conversation.id)
    await pass_offer(sql_db, ANA, conversation.id)

    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, conversation) == BEN.id


@pytest.mark.parametrize("gone", [{"presence": Presence.AWAY}, {"disabled_at": NOW}, {"seen_at": NOW - MINUTE}])
async def test_an_offer_to_somebody_who_has_gone_is_somebody_elses_at_once(sql_db, clock, open_shop, desk, gone):
    conversation = await waiting(sql_db, clock, open_shop)
    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, conversation) == ANA.id

    await change_agent(sql_db, ANA, **gone)
    await look_after_line(sql_db, clock, open_shop)

    handoff = (await standing_now(sql_db, conversation)).handoff
    # She has not let it pass, and may be asked when she is back.
    assert (handoff.offered_to, handoff.passed_by) == (BEN.id, ())


async def test_an_offer_to_the_only_one_who_then_goes_is_made_again_when_they_are_back(sql_db, clock, open_shop, desk):
    await change_agent(sql_db, BEN, presence=Presence.AWAY)
    conversation = await waiting(sql_db, clock, open_shop)
    await look_after_line(sql_db, clock, open_shop)
    await change_agent(sql_db, ANA, presence=Presence.AWAY)
    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, conversation) is None

    await change_agent(sql_db, ANA, presence=Presence.ONLINE)
    await look_after_line(sql_db, clock, open_shop)

    assert await offered_to(sql_db, conversation) == ANA.id


async def test_a_customer_is_offered_to_somebody_who_speaks_their_language(sql_db, clock, open_shop, desk):
    await change_agent(sql_db, ANA, languages=("en",))
    await change_agent(sql_db, BEN, languages=("en", "es"))
    spanish = [await stored_conversation(sql_db, language="es") for _ in range(BEN.capacity + 1)]
    for conversation in spanish:
        await ask(sql_db, clock, open_shop, conversation)
        clock.advance(SECOND)

    await look_after_line(sql_db, clock, open_shop)
    last = spanish.pop()
    assert [await offered_to(sql_db, one) for one in spanish] == [BEN.id] * BEN.capacity
    assert await offered_to(sql_db, last) is None

    # Ben is busy for long: then somebody is better than nobody.
    for conversation in spanish:
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=BEN)
    clock.advance(LANGUAGE_WAITED_FOR)
    await see(sql_db, clock, ANA, BEN)
    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, last) == ANA.id


async def test_what_is_not_on_offer_to_somebody_they_cannot_let_go(sql_db, clock, open_shop, desk):
    conversation = await waiting(sql_db, clock, open_shop)
    await look_after_line(sql_db, clock, open_shop)

    await pass_offer(sql_db, BEN, conversation.id)

    assert await offered_to(sql_db, conversation) == ANA.id


async def test_where_people_take_for_themselves_nothing_is_offered(sql_db, clock, manual_shop, desk):
    conversation = await waiting(sql_db, clock, manual_shop)

    assert await look_after_line(sql_db, clock, manual_shop) == 0
    assert await offered_to(sql_db, conversation) is None
    assert (await step(sql_db, clock, manual_shop, conversation, Step.CLAIM, by=BEN)).stage is Stage.AGENT


async def test_the_line_drains_when_somebody_comes(sql_db, clock, open_shop, nobody_there):
    first, second = await waiting(sql_db, clock, open_shop), await waiting(sql_db, clock, open_shop)
    assert await look_after_line(sql_db, clock, open_shop) == 0

    await change_agent(sql_db, ANA, presence=Presence.ONLINE)

    assert await look_after_line(sql_db, clock, open_shop) == 2
    assert [await offered_to(sql_db, one) for one in (first, second)] == [ANA.id, ANA.id]


async def test_nobody_is_offered_more_than_they_can_do(sql_db, clock, open_shop, desk):
    await change_agent(sql_db, BEN, presence=Presence.AWAY)
    conversations = [await waiting(sql_db, clock, open_shop) for _ in range(ANA.capacity + 2)]

    await look_after_line(sql_db, clock, open_shop)

    assert [await offered_to(sql_db, one) for one in conversations].count(ANA.id) == ANA.capacity


async def test_several_who_look_after_the_line_at_once_do_nothing_twice(sql_db, clock, open_shop, desk):
    conversations = [await waiting(sql_db, clock, open_shop) for _ in range(4)]
    clock.advance(open_shop.desk.ask_after)
    await see(sql_db, clock, ANA, BEN)

    await asyncio.gather(*(look_after_line(sql_db, clock, open_shop) for _ in range(5)))

    for conversation in conversations:
        assert len(await system_lines(sql_db, conversation)) == 1
    given = [await offered_to(sql_db, one) for one in conversations]
    assert sorted(given) == [ANA.id, ANA.id, BEN.id, BEN.id]


# Asking who waits


async def test_whoever_waits_is_asked_and_not_again_until_they_have_answered(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.ask_after - SECOND)
    assert await look_after_line(sql_db, clock, open_shop) == 0

    clock.advance(SECOND)
    assert await look_after_line(sql_db, clock, open_shop) == 1
    assert [choice.payload for choice in await offered(sql_db, conversation)] == [WAIT_ON, LEAVE_MESSAGE, BACK_TO_BOT]
    clock.advance(open_shop.desk.ask_after * 2)
    assert await look_after_line(sql_db, clock, open_shop) == 0

    await pick(sql_db, clock, open_shop, conversation, WAIT_ON)
    assert (await system_lines(sql_db, conversation))[-1].startswith(
        "All right, you keep your place. You are next in line."
    )
    clock.advance(open_shop.desk.ask_after)
    assert await look_after_line(sql_db, clock, open_shop) == 1


async def test_who_goes_back_to_the_assistant_is_answered_by_it(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.ask_after)
    await look_after_line(sql_db, clock, open_shop)

    message = await pick(sql_db, clock, open_shop, conversation, BACK_TO_BOT)

    assert await stage(sql_db, conversation) is Stage.BOT
    # The bot knows nothing of this choice, and is not asked about it.
    assert message.turn_state.value == "not_for_bot"
    (message,) = await written(sql_db, clock, conversation, "Where is my order?")
    assert message.turn_state.value == "pending"


async def test_who_leaves_a_message_is_promised_a_call_back(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.ask_after)
    await look_after_line(sql_db, clock, open_shop)

    await pick(sql_db, clock, open_shop, conversation, LEAVE_MESSAGE)

    standing = await standing_now(sql_db, conversation)
    assert (standing.stage, standing.handoff.due_at) == (
        Stage.CALLBACK,
        clock.now() + open_shop.desk.call_back_within,
    )
    assert "How can we reach you" in (await system_lines(sql_db, conversation))[-1]


@pytest.mark.parametrize("payload", [WAIT_ON, LEAVE_MESSAGE, BACK_TO_BOT])
async def test_a_choice_that_comes_too_late_is_said_to_be(sql_db, clock, open_shop, nobody_there, payload):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.ask_after)
    await look_after_line(sql_db, clock, open_shop)
    await step(sql_db, clock, open_shop, conversation, Step.CANCEL)

    message = await pick(sql_db, clock, open_shop, conversation, payload)

    assert message.turn_state.value == "not_for_bot"
    assert (await system_lines(sql_db, conversation))[-1] == NOT_IN_LINE


async def test_a_choice_picked_as_somebody_comes_is_something_said_to_them(sql_db, clock, open_shop, desk):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.ask_after)
    await look_after_line(sql_db, clock, open_shop)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    await pick(sql_db, clock, open_shop, conversation, BACK_TO_BOT)

    assert await stage(sql_db, conversation) is Stage.AGENT
    last = (await messages_now(sql_db, conversation.id))[-1]
    assert (last.author, last.text) == (Author.CUSTOMER, "Back to the assistant")


async def test_the_choices_work_on_a_messaging_channel_as_well(sql_db, clock, open_shop, nobody_there):
    conversation = await stored_conversation(sql_db, channel="telegram")
    await ask(sql_db, clock, open_shop, conversation)
    clock.advance(open_shop.desk.ask_after)
    await look_after_line(sql_db, clock, open_shop)
    async with sql_db.transaction() as work:
        asked = (await work.messages.after(conversation.id, 0))[-1]
        tokens = await work.deliveries.tokens_of(conversation.id, asked.seq, asked.choices)
        query = select(channel_identities.c.external_id).where(channel_identities.c.id == conversation.identity_id)
        address = await work.conversations._connection.scalar(query)

    await take_in(sql_db, clock, "telegram", CAPABILITIES, "1", Picked(address, tokens[2]), open_shop)

    assert await stage(sql_db, conversation) is Stage.BOT


# Nobody comes


async def test_after_a_while_nobody_comes_any_more_and_a_call_back_is_promised(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.give_up_after)

    assert await look_after_line(sql_db, clock, open_shop) == 1

    standing = await standing_now(sql_db, conversation)
    assert standing.stage is Stage.CALLBACK
    assert (await system_lines(sql_db, conversation))[-1].startswith("I'm sorry: nobody of our team could come.")
    async with sql_db.reading() as work:
        assert await work.outbox.has(f"handoff:{standing.handoff.id}:{int(clock.now().timestamp() // 1800)}")


async def test_nobody_is_sent_away_while_somebody_is_just_being_asked(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.give_up_after - SECOND)
    await change_agent(sql_db, ANA, presence=Presence.ONLINE, seen_at=clock.now())
    await look_after_line(sql_db, clock, open_shop)
    assert await offered_to(sql_db, conversation) == ANA.id

    clock.advance(SECOND)
    await look_after_line(sql_db, clock, open_shop)
    assert await stage(sql_db, conversation) is Stage.QUEUE
    # She lets it pass, and there is nobody else.
    clock.advance(open_shop.desk.offer_time)
    await see(sql_db, clock, ANA)
    await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.CALLBACK


async def test_nobody_is_sent_away_at_the_moment_when_somebody_comes(sql_db, clock, open_shop, nobody_there):
    first = await waiting(sql_db, clock, open_shop)
    clock.advance(SECOND)
    second = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.give_up_after)
    await change_agent(sql_db, ANA, presence=Presence.ONLINE, seen_at=clock.now(), capacity=1)

    await look_after_line(sql_db, clock, open_shop)

    # There is room for one.
    assert await offered_to(sql_db, first) == ANA.id
    assert await stage(sql_db, second) is Stage.CALLBACK


async def test_who_has_just_said_that_they_go_on_waiting_is_not_sent_away_yet(sql_db, clock, open_shop, nobody_there):
    conversation = await waiting(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.give_up_after - 10 * SECOND)
    await look_after_line(sql_db, clock, open_shop)
    await pick(sql_db, clock, open_shop, conversation, WAIT_ON)

    clock.advance(10 * SECOND)
    await look_after_line(sql_db, clock, open_shop)
    assert await stage(sql_db, conversation) is Stage.QUEUE
    clock.advance(open_shop.desk.offer_time - 10 * SECOND)
    await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.CALLBACK


async def test_where_people_take_for_themselves_nobody_waits_longer_for_that(sql_db, clock, manual_shop, desk):
    conversation = await waiting(sql_db, clock, manual_shop)
    clock.advance(manual_shop.desk.give_up_after)
    await see(sql_db, clock, ANA)

    await look_after_line(sql_db, clock, manual_shop)

    assert await stage(sql_db, conversation) is Stage.CALLBACK


async def test_closing_time_ends_the_waiting_unless_somebody_is_still_there(sql_db, clock, shop, desk):
    before_closing = shop.hours.closes_at(clock.now()) - MINUTE
    clock.advance(before_closing - clock.now())
    conversation = await waiting(sql_db, clock, shop)
    clock.advance(MINUTE)
    await see(sql_db, clock, ANA)
    await look_after_line(sql_db, clock, shop)
    assert await stage(sql_db, conversation) is Stage.QUEUE

    clock.advance(MINUTE)
    await look_after_line(sql_db, clock, shop)

    standing = await standing_now(sql_db, conversation)
    assert standing.stage is Stage.CALLBACK
    assert standing.handoff.due_at == shop.hours.next_opening(clock.now()) + shop.desk.call_back_within


async def test_a_customer_who_vanished_from_the_line_is_waited_for_and_then_let_go_kindly(
    sql_db, clock, shop, nobody_there
):
    patient = open_always(shop, give_up_after=timedelta(hours=9))
    conversation = await waiting(sql_db, clock, patient)
    clock.advance(patient.desk.ask_after)
    await look_after_line(sql_db, clock, patient)
    clock.advance(patient.desk.customer_grace - SECOND)
    assert await look_after_line(sql_db, clock, patient) == 0
    clock.advance(SECOND)

    assert await look_after_line(sql_db, clock, patient) == 1

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    assert "Write again whenever you like" in (await system_lines(sql_db, conversation))[-1]
    await written(sql_db, clock, conversation, "Sorry, I was away")
    assert await stage(sql_db, conversation) is Stage.BOT


# Whoever is gone


async def test_a_closed_desk_loses_its_conversations_after_a_while(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    clock.advance(open_shop.desk.agent_grace - SECOND)
    assert await look_after_line(sql_db, clock, open_shop) == 0
    clock.advance(SECOND)

    await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.QUEUE
    assert (await agent_now(sql_db, ANA)).free_since == clock.now()


async def test_whoever_only_says_that_they_are_away_has_longer(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    await change_agent(sql_db, ANA, presence=Presence.AWAY)
    clock.advance(open_shop.desk.agent_grace * 2)

    await look_after_line(sql_db, clock, open_shop)
    assert await stage(sql_db, conversation) is Stage.AGENT
    clock.advance(open_shop.desk.agent_grace * 3)
    await look_after_line(sql_db, clock, open_shop)
    assert await stage(sql_db, conversation) is Stage.QUEUE


async def test_whoever_is_shut_out_loses_their_conversations_at_once(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    await change_agent(sql_db, ANA, disabled_at=NOW)

    await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.QUEUE


async def test_who_does_not_answer_the_agent_is_let_go_and_not_asked_how_it_was(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    await written(sql_db, clock, conversation, "Hello")
    clock.advance(SECOND)
    await reply(sql_db, clock, conversation, ANA)
    for _ in range(2):
        clock.advance(open_shop.desk.customer_grace)
        await see(sql_db, clock, ANA)
        await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.RESOLVED
    assert await offered(sql_db, conversation) == ()


async def test_an_agent_who_does_not_answer_is_not_waited_for_forever(sql_db, clock, open_shop, desk):
    conversation = await taken(sql_db, clock, open_shop)
    clock.advance(SECOND)
    await reply(sql_db, clock, conversation, ANA)
    clock.advance(SECOND)
    await written(sql_db, clock, conversation, "And?")
    clock.advance(open_shop.desk.give_up_after - SECOND)
    await see(sql_db, clock, ANA)
    await look_after_line(sql_db, clock, open_shop)
    assert await stage(sql_db, conversation) is Stage.AGENT
    clock.advance(SECOND)

    await look_after_line(sql_db, clock, open_shop)

    assert await stage(sql_db, conversation) is Stage.QUEUE


async def test_what_was_put_off_is_left_alone_until_then_or_until_the_customer_writes(sql_db, clock, open_shop, desk):
    first, second = await taken(sql_db, clock, open_shop), await taken(sql_db, clock, open_shop)
    async with sql_db.transaction() as work:
        for conversation in (first, second):
            handoff = await work.handoffs.open_for(conversation.id)
            await work.handoffs.save(replace(handoff, snoozed_until=clock.now() + timedelta(days=1)))
    clock.advance(timedelta(hours=5))
    assert await look_after_line(sql_db, clock, open_shop) == 0

    await written(sql_db, clock, second, "I am back")
    await look_after_line(sql_db, clock, open_shop)

    assert (await stage(sql_db, first), await stage(sql_db, second)) == (Stage.AGENT, Stage.QUEUE)


async def test_nothing_is_done_where_nothing_is_due(sql_db, clock, open_shop, desk):
    await taken(sql_db, clock, open_shop)
    before = len(sql_db.hints)

    assert await look_after_line(sql_db, clock, open_shop) == 0

    assert len(sql_db.hints) == before
    async with sql_db.reading() as work:
        assert len(await work.handoffs.in_state(HandoffState.ACTIVE)) == 1
