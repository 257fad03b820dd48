"""What customers earned by purchases, day by day: the query behind their level."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, func, literal, select, union_all

from bot.core.customers import CustomerId
from bot.core.ledger import QUALIFYING, EntryKind
from bot.storage import tables

_ENTRY = tables.ledger_entries
_CUSTOMER = tables.customers.c
_KINDS = sorted(kind.value for kind in QUALIFYING)


def earned_by_day(customer_id: CustomerId, since: datetime, until: datetime, dialect: str) -> Select[Any]:
    """For each day: what the customer's purchases brought in, less what was taken back of it, whenever that was."""
    person = select(literal(customer_id, String).label("id")).cte("person", recursive=True)
    person = person.union(select(_CUSTOMER.id).where(_CUSTOMER.merged_into_id == person.c.id))
    theirs = select(person.c.id)

    # Points that were moved to another account are taken back there: from there the way back leads to the purchase.
    refund = _ENTRY.alias("refund")
    back = (
        select(refund.c.reverses_id.label("lot_id"), refund.c.points)
        .where(refund.c.customer_id.in_(theirs), refund.c.kind == EntryKind.REFUND.value)
        .cte("back", recursive=True)
    )
    came, went = _ENTRY.alias("came"), _ENTRY.alias("went")
    # The two sides of a transfer have keys that end in :in and :out.
    out_key = func.substr(came.c.key, 1, func.length(came.c.key) - len(":in")).concat(":out")
    back = back.union_all(
        select(went.c.reverses_id, back.c.points)
        .join_from(back, came, and_(came.c.id == back.c.lot_id, came.c.kind == EntryKind.TRANSFER.value))
        .join(went, went.c.key == out_key)
    )

    def purchases(entry: Any) -> tuple[ColumnElement[bool], ...]:
        return (
            entry.c.customer_id.in_(theirs),
            entry.c.kind.in_(_KINDS),
            entry.c.available_at >= since,
            entry.c.available_at <= until,
        )

    earned, undone = _ENTRY.alias("earned"), _ENTRY.alias("undone")
    movements = union_all(
        select(_day(earned.c.available_at, dialect).label("day"), earned.c.points).where(*purchases(earned)),
        select(_day(undone.c.available_at, dialect).label("day"), back.c.points)
        .join_from(back, undone, undone.c.id == back.c.lot_id)
        .where(*purchases(undone)),
    ).subquery()
    return select(movements.c.day, func.sum(movements.c.points).label("points")).group_by(movements.c.day)


def _day(moment: ColumnElement[datetime], dialect: str) -> ColumnElement[Any]:
    # SQLite keeps moments in UTC, and without saying so.
    return func.date(moment if dialect == "sqlite" else func.timezone("UTC", moment))
