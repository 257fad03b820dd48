"""One transaction: all of it or nothing, and hints only after the commit."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from bot.core.conversations import ConversationEvent
from bot.core.ledger import Balance, EntryKind
from bot.errors import TransactionLost
from bot.services.ledger import award_points, balance_of
from bot.services.ports import Hint
from bot.services.retries import again_if_lost
from bot.storage.wakeups import create_wakeups
from tests.builders import (
    NOW,
    a_code,
    a_conversation,
    a_customer,
    a_handoff,
    a_message,
    a_refund,
    a_request,
    a_return,
    a_worker,
    an_attempt,
    an_entry,
    an_identity,
    an_order,
    stored_conversation,
    stored_customer,
)
from tests.storage.databases import open_database

BEFORE = NOW - timedelta(minutes=1)


class Interrupted(Exception):
    """Something that has nothing to do with the database."""


async def everything(work, conversation):
    """Write through every repository."""
    customer = a_customer(external_id="new")
    await work.customers.add(customer)
    identity = an_identity(external_id="new")
    await work.customers.add_identity(identity)
    await work.conversations.add(a_conversation(identity, id="new"))
    await work.conversations.add_event(ConversationEvent(conversation.id, "kind", NOW))
    await work.messages.add(a_message(conversation, external_id="new"), channel="web")
    order = an_order(number="NEW-1", customer_id=customer.id)
    await work.orders.add(order)
    await work.refunds.add(a_refund(order_number="NEW-1"))
    await work.returns.add(a_return(order))
    await work.requests.add(a_request(conversation))
    await work.codes.add(a_code(conversation))
    await work.tracker_events.append(conversation.id, 0, [("event", True)], NOW)
    await work.verifications.add(an_attempt(conversation))
    await work.handoffs.add(a_handoff(conversation))
    await work.outbox.add(an_entry(key="new"))
    await work.workers.report(a_worker(id="new"))
    work.hint(Hint("inbound", conversation.id))


async def what_is_there(db, conversation):
    async with db.reading() as work:
        return [
            await work.customers.by_external_id("new") is not None,
            await work.customers.identity("web", "new") is not None,
            await work.conversations.get("new") is not None,
            bool(await work.conversations.events(conversation.id)),
            await work.messages.by_external_id("web", "new") is not None,
            await work.orders.by_number("NEW-1") is not None,
            bool(await work.refunds.of_order("NEW-1")),
            bool(await work.returns.of_order("NEW-1")),
            bool(await work.requests.open_in(conversation.id)),
            bool(await work.codes.sent_in_conversation(conversation.id, BEFORE)),
            bool((await work.tracker_events.current_session(conversation.id))[0]),
            bool(
                await work.verifications.failed_in_conversation(
                    conversation.id, "order_lookup", NOW - timedelta(minutes=1)
                )
            ),
            await work.handoffs.open_for(conversation.id) is not None,
            bool(await work.workers.seen_since(NOW)),
        ]


async def test_what_is_committed_is_all_there(db):
    conversation = await stored_conversation(db)

    async with db.transaction() as work:
        await everything(work, conversation)

    assert all(await what_is_there(db, conversation))
    assert db.hints == [Hint("inbound", conversation.id)]


@pytest.mark.parametrize("error", [Interrupted, asyncio.CancelledError])
async def test_an_error_leaves_nothing_and_wakes_nobody(db, error):
    conversation = await stored_conversation(db)

    with pytest.raises(error):
        async with db.transaction() as work:
            await everything(work, conversation)
            raise error

    assert not any(await what_is_there(db, conversation))
    async with db.transaction() as work:
        assert await work.outbox.add(an_entry(key="new"))
    assert db.hints == []


async def test_a_refused_row_takes_the_whole_transaction_with_it(db):
    conversation = await stored_conversation(db)

    with pytest.raises(IntegrityError):
        async with db.transaction() as work:
            await everything(work, conversation)
            await work.customers.add(a_customer(external_id="new"))

    assert not any(await what_is_there(db, conversation))
    assert db.hints == []


async def test_a_cancelled_writer_leaves_nothing_and_the_next_can_write(db):
    conversation = await stored_conversation(db)
    inside = asyncio.Event()

    async def write_for_ever():
        async with db.transaction() as work:
            await everything(work, conversation)
            inside.set()
            await asyncio.Event().wait()

    writer = asyncio.create_task(write_for_ever())
    await inside.wait()
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)

    assert writer.cancelled()
    assert not any(await what_is_there(db, conversation))
    async with db.transaction() as work:
        await everything(work, conversation)
    assert all(await what_is_there(db, conversation))


async def test_nobody_sees_what_is_not_committed_and_readers_do_not_wait(db):
    conversation = await stored_conversation(db)

    async with db.transaction() as work:
        await everything(work, conversation)
        during = await asyncio.wait_for(what_is_there(db, conversation), 5)
        assert db.hints == []

    assert not any(during)
    assert all(await what_is_there(db, conversation))


async def test_one_hint_is_sent_once_a_transaction(db):
    async with db.transaction() as work:
        for hint in (Hint("outbox"), Hint("inbound", "a"), Hint("outbox"), Hint("inbound", "b")):
            work.hint(hint)

    assert db.hints == [Hint("outbox"), Hint("inbound", "a"), Hint("inbound", "b")]


async def test_writers_of_one_row_go_one_after_the_other(db):
    conversation = await stored_conversation(db)

    async def count_up():
        async with db.transaction() as work:
            found = await work.conversations.lock(conversation.id)
            await asyncio.sleep(0)
            await work.conversations.save(
                a_conversation(an_identity(), **{**vars(found), "last_seq": found.last_seq + 1})
            )

    await asyncio.gather(*(count_up() for _ in range(12)))

    async with db.reading() as work:
        assert (await work.conversations.get(conversation.id)).last_seq == 12


async def test_more_writers_than_connections_wait_for_their_turn(sql_db):
    await asyncio.gather(*(stored_customer(sql_db) for _ in range(60)))

    async with sql_db.reading() as work:
        assert await work.customers.count() == 60


async def test_hints_reach_listeners_after_the_commit_and_never_for_a_rollback(sql_db, sql_url):
    received: asyncio.Queue[tuple[Hint, bool]] = asyncio.Queue()
    committed = False
    async with create_wakeups(sql_url).listening(lambda hint: received.put_nowait((hint, committed))):
        with pytest.raises(Interrupted):
            async with sql_db.transaction() as work:
                work.hint(Hint("inbound", "rolled back"))
                raise Interrupted
        async with sql_db.transaction() as work:
            work.hint(Hint("inbound", "committed"))
            committed = True

        assert await asyncio.wait_for(received.get(), 5) == (Hint("inbound", "committed"), True)
        assert received.empty()


async def test_of_two_that_wait_for_each_other_one_is_lost_and_works_when_tried_again(postgres_url, clock):
    db = open_database(postgres_url)
    accounts = [(await stored_customer(db)).id for _ in range(2)]
    for account in accounts:
        async with db.transaction() as work:
            await work.ledger.lock(account, NOW)
    holds = {account: asyncio.Event() for account in accounts}
    tries = []

    async def award_both(first, second):
        async with db.transaction() as work:
            tries.append(first)
            await work.ledger._connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
            for account in (first, second):
                await award_points(work, clock, account, EntryKind.GOODWILL, 5, key=f"{first} {account}")
                holds[first].set()
                await holds[second].wait()

    await asyncio.gather(
        again_if_lost(lambda: award_both(*accounts)), again_if_lost(lambda: award_both(*reversed(accounts)))
    )

    assert len(tries) == 3
    async with db.reading() as work:
        assert [await balance_of(work, clock, account) for account in accounts] == [Balance(10)] * 2
    await db.close()


async def test_a_transaction_that_saw_what_another_one_changed_is_lost(postgres_url, clock):
    db = open_database(postgres_url)
    account = (await stored_customer(db)).id

    with pytest.raises(TransactionLost):
        async with db.transaction() as work:
            await work.ledger._connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            await work.customers.get(account)
            async with db.transaction() as other:
                await other.customers.save(replace(await other.customers.get(account), name="Ana"), NOW)
            await work.customers.save(replace(await work.customers.get(account), name="Eva"), NOW)
    await db.close()


async def test_what_the_database_refuses_for_another_reason_is_not_called_lost(sql_db):
    customer = await stored_customer(sql_db)

    with pytest.raises(IntegrityError):
        async with sql_db.transaction() as work:
            await work.customers.add(customer)
