"""Whatever fails in the middle of a service, and wherever: nothing of it is left behind.

Each service runs again and again, and at every run one statement further on the database fails, until it gets through.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from bot.business import load_business
from bot.core.ledger import EntryKind
from bot.core.orders import OrderLine, OrderStatus
from bot.services.earning import settle_order
from bot.services.gift_cards import issue_gift_card, spend_gift_card
from bot.services.goodwill import give_goodwill
from bot.services.ledger import award_points, redeem_points, take_back_points, transfer_points, undo_redemption
from bot.services.orders import cancel_order
from bot.services.punch_cards import add_stamps
from bot.services.rewards import redeem_reward, undo_reward
from bot.storage import tables
from tests.builders import an_order, stored_customer

FEWEST_STATEMENTS = 3
MOST_STATEMENTS = 200


class Broken(Exception):
    """The database failed."""


class BreakingDatabase:
    """Lets so many statements through, and fails at the next one."""

    def __init__(self, db: Any) -> None:
        self.db = db
        self.left: int | None = None
        event.listen(db._engine.sync_engine, "before_cursor_execute", self._count)

    def _count(self, *_: Any) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Broken
            self.left -= 1


@pytest.fixture
def breaking(sql_db):
    return BreakingDatabase(sql_db)


async def rows(db) -> dict[str, list[Any]]:
    """Everything in the database."""
    async with db.reading() as work:
        connection = work.ledger._connection
        return {
            table.name: sorted(map(repr, (await connection.execute(select(table))).all()))
            for table in tables.metadata.sorted_tables
        }


async def fails_without_a_trace(breaking: BreakingDatabase, operation: Callable[[Any], Awaitable[Any]]) -> int:
    """Run it, failing at every statement in turn; the number of statements of the run that got through."""
    before = await rows(breaking.db)
    for statements in itertools.count():
        assert statements < MOST_STATEMENTS
        breaking.left = statements
        try:
            async with breaking.db.transaction() as work:
                await operation(work)
        except Broken:
            breaking.left = None
            assert await rows(breaking.db) == before
        else:
            breaking.left = None
            assert await rows(breaking.db) != before
            return statements
    raise AssertionError


@pytest.fixture(scope="module")
def shop():
    from pathlib import Path

    return load_business(Path(__file__).parents[2] / "business.yml").to_shop()


@pytest.fixture
async def maria(sql_db, clock):
    customer = await stored_customer(sql_db)
    async with sql_db.transaction() as work:
        await award_points(work, clock, customer.id, EntryKind.ORDER, 400, key="maria's")
    return customer


def paid_order(customer, shop):
    lines = (OrderLine("CUP-LATTE", "Latte", 10, 400), OrderLine("BEAN-BENGUET-250", "Benguet", 1, 1_450))
    return an_order(
        number="TC-1", customer_id=customer.id, status=OrderStatus.PAID, lines=lines, total_minor=5_450, currency="USD"
    )


async def test_spending_points_for_a_reward(breaking, sql_db, clock, shop, maria):
    async def redeem(work):
        await redeem_reward(work, clock, shop, maria.id, "parol-mug", key="k")

    assert await fails_without_a_trace(breaking, redeem) >= FEWEST_STATEMENTS


async def test_taking_a_reward_back(breaking, sql_db, clock, shop, maria):
    async with sql_db.transaction() as work:
        voucher = await redeem_reward(work, clock, shop, maria.id, "parol-mug", key="k")

    async def undo(work):
        await undo_reward(work, clock, voucher.code, key="u")

    assert await fails_without_a_trace(breaking, undo) >= FEWEST_STATEMENTS


async def test_points_and_stamps_of_an_order(breaking, sql_db, clock, shop, maria):
    order = paid_order(maria, shop)
    async with sql_db.transaction() as work:
        await work.orders.add(order)

    async def settle(work):
        await settle_order(work, clock, shop, order)

    assert await fails_without_a_trace(breaking, settle) >= FEWEST_STATEMENTS


async def test_cancelling_an_order_that_earned(breaking, sql_db, clock, shop, maria):
    order = paid_order(maria, shop)
    async with sql_db.transaction() as work:
        await work.orders.add(order)
        await settle_order(work, clock, shop, order)

    async def cancel(work):
        await cancel_order(work, clock, shop, maria.id, order.number)

    assert await fails_without_a_trace(breaking, cancel) >= FEWEST_STATEMENTS


async def test_a_refund_and_an_undone_redemption(breaking, sql_db, clock, maria):
    async with sql_db.transaction() as work:
        earned = await work.ledger.by_key("maria's")
        spent = await redeem_points(work, clock, maria.id, 300, key="s")

    async def take_back_and_undo(work):
        await take_back_points(work, clock, earned.id, 400, key="b")
        await undo_redemption(work, clock, spent.id, key="u")

    assert await fails_without_a_trace(breaking, take_back_and_undo) >= FEWEST_STATEMENTS


async def test_moving_points_to_another_account(breaking, sql_db, clock, maria):
    other = await stored_customer(sql_db)

    async def move(work):
        await transfer_points(work, clock, maria.id, other.id, merge_id="1")

    assert await fails_without_a_trace(breaking, move) >= FEWEST_STATEMENTS


async def test_a_full_punch_card(breaking, sql_db, clock, shop, maria):
    async def stamp(work):
        await add_stamps(work, clock, shop, maria.id, "cups", 9, key="counter", source="the counter")

    assert await fails_without_a_trace(breaking, stamp) >= FEWEST_STATEMENTS


async def test_paying_with_a_gift_card(breaking, sql_db, clock):
    async with sql_db.transaction() as work:
        issued = await issue_gift_card(work, clock, amount_minor=5_000, currency="USD", key="sale")

    async def spend(work):
        await spend_gift_card(work, clock, issued.code, 1_200, "USD", key="till", source="TC-1")

    assert await fails_without_a_trace(breaking, spend) >= FEWEST_STATEMENTS


async def test_goodwill(breaking, sql_db, clock, shop, maria):
    async def give(work):
        await give_goodwill(
            work, clock, shop, maria.id, 20, author="Ana", role="agent", reason="A late parcel.", key="g"
        )

    assert await fails_without_a_trace(breaking, give) >= FEWEST_STATEMENTS
