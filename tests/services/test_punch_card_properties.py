"""Punch cards under anything in any order: bought, paid, sent back, cancelled, used, joined, parted, and repeated.

PUNCH_CARD_EXAMPLES=1000 runs as many sequences as you like.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select

from bot.core.loyalty import Effect, Offer, Program, PunchCard
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.core.returns import ReturnStatus
from bot.services.ids import new_id
from bot.services.punch_cards import add_stamps, stamp_order, transfer_stamps, undo_transfer_stamps
from bot.services.vouchers import give_back_vouchers, use_voucher
from bot.storage import tables
from tests.builders import a_return, a_shop, stored_customer, stored_order
from tests.fakes import FakeClock
from tests.services.merging import merged, parted
from tests.services.state_machines import DatabaseMachine, run_on_database

EXAMPLES = int(os.environ.get("PUNCH_CARD_EXAMPLES", "30"))
STEPS = 30
FULL = 9
CARD = PunchCard("coffee", "Coffee card", ("LATTE",), FULL, Offer("free-coffee", "A coffee", Effect(item="LATTE")))
SHOP = a_shop(loyalty=Program("Suki Club", punch_cards=(CARD,)))
PAID = OrderStatus.PAID
NUMBERS = itertools.count()


class Cards(DatabaseMachine):
    """Two customers with a card each, their orders, and everything that can happen to those.

    `orders` are as the shop has them, with how many of their units are kept.
    """

    loop: asyncio.AbstractEventLoop
    db: Any

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.orders: dict[str, tuple[Order, int]] = {}
        self.hand: list[tuple[int, int, str]] = []
        self.used: dict[str, str] = {}
        self.ever_used: set[str] = set()
        self.merge: str | None = None

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    def transaction(self, operation: Any) -> Any:
        async def do() -> Any:
            async with self.db.transaction() as work:
                return await operation(work)

        return self.run(do())

    @initialize()
    def two_customers(self) -> None:
        # In one order, whoever they are: hypothesis wants to see the same again.
        self.customers = [self.run(stored_customer(self.db, id=f"{next(NUMBERS):032d}")).id for _ in range(2)]

    @rule(who=st.integers(0, 1), units=st.integers(1, 14), paid=st.booleans())
    def buy(self, who: int, units: int, paid: bool) -> None:
        order = self.run(
            stored_order(
                self.db,
                number=new_id()[:20].upper(),
                customer_id=self.customers[who],
                status=PAID if paid else OrderStatus.PENDING,
                lines=(OrderLine("LATTE", "Latte", units, 400), OrderLine("CAKE", "Cake", 2, 500)),
                total_minor=units * 400 + 1_000,
            )
        )
        self.orders[order.number] = order, units
        self.settle(order)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), status=st.sampled_from([PAID, OrderStatus.DELIVERED, OrderStatus.CANCELLED]))
    def change(self, data: st.DataObject, status: OrderStatus) -> None:
        order, kept = self.orders[data.draw(st.sampled_from(list(self.orders)))]
        order = replace(order, status=status)
        self.orders[order.number] = order, kept
        self.settle(order)

    @precondition(lambda self: self.orders)
    @rule(data=st.data(), units=st.integers(1, 5))
    def send_back(self, data: st.DataObject, units: int) -> None:
        order, kept = self.orders[data.draw(st.sampled_from(list(self.orders)))]
        sent_back = a_return(
            order,
            number=f"R-{new_id()[:9]}",
            customer_id=order.customer_id,
            lines=(replace(order.lines[0], quantity=units),),
            status=ReturnStatus.REFUNDED,
        )
        self.transaction(lambda work: work.returns.add(sent_back))
        self.orders[order.number] = order, max(kept - units, 0)
        self.settle(order)

    @precondition(lambda self: self.orders)
    @rule(data=st.data())
    def repeat_order(self, data: st.DataObject) -> None:
        before = self.rows()
        self.settle(self.orders[data.draw(st.sampled_from(list(self.orders)))][0])
        assert self.rows() == before

    @rule(who=st.integers(0, 1), units=st.integers(1, 12))
    def stamp_by_hand(self, who: int, units: int) -> None:
        self.hand.append((who, units, new_id()))
        self.add_by_hand(*self.hand[-1])

    @precondition(lambda self: self.hand)
    @rule(data=st.data())
    def repeat_by_hand(self, data: st.DataObject) -> None:
        before = self.rows()
        self.add_by_hand(*data.draw(st.sampled_from(self.hand)))
        # A voucher given back since then may pay now for what is missing.
        assert [row for row in self.rows() if row.kind != "voided"] == [row for row in before if row.kind != "voided"]

    @rule()
    def use(self) -> None:
        good = {voucher.code for voucher in self.vouchers() if voucher.cancelled_at is None and voucher.uses == 0}
        oldest = [row.source for row in self.rows() if row.kind == "completed" and row.source in good]
        if oldest:
            code, key = oldest[0], new_id()
            self.transaction(
                lambda work: use_voucher(work, self.clock, code, key=key, customer_id=None, total_minor=400)
            )
            self.used[key] = code
            self.ever_used.add(code)

    @precondition(lambda self: self.used)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(list(self.used)))
        self.transaction(lambda work: give_back_vouchers(work, self.clock, key=key))
        del self.used[key]

    @precondition(lambda self: self.merge is None)
    @rule()
    def join(self) -> None:
        first, second = self.customers
        merge = self.merge = self.run(merged(self.db, second, first))
        self.transaction(lambda work: transfer_stamps(work, self.clock, second, first, merge_id=merge, shop=SHOP))
        assert self.balance(second) == 0
        before = self.rows()
        self.transaction(lambda work: transfer_stamps(work, self.clock, second, first, merge_id=merge, shop=SHOP))
        assert self.rows() == before

    @precondition(lambda self: self.merge is not None)
    @rule()
    def part(self) -> None:
        first, second = self.customers
        merge, self.merge = self.merge, None
        self.run(parted(self.db, merge, second))
        self.transaction(lambda work: undo_transfer_stamps(work, self.clock, second, first, merge_id=merge, shop=SHOP))
        before = self.rows()
        self.transaction(lambda work: undo_transfer_stamps(work, self.clock, second, first, merge_id=merge, shop=SHOP))
        assert self.rows() == before

    def settle(self, order: Order) -> None:
        async def do(work: Any) -> None:
            await work.orders.save(order)
            await stamp_order(work, self.clock, SHOP, order)

        self.transaction(do)

    def add_by_hand(self, who: int, units: int, key: str) -> None:
        self.transaction(
            lambda work: add_stamps(
                work, self.clock, SHOP, self.customers[who], CARD.id, units, key=key, source="counter"
            )
        )

    def earned(self, who: int) -> int:
        """The stamps that somebody has a right to: of what they paid for and kept, and those by hand."""
        of_orders = sum(
            kept
            for order, kept in self.orders.values()
            if order.customer_id == self.customers[who] and order.status in (PAID, OrderStatus.DELIVERED)
        )
        return of_orders + sum(units for whose, units, _ in self.hand if whose == who)

    def select(self, table: Any) -> list[Any]:
        async def read() -> Any:
            async with self.db.reading() as work:
                query = select(table).where(table.c.customer_id.in_(self.customers))
                return (await work.stamps._connection.execute(query)).all()

        return list(self.run(read()))

    def rows(self) -> list[Any]:
        return sorted(self.select(tables.stamps), key=lambda row: row.id)

    def vouchers(self) -> list[Any]:
        return self.select(tables.vouchers)

    def balance(self, customer: str) -> int:
        return sum(row.stamps for row in self.rows() if row.customer_id == customer)

    @invariant()
    def every_stamp_is_on_a_card_or_in_a_voucher(self) -> None:
        if not hasattr(self, "customers"):
            return
        rows, vouchers = self.rows(), self.vouchers()
        good = {voucher.code for voucher in vouchers if voucher.cancelled_at is None}
        counts = Counter(row.kind for row in rows)
        assert len(vouchers) == counts["completed"]
        assert len(good) == counts["completed"] - counts["voided"]
        # Vouchers x 9 + rest = net stamps.
        rests = [self.balance(customer) for customer in self.customers]
        assert len(good) * FULL + sum(rests) == self.earned(0) + self.earned(1)
        if self.merge is None:
            for who, customer in enumerate(self.customers):
                own = sum(voucher.customer_id == customer and voucher.code in good for voucher in vouchers)
                assert own * FULL + rests[who] == self.earned(who)
        assert max(rests) < FULL
        # Something is missing only where a voucher was used; one that was given back pays with the next event.
        for customer, rest in zip(self.customers, rests, strict=True):
            whose = {voucher.code for voucher in vouchers if voucher.customer_id == customer}
            assert rest >= 0 or whose & self.ever_used or self.merge is not None
            assert rest >= 0 or not (whose & good) - self.ever_used
        assert all(row.stamps == -FULL for row in rows if row.kind == "completed")


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_every_stamp_is_on_a_card_or_in_a_voucher_whatever_happens(sql_url: str) -> None:
    run_on_database(Cards, sql_url, examples=EXAMPLES, steps=STEPS)
