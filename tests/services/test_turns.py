"""A turn is all of an answer or nothing, and no message is left without one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.conversations import Author, Choice, Owner, Reply, TurnState
from bot.core.handoffs import HandoffReason
from bot.core.turns import LEASE, MAX_ATTEMPTS, retry_delay
from bot.errors import LeaseLost
from bot.services.outbox import deliver_next
from bot.services.ports import Hint
from bot.services.turns import (
    begin_turn,
    claim_turn,
    fail_turn,
    finish_turn,
    give_up_turn,
    release_worker,
    renew_leases,
)
from tests.builders import (
    NOW,
    a_handoff,
    a_worker,
    change_owner,
    conversation_now,
    events_now,
    messages_now,
    stored_conversation,
    stored_customer,
    written,
)

HI = Reply("Hi!", (Choice("Track an order", "/track_order"),))


@pytest.fixture
async def conversation(db):
    return await stored_conversation(db)


async def answer(db, clock, shop, turn, *replies):
    """Begin and finish a turn in its one transaction; whether there was anything to answer."""
    async with db.transaction() as work:
        conversation = await begin_turn(work, clock, turn)
        if conversation is None:
            return False
        await finish_turn(work, clock, shop, turn, replies or [HI], conversation)
    return True


async def fail(db, clock, holder="worker-1"):
    turn = await claim_turn(db, clock, holder)
    await fail_turn(db, clock, turn, RuntimeError("the model stumbled"))
    return turn


async def exhaust(db, clock):
    """Fail as often as is allowed, and claim the turn that is to be given up."""
    for _ in range(MAX_ATTEMPTS):
        await fail(db, clock)
        clock.advance(retry_delay(MAX_ATTEMPTS))
    turn = await claim_turn(db, clock, "worker-1")
    assert turn.is_exhausted
    return turn


async def lines(db, conversation):
    return [(m.author.value, m.text) for m in await messages_now(db, conversation.id)]


async def states(db, conversation):
    return [(m.text, m.turn_state) for m in await messages_now(db, conversation.id) if m.author is Author.CUSTOMER]


# Claiming


async def test_nothing_is_claimed_where_nothing_is_due(db, clock, conversation):
    assert await claim_turn(db, clock, "worker-1") is None


async def test_a_claim_holds_the_conversation_and_its_oldest_message(db, clock, conversation):
    first, _ = await written(db, clock, conversation, "one", "two")
    db.hints.clear()

    turn = await claim_turn(db, clock, "worker-1")

    assert turn.message == first
    assert not turn.is_exhausted
    held = await conversation_now(db, conversation.id)
    assert turn.conversation == held
    assert (held.lease_holder, held.lease_expires_at) == ("worker-1", NOW + LEASE)
    assert (await messages_now(db, conversation.id))[0] == replace(first, attempts=1)
    assert db.hints == [Hint("typing", conversation.id)]


async def test_a_held_conversation_is_not_claimed_by_anybody(db, clock, conversation):
    await written(db, clock, conversation)
    await claim_turn(db, clock, "worker-1")

    assert await claim_turn(db, clock, "worker-1") is None
    assert await claim_turn(db, clock, "worker-2") is None


async def test_conversations_are_worked_on_side_by_side_the_longest_waiting_first(db, clock):
    waiting = [await stored_conversation(db) for _ in range(3)]
    for conversation in waiting:
        await written(db, clock, conversation)
        clock.advance(seconds=1)

    claimed = [(await claim_turn(db, clock, "worker-1")).conversation.id for _ in range(3)]

    assert claimed == [conversation.id for conversation in waiting]


async def test_a_turn_with_nothing_to_answer_is_cleared_away(db, clock):
    conversation = await stored_conversation(db, next_turn_at=NOW)

    assert await claim_turn(db, clock, "worker-1") is None
    after = await conversation_now(db, conversation.id)
    assert (after.next_turn_at, after.lease_holder) == (None, None)


# Answering


async def test_an_answer_is_recorded_in_order_and_the_conversation_given_back(db, clock, shop, conversation):
    await written(db, clock, conversation, "Hello")
    turn = await claim_turn(db, clock, "worker-1")
    clock.advance(seconds=1)
    db.hints.clear()

    assert await answer(db, clock, shop, turn, HI, Reply("How can I help?"))

    asked, hi, how = await messages_now(db, conversation.id)
    assert (asked.turn_state, asked.attempts) == (TurnState.HANDLED, 1)
    assert [(m.seq, m.author, m.author_name, m.text) for m in (hi, how)] == [
        (2, Author.BOT, "Suki", "Hi!"),
        (3, Author.BOT, "Suki", "How can I help?"),
    ]
    assert (hi.choices, hi.reply_to_seq, hi.at) == (HI.choices, 1, NOW + timedelta(seconds=1))
    after = await conversation_now(db, conversation.id)
    assert (after.last_seq, after.next_turn_at, after.lease_holder, after.lease_expires_at) == (3, None, None, None)
    assert db.hints == [Hint("outbound", conversation.id)]
    assert await claim_turn(db, clock, "worker-1") is None


async def test_an_answer_without_words_is_an_answer(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await claim_turn(db, clock, "worker-1")

    async with db.transaction() as work:
        await finish_turn(work, clock, shop, turn, [], await begin_turn(work, clock, turn))

    assert await states(db, conversation) == [("Hello", TurnState.HANDLED)]
    assert len(await messages_now(db, conversation.id)) == 1


async def test_messages_are_answered_one_after_the_other(db, clock, shop, conversation):
    await written(db, clock, conversation, "one", "two", "three")

    for _ in range(3):
        turn = await claim_turn(db, clock, "worker-1")
        await answer(db, clock, shop, turn, Reply(f"about {turn.message.text}"))

    replies = [m for m in await messages_now(db, conversation.id) if m.author is Author.BOT]
    assert [(m.text, m.reply_to_seq) for m in replies] == [("about one", 1), ("about two", 2), ("about three", 3)]
    assert await claim_turn(db, clock, "worker-1") is None


async def test_what_arrives_during_a_turn_waits_and_is_answered_next(db, clock, shop, conversation):
    await written(db, clock, conversation, "one")
    turn = await claim_turn(db, clock, "worker-1")
    await written(db, clock, conversation, "two")
    assert await claim_turn(db, clock, "worker-2") is None
    db.hints.clear()

    await answer(db, clock, shop, turn)

    assert Hint("inbound", conversation.id) in db.hints
    assert await lines(db, conversation) == [("customer", "one"), ("customer", "two"), ("bot", "Hi!")]
    assert (await claim_turn(db, clock, "worker-2")).message.text == "two"


async def test_an_error_in_the_middle_of_a_turn_leaves_nothing_of_it(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await claim_turn(db, clock, "worker-1")
    before = await messages_now(db, conversation.id), await conversation_now(db, conversation.id)
    db.hints.clear()

    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            locked = await begin_turn(work, clock, turn)
            await work.tracker_events.append(conversation.id, 0, [("event", True)], NOW)
            await work.handoffs.add(a_handoff(conversation))
            await finish_turn(work, clock, shop, turn, [HI], locked)
            raise RuntimeError("died on the last line")

    assert (await messages_now(db, conversation.id), await conversation_now(db, conversation.id)) == before
    async with db.reading() as work:
        assert await work.tracker_events.current_session(conversation.id) == ([], 0)
        assert await work.handoffs.open_for(conversation.id) is None
    assert db.hints == []
    assert await answer(db, clock, shop, turn)


# Leases


async def test_a_worker_that_died_loses_the_conversation_to_the_next(db, clock, shop, conversation):
    await written(db, clock, conversation)
    lost = await claim_turn(db, clock, "worker-1")
    clock.advance(LEASE)

    turn = await claim_turn(db, clock, "worker-2")

    assert (turn.message.id, turn.holder) == (lost.message.id, "worker-2")
    with pytest.raises(LeaseLost):
        await answer(db, clock, shop, lost, Reply("too late"))
    await answer(db, clock, shop, turn)
    with pytest.raises(LeaseLost):
        await answer(db, clock, shop, lost, Reply("far too late"))
    assert await lines(db, conversation) == [("customer", "Hello"), ("bot", "Hi!")]


async def test_the_worker_that_comes_late_does_not_answer_a_message_it_no_longer_holds(db, clock, shop, conversation):
    # The same worker may lose a lease, claim the conversation again, and then meet its own old turn.
    await written(db, clock, conversation, "one", "two")
    old = await claim_turn(db, clock, "worker-1")
    clock.advance(LEASE)
    new = await claim_turn(db, clock, "worker-1")
    await answer(db, clock, shop, new)
    next_one = await claim_turn(db, clock, "worker-1")

    with pytest.raises(LeaseLost):
        await answer(db, clock, shop, old, Reply("again"))

    assert await answer(db, clock, shop, next_one, Reply("two"))
    assert [text for author, text in await lines(db, conversation) if author == "bot"] == ["Hi!", "two"]


async def test_a_late_failure_changes_nothing(db, clock, conversation):
    await written(db, clock, conversation)
    lost = await claim_turn(db, clock, "worker-1")
    clock.advance(LEASE)
    await claim_turn(db, clock, "worker-2")
    before = await conversation_now(db, conversation.id)

    await fail_turn(db, clock, lost, RuntimeError())

    assert await conversation_now(db, conversation.id) == before
    assert await events_now(db, conversation.id) == []


async def test_a_lease_that_is_renewed_is_kept(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await claim_turn(db, clock, "worker-1")
    for _ in range(5):
        clock.advance(LEASE - timedelta(seconds=1))
        assert await renew_leases(db, clock, "worker-1") == 1

    assert await claim_turn(db, clock, "worker-2") is None
    assert await answer(db, clock, shop, turn)


async def test_a_lease_that_ran_out_is_not_renewed(db, clock, conversation):
    await written(db, clock, conversation)
    await claim_turn(db, clock, "worker-1")
    clock.advance(LEASE)

    assert await renew_leases(db, clock, "worker-1") == 0
    assert await claim_turn(db, clock, "worker-2") is not None


async def test_what_a_stopped_worker_held_is_claimed_at_once(db, clock, shop, conversation):
    await written(db, clock, conversation)
    async with db.transaction() as work:
        await work.workers.report(a_worker(id="worker-1"))
    lost = await claim_turn(db, clock, "worker-1")
    db.hints.clear()

    assert await release_worker(db, "worker-1") == 1

    assert db.hints == [Hint("inbound")]
    async with db.reading() as work:
        assert await work.workers.seen_since(NOW) == []
    assert await claim_turn(db, clock, "worker-2") is not None
    with pytest.raises(LeaseLost):
        await answer(db, clock, shop, lost)


async def test_a_worker_that_held_nothing_wakes_nobody(db):
    assert await release_worker(db, "worker-1") == 0
    assert db.hints == []


# Failing


async def test_a_failed_turn_is_tried_again_after_a_while(db, clock, shop, conversation):
    await written(db, clock, conversation)

    turn = await fail(db, clock)

    (event,) = await events_now(db, conversation.id)
    assert (event.kind, event.detail) == ("turn_failed", {"seq": 1, "attempt": 1, "error": "RuntimeError"})
    assert await claim_turn(db, clock, "worker-1") is None
    clock.advance(retry_delay(1))
    again = await claim_turn(db, clock, "worker-2")
    assert (again.message.id, again.message.attempts) == (turn.message.id, 1)
    assert await answer(db, clock, shop, again)
    assert (await messages_now(db, conversation.id))[0].attempts == 2


async def test_tries_are_further_and_further_apart_and_bounded(db, clock, conversation):
    await written(db, clock, conversation)

    waits = []
    for _ in range(MAX_ATTEMPTS):
        await fail(db, clock)
        waits.append((await conversation_now(db, conversation.id)).next_turn_at - clock.now())
        clock.advance(waits[-1])

    assert waits == [timedelta(seconds=0.5), timedelta(seconds=2), timedelta(seconds=8), timedelta(0)]
    assert (await claim_turn(db, clock, "worker-1")).is_exhausted
    assert (await messages_now(db, conversation.id))[0].attempts == MAX_ATTEMPTS + 1  # giving up is counted, too


async def test_a_message_that_kills_its_workers_is_given_up_too(db, clock, conversation):
    await written(db, clock, conversation)
    for number in range(MAX_ATTEMPTS):
        assert not (await claim_turn(db, clock, f"worker-{number}")).is_exhausted
        clock.advance(LEASE)

    assert (await claim_turn(db, clock, "worker-9")).is_exhausted


async def test_what_is_written_while_a_turn_waits_for_its_next_try_does_not_overtake_it(db, clock, conversation):
    await written(db, clock, conversation, "one")
    await fail(db, clock)

    await written(db, clock, conversation, "two")

    assert await claim_turn(db, clock, "worker-1") is None
    clock.advance(retry_delay(1))
    assert (await claim_turn(db, clock, "worker-1")).message.text == "one"


async def test_giving_up_is_an_apology_a_handoff_and_a_mail(db, clock, shop, conversation):
    await written(db, clock, conversation, "Hello", "Anybody there?")
    turn = await exhaust(db, clock)

    await give_up_turn(db, clock, shop, turn)

    asked, _, sorry = await messages_now(db, conversation.id)
    assert (asked.turn_state, asked.attempts) == (TurnState.FAILED, MAX_ATTEMPTS + 1)
    assert (sorry.author, sorry.reply_to_seq) == (Author.BOT, 1)
    assert "sorry" in sorry.text
    assert shop.contact_email in sorry.text
    assert "{" not in sorry.text
    async with db.reading() as work:
        assert (await work.handoffs.open_for(conversation.id)).reason is HandoffReason.TURN_FAILED
    mail = []

    async def deliver(one):
        mail.append(one)

    await deliver_next(db, clock, deliver)
    assert [(one.to, "Anybody there?" in one.body) for one in mail] == [(shop.contact_email, True)]


async def test_after_giving_up_the_bot_goes_on_with_what_was_written_later(db, clock, shop, conversation):
    await written(db, clock, conversation, "one", "two")
    await give_up_turn(db, clock, shop, await exhaust(db, clock))

    turn = await claim_turn(db, clock, "worker-1")

    assert (turn.message.text, turn.is_exhausted) == ("two", False)
    assert await answer(db, clock, shop, turn)
    assert await states(db, conversation) == [("one", TurnState.FAILED), ("two", TurnState.HANDLED)]


async def test_two_turns_given_up_ask_for_one_person(db, clock, shop, conversation):
    await written(db, clock, conversation, "one", "two")
    await give_up_turn(db, clock, shop, await exhaust(db, clock))

    await give_up_turn(db, clock, shop, await exhaust(db, clock))

    assert len(await events_now(db, conversation.id, "handoff_step")) == 1
    assert [author for author, _ in await lines(db, conversation)] == ["customer", "customer", "bot", "bot"]


async def test_giving_up_is_the_holders_business_only(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await exhaust(db, clock)
    clock.advance(LEASE)
    await claim_turn(db, clock, "worker-2")

    with pytest.raises(LeaseLost):
        await give_up_turn(db, clock, shop, turn)

    assert await lines(db, conversation) == [("customer", "Hello")]


async def test_an_apology_that_fails_is_tried_again_without_spinning(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await exhaust(db, clock)

    await fail_turn(db, clock, turn, RuntimeError("the apology stumbled"))

    assert await claim_turn(db, clock, "worker-1") is None
    clock.advance(retry_delay(MAX_ATTEMPTS))
    again = await claim_turn(db, clock, "worker-1")
    assert again.is_exhausted
    await give_up_turn(db, clock, shop, again)
    assert await states(db, conversation) == [("Hello", TurnState.FAILED)]


# Owners


@pytest.mark.parametrize("owner", [Owner.AGENT, Owner.QUEUE])
async def test_a_reply_in_flight_when_a_person_takes_over_is_dropped_and_recorded(db, clock, shop, conversation, owner):
    await written(db, clock, conversation, "one", "two")
    turn = await claim_turn(db, clock, "worker-1")
    await change_owner(db, clock, conversation.id, owner)

    assert await answer(db, clock, shop, turn) is False

    assert await lines(db, conversation) == [("customer", "one"), ("customer", "two")]
    assert await states(db, conversation) == [("one", TurnState.NOT_FOR_BOT), ("two", TurnState.NOT_FOR_BOT)]
    (dropped,) = await events_now(db, conversation.id, "turn_dropped")
    assert dropped.detail == {"seqs": [1, 2], "owner": owner.value}
    after = await conversation_now(db, conversation.id)
    assert (after.owner, after.next_turn_at, after.lease_holder) == (owner, None, None)


async def test_an_apology_in_flight_when_a_person_takes_over_is_dropped_too(db, clock, shop, conversation):
    await written(db, clock, conversation)
    turn = await exhaust(db, clock)
    await change_owner(db, clock, conversation.id, Owner.AGENT)

    await give_up_turn(db, clock, shop, turn)

    assert await lines(db, conversation) == [("customer", "Hello")]
    async with db.reading() as work:
        assert await work.handoffs.open_for(conversation.id) is None


async def test_a_turn_nobody_began_is_dropped_when_it_is_claimed(db, clock, conversation):
    await written(db, clock, conversation)
    await change_owner(db, clock, conversation.id, Owner.AGENT)

    assert await claim_turn(db, clock, "worker-1") is None

    assert await states(db, conversation) == [("Hello", TurnState.NOT_FOR_BOT)]
    assert [event.kind for event in await events_now(db, conversation.id)] == ["owner_changed", "turn_dropped"]


async def test_dropping_one_conversation_does_not_keep_the_next_from_being_claimed(db, clock, conversation):
    await written(db, clock, conversation)
    await change_owner(db, clock, conversation.id, Owner.AGENT)
    clock.advance(seconds=1)
    other = await stored_conversation(db)
    await written(db, clock, other)

    assert (await claim_turn(db, clock, "worker-1")).conversation.id == other.id


async def test_a_conversation_given_back_to_the_bot_is_answered_again(db, clock, shop, conversation):
    await change_owner(db, clock, conversation.id, Owner.AGENT)
    await written(db, clock, conversation, "to the agent")
    await change_owner(db, clock, conversation.id, Owner.BOT)
    await written(db, clock, conversation, "to the bot")

    turn = await claim_turn(db, clock, "worker-1")

    assert turn.message.text == "to the bot"
    assert await answer(db, clock, shop, turn)


async def test_the_proof_of_a_customer_survives_a_turn(db, clock, shop):
    customer = await stored_customer(db)
    conversation = await stored_conversation(db, customer_id=customer.id, verified_until=NOW + timedelta(hours=1))
    await written(db, clock, conversation)

    await answer(db, clock, shop, await claim_turn(db, clock, "worker-1"))

    assert (await conversation_now(db, conversation.id)).verified_customer(clock.now()) == customer.id
