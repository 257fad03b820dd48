"""Customers, their identities and their orders in the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import ChannelIdentity, Customer, CustomerId
from bot.core.orders import Order, OrderLine, OrderStatus
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


class SqlOrders:
    """OrderRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, order: Order) -> None:
        await self._connection.execute(insert(tables.orders).values(**_order_columns(order)))
        if order.lines:
            await self._connection.execute(
                insert(tables.order_lines),
                [
                    {"order_number": order.number, "position": position, **asdict(line)}
                    for position, line in enumerate(order.lines, 1)
                ],
            )

    async def save(self, order: Order) -> None:
        statement = update(tables.orders).where(tables.orders.c.number == order.number)
        await self._connection.execute(statement.values(**_order_columns(order)))

    async def by_number(self, number: str, *, lock: bool = False) -> Order | None:
        query = select(tables.orders).where(tables.orders.c.number == number)
        found = await self._list(query.with_for_update() if lock else query)
        return found[0] if found else None

    async def of_customer(self, customer_id: CustomerId, limit: int = 20) -> list[Order]:
        c = tables.orders.c
        query = select(tables.orders).where(c.customer_id == customer_id)
        return await self._list(query.order_by(c.placed_at.desc(), c.number.desc()).limit(limit))

    async def _list(self, query: Select[Any]) -> list[Order]:
        rows = (await self._connection.execute(query)).mappings().all()
        c = tables.order_lines.c
        wanted = select(tables.order_lines).where(c.order_number.in_([row["number"] for row in rows]))
        lines: defaultdict[str, list[OrderLine]] = defaultdict(list)
        for line in (await self._connection.execute(wanted.order_by(c.position))).mappings():
            values = dict(line)
            del values["position"]
            lines[values.pop("order_number")].append(OrderLine(**values))
        return [
            Order(**{**row, "status": OrderStatus(row["status"])}, lines=tuple(lines[row["number"]])) for row in rows
        ]


def _order_columns(order: Order) -> dict[str, Any]:
    values: dict[str, Any] = {**vars(order), "status": order.status.value}
    del values["lines"]
    return values
