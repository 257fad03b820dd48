"""Stamps, birthdays and referrals in the database: what it refuses, and what it finds by an index."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from bot.core.punch_cards import NEW, StampEntry, StampKind
from bot.core.referrals import Referral
from bot.services.ids import new_id
from tests.builders import stored_customer
from tests.fakes import MONDAY_MORNING as NOW
from tests.storage.databases import open_database


@pytest.fixture
async def maria(sql_db):
    return await member(sql_db)


async def member(db, **changes):
    customer = (await stored_customer(db, **changes)).id
    async with db.transaction() as work:
        await work.ledger.lock(customer, NOW)
    return customer


def a_stamp(customer, **changes):
    entry = StampEntry(NEW, customer, "coffee", StampKind.STAMP, 1, new_id(), NOW, source="TC-1")
    return replace(entry, **changes)


async def add(db, *entries):
    async with db.transaction() as work:
        await work.stamps.add(entries)


async def test_stamps_come_back_as_they_were_added(sql_db, maria):
    first, second = a_stamp(maria), a_stamp(maria, kind=StampKind.OPENING, stamps=4, source="paper")
    await add(sql_db, first, second)

    async with sql_db.reading() as work:
        (found,) = await work.stamps.of_source("TC-1")
        assert found == replace(first, id=found.id)
        assert (await work.stamps.by_key(second.key)).stamps == 4
        assert await work.stamps.by_key("unknown") is None
        assert await work.stamps.balances(maria) == {"coffee": 5}
        assert await work.stamps.balances("nobody") == {}


async def test_of_entries_with_one_key_the_first_stays(sql_db, maria):
    first = a_stamp(maria)
    await add(sql_db, first)
    await add(sql_db, replace(first, stamps=7), a_stamp(maria))
    await add(sql_db)

    async with sql_db.reading() as work:
        assert await work.stamps.balances(maria) == {"coffee": 2}


@pytest.mark.parametrize(
    "wrong",
    [
        {"stamps": 0},
        {"stamps": -1},
        {"kind": StampKind.COMPLETED, "stamps": 9},
        {"kind": StampKind.REFUND, "stamps": 1},
        {"kind": StampKind.VOIDED, "stamps": -9},
        {"kind": StampKind.TRANSFER, "stamps": 0},
    ],
)
async def test_stamps_of_the_wrong_sign_are_refused(sql_db, maria, wrong):
    with pytest.raises(IntegrityError):
        await add(sql_db, a_stamp(maria, **wrong))


async def test_a_stamp_is_taken_back_once_whatever_the_code_does(sql_db, maria):
    await add(sql_db, a_stamp(maria))
    async with sql_db.reading() as work:
        (stamp,) = await work.stamps.of_source("TC-1")
    back = a_stamp(maria, kind=StampKind.REFUND, stamps=-1, reverses_id=stamp.id)
    await add(sql_db, back)

    with pytest.raises(IntegrityError):
        await add(sql_db, replace(back, key=new_id()))


async def test_one_code_belongs_to_one_customer(sql_db, maria):
    other = await member(sql_db)
    async with sql_db.transaction() as work:
        assert await work.referrals.set_code(maria, "KX4P-7M3R")
        assert not await work.referrals.set_code(other, "KX4P-7M3R")
        assert await work.referrals.with_code("KX4P-7M3R") == maria
        assert await work.referrals.code_of(other) is None


async def test_a_friend_is_brought_once_whatever_the_code_does(sql_db, maria):
    other, friend = await member(sql_db), await member(sql_db)
    first = Referral(friend, maria, NOW)
    async with sql_db.transaction() as work:
        assert await work.referrals.add(first)
        assert not await work.referrals.add(replace(first, referrer_id=other))
        assert await work.referrals.get(friend) == first


@pytest.mark.parametrize(
    "wrong", [{"order_number": "TC-1"}, {"due_at": NOW}, {"rewarded_at": NOW, "refused": "cap"}, {"referrer_id": None}]
)
async def test_a_referral_that_contradicts_itself_is_refused(sql_db, maria, wrong):
    referral = Referral(await member(sql_db), maria, NOW)

    with pytest.raises(IntegrityError):
        async with sql_db.transaction() as work:
            await work.referrals.add(replace(referral, **wrong))


async def test_birthdays_are_found_a_page_at_a_time(sql_db):
    born = sorted([(await stored_customer(sql_db, birthday_month=3, birthday_day=14)).id for _ in range(5)])
    await stored_customer(sql_db, birthday_month=3, birthday_day=15)
    terms = {"set_before": NOW, "treated_before": NOW - timedelta(days=330), "limit": 2}

    async with sql_db.reading() as work:
        pages, after = [], None
        for _ in range(3):
            pages.append(await work.birthdays.treatable((3, 14), after=after, **terms))
            after = pages[-1][-1]

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [one for page in pages for one in page] == born


async def plans(db, ask):
    """The plans of the queries that a repository makes. Only SQLite's: PostgreSQL's depend on how much there is."""
    found = []
    async with db.reading() as work:
        connection = work.stamps._connection
        asked = []

        def note(conn, cursor, statement, parameters, context, executemany):
            asked.append((statement, parameters))

        event.listen(connection.sync_connection, "before_cursor_execute", note)
        await ask(work)
        event.remove(connection.sync_connection, "before_cursor_execute", note)
        for statement, parameters in asked:
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [row.detail for row in plan]
    return "\n".join(found)


@pytest.mark.parametrize(
    "ask, index",
    [
        (lambda work: work.stamps.of_source("TC-1"), "ix_stamps_source"),
        (lambda work: work.stamps.balances("maria"), "ix_stamps_customer_id_card"),
        (lambda work: work.stamps.voidable("maria", "coffee", NOW), "ix_vouchers_customer_id_created_at"),
        (lambda work: work.referrals.due(NOW, after=None, limit=10), "ix_referrals_due_at"),
        (lambda work: work.referrals.of_referrer("maria", 10), "ix_referrals_referrer_id"),
        (lambda work: work.referrals.rewarded_since("maria", NOW), "ix_referrals_referrer_id"),
        (lambda work: work.referrals.has_paid_order("maria"), "ix_orders_customer_id_placed_at"),
        (
            lambda work: work.birthdays.treatable((3, 14), set_before=NOW, treated_before=NOW, after=None, limit=10),
            "ix_customers_birthday",
        ),
    ],
)
async def test_what_is_asked_often_is_answered_by_an_index(sqlite_url, ask, index):
    db = open_database(sqlite_url)
    plan = await plans(db, ask)
    await db.close()

    assert index in plan
    assert "SCAN" not in plan.replace("SCAN CONSTANT ROW", "")


async def test_no_stamp_belongs_to_somebody_without_an_account(sql_db):
    customer = (await stored_customer(sql_db)).id

    with pytest.raises(IntegrityError):
        await add(sql_db, a_stamp(customer))
    async with sql_db.reading() as work:
        assert await work.stamps._connection.scalar(text("SELECT count(*) FROM stamps")) == 0
