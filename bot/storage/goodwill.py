"""Points given out of kindness in the database: one gift at a time, and who is next."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.ledger import EntryKind
from bot.storage import tables
from bot.storage.engine import lock_word

_BOUGHT = (EntryKind.ORDER.value, EntryKind.REFUND.value)


class SqlGoodwill:
    """GoodwillRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_author(self, author: str) -> None:
        # There may be no row to lock: an author's first gift is counted, too.
        await lock_word(self._connection, f"goodwill {author}")

    async def lock_surprises(self) -> None:
        await lock_word(self._connection, "surprises")

    async def next_for_surprise(self, *, bought_since: datetime, none_since: datetime, limit: int) -> list[CustomerId]:
        entry, customer = tables.ledger_entries.c, tables.customers.c
        surprise = tables.ledger_entries.alias().c
        had_one = exists().where(
            surprise.customer_id == customer.id,
            surprise.kind == EntryKind.SURPRISE.value,
            surprise.at >= none_since,
        )
        earned = func.sum(entry.points)
        query = (
            select(customer.id)
            .join_from(tables.ledger_entries, tables.customers, entry.customer_id == customer.id)
            .where(entry.kind.in_(_BOUGHT), entry.at >= bought_since)
            .where(customer.erased_at.is_(None), customer.merged_into_id.is_(None), ~had_one)
            .group_by(customer.id)
            .having(earned > 0)
            .order_by(earned.desc(), customer.id)
            .limit(limit)
        )
        return [CustomerId(found) for found in await self._connection.scalars(query)]

    async def had_surprise(self, customer_id: CustomerId, since: datetime) -> bool:
        c = tables.ledger_entries.c
        had_one = exists().where(c.customer_id == customer_id, c.kind == EntryKind.SURPRISE.value, c.at >= since)
        return bool(await self._connection.scalar(select(had_one)))
