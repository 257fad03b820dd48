"""Merges of customers as they stand in the database, for tests of what follows from them."""

from __future__ import annotations

from sqlalchemy import insert, update

from bot.core.customers import CustomerId
from bot.services.ids import new_id
from bot.services.ports import Database
from bot.storage import tables
from tests.fakes import MONDAY_MORNING as NOW


async def merged(db: Database, merged_id: CustomerId, kept_id: CustomerId) -> str:
    """Note that a customer turned out to be another one, and return the merge's id; nothing of theirs is moved."""
    merge_id = new_id()
    async with db.transaction() as work:
        connection = work.stamps._connection
        await connection.execute(
            insert(tables.customer_merges).values(
                id=merge_id,
                kept_id=kept_id,
                merged_id=merged_id,
                state="done",
                reason="verified email",
                author="test",
                created_at=NOW,
                done_at=NOW,
            )
        )
        await _point(connection, merged_id, kept_id)
    return merge_id


async def parted(db: Database, merge_id: str, merged_id: CustomerId) -> None:
    """Note that they are two after all."""
    c = tables.customer_merges.c
    async with db.transaction() as work:
        connection = work.stamps._connection
        await connection.execute(update(tables.customer_merges).where(c.id == merge_id).values(state="undone"))
        await _point(connection, merged_id, None)


async def _point(connection, customer_id, kept_id):
    c = tables.customers.c
    await connection.execute(update(tables.customers).where(c.id == customer_id).values(merged_into_id=kept_id))
