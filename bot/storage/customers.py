"""Customers and their accounts on channels in the database."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import ChannelIdentity, Customer, CustomerId
from bot.storage import tables
from bot.storage.engine import insert_unless_there


class SqlCustomers:
    """CustomerRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, customer: Customer) -> None:
        await self._connection.execute(insert(tables.customers).values(**asdict(customer)))

    async def add_unless_known(self, customer: Customer) -> bool:
        return await insert_unless_there(self._connection, tables.customers, asdict(customer), ["external_id"])

    async def get(self, customer_id: CustomerId) -> Customer | None:
        return await self._one(tables.customers.c.id == customer_id)

    async def by_external_id(self, external_id: str) -> Customer | None:
        return await self._one(tables.customers.c.external_id == external_id)

    async def by_email(self, email: str) -> Customer | None:
        return await self._one(tables.customers.c.email == email)

    async def set_address(self, customer_id: CustomerId, address: str) -> Customer | None:
        changed = update(tables.customers).where(tables.customers.c.id == customer_id).values(address=address)
        row = (await self._connection.execute(changed.returning(tables.customers))).mappings().first()
        return Customer(**row) if row else None

    async def count(self) -> int:
        return await self._connection.scalar(select(func.count()).select_from(tables.customers)) or 0

    async def add_identity(self, identity: ChannelIdentity) -> bool:
        return await insert_unless_there(
            self._connection, tables.channel_identities, asdict(identity), ["channel", "external_id"]
        )

    async def identity(self, channel: str, external_id: str) -> ChannelIdentity | None:
        c = tables.channel_identities.c
        query = select(tables.channel_identities).where(c.channel == channel, c.external_id == external_id)
        row = (await self._connection.execute(query)).mappings().first()
        return ChannelIdentity(**row) if row else None

    async def _one(self, condition: ColumnElement[bool]) -> Customer | None:
        query = select(tables.customers).where(condition).order_by(tables.customers.c.created_at).limit(1)
        row = (await self._connection.execute(query)).mappings().first()
        return Customer(**row) if row else None
