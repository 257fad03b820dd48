"""The stamps of punch cards in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.punch_cards import StampEntry, StampKind
from bot.storage import tables

_STAMP = tables.stamps


class SqlStamps:
    """StampRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entries: Sequence[StampEntry]) -> None:
        if not entries:
            return
        rows = [{**asdict(entry), "kind": entry.kind.value} for entry in entries]
        for row in rows:
            del row["id"]
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        await self._connection.execute(dialect.insert(_STAMP).on_conflict_do_nothing(index_elements=["key"]), rows)

    async def by_key(self, key: str) -> StampEntry | None:
        row = (await self._connection.execute(select(_STAMP).where(_STAMP.c.key == key))).one_or_none()
        return _entry(row) if row else None

    async def of_source(self, source: str) -> list[StampEntry]:
        query = select(_STAMP).where(_STAMP.c.source == source).order_by(_STAMP.c.id)
        return [_entry(row) for row in await self._connection.execute(query)]

    async def balances(self, customer_id: CustomerId) -> dict[str, int]:
        c = _STAMP.c
        query = select(c.card, func.sum(c.stamps)).where(c.customer_id == customer_id).group_by(c.card)
        return {card: int(stamps) for card, stamps in await self._connection.execute(query.order_by(c.card))}

    async def times_completed(self, customer_id: CustomerId, card: str) -> int:
        c = _STAMP.c
        completed = (c.customer_id == customer_id, c.card == card, c.kind == StampKind.COMPLETED.value)
        return await self._connection.scalar(select(func.count()).where(*completed)) or 0

    async def voidable(self, customer_id: CustomerId, card: str, at: datetime) -> list[StampEntry]:
        c, vouchers = _STAMP.c, tables.vouchers.c
        voided = _STAMP.alias("voided")
        query = (
            select(_STAMP)
            .join(tables.vouchers, vouchers.code == c.source)
            .where(
                vouchers.customer_id == customer_id,
                vouchers.uses < vouchers.use_limit,
                vouchers.cancelled_at.is_(None),
                or_(vouchers.expires_at.is_(None), vouchers.expires_at > at),
                c.card == card,
                c.kind == StampKind.COMPLETED.value,
                ~select(voided.c.id).where(voided.c.reverses_id == c.id).exists(),
            )
            .order_by(c.id.desc())
        )
        return [_entry(row) for row in await self._connection.execute(query)]


def _entry(row: Row[Any]) -> StampEntry:
    return StampEntry(**{**row._mapping, "kind": StampKind(row.kind)})
