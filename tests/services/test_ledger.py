"""Points: what comes in, goes out, runs out and comes back, to the point."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.ledger import Balance, EntryKind
from bot.errors import InsufficientPoints, KeyReused, LedgerRefused
from bot.services.ledger import (
    award_points,
    balance_of,
    expire_all_points,
    redeem_points,
    take_back_points,
    transfer_points,
    undo_redemption,
    undo_transfer,
)
from tests.builders import stored_customer

DAY = timedelta(days=1)
ORDER = EntryKind.ORDER


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


@pytest.fixture
async def double(sql_db):
    """Somebody who will turn out to be Maria, too."""
    return (await stored_customer(sql_db)).id


async def award(db, clock, customer, points, *, key="k", **more):
    async with db.transaction() as work:
        return await award_points(work, clock, customer, more.pop("kind", ORDER), points, key=key, **more)


async def redeem(db, clock, customer, points, *, key="r"):
    async with db.transaction() as work:
        return await redeem_points(work, clock, customer, points, key=key)


async def take_back(db, clock, earning, points, *, key="b"):
    async with db.transaction() as work:
        return await take_back_points(work, clock, earning.id, points, key=key)


async def balance(db, clock, customer):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return await balance_of(work, clock, customer)


async def test_points_are_earned_and_spent(sql_db, clock, maria):
    await award(sql_db, clock, maria, 100)
    await redeem(sql_db, clock, maria, 30)

    assert await balance(sql_db, clock, maria) == Balance(70)


async def test_the_same_event_again_is_the_same_entry(sql_db, clock, maria):
    assert await award(sql_db, clock, maria, 100) == await award(sql_db, clock, maria, 100)
    assert await redeem(sql_db, clock, maria, 80) == await redeem(sql_db, clock, maria, 80)
    assert await balance(sql_db, clock, maria) == Balance(20)


async def test_a_key_stands_for_one_event(sql_db, clock, maria, double):
    await award(sql_db, clock, maria, 100)

    for customer, points in ((maria, 99), (double, 100)):
        with pytest.raises(KeyReused):
            await award(sql_db, clock, customer, points)
    with pytest.raises(KeyReused):
        await redeem(sql_db, clock, maria, 10, key="k")
    assert await balance(sql_db, clock, maria) == Balance(100)


async def test_more_than_there_is_cannot_be_spent(sql_db, clock, maria):
    await award(sql_db, clock, maria, 100)

    with pytest.raises(InsufficientPoints) as refused:
        await redeem(sql_db, clock, maria, 101)
    assert refused.value.available == 100
    assert await balance(sql_db, clock, maria) == Balance(100)


async def test_pending_points_are_spent_only_once_they_are_there(sql_db, clock, maria):
    await award(sql_db, clock, maria, 100, available_at=clock.now() + DAY)

    assert await balance(sql_db, clock, maria) == Balance(0, 100)
    with pytest.raises(InsufficientPoints):
        await redeem(sql_db, clock, maria, 1)
    clock.advance(DAY)
    await redeem(sql_db, clock, maria, 100)
    assert await balance(sql_db, clock, maria) == Balance(0)


async def test_points_run_out_at_their_very_instant(sql_db, clock, maria):
    await award(sql_db, clock, maria, 100, expires_at=clock.now() + DAY)
    clock.advance(DAY - timedelta(microseconds=1))
    assert await balance(sql_db, clock, maria) == Balance(100)
    clock.advance(timedelta(microseconds=1))

    async with sql_db.reading() as work:
        assert await balance_of(work, clock, maria) == Balance(0)
    with pytest.raises(InsufficientPoints):
        await redeem(sql_db, clock, maria, 1)
    assert await expire_all_points(sql_db, clock) == 100
    assert await expire_all_points(sql_db, clock) == 0
    assert await balance(sql_db, clock, maria) == Balance(0)


async def test_what_runs_out_first_is_spent_first(sql_db, clock, maria):
    await award(sql_db, clock, maria, 50, key="never")
    await award(sql_db, clock, maria, 50, key="late", expires_at=clock.now() + 9 * DAY)
    await award(sql_db, clock, maria, 50, key="soon", expires_at=clock.now() + DAY)
    await redeem(sql_db, clock, maria, 60)

    clock.advance(DAY)
    assert await expire_all_points(sql_db, clock) == 0
    clock.advance(8 * DAY)
    assert await expire_all_points(sql_db, clock) == 40
    assert await balance(sql_db, clock, maria) == Balance(50)


async def test_an_undone_redemption_gives_points_back_with_their_expiry(sql_db, clock, maria):
    await award(sql_db, clock, maria, 50, key="soon", expires_at=clock.now() + DAY)
    await award(sql_db, clock, maria, 50, key="never")
    spent = await redeem(sql_db, clock, maria, 70)
    clock.advance(DAY)

    async with sql_db.transaction() as work:
        await undo_redemption(work, clock, spent.id, key="u")
    async with sql_db.transaction() as work:
        await undo_redemption(work, clock, spent.id, key="u")

    # Cancelling makes no old points young.
    assert await balance(sql_db, clock, maria) == Balance(50)
    with pytest.raises(LedgerRefused):
        async with sql_db.transaction() as work:
            await undo_redemption(work, clock, spent.id, key="another")


async def test_a_refund_of_spent_points_is_owed_and_paid_by_what_comes_next(sql_db, clock, maria):
    earned = await award(sql_db, clock, maria, 100)
    await redeem(sql_db, clock, maria, 80)

    assert await take_back(sql_db, clock, earned, 100) == 100
    assert await balance(sql_db, clock, maria) == Balance(-80)
    await award(sql_db, clock, maria, 50, key="next")
    assert await balance(sql_db, clock, maria) == Balance(-30)
    await award(sql_db, clock, maria, 50, key="and next")
    assert await balance(sql_db, clock, maria) == Balance(20)


async def test_several_refunds_take_back_no_more_than_was_earned(sql_db, clock, maria):
    earned = await award(sql_db, clock, maria, 100)

    assert await take_back(sql_db, clock, earned, 60, key="r1") == 60
    assert await take_back(sql_db, clock, earned, 60, key="r1") == 60
    assert await take_back(sql_db, clock, earned, 60, key="r2") == 40
    assert await take_back(sql_db, clock, earned, 60, key="r3") == 0
    assert await take_back(sql_db, clock, earned, 60, key="r2") == 40
    assert await balance(sql_db, clock, maria) == Balance(0)


async def test_what_ran_out_is_not_taken_back_as_well(sql_db, clock, maria):
    earned = await award(sql_db, clock, maria, 100, expires_at=clock.now() + DAY)
    await redeem(sql_db, clock, maria, 30)
    clock.advance(DAY)

    assert await take_back(sql_db, clock, earned, 100) == 30
    assert await balance(sql_db, clock, maria) == Balance(-30)


@pytest.mark.parametrize("is_owed", [False, True])
async def test_points_that_come_back_pay_for_what_was_taken_back_of_them(sql_db, clock, maria, is_owed):
    earned = await award(sql_db, clock, maria, 75, expires_at=clock.now() + DAY)
    spent = await redeem(sql_db, clock, maria, 75)
    if not is_owed:
        await award(sql_db, clock, maria, 100, key="others")
    assert await take_back(sql_db, clock, earned, 75) == 75
    clock.advance(2 * DAY)

    async with sql_db.transaction() as work:
        await undo_redemption(work, clock, spent.id, key="u")

    # Neither bought nor spent anything any more: nothing was lost by it, though the lot has run out meanwhile.
    assert await balance(sql_db, clock, maria) == Balance(0 if is_owed else 100)


async def test_a_lot_that_paid_for_another_pays_its_own_refund_once_it_is_paid_back(sql_db, clock, maria):
    expiry = clock.now() + DAY
    first = await award(sql_db, clock, maria, 40, key="first", expires_at=expiry)
    second = await award(sql_db, clock, maria, 30, key="second", expires_at=expiry)
    spent = await redeem(sql_db, clock, maria, 60)
    # What is left of the second pays for the refund of the first, and both are owed for the rest.
    assert await take_back(sql_db, clock, first, 40, key="back:first") == 40
    assert await take_back(sql_db, clock, second, 30, key="back:second") == 30
    assert await balance(sql_db, clock, maria) == Balance(-60)
    clock.advance(2 * DAY)

    async with sql_db.transaction() as work:
        await undo_redemption(work, clock, spent.id, key="u")

    assert await balance(sql_db, clock, maria) == Balance(0)


async def test_points_of_two_accounts_become_one_and_two_again(sql_db, clock, maria, double):
    await award(sql_db, clock, maria, 10, key="m")
    await award(sql_db, clock, double, 100, key="d", expires_at=clock.now() + 5 * DAY)
    async with sql_db.transaction() as work:
        assert await transfer_points(work, clock, double, maria, merge_id="1") == 100
    async with sql_db.transaction() as work:
        assert await transfer_points(work, clock, double, maria, merge_id="1") == 0
    assert await balance(sql_db, clock, maria) == Balance(110)
    await redeem(sql_db, clock, maria, 105)

    for came_back in (100, 0):
        async with sql_db.transaction() as work:
            assert await undo_transfer(work, clock, double, maria, merge_id="1") == came_back
    assert await balance(sql_db, clock, double) == Balance(100)
    assert await balance(sql_db, clock, maria) == Balance(-95)
    clock.advance(5 * DAY)
    assert await expire_all_points(sql_db, clock) == 100


async def test_debts_move_with_their_owner(sql_db, clock, maria, double):
    earned = await award(sql_db, clock, double, 100, key="d")
    await redeem(sql_db, clock, double, 100)
    await take_back(sql_db, clock, earned, 100)
    await award(sql_db, clock, maria, 150, key="m")

    async with sql_db.transaction() as work:
        assert await transfer_points(work, clock, double, maria, merge_id="1") == -100
    assert await balance(sql_db, clock, double) == Balance(0)
    assert await balance(sql_db, clock, maria) == Balance(50)
    async with sql_db.transaction() as work:
        assert await undo_transfer(work, clock, double, maria, merge_id="1") == -100
    assert await balance(sql_db, clock, double) == Balance(-100)
    assert await balance(sql_db, clock, maria) == Balance(150)


@pytest.mark.parametrize("undone", [False, True])
async def test_a_refund_finds_the_points_wherever_they_were_moved(sql_db, clock, maria, double, undone):
    earned = await award(sql_db, clock, double, 100, key="d")
    await redeem(sql_db, clock, double, 30)
    async with sql_db.transaction() as work:
        await transfer_points(work, clock, double, maria, merge_id="1")
    if undone:
        async with sql_db.transaction() as work:
            await undo_transfer(work, clock, double, maria, merge_id="1")

    for _ in range(2):
        assert await take_back(sql_db, clock, earned, 100) == 100
    assert (await balance(sql_db, clock, maria)).total == 0
    assert (await balance(sql_db, clock, double)).total == -30


async def test_a_repeated_refund_takes_nothing_more_after_points_were_moved_again(sql_db, clock, maria, double):
    earned = await award(sql_db, clock, double, 100, key="d")
    for merge_id in ("1", "2"):
        async with sql_db.transaction() as work:
            await transfer_points(work, clock, double, maria, merge_id=merge_id)
        assert await take_back(sql_db, clock, earned, 10) == 10
        async with sql_db.transaction() as work:
            await undo_transfer(work, clock, double, maria, merge_id=merge_id)

    assert await take_back(sql_db, clock, earned, 10) == 10
    assert await balance(sql_db, clock, double) == Balance(90)


@pytest.mark.parametrize("points", [0, -1, 1_000_000_001])
async def test_points_out_of_range_are_refused(sql_db, clock, maria, points):
    with pytest.raises(LedgerRefused):
        await award(sql_db, clock, maria, points)
    with pytest.raises(LedgerRefused):
        await redeem(sql_db, clock, maria, points)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET points = 1000000",
        "DELETE FROM ledger_entries",
        "UPDATE ledger_allocations SET points = 1",
        "DELETE FROM ledger_allocations",
    ],
)
async def test_the_database_refuses_to_change_the_ledger(sql_db, clock, maria, statement):
    await award(sql_db, clock, maria, 100)
    await redeem(sql_db, clock, maria, 30)

    with pytest.raises(DBAPIError, match="append-only"):
        async with sql_db.transaction() as work:
            await work.ledger._connection.execute(text(statement))
    assert await balance(sql_db, clock, maria) == Balance(70)


async def test_the_database_refuses_points_that_are_not_there(sql_db, clock, maria, double):
    ours = await award(sql_db, clock, maria, 100, expires_at=clock.now() + DAY)
    theirs = await award(sql_db, clock, double, 100, key="d")
    spent = await redeem(sql_db, clock, maria, 100)
    insert = "INSERT INTO ledger_allocations (entry_id, lot_id, points) VALUES ({}, {}, {})"

    for entry, lot, points in ((spent, ours, 1), (spent, theirs, 1), (ours, theirs, 1), (spent, ours, -1)):
        with pytest.raises(DBAPIError):
            async with sql_db.transaction() as work:
                await work.ledger._connection.execute(text(insert.format(entry.id, lot.id, points)))
    assert await balance(sql_db, clock, maria) == Balance(0)
