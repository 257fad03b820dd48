"""Orders in the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.storage import tables
from bot.storage.engine import insert_unless_there


class SqlOrders:
    """OrderRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, order: Order) -> None:
        await self._connection.execute(insert(tables.orders).values(**_order_columns(order)))
        await self._add_lines(order)

    async def add_unless_known(self, order: Order) -> bool:
        if not await insert_unless_there(self._connection, tables.orders, _order_columns(order), ["number"]):
            return False
        await self._add_lines(order)
        return True

    async def replace_lines(self, order: Order) -> None:
        c = tables.order_lines.c
        await self._connection.execute(delete(tables.order_lines).where(c.order_number == order.number))
        await self._add_lines(order)

    async def _add_lines(self, order: Order) -> None:
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
