"""What customers earned by purchases, day by day: the query behind their level."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.ledger import QUALIFYING, TRANSFER_IN, TRANSFER_OUT, EntryKind
from bot.storage import tables

_ENTRY = tables.ledger_entries
_KINDS = sorted(kind.value for kind in QUALIFYING)


async def points_by_day(
    connection: AsyncConnection, people: Collection[CustomerId], since: datetime, until: datetime
) -> dict[str, int]:
    """For each day: what the purchases brought in, less what was taken back of it, whenever that was."""
    values = {"people": list(people), "since": since, "until": until}
    rows = await connection.execute(_BY_DAY[connection.dialect.name], values)
    return {str(row.day): int(row.points) for row in rows}


def _by_day(dialect: str) -> Select[Any]:
    people: BindParameter[Any] = bindparam("people", expanding=True)
    since: BindParameter[Any] = bindparam("since")
    until: BindParameter[Any] = bindparam("until")

    # Points that were moved to another account are taken back there: from there the way back leads to the purchase.
    refund = _ENTRY.alias("refund")
    back = (
        select(refund.c.reverses_id.label("lot_id"), refund.c.points)
        .where(refund.c.customer_id.in_(people), refund.c.kind == EntryKind.REFUND.value)
        .cte("back", recursive=True)
    )
    came, went = _ENTRY.alias("came"), _ENTRY.alias("went")
    out_key = func.substr(came.c.key, 1, func.length(came.c.key) - len(TRANSFER_IN)).concat(TRANSFER_OUT)
    back = back.union_all(
        select(went.c.reverses_id, back.c.points)
        .join_from(back, came, and_(came.c.id == back.c.lot_id, came.c.kind == EntryKind.TRANSFER.value))
        .join(went, went.c.key == out_key)
    )

    def counts(entry: Any) -> tuple[ColumnElement[bool], ...]:
        is_theirs, is_purchase = entry.c.customer_id.in_(people), entry.c.kind.in_(_KINDS)
        return is_theirs, is_purchase, entry.c.available_at >= since, entry.c.available_at <= until

    earned, undone = _ENTRY.alias("earned"), _ENTRY.alias("undone")
    movements = union_all(
        select(_day(earned.c.available_at, dialect).label("day"), earned.c.points).where(*counts(earned)),
        select(_day(undone.c.available_at, dialect).label("day"), back.c.points)
        .join_from(back, undone, undone.c.id == back.c.lot_id)
        .where(*counts(undone)),
    ).subquery()
    return select(movements.c.day, func.sum(movements.c.points).label("points")).group_by(movements.c.day)


def _day(moment: ColumnElement[datetime], dialect: str) -> ColumnElement[Any]:
    # SQLite keeps moments in UTC, and without saying so.
    return func.date(moment if dialect == "sqlite" else func.timezone("UTC", moment))


# Made once: making it takes longer than running it.
_BY_DAY = {dialect: _by_day(dialect) for dialect in ("sqlite", "postgresql")}
