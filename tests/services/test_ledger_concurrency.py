"""Many at once on one account: what is there is spent once, whoever asks, in one process or in several."""

from __future__ import annotations

import asyncio
from collections import Counter

from bot.core.ledger import Balance, EntryKind
from bot.errors import InsufficientPoints
from bot.services.ledger import award_points, balance_of, redeem_points, take_back_points, undo_redemption
from tests.builders import stored_customer
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database

AT_ONCE = 50
PROCESSES = 5


async def redeem_ten(db, clock, customer_id, key) -> str:
    try:
        async with db.transaction() as work:
            await redeem_points(work, clock, customer_id, 10, key=key)
        return "spent"
    except InsufficientPoints:
        return "refused"


async def redeem_several(url, customer_id, times) -> list[str]:
    """What a process of its own does."""
    from uuid import uuid4

    db = open_database(url)
    try:
        return await asyncio.gather(*(redeem_ten(db, FakeClock(), customer_id, uuid4().hex) for _ in range(times)))
    finally:
        await db.close()


async def award(db, clock, customer_id, points, key="k"):
    async with db.transaction() as work:
        return await award_points(work, clock, customer_id, EntryKind.ORDER, points, key=key)


async def balance(db, clock, customer_id) -> Balance:
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return await balance_of(work, clock, customer_id)


async def test_fifty_at_once_spend_no_more_than_there_is(sql_db, clock):
    customer = await stored_customer(sql_db)
    await award(sql_db, clock, customer.id, 105)

    done = await asyncio.gather(*(redeem_ten(sql_db, clock, customer.id, f"r{number}") for number in range(AT_ONCE)))

    assert Counter(done) == {"spent": 10, "refused": 40}
    assert await balance(sql_db, clock, customer.id) == Balance(5)


async def test_fifty_in_five_processes_spend_no_more_than_there_is(sql_db, sql_url, clock):
    customer = await stored_customer(sql_db)
    await award(sql_db, clock, customer.id, 105)

    done = await asyncio.to_thread(in_processes, PROCESSES, redeem_several, sql_url, customer.id, AT_ONCE // PROCESSES)

    assert Counter(one for several in done for one in several) == {"spent": 10, "refused": 40}
    assert await balance(sql_db, clock, customer.id) == Balance(5)


async def test_one_event_at_once_fifty_times_is_one_entry(sql_db, clock):
    customer = await stored_customer(sql_db)

    earned = await asyncio.gather(*(award(sql_db, clock, customer.id, 100) for _ in range(AT_ONCE)))
    spent = await asyncio.gather(*(redeem_ten(sql_db, clock, customer.id, "once") for _ in range(AT_ONCE)))

    assert len(set(earned)) == 1
    assert Counter(spent) == {"spent": AT_ONCE}
    assert await balance(sql_db, clock, customer.id) == Balance(90)


async def test_refunds_restores_and_redemptions_at_once_add_up(sql_db, clock):
    customer = await stored_customer(sql_db)
    earned = await award(sql_db, clock, customer.id, 300)
    async with sql_db.transaction() as work:
        redemptions = [await redeem_points(work, clock, customer.id, 10, key=f"before{n}") for n in range(10)]

    async def refund(number):
        async with sql_db.transaction() as work:
            return await take_back_points(work, clock, earned.id, 20, key=f"refund{number}")

    async def undo(entry):
        async with sql_db.transaction() as work:
            return await undo_redemption(work, clock, entry.id, key=f"undo{entry.id}")

    done = await asyncio.gather(
        *(refund(number) for number in range(20)),
        *(undo(entry) for entry in redemptions),
        *(redeem_ten(sql_db, clock, customer.id, f"r{number}") for number in range(20)),
    )

    assert sum(done[:20]) == 300
    spent = done[30:].count("spent")
    assert await balance(sql_db, clock, customer.id) == Balance(-10 * spent)
