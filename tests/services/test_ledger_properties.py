"""The ledger under anything in any order: earn, spend, expire, refund, undo, merge, part, erase, all of it repeated.

Some sequences on each database in the suite; LEDGER_EXAMPLES=2000 runs as many as you like.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Coroutine
from datetime import timedelta
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

from bot.core.ledger import EARNINGS, EntryId, EntryKind
from bot.errors import InsufficientPoints
from bot.services.ids import new_id
from bot.services.ledger import (
    award_points,
    balance_of,
    expire_points,
    redeem_points,
    take_back_points,
    undo_redemption,
)
from bot.services.merges import follow_up_merge, merge_customers, undo_merge
from bot.services.privacy import erase_customer
from bot.storage import tables
from tests.builders import stored_customer
from tests.fakes import FakeClock
from tests.services.state_machines import DatabaseMachine, run_on_database

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "25"))
STEPS = 20
HOURS = st.integers(min_value=0, max_value=72)
POINTS = st.integers(min_value=1, max_value=200)

Operation = Callable[[Any], Coroutine[Any, Any, Any]]


class Ledger(DatabaseMachine):
    """Two customers, a clock, and everything that can happen to their points."""

    loop: asyncio.AbstractEventLoop
    db: Any

    def __init__(self) -> None:
        super().__init__()
        self.clock = FakeClock()
        self.done: list[tuple[Operation, Any]] = []
        self.earned: list[EntryId] = []
        self.spent: list[EntryId] = []
        self.undone: set[EntryId] = set()
        self.merge: str | None = None
        self.erased = False

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def transaction(self, operation: Operation) -> Any:
        async def do() -> Any:
            # What survives a power cut is not tested here, and waiting for the disk is most of the time.
            async with self.db.transaction(durable=False) as work:
                return await operation(work)

        return self.run(do())

    def do(self, operation: Operation) -> Any:
        """Do it, and remember it to be repeated some time."""
        result = self.transaction(operation)
        self.done.append((operation, result))
        return result

    @initialize()
    def two_customers(self) -> None:
        self.customers = [self.run(stored_customer(self.db)).id for _ in range(2)]

    def person(self, who: int) -> Any:
        """Whose account it is: that of both, once they are one."""
        return self.customers[0 if self.merge else who]

    @rule(who=st.integers(0, 1), points=POINTS, wait=HOURS, lasts=st.none() | st.integers(1, 96))
    def earn(self, who: int, points: int, wait: int, lasts: int | None) -> None:
        key, customer = new_id(), self.person(who)
        available = self.clock.now() + timedelta(hours=wait)
        expires = available + timedelta(hours=lasts) if lasts else None
        entry = self.do(
            lambda work: award_points(
                work, self.clock, customer, EntryKind.ORDER, points, key=key, available_at=available, expires_at=expires
            )
        )
        self.earned.append(entry.id)

    @rule(who=st.integers(0, 1), points=POINTS)
    def spend(self, who: int, points: int) -> None:
        key, customer = new_id(), self.person(who)
        before = self.balance(customer)
        if before.available < points:
            with pytest.raises(InsufficientPoints) as refused:
                self.transaction(lambda work: redeem_points(work, self.clock, customer, points, key=key))
            assert refused.value.available == max(before.available, 0)
            assert self.balance(customer) == before
            return
        entry = self.do(lambda work: redeem_points(work, self.clock, customer, points, key=key))
        assert self.balance(customer).available == before.available - points
        self.spent.append(entry.id)

    @precondition(lambda self: self.earned)
    @rule(data=st.data(), points=POINTS)
    def refund(self, data: st.DataObject, points: int) -> None:
        earning, key = data.draw(st.sampled_from(self.earned)), new_id()
        second = self.customers[1]

        async def take_back(work: Any) -> int:
            taken = await take_back_points(work, self.clock, earning, points, key=key)
            await follow_up_merge(work, self.clock, second)
            return taken

        assert 0 <= self.do(take_back) <= points

    @precondition(lambda self: set(self.spent) - self.undone)
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        redemption, key = data.draw(st.sampled_from(sorted(set(self.spent) - self.undone))), new_id()
        self.undone.add(redemption)
        second = self.customers[1]

        async def undo(work: Any) -> Any:
            entry = await undo_redemption(work, self.clock, redemption, key=key)
            await follow_up_merge(work, self.clock, second)
            return entry

        self.do(undo)

    @rule(hours=st.integers(1, 60))
    def wait(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))

    @rule(who=st.integers(0, 1))
    def sweep(self, who: int) -> None:
        before = self.balance(self.customers[who])
        self.transaction(lambda work: expire_points(work, self.clock, self.customers[who]))
        assert self.balance(self.customers[who]) == before
        assert self.transaction(lambda work: expire_points(work, self.clock, self.customers[who])) == 0

    @precondition(lambda self: self.merge is None and not self.erased)
    @rule()
    def join(self) -> None:
        first, second = self.customers
        both = self.balance(first).total + self.balance(second).total
        merge = self.transaction(
            lambda work: merge_customers(work, self.clock, first, second, reason="same e-mail", author="Ana")
        )
        self.merge = merge.id
        assert self.balance(first).total == both
        assert self.balance(second).total == 0

    @precondition(lambda self: self.merge is not None and not self.erased)
    @rule()
    def part(self) -> None:
        first, second = self.customers
        both = self.balance(first).total + self.balance(second).total
        for _ in range(2):
            self.transaction(lambda work: undo_merge(work, self.clock, self.merge, author="Ana"))
            assert self.balance(first).total + self.balance(second).total == both
        self.merge = None

    @precondition(lambda self: not self.erased)
    @rule(who=st.integers(0, 1))
    def erase(self, who: int) -> None:
        before = self.rows()
        for _ in range(2):
            self.transaction(lambda work: erase_customer(work, self.clock, self.person(who), actor="customer"))
            assert self.rows() == before
        self.erased = True

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        operation, result = data.draw(st.sampled_from(self.done))
        self.transaction(lambda work: expire_points(work, self.clock, self.customers[0]))
        self.transaction(lambda work: expire_points(work, self.clock, self.customers[1]))
        before = self.rows()
        assert self.transaction(operation) == result
        assert self.rows() == before

    def balance(self, customer: Any) -> Any:
        async def read() -> Any:
            async with self.db.reading() as work:
                return await balance_of(work, self.clock, customer)

        return self.run(read())

    def rows(self) -> tuple[list[Any], list[Any], list[Any]]:
        async def read() -> Any:
            async with self.db.reading() as work:
                connection = work.ledger._connection
                found = []
                entries = select(tables.ledger_entries).where(tables.ledger_entries.c.customer_id.in_(self.customers))
                ids = entries.with_only_columns(tables.ledger_entries.c.id)
                allocations = select(tables.ledger_allocations).where(tables.ledger_allocations.c.entry_id.in_(ids))
                left = select(tables.ledger_open).where(tables.ledger_open.c.entry_id.in_(ids))
                for query in (entries, allocations, left):
                    found.append(sorted((await connection.execute(query)).all(), key=repr))
                return tuple(found)

        return self.run(read())

    @invariant()
    def everything_adds_up(self) -> None:
        if not hasattr(self, "customers"):
            return
        entries, allocations, left = self.rows()
        now = self.clock.now()
        by_id = {entry.id: entry for entry in entries}
        of_lot: defaultdict[int, int] = defaultdict(int)
        of_entry: defaultdict[int, int] = defaultdict(int)
        for one in allocations:
            of_lot[one.lot_id] += one.points
            of_entry[one.entry_id] += one.points
            assert by_id[one.lot_id].customer_id == by_id[one.entry_id].customer_id
        for one in left:
            entry = by_id[one.entry_id]
            paid = of_lot[entry.id] if one.side == "lot" else abs(of_entry[entry.id])
            assert one.remaining == abs(entry.points) - paid
            assert 0 <= one.remaining <= abs(entry.points)
            if entry.kind in ("redeem", "restore", "expire"):
                assert one.remaining == 0
        for customer in self.customers:
            lots = [one for one in left if one.customer_id == customer and one.side == "lot" and one.remaining]
            debts = [one for one in left if one.customer_id == customer and one.side == "debt" and one.remaining]
            gone = sum(one.remaining for one in lots if one.expires_at is not None and one.expires_at <= now)
            here = sum(one.remaining for one in lots) - gone
            owed = sum(one.remaining for one in debts)
            total = sum(entry.points for entry in entries if entry.customer_id == customer)
            assert here + gone - owed == total
            assert self.balance(customer).total == total - gone
            # Points are never there beside a debt.
            assert not (here and owed)
        issued = sum(entry.points for entry in entries if entry.kind in {kind.value for kind in EARNINGS})
        spent = -sum(entry.points for entry in entries if entry.kind in ("redeem", "restore"))
        expired = -sum(entry.points for entry in entries if entry.kind == "expire")
        taken_back = -sum(entry.points for entry in entries if entry.kind == "refund")
        available = sum(one.remaining if one.side == "lot" else -one.remaining for one in left)
        assert issued == available + spent + expired + taken_back
        assert sum(entry.points for entry in entries if entry.kind == "transfer") == 0

    def teardown(self) -> None:
        """Whatever happened: with every redemption undone and every earning refunded, nothing is left or owed."""
        if not hasattr(self, "customers"):
            return
        for redemption in sorted(set(self.spent) - self.undone):
            key = new_id()
            self.transaction(lambda work, r=redemption, k=key: undo_redemption(work, self.clock, r, key=k))
        for earning in self.earned:
            key = new_id()
            self.transaction(lambda work, e=earning, k=key: take_back_points(work, self.clock, e, 1_000, key=k))
        self.everything_adds_up()
        assert sum(self.balance(customer).total for customer in self.customers) == 0


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_the_ledger_adds_up_whatever_happens(sql_url: str) -> None:
    run_on_database(Ledger, sql_url, examples=EXAMPLES, steps=STEPS)
