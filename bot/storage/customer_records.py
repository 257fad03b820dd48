"""What customers are known by, and what the shop's people noted about them, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId, CustomerIdentity, Note, Tag
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_IDENTITY = tables.customer_identities.c


class SqlIdentities:
    """IdentityRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of_customers(self, ids: Sequence[CustomerId]) -> list[CustomerIdentity]:
        return await self._list(_IDENTITY.customer_id.in_(ids))

    async def holder(self, kind: str, value: str) -> CustomerId | None:
        is_it = (_IDENTITY.kind == kind, _IDENTITY.value == value, _IDENTITY.verified_at.is_not(None))
        return await self._connection.scalar(select(_IDENTITY.customer_id).where(*is_it))

    async def prove(self, identity: CustomerIdentity) -> None:
        same = (
            _IDENTITY.customer_id == identity.customer_id,
            _IDENTITY.kind == identity.kind,
            _IDENTITY.value == identity.value,
        )
        proven = update(tables.customer_identities).where(*same)
        proven = proven.values(source=identity.source, verified_at=identity.verified_at)
        if (await self._connection.execute(proven)).rowcount == 0:
            await self._connection.execute(insert(tables.customer_identities).values(**asdict(identity)))

    async def _list(self, condition: ColumnElement[bool]) -> list[CustomerIdentity]:
        query = select(tables.customer_identities).where(condition)
        rows = await self._connection.execute(query.order_by(_IDENTITY.created_at, _IDENTITY.kind, _IDENTITY.value))
        return [CustomerIdentity(**row) for row in rows.mappings()]


class SqlNotes:
    """NoteRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, note: Note) -> None:
        await self._connection.execute(insert(tables.customer_notes).values(**asdict(note)))

    async def of_customer(self, customer_id: CustomerId) -> list[Note]:
        c = tables.customer_notes.c
        query = select(tables.customer_notes).where(c.customer_id == customer_id)
        rows = await self._connection.execute(query.order_by(c.created_at.desc(), c.id))
        return [Note(**row) for row in rows.mappings()]

    async def add_tag(self, customer_id: CustomerId, tag: Tag) -> bool:
        values = {"customer_id": customer_id, **asdict(tag)}
        return await insert_unless_there(self._connection, tables.customer_tags, values, ["customer_id", "tag"])

    async def remove_tag(self, customer_id: CustomerId, tag: str) -> bool:
        c = tables.customer_tags.c
        gone = delete(tables.customer_tags).where(c.customer_id == customer_id, c.tag == tag)
        return (await self._connection.execute(gone)).rowcount == 1

    async def tags_of(self, customer_id: CustomerId) -> list[Tag]:
        c = tables.customer_tags.c
        query = select(c.tag, c.author, c.created_at).where(c.customer_id == customer_id).order_by(c.tag)
        return [Tag(**row) for row in (await self._connection.execute(query)).mappings()]
