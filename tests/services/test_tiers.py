"""Levels out of the ledger: by what was bought and kept, whoever it was entered for."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from sqlalchemy import insert

from bot.core.ledger import EntryKind
from bot.core.loyalty import EarningRules, Program, Tier, TierRules
from bot.services.earning import tier_of
from bot.services.ledger import (
    award_points,
    redeem_points,
    take_back_points,
    transfer_points,
    undo_transfer,
)
from bot.storage import tables
from tests.builders import NOW, a_shop, stored_customer
from tests.services.merging import merged, parted

DAY = timedelta(days=1)
TIERS = TierRules((Tier("bronze", "Bronze", 0), Tier("silver", "Silver", 300), Tier("gold", "Gold", 1_000)))


@pytest.fixture
def shop():
    return a_shop(loyalty=Program("Suki card", EarningRules(Fraction(1, 100)), TIERS))


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


@pytest.fixture
async def double(sql_db):
    """Somebody who will turn out to be Maria, too."""
    return (await stored_customer(sql_db)).id


async def award(db, clock, customer, points, *, kind=EntryKind.ORDER, key="k", **more):
    async with db.transaction() as work:
        return await award_points(work, clock, customer, kind, points, key=key, **more)


async def take_back(db, clock, earning, points, key="b"):
    async with db.transaction() as work:
        await take_back_points(work, clock, earning.id, points, key=key)


async def standing(db, clock, shop, customer):
    async with db.reading() as work:
        found = await tier_of(work, clock, shop, customer)
    return found.tier and found.tier.id, found.earned


async def earned_by_day(db, customer, until=NOW):
    async with db.reading() as work:
        return await work.ledger.earned_by_day(customer, NOW - 400 * DAY, until)


async def test_whoever_never_bought_anything_is_at_the_beginning(sql_db, clock, shop, maria):
    assert await standing(sql_db, clock, shop, maria) == ("bronze", 0)
    assert await standing(sql_db, clock, a_shop(), maria) == (None, 0)


async def test_only_what_was_bought_counts_toward_a_level(sql_db, clock, shop, maria):
    for number, kind in enumerate(EntryKind):
        if kind in (EntryKind.GOODWILL, EntryKind.REFERRAL, EntryKind.FEEDBACK, EntryKind.SURPRISE, EntryKind.BIRTHDAY):
            await award(sql_db, clock, maria, 1_000, kind=kind, key=f"gift:{number}")
    assert await standing(sql_db, clock, shop, maria) == ("bronze", 0)

    await award(sql_db, clock, maria, 200)
    await award(sql_db, clock, maria, 100, kind=EntryKind.OPENING, key="paper")
    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)


async def test_spending_never_costs_a_level(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 300)
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, maria, 300, key="mug")

    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)


async def test_what_was_taken_back_does_not_count_from_the_day_it_was_earned(sql_db, clock, shop, maria):
    earning = await award(sql_db, clock, maria, 300)
    clock.advance(days=5)
    await award(sql_db, clock, maria, 290, key="another")
    assert (await standing(sql_db, clock, shop, maria))[1] == 590
    await take_back(sql_db, clock, earning, 295)

    assert await standing(sql_db, clock, shop, maria) == ("bronze", 295)
    assert await earned_by_day(sql_db, maria, clock.now()) == {date(2026, 1, 5): 5, date(2026, 1, 10): 290}


async def test_pending_points_count_once_they_can_be_spent(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 300, available_at=NOW + 14 * DAY)
    assert await standing(sql_db, clock, shop, maria) == ("bronze", 0)

    clock.advance(days=14)
    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)


async def test_points_that_ran_out_still_count(sql_db, clock, shop, maria):
    await award(sql_db, clock, maria, 300, expires_at=NOW + DAY)
    clock.advance(days=10)

    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)


async def test_days_begin_at_midnight_in_utc(sql_db, clock, maria):
    midnight = NOW.replace(hour=0)
    for number, at in enumerate((midnight - timedelta(microseconds=1), midnight, midnight + timedelta(hours=8))):
        await award(sql_db, clock, maria, 10, key=f"order:{number}", available_at=at)

    assert await earned_by_day(sql_db, maria) == {date(2026, 1, 4): 10, date(2026, 1, 5): 20}


async def test_what_was_bought_under_another_account_counts_while_both_are_one(sql_db, clock, shop, maria, double):
    await award(sql_db, clock, maria, 100)
    await award(sql_db, clock, double, 200, key="theirs")
    merge_id = await merged(sql_db, double, maria)
    async with sql_db.transaction() as work:
        await transfer_points(work, clock, double, maria, merge_id=merge_id)
    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)

    async with sql_db.transaction() as work:
        await undo_transfer(work, clock, double, maria, merge_id=merge_id)
    await parted(sql_db, merge_id, double)
    assert await standing(sql_db, clock, shop, maria) == ("bronze", 100)
    assert await standing(sql_db, clock, shop, double) == ("bronze", 200)


async def test_what_is_taken_back_after_a_chain_of_merges_does_not_count(sql_db, clock, shop, maria, double):
    third = (await stored_customer(sql_db)).id
    earning = await award(sql_db, clock, third, 500)
    for from_id, to_id in ((third, double), (double, maria)):
        merge_id = await merged(sql_db, from_id, to_id)
        async with sql_db.transaction() as work:
            await transfer_points(work, clock, from_id, to_id, merge_id=merge_id)
    assert await standing(sql_db, clock, shop, maria) == ("silver", 500)

    await take_back(sql_db, clock, earning, 201)
    assert await standing(sql_db, clock, shop, maria) == ("bronze", 299)


async def test_a_gift_that_was_taken_back_after_a_merge_takes_nothing_from_the_level(
    sql_db, clock, shop, maria, double
):
    gift = await award(sql_db, clock, double, 100, kind=EntryKind.REFERRAL, key="friend")
    await award(sql_db, clock, maria, 300)
    merge_id = await merged(sql_db, double, maria)
    async with sql_db.transaction() as work:
        await transfer_points(work, clock, double, maria, merge_id=merge_id)
    await take_back(sql_db, clock, gift, 100)

    assert await standing(sql_db, clock, shop, maria) == ("silver", 300)


async def test_a_long_history_is_summed_up_by_the_database(sql_db, clock, shop, maria):
    rows = [
        {
            **{"customer_id": maria, "kind": "order", "points": 1, "key": f"order:{number}", "at": NOW},
            "available_at": NOW - timedelta(hours=number),
        }
        for number in range(10_000)
    ]
    async with sql_db.transaction() as work:
        await work.ledger.lock(maria, NOW)
        await work.ledger._connection.execute(insert(tables.ledger_entries), rows)

    assert len(await earned_by_day(sql_db, maria)) == 401
    assert await standing(sql_db, clock, shop, maria) == ("gold", 364 * 24 + 10)
