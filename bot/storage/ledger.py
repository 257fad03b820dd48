"""The points ledger in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Row, ScalarSelect, bindparam, func, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.ledger import Allocation, Balance, Debt, EntryId, EntryKind, LedgerEntry, Lot
from bot.services.ports import LedgerNote
from bot.storage import tables
from bot.storage.engine import insert_unless_there, insert_unless_there_statement
from bot.storage.merges import SqlMerges
from bot.storage.tier_points import points_by_day

_ENTRY = tables.ledger_entries
_OPEN = tables.ledger_open.c
# A literal, because a partial index is found by the words of its condition.
_LEFT = text("ledger_open.remaining > 0")


# Statements of which there are many a second are built once: building takes about as long as running them.
_WHOSE: BindParameter[str] = bindparam("customer")
_LOCK = (
    select(tables.loyalty_accounts.c.customer_id)
    .where(tables.loyalty_accounts.c.customer_id == _WHOSE)
    .with_for_update()
)
_ADD = insert_unless_there_statement(
    _ENTRY, tuple(column.name for column in _ENTRY.c if column.name != "id"), ("key",), returning="id"
)
_OPEN_OF = (
    select(_OPEN.entry_id, _OPEN.side, _OPEN.remaining, _OPEN.available_at, _OPEN.expires_at)
    .where(_OPEN.customer_id == _WHOSE, _LEFT)
    .order_by(_OPEN.entry_id)
)


def _left(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    query = select(func.coalesce(func.sum(_OPEN.remaining), 0))
    return query.where(_OPEN.customer_id == _WHOSE, _LEFT, *conditions).scalar_subquery()


_NOW = bindparam("now", type_=_OPEN.expires_at.type)
# Each runs over a part of one index; a condition on every row of a long account costs more than the sums.
_BALANCE = select(
    _left(_OPEN.side == "lot"),
    _left(_OPEN.side == "lot", _OPEN.expires_at <= _NOW),
    _left(_OPEN.side == "lot", _OPEN.available_at > _NOW),
    _left(_OPEN.side == "debt"),
)


class SqlLedger:
    """LedgerRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock(self, customer_id: CustomerId, at: datetime) -> None:
        whose = {"customer": customer_id}
        if await self._connection.scalar(_LOCK, whose) is None:
            values = {"customer_id": customer_id, "opened_at": at}
            await insert_unless_there(self._connection, tables.loyalty_accounts, values, ["customer_id"])
            await self._connection.scalar(_LOCK, whose)

    async def add(self, entry: LedgerEntry) -> LedgerEntry | None:
        values = {**vars(entry), "kind": entry.kind.value}
        del values["id"]
        entry_id = await self._connection.scalar(_ADD, values)
        return None if entry_id is None else replace(entry, id=EntryId(entry_id))

    async def get(self, entry_id: EntryId) -> LedgerEntry | None:
        row = (await self._connection.execute(select(_ENTRY).where(_ENTRY.c.id == entry_id))).one_or_none()
        return _entry(row) if row else None

    async def by_key(self, key: str) -> LedgerEntry | None:
        row = (await self._connection.execute(select(_ENTRY).where(_ENTRY.c.key == key))).one_or_none()
        return _entry(row) if row else None

    async def of_source(self, customer_id: CustomerId, source: str) -> list[LedgerEntry]:
        c = _ENTRY.c
        query = select(_ENTRY).where(c.customer_id == customer_id, c.source == source)
        return [_entry(row) for row in await self._connection.execute(query.order_by(c.id))]

    async def allocate(self, entry_id: EntryId, allocations: Sequence[Allocation]) -> None:
        if allocations:
            rows = [{"entry_id": entry_id, **vars(allocation)} for allocation in allocations]
            await self._connection.execute(insert(tables.ledger_allocations), rows)

    async def allocations_of(self, entry_id: EntryId) -> list[Allocation]:
        c = tables.ledger_allocations.c
        points = func.sum(c.points)
        query = select(c.lot_id, points.label("points")).where(c.entry_id == entry_id).group_by(c.lot_id)
        found = await self._connection.execute(query.having(points != 0).order_by(func.min(c.id)))
        return [Allocation(row.lot_id, int(row.points)) for row in found]

    async def reversals_of(self, entry_id: EntryId) -> list[LedgerEntry]:
        query = select(_ENTRY).where(_ENTRY.c.reverses_id == entry_id).order_by(_ENTRY.c.id)
        return [_entry(row) for row in await self._connection.execute(query)]

    async def open_of(self, customer_id: CustomerId) -> tuple[list[Lot], list[Debt]]:
        lots, debts = [], []
        found = await self._connection.execute(_OPEN_OF, {"customer": customer_id})
        for entry_id, side, remaining, available_at, expires_at in found:
            if side == "lot":
                lots.append(Lot(entry_id, remaining, available_at, expires_at))
            else:
                debts.append(Debt(entry_id, remaining))
        return lots, debts

    async def balance(self, customer_id: CustomerId, at: datetime) -> Balance:
        found = await self._connection.execute(_BALANCE, {"customer": customer_id, "now": at})
        here, gone, pending, owed = map(int, found.one())
        return Balance(here - gone - pending - owed, pending)

    async def page(self, customer_id: CustomerId, *, before: EntryId | None, limit: int) -> list[LedgerEntry]:
        c = _ENTRY.c
        query = select(_ENTRY).where(c.customer_id == customer_id)
        if before is not None:
            query = query.where(c.id < before)
        return [_entry(row) for row in await self._connection.execute(query.order_by(c.id.desc()).limit(limit))]

    async def with_expired(self, at: datetime, *, after: CustomerId | None, limit: int) -> list[CustomerId]:
        due = select(_OPEN.customer_id).where(_LEFT, _OPEN.expires_at <= at)
        if after is not None:
            due = due.where(_OPEN.customer_id > after)
        # Found first, and only then sorted: else every account would be read in the order that is asked for.
        found = due.cte("due").prefix_with("MATERIALIZED").c.customer_id
        return list((await self._connection.scalars(select(found).distinct().order_by(found).limit(limit))).all())

    async def running_out(
        self, since: datetime, until: datetime, *, after: CustomerId | None, limit: int
    ) -> list[CustomerId]:
        due = select(_OPEN.customer_id).where(_LEFT, _OPEN.expires_at > since, _OPEN.expires_at <= until)
        if after is not None:
            due = due.where(_OPEN.customer_id > after)
        return list((await self._connection.scalars(due.distinct().order_by(_OPEN.customer_id).limit(limit))).all())

    async def add_note(self, note: LedgerNote) -> None:
        values = asdict(note)
        await insert_unless_there(self._connection, tables.ledger_notes, values, ["entry_id"])

    async def granted_by(self, author: str, kind: EntryKind, since: datetime) -> int:
        notes, c = tables.ledger_notes.c, _ENTRY.c
        query = select(func.coalesce(func.sum(c.points), 0)).join_from(_ENTRY, tables.ledger_notes)
        found = await self._connection.scalar(query.where(notes.author == author, c.kind == kind.value, c.at > since))
        return int(found or 0)

    async def given_since(self, kind: EntryKind, since: datetime) -> int:
        c = _ENTRY.c
        query = select(func.coalesce(func.sum(c.points), 0)).where(c.kind == kind.value, c.at > since)
        return int(await self._connection.scalar(query) or 0)

    async def earned_by_day(self, customer_id: CustomerId, since: datetime, until: datetime) -> dict[date, int]:
        people = await SqlMerges(self._connection).same_person(customer_id)
        found = await points_by_day(self._connection, people, since, until)
        return {date.fromisoformat(day): points for day, points in found.items()}

    async def faults(self) -> list[str]:
        return [
            f"account {row.customer_id}: its entries sum to {row.entries}, but {row.open} are open"
            for row in await self._connection.execute(_FAULTS)
        ]


def _entry(row: Row[Any]) -> LedgerEntry:
    return LedgerEntry(**{**row._mapping, "kind": EntryKind(row.kind)})


def _faults() -> Any:
    sums = (
        select(_ENTRY.c.customer_id, func.sum(_ENTRY.c.points).label("entries")).group_by(_ENTRY.c.customer_id)
    ).subquery()
    lots = func.coalesce(func.sum(_OPEN.remaining).filter(_OPEN.side == "lot"), 0)
    debts = func.coalesce(func.sum(_OPEN.remaining).filter(_OPEN.side == "debt"), 0)
    left = select(_OPEN.customer_id, (lots - debts).label("open")).group_by(_OPEN.customer_id).subquery()
    return (
        select(sums.c.customer_id, sums.c.entries, left.c.open)
        .join_from(sums, left, sums.c.customer_id == left.c.customer_id, isouter=True)
        .where(or_(left.c.open.is_(None), left.c.open != sums.c.entries))
        .limit(100)
    )


_FAULTS = _faults()
