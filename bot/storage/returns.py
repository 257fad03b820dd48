"""What comes back to the shop in the database: returned goods and refunded money."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.orders import OrderLine
from bot.core.refunds import Refund, RefundId, RefundReason, RefundStatus
from bot.core.returns import Return, ReturnStatus
from bot.storage import tables
from bot.storage.engine import insert_unless_there


class SqlRefunds:
    """RefundRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, refund: Refund) -> None:
        await self._connection.execute(insert(tables.refunds).values(**_refund_columns(refund)))

    async def save(self, refund: Refund) -> None:
        statement = update(tables.refunds).where(tables.refunds.c.id == refund.id)
        await self._connection.execute(statement.values(**_refund_columns(refund)))

    async def remove(self, refund_id: RefundId) -> None:
        await self._connection.execute(delete(tables.refunds).where(tables.refunds.c.id == refund_id))

    async def of_order(self, number: str) -> list[Refund]:
        c = tables.refunds.c
        query = select(tables.refunds).where(c.order_number == number).order_by(c.requested_at, c.id)
        return [
            Refund(**{**row, "reason": RefundReason(row["reason"]), "status": RefundStatus(row["status"])})
            for row in (await self._connection.execute(query)).mappings()
        ]


class SqlReturns:
    """ReturnRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, sent_back: Return) -> bool:
        values: dict[str, Any] = {**vars(sent_back), "status": sent_back.status.value}
        lines = values.pop("lines")
        if not await insert_unless_there(self._connection, tables.returns, values, ["number"]):
            return False
        if lines:
            await self._connection.execute(
                insert(tables.return_lines),
                [
                    {"return_number": sent_back.number, "position": position, **asdict(line)}
                    for position, line in enumerate(lines, 1)
                ],
            )
        return True

    async def set_status(self, number: str, status: ReturnStatus) -> None:
        statement = update(tables.returns).where(tables.returns.c.number == number)
        await self._connection.execute(statement.values(status=status.value))

    async def of_order(self, number: str) -> list[Return]:
        c = tables.returns.c
        query = select(tables.returns).where(c.order_number == number).order_by(c.created_at, c.number)
        rows = (await self._connection.execute(query)).mappings().all()
        lines = await self._lines([row["number"] for row in rows])
        return [
            Return(**{**row, "status": ReturnStatus(row["status"])}, lines=tuple(lines[row["number"]])) for row in rows
        ]

    async def _lines(self, numbers: list[str]) -> defaultdict[str, list[OrderLine]]:
        c = tables.return_lines.c
        query = select(tables.return_lines).where(c.return_number.in_(numbers)).order_by(c.position)
        lines: defaultdict[str, list[OrderLine]] = defaultdict(list)
        for row in (await self._connection.execute(query)).mappings():
            line = OrderLine(row["sku"], row["title"], row["quantity"], row["unit_price_minor"])
            lines[row["return_number"]].append(line)
        return lines


def _refund_columns(refund: Refund) -> dict[str, Any]:
    return {**asdict(refund), "reason": refund.reason.value, "status": refund.status.value}
