"""Many at once, on the real databases: customers, workers and agents who do not wait for each other."""

import asyncio

import pytest

from bot.core.conversations import Author, Owner, Reply, TurnState
from bot.errors import DuplicateMessageId, LeaseLost
from bot.services.conversations import receive_message
from bot.services.turns import begin_turn, claim_turn, finish_turn
from tests.builders import (
    a_shop,
    an_inbound,
    change_owner,
    conversation_now,
    events_now,
    messages_now,
    stored_conversation,
    written,
)
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database, run


async def answer(db, clock, turn, *, meanwhile=None):
    """Answer as a worker does; whether the answer was recorded."""
    async with db.transaction() as work:
        conversation = await begin_turn(work, clock, turn)
        if conversation is None:
            return False
        if meanwhile is not None:
            await meanwhile()
        await finish_turn(work, clock, a_shop(), turn, [Reply(f"about {turn.message.text}")], conversation)
    return True


async def test_the_same_message_sent_twenty_times_at_once_is_one_message(sql_db, clock):
    conversation = await stored_conversation(sql_db)
    inbound = an_inbound()

    received = await asyncio.gather(*(receive_message(sql_db, clock, conversation.id, inbound) for _ in range(20)))

    assert len({message.id for message in received}) == 1
    assert await messages_now(sql_db, conversation.id) == received[:1]
    assert sql_db.topics().count("inbound") == 1


async def test_of_many_contents_with_one_id_one_is_recorded(sql_db, clock):
    conversation = await stored_conversation(sql_db)

    received = await asyncio.gather(
        *(
            receive_message(sql_db, clock, conversation.id, an_inbound(f"text {number}", external_id="1"))
            for number in range(10)
        ),
        return_exceptions=True,
    )

    recorded = [message for message in received if not isinstance(message, Exception)]
    assert await messages_now(sql_db, conversation.id) == recorded
    assert [type(error) for error in received if isinstance(error, Exception)] == [DuplicateMessageId] * 9


async def test_fifty_messages_at_once_get_fifty_places_without_gaps(sql_db, clock):
    conversation = await stored_conversation(sql_db)

    received = await asyncio.gather(
        *(receive_message(sql_db, clock, conversation.id, an_inbound(f"text {number}")) for number in range(50))
    )

    # That it was too much at once has a place of its own.
    messages = await messages_now(sql_db, conversation.id)
    (too_much,) = [message for message in messages if message.author is not Author.CUSTOMER]
    assert [message.seq for message in messages] == list(range(1, 52))
    assert {message.seq for message in received} == {*range(1, 52)} - {too_much.seq}
    assert (await conversation_now(sql_db, conversation.id)).last_seq == 51


async def test_many_workers_never_hold_one_conversation_twice(sql_db, clock):
    conversations = [await stored_conversation(sql_db) for _ in range(40)]
    for conversation in conversations:
        await written(sql_db, clock, conversation)
    claimed = []

    async def claim_all(holder):
        # Nothing found may only mean that somebody else is taking it this moment.
        while len(claimed) < len(conversations):
            if (turn := await claim_turn(sql_db, clock, holder)) is not None:
                claimed.append(turn.conversation.id)

    await asyncio.wait_for(asyncio.gather(*(claim_all(f"worker-{number}") for number in range(8))), 60)

    assert sorted(claimed) == sorted(conversation.id for conversation in conversations)
    assert await claim_turn(sql_db, clock, "worker-9") is None


async def test_every_message_is_answered_once_and_in_order_while_more_arrive(sql_db, clock):
    conversations = [await stored_conversation(sql_db) for _ in range(6)]
    answered = []

    async def write(conversation):
        for text in ("one", "two", "three", "four"):
            await written(sql_db, clock, conversation, text)

    async def work(holder):
        while len(answered) < 24:
            if (turn := await claim_turn(sql_db, clock, holder)) is not None:
                assert await answer(sql_db, clock, turn)
                answered.append(turn.message.id)

    workers = [work(f"worker-{number}") for number in range(4)]
    await asyncio.wait_for(asyncio.gather(*map(write, conversations), *workers), 60)

    for conversation in conversations:
        messages = await messages_now(sql_db, conversation.id)
        assert [m.seq for m in messages] == list(range(1, 9))
        said = [m.text for m in messages if m.author is Author.BOT]
        assert said == ["about one", "about two", "about three", "about four"]
        assert {m.turn_state for m in messages if m.author is Author.CUSTOMER} == {TurnState.HANDLED}


@pytest.mark.parametrize("first", ["answer", "takeover"])
async def test_an_agent_who_takes_over_during_a_reply_is_never_talked_over(sql_db, clock, first):
    outcomes = []
    for _ in range(6):
        conversation = await stored_conversation(sql_db)
        await written(sql_db, clock, conversation)
        turn = await claim_turn(sql_db, clock, "worker-1")
        both = [answer(sql_db, clock, turn), change_owner(sql_db, clock, conversation.id, Owner.AGENT)]

        if first == "answer":
            answered, taken = await asyncio.gather(*both)
        else:
            taken, answered = await asyncio.gather(*reversed(both))

        # The takeover holds the conversation's lock, so `last_seq` is what was said before it.
        later = [m for m in await messages_now(sql_db, conversation.id) if m.seq > taken.last_seq]
        assert later == []
        assert taken.last_seq == (2 if answered else 1)
        assert len(await events_now(sql_db, conversation.id, "turn_dropped")) == (0 if answered else 1)
        outcomes.append(answered)
    assert set(outcomes) <= {True, False}


async def test_a_takeover_waits_for_a_reply_that_is_being_written(sql_db, clock):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation)
    turn = await claim_turn(sql_db, clock, "worker-1")
    takeovers = []

    async def take_over():
        takeovers.append(asyncio.create_task(change_owner(sql_db, clock, conversation.id, Owner.AGENT)))
        # Others can read while it waits, and see that the bot still speaks.
        assert (await conversation_now(sql_db, conversation.id)).owner is Owner.BOT

    assert await answer(sql_db, clock, turn, meanwhile=take_over)

    taken = await asyncio.wait_for(takeovers[0], 10)
    assert (taken.owner, taken.last_seq) == (Owner.AGENT, 2)


async def test_of_two_workers_with_one_turn_one_answers(sql_db, clock):
    conversation = await stored_conversation(sql_db)
    await written(sql_db, clock, conversation)
    turn = await claim_turn(sql_db, clock, "worker-1")

    ended = await asyncio.gather(*(answer(sql_db, clock, turn) for _ in range(4)), return_exceptions=True)

    assert sorted(map(repr, ended)) == sorted(["True", *[repr(LeaseLost())] * 3])
    assert [m.author for m in await messages_now(sql_db, conversation.id)] == [Author.CUSTOMER, Author.BOT]


# Processes of their own


async def _prepare(url, conversations, messages):
    db, clock = open_database(url), FakeClock()
    made = [await stored_conversation(db) for _ in range(conversations)]
    for conversation in made:
        await written(db, clock, conversation, *["Hello"] * messages) if messages else None
    await db.close()
    return [conversation.id for conversation in made]


async def _claim_all(url):
    db, claimed = open_database(url), []
    while (turn := await claim_turn(db, FakeClock(), "any worker")) is not None:
        claimed.append(turn.conversation.id)
    await db.close()
    return claimed


async def _write(url, conversation_id, inbounds):
    db = open_database(url)
    received = [await receive_message(db, FakeClock(), conversation_id, inbound) for inbound in inbounds]
    await db.close()
    return [(message.id, message.seq) for message in received]


async def _read(url, conversation_id):
    db = open_database(url)
    messages = await messages_now(db, conversation_id)
    await db.close()
    return [(message.id, message.seq) for message in messages]


def test_processes_never_claim_one_conversation_twice(sql_url):
    ids = run(_prepare(sql_url, 20, 1))

    claimed = in_processes(4, _claim_all, sql_url)

    # A process stops when all that is left is just being taken by others; the rest is still there.
    found = [*claimed, run(_claim_all(sql_url))]
    assert sorted(each for by_one in found for each in by_one) == sorted(ids)


def test_processes_that_record_the_same_messages_record_each_once(sql_url):
    (conversation_id,) = run(_prepare(sql_url, 1, 0))

    received = in_processes(4, _write, sql_url, conversation_id, [an_inbound(f"text {number}") for number in range(10)])

    recorded = run(_read(sql_url, conversation_id))
    assert [seq for _, seq in recorded] == list(range(1, 11))
    assert all(sorted(found) == sorted(recorded) for found in received)
