"""Passing conversations between the bot and people: who may take which step, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.agents import Presence
from bot.core.conversations import Author, Owner, TurnState
from bot.core.desk import FIRST, NORMAL, URGENT
from bot.core.handoffs import DESK_STEPS, HandoffReason, Stage, Step
from bot.errors import LeaseLost, StepRefused
from bot.services.conversations import receive_message
from bot.services.handoffs import take_step
from bot.services.turns import begin_turn, claim_turn
from bot.services.waiting import look_after_line
from tests.builders import (
    NOW,
    an_inbound,
    conversation_now,
    events_now,
    messages_now,
    stored_conversation,
    stored_customer,
    written,
)
from tests.services.desk import (
    ANA,
    BEN,
    agent_now,
    ask,
    change_agent,
    reply,
    see,
    stage,
    standing_now,
    step,
    system_lines,
)
from tests.services.mails import sent_mails

MINUTE = timedelta(minutes=1)


async def test_from_the_bot_to_a_person_and_back(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)

    assert (await ask(sql_db, clock, open_shop, conversation)).stage is Stage.QUEUE
    assert (await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)).stage is Stage.AGENT
    assert (await conversation_now(sql_db, conversation.id)).owner is Owner.AGENT
    assert (await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)).stage is Stage.BOT

    assert await system_lines(sql_db, conversation) == [
        "Ana has joined the conversation.",
        f"Ana has left. {open_shop.assistant_name}, the assistant, goes on from here.",
    ]
    steps = [event.detail["step"] for event in await events_now(sql_db, conversation.id, "handoff_step")]
    assert steps == ["ask", "claim", "return"]


async def test_of_two_who_claim_the_second_is_told_so(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=BEN)
    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=BEN)


async def test_whoever_likes_may_claim_what_is_on_offer_to_somebody_else(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    handoff = (await ask(sql_db, clock, open_shop, conversation)).handoff
    async with sql_db.transaction() as work:
        assert await work.handoffs.offer(handoff.id, ANA.id, clock.now(), clock.now() + MINUTE)

    standing = await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=BEN)

    assert (standing.handoff.agent_id, standing.handoff.offered_to) == (BEN.id, None)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"presence": Presence.AWAY}, "You are away"), ({"disabled_at": NOW}, "This account is closed")],
)
async def test_whoever_is_away_or_shut_out_claims_nothing(sql_db, clock, open_shop, desk, changes, words):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await change_agent(sql_db, ANA, **changes)

    # What the browser believed a moment ago does not count.
    with pytest.raises(StepRefused, match=words):
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    assert await stage(sql_db, conversation) is Stage.QUEUE
    other = await stored_conversation(sql_db)
    with pytest.raises(StepRefused, match=words):
        await step(sql_db, clock, open_shop, other, Step.TAKE_OVER, by=ANA)
    assert await stage(sql_db, other) is Stage.BOT


@pytest.mark.parametrize("what", sorted(DESK_STEPS, key=lambda one: one.value))
async def test_what_agents_do_is_done_by_nobody_else(sql_db, clock, open_shop, desk, what):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    if what is not Step.CLAIM:
        await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, what, by=None, to=BEN)


async def test_an_agent_cannot_leave_the_line_for_a_customer(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)

    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.CANCEL, by=ANA)


async def test_a_refused_step_leaves_nothing(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    before = (await standing_now(sql_db, conversation), await events_now(sql_db, conversation.id))

    async with sql_db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        with pytest.raises(StepRefused):
            await take_step(work, clock, open_shop, locked, Step.RESOLVE, by=ANA)

    assert (await standing_now(sql_db, conversation), await events_now(sql_db, conversation.id)) == before


async def test_whose_agent_vanishes_is_first_in_line_and_told_so(sql_db, clock, open_shop, desk):
    first, second = await stored_conversation(sql_db), await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, second)
    await ask(sql_db, clock, open_shop, first)
    await step(sql_db, clock, open_shop, first, Step.CLAIM, by=ANA)
    clock.advance(timedelta(hours=2))

    handoff = (await step(sql_db, clock, open_shop, first, Step.VANISH)).handoff

    async with sql_db.reading() as work:
        assert await work.handoffs.line() == [first.id, second.id]
    assert (await system_lines(sql_db, first))[-1] == (
        "I'm sorry: Ana cannot go on just now. You are at the front of the line again."
    )
    # It is not given up for having begun long ago, and Ana is asked again only if nobody else is there.
    assert (handoff.waiting_since, handoff.priority, handoff.passed_by) == (clock.now(), FIRST, (ANA.id,))


@pytest.mark.parametrize("what", [Step.LEAVE_MESSAGE, Step.NOBODY_CAME])
async def test_who_asks_another_day_is_not_first_for_having_lost_somebody_once(sql_db, clock, open_shop, desk, what):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await step(sql_db, clock, open_shop, conversation, Step.TRANSFER_TEAM, by=ANA, topic="returns")
    await step(sql_db, clock, open_shop, conversation, what)
    clock.advance(timedelta(days=1))

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.priority == NORMAL


async def test_who_was_urgent_is_so_after_a_call_back_too(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation, HandoffReason.ANGER, priority=URGENT)
    await step(sql_db, clock, open_shop, conversation, Step.LEAVE_MESSAGE)

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.priority == URGENT


async def test_passing_on_to_a_colleague(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    standing = await step(sql_db, clock, open_shop, conversation, Step.TRANSFER, by=ANA, to=BEN)

    assert standing.handoff.agent_id == BEN.id
    assert (await system_lines(sql_db, conversation))[-1] == "Ana has passed you on to Ben, who sees what was said."
    with pytest.raises(StepRefused):
        await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=ANA)


@pytest.mark.parametrize(
    "changes",
    [{"presence": Presence.AWAY}, {"seen_at": NOW - MINUTE}, {"seen_at": None}, {"disabled_at": NOW}],
    ids=["away", "gone", "never there", "shut out"],
)
async def test_nobody_is_passed_on_to_an_empty_chair(sql_db, clock, open_shop, desk, changes):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await change_agent(sql_db, BEN, **changes)

    with pytest.raises(StepRefused, match="Ben is not there now"):
        await step(sql_db, clock, open_shop, conversation, Step.TRANSFER, by=ANA, to=BEN)

    assert (await standing_now(sql_db, conversation)).handoff.agent_id == ANA.id


@pytest.mark.parametrize("to", [None, ANA])
async def test_passing_on_needs_somebody_else(sql_db, clock, open_shop, desk, to):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    with pytest.raises(StepRefused, match="Choose a colleague"):
        await step(sql_db, clock, open_shop, conversation, Step.TRANSFER, by=ANA, to=to)


async def test_passed_to_a_team_nobody_starts_over(sql_db, clock, open_shop, desk):
    conversation, other = await stored_conversation(sql_db), await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await ask(sql_db, clock, open_shop, other)

    standing = await step(sql_db, clock, open_shop, conversation, Step.TRANSFER_TEAM, by=ANA, topic="returns")

    assert (standing.stage, standing.handoff.topic, standing.handoff.agent_id) == (Stage.QUEUE, "returns", None)
    async with sql_db.reading() as work:
        assert await work.handoffs.line() == [conversation.id, other.id]


@pytest.mark.parametrize("what", [Step.RETURN, Step.RESOLVE, Step.TRANSFER, Step.TRANSFER_TEAM])
async def test_whoever_lets_a_conversation_go_has_been_free_since_then(sql_db, clock, open_shop, desk, what):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    clock.advance(timedelta(seconds=30))
    await see(sql_db, clock, BEN)

    await step(sql_db, clock, open_shop, conversation, what, by=ANA, to=BEN)

    assert (await agent_now(sql_db, ANA)).free_since == clock.now()
    assert (await agent_now(sql_db, BEN)).free_since == NOW


async def test_whoever_does_something_is_there(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    clock.advance(timedelta(hours=1))

    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    assert (await agent_now(sql_db, ANA)).is_there(clock.now())


# Call-backs


async def test_while_the_shop_is_closed_a_call_back_is_noted(sql_db, clock, shop, desk):
    conversation = await stored_conversation(sql_db)
    while shop.hours.is_open(clock.now()):
        clock.advance(timedelta(hours=1))

    standing = await ask(sql_db, clock, shop, conversation)

    assert (standing.stage, standing.conversation.owner) == (Stage.CALLBACK, Owner.BOT)
    assert standing.handoff.due_at == shop.hours.next_opening(clock.now()) + shop.desk.call_back_within


async def test_a_shop_without_anybody_at_a_desk_is_told_by_mail(sql_db, clock, open_shop):
    conversation = await stored_conversation(sql_db)

    standing = await ask(sql_db, clock, open_shop, conversation)

    assert (standing.stage, standing.conversation.owner) == (Stage.CALLBACK, Owner.BOT)
    async with sql_db.reading() as work:
        assert await work.outbox.has(f"handoff:{standing.handoff.id}:{int(clock.now().timestamp() // 1800)}")


async def test_people_who_were_all_shut_out_cannot_be_reached(sql_db, clock, open_shop, desk):
    for agent in (ANA, BEN):
        await change_agent(sql_db, agent, disabled_at=NOW)

    assert (await ask(sql_db, clock, open_shop, await stored_conversation(sql_db))).stage is Stage.CALLBACK


async def test_who_asks_again_once_the_shop_is_open_joins_the_line(sql_db, clock, shop, desk):
    conversation = await stored_conversation(sql_db)
    while shop.hours.is_open(clock.now()):
        clock.advance(timedelta(hours=1))
    first = (await ask(sql_db, clock, shop, conversation)).handoff
    clock.advance(shop.hours.next_opening(clock.now()) - clock.now())

    standing = await ask(sql_db, clock, shop, conversation)

    assert (standing.stage, standing.handoff.id) == (Stage.QUEUE, first.id)
    assert (standing.handoff.waiting_since, standing.handoff.due_at) == (clock.now(), None)


async def test_a_call_back_is_taken_up_in_the_chat_and_comes_back_to_the_line_if_its_agent_vanishes(
    sql_db, clock, open_shop, desk
):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.LEAVE_MESSAGE)

    assert (await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)).stage is Stage.AGENT
    assert (await step(sql_db, clock, open_shop, conversation, Step.VANISH)).stage is Stage.QUEUE


async def test_a_call_back_from_before_there_was_a_desk_can_be_taken_up(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    handoff = (await step(sql_db, clock, open_shop, conversation, Step.LEAVE_MESSAGE)).handoff
    async with sql_db.transaction() as work:
        await work.handoffs.save(replace(handoff, waiting_since=None, due_at=None))

    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)

    assert (await step(sql_db, clock, open_shop, conversation, Step.VANISH)).stage is Stage.QUEUE


async def test_how_to_reach_somebody_is_what_is_proven_or_else_what_they_said(sql_db, clock, open_shop, desk):
    maria = await stored_customer(sql_db, email="maria@example.com")
    known = await stored_conversation(sql_db, customer_id=maria.id, verified_until=NOW + timedelta(hours=1))
    run_out = await stored_conversation(sql_db, customer_id=maria.id, verified_until=NOW)
    claimed = await stored_conversation(sql_db, visitor_details={"name": "Jo", "email": "jo@example.com"})

    contacts = [
        (await ask(sql_db, clock, open_shop, conversation)).handoff.contact
        for conversation in (known, run_out, claimed)
    ]

    assert contacts == ["maria@example.com", None, "jo@example.com"]


async def test_the_language_of_the_chat_goes_along_until_another_one_is_said(sql_db, clock, open_shop, desk):
    spanish = await stored_conversation(sql_db, language="es")
    other = await stored_conversation(sql_db, language="es")

    assert (await ask(sql_db, clock, open_shop, spanish)).handoff.language == "es"
    assert (await ask(sql_db, clock, open_shop, other, language="fil")).handoff.language == "fil"
    third = await stored_conversation(sql_db, language="ar")
    taken = await step(sql_db, clock, open_shop, third, Step.TAKE_OVER, by=ANA)
    assert taken.handoff.language == "ar"
    passed = await step(sql_db, clock, open_shop, third, Step.TRANSFER_TEAM, by=ANA, topic="returns")
    assert (passed.handoff.language, passed.handoff.topic) == ("ar", "returns")


# Again


async def test_who_writes_after_it_was_resolved_is_with_the_bot_and_then_first_with_the_same_person(
    sql_db, clock, open_shop, desk
):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=ANA)
    assert await stage(sql_db, conversation) is Stage.RESOLVED

    (message,) = await written(sql_db, clock, conversation, "One more thing")

    assert (await stage(sql_db, conversation), message.turn_state) == (Stage.BOT, TurnState.PENDING)
    handoff = (await ask(sql_db, clock, open_shop, conversation)).handoff
    assert (handoff.wanted_agent_id, handoff.wanted_until) == (ANA.id, clock.now() + open_shop.desk.offer_time)


async def test_who_was_unhappy_with_somebody_comes_to_them_last(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)
    # Ben has had less time to himself: it would be Ana's turn.
    await change_agent(sql_db, BEN, free_since=clock.now() + MINUTE)

    handoff = (await ask(sql_db, clock, open_shop, conversation, HandoffReason.LOW_RATING)).handoff
    await look_after_line(sql_db, clock, open_shop)

    assert (handoff.wanted_agent_id, handoff.wanted_until, handoff.passed_by) == (None, None, (ANA.id,))
    assert (await standing_now(sql_db, conversation)).handoff.offered_to == BEN.id


async def test_who_asked_and_left_the_line_again_in_between_still_gets_the_same_person(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RESOLVE, by=ANA)
    clock.advance(MINUTE)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CANCEL)
    clock.advance(MINUTE)

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.wanted_agent_id == ANA.id


async def test_nobody_waits_for_the_same_person_who_has_no_room(sql_db, clock, open_shop, desk):
    await change_agent(sql_db, ANA, capacity=1)
    conversation, other = await stored_conversation(sql_db), await stored_conversation(sql_db)
    for one in (conversation, other):
        await ask(sql_db, clock, open_shop, one)
        await step(sql_db, clock, open_shop, one, Step.CLAIM, by=ANA)
        if one is conversation:
            await step(sql_db, clock, open_shop, one, Step.RESOLVE, by=ANA)

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.wanted_agent_id == ANA.id
    await look_after_line(sql_db, clock, open_shop)

    assert (await standing_now(sql_db, conversation)).handoff.offered_to == BEN.id


async def test_after_a_while_the_same_person_is_not_waited_for(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)
    clock.advance(open_shop.desk.same_agent_within)

    assert (await ask(sql_db, clock, open_shop, conversation)).handoff.wanted_agent_id is None


async def test_nobody_is_called_into_a_conversation_that_was_blocked(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db, blocked_at=NOW)

    assert (await ask(sql_db, clock, open_shop, conversation, HandoffReason.LOW_RATING)).stage is Stage.BOT
    assert await sent_mails(sql_db, clock) == []


async def test_asking_twice_is_asking_once(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    first = await ask(sql_db, clock, open_shop, conversation)
    clock.advance(MINUTE)

    assert (await ask(sql_db, clock, open_shop, conversation, HandoffReason.TURN_FAILED)).handoff == first.handoff


# The bot is silent


async def test_what_the_bot_had_not_answered_when_somebody_stepped_in_and_did_it_never_answers(
    sql_db, clock, open_shop, desk
):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation, "Hello?", "Anybody?")
    turn = await claim_turn(sql_db, clock, "worker")

    await step(sql_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA)
    await reply(sql_db, clock, conversation, ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)

    assert turn.message.text == "Hello?"
    states = [one.turn_state for one in await messages_now(sql_db, conversation.id) if one.author is Author.CUSTOMER]
    assert states == [TurnState.NOT_FOR_BOT] * 2
    assert await claim_turn(sql_db, clock, "other") is None


async def test_an_answer_in_the_making_is_dropped_when_somebody_steps_in(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation, "Hello?")
    turn = await claim_turn(sql_db, clock, "worker")
    await step(sql_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA)

    with pytest.raises(LeaseLost):
        async with sql_db.transaction() as work:
            await begin_turn(work, clock, turn)

    (message,) = [one for one in await messages_now(sql_db, conversation.id) if one.author is not Author.SYSTEM]
    assert message.text == "Hello?"


async def test_what_is_written_after_a_short_visit_is_answered_at_once(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation, "Hello?")
    turn = await claim_turn(sql_db, clock, "worker")
    await step(sql_db, clock, open_shop, conversation, Step.TAKE_OVER, by=ANA)
    await reply(sql_db, clock, conversation, ANA)
    await step(sql_db, clock, open_shop, conversation, Step.RETURN, by=ANA)
    with pytest.raises(LeaseLost):
        async with sql_db.transaction() as work:
            await begin_turn(work, clock, turn)

    # Whoever worked on the answer that nobody wants any more does not keep the conversation.
    await written(sql_db, clock, conversation, "And now?")
    assert (await claim_turn(sql_db, clock, "another")).message.text == "And now?"


async def test_what_is_written_to_a_person_is_no_business_of_the_bots(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)

    message = await receive_message(sql_db, clock, conversation.id, an_inbound("Still there?"), open_shop)

    assert message.turn_state is TurnState.NOT_FOR_BOT
    assert await claim_turn(sql_db, clock, "worker") is None
    assert (await standing_now(sql_db, conversation)).handoff.heard_at == clock.now()


async def test_the_time_of_a_reply_is_known_by_author(sql_db, clock, open_shop, desk):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, open_shop, conversation)
    await step(sql_db, clock, open_shop, conversation, Step.CLAIM, by=ANA)
    clock.advance(MINUTE)
    await reply(sql_db, clock, conversation, ANA)

    async with sql_db.reading() as work:
        assert await work.messages.last_words(conversation.id) == {"system": NOW, "agent": NOW + MINUTE}
