"""Points given out of kindness in the database: one gift at a time, and who is next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import CTE, exists, func, select
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
        entry, surprise, customer = tables.ledger_entries, tables.ledger_entries.alias(), tables.customers.c
        turned_out = _turned_out()
        they, others = turned_out.alias(), turned_out.alias()
        person = func.coalesce(they.c.person_id, entry.c.customer_id)
        surprised = (
            select(func.coalesce(others.c.person_id, surprise.c.customer_id))
            .join_from(surprise, others, others.c.record_id == surprise.c.customer_id, isouter=True)
            .where(surprise.c.kind == EntryKind.SURPRISE.value, surprise.c.at >= none_since)
        )
        earned = func.sum(entry.c.points)
        query = (
            select(customer.id)
            .join_from(entry, they, they.c.record_id == entry.c.customer_id, isouter=True)
            .join(tables.customers, customer.id == person)
            .where(entry.c.kind.in_(_BOUGHT), entry.c.at >= bought_since)
            # Also leaves out those in the middle, who turned out to be somebody else in turn.
            .where(customer.erased_at.is_(None), customer.merged_into_id.is_(None), customer.id.not_in(surprised))
            .group_by(customer.id)
            .having(earned > 0)
            .order_by(earned.desc(), customer.id)
            .limit(limit)
        )
        return [CustomerId(found) for found in await self._connection.scalars(query)]

    async def had_surprise(self, people: Sequence[CustomerId], since: datetime) -> bool:
        c = tables.ledger_entries.c
        had_one = exists().where(c.customer_id.in_(people), c.kind == EntryKind.SURPRISE.value, c.at >= since)
        return bool(await self._connection.scalar(select(had_one)))


def _turned_out() -> CTE:
    """Records that were merged, each with everyone whom it was merged into, and on into."""
    customer = tables.customers.c
    merged = select(customer.id.label("record_id"), customer.merged_into_id.label("person_id"))
    found = merged.where(customer.merged_into_id.is_not(None)).cte("turned_out", recursive=True)
    further = select(found.c.record_id, customer.merged_into_id).join_from(
        found, tables.customers, customer.id == found.c.person_id
    )
    return found.union_all(further.where(customer.merged_into_id.is_not(None)))
