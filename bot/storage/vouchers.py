"""Vouchers and their uses in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.loyalty import Effect
from bot.core.vouchers import UseState, Voucher, VoucherKind, VoucherUse
from bot.storage import tables
from bot.storage.engine import lock_word

_VOUCHER = tables.vouchers
_USE = tables.voucher_uses


class SqlVouchers:
    """VoucherRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert

    async def add(self, voucher: Voucher) -> bool:
        values = {**vars(voucher), "kind": voucher.kind.value, "effect": voucher.effect.to_json()}
        statement = self._insert(_VOUCHER).values(**values).on_conflict_do_nothing()
        return (await self._connection.execute(statement)).rowcount == 1

    async def get(self, code: str) -> Voucher | None:
        row = (await self._connection.execute(select(_VOUCHER).where(_VOUCHER.c.code == code))).one_or_none()
        return _voucher(row) if row else None

    async def lock(self, code: str) -> Voucher | None:
        query = select(_VOUCHER).where(_VOUCHER.c.code == code).with_for_update()
        row = (await self._connection.execute(query)).one_or_none()
        return _voucher(row) if row else None

    async def by_key(self, key: str) -> Voucher | None:
        row = (await self._connection.execute(select(_VOUCHER).where(_VOUCHER.c.key == key))).one_or_none()
        return _voucher(row) if row else None

    async def of_customer(self, customer_id: CustomerId) -> list[Voucher]:
        c = _VOUCHER.c
        query = select(_VOUCHER).where(c.customer_id == customer_id).order_by(c.created_at.desc(), c.code)
        return [_voucher(row) for row in await self._connection.execute(query)]

    async def coupons(self) -> list[Voucher]:
        c = _VOUCHER.c
        query = select(_VOUCHER).where(c.kind == VoucherKind.COUPON.value).order_by(c.created_at.desc(), c.code)
        return [_voucher(row) for row in await self._connection.execute(query)]

    async def count_use(self, code: str, at: datetime) -> bool:
        c = _VOUCHER.c
        usable = and_(
            c.uses < c.use_limit,
            c.cancelled_at.is_(None),
            or_(c.starts_at.is_(None), c.starts_at <= at),
            or_(c.expires_at.is_(None), c.expires_at > at),
        )
        statement = update(_VOUCHER).where(c.code == code, usable).values(uses=c.uses + 1)
        return (await self._connection.execute(statement)).rowcount == 1

    async def uncount_use(self, code: str) -> None:
        await self._uncount(code, 1)

    async def cancel(self, code: str, at: datetime) -> bool:
        c = _VOUCHER.c
        statement = update(_VOUCHER).where(c.code == code, c.cancelled_at.is_(None)).values(cancelled_at=at)
        return (await self._connection.execute(statement)).rowcount == 1

    async def lock_checkout(self, key: str) -> None:
        await lock_word(self._connection, f"checkout {key}")

    async def uses_on(self, key: str) -> list[VoucherUse]:
        query = select(_USE).where(_USE.c.key == key).order_by(_USE.c.reserved_at, _USE.c.id)
        return [_use(row) for row in await self._connection.execute(query)]

    async def uses_by(self, code: str, customer_id: CustomerId) -> int:
        c = _USE.c
        counting = c.state != UseState.RELEASED.value
        query = select(func.count()).where(c.code == code, c.customer_id == customer_id, counting)
        return await self._connection.scalar(query) or 0

    async def last_use(self, code: str) -> VoucherUse | None:
        c = _USE.c
        query = select(_USE).where(c.code == code, c.state != UseState.RELEASED.value)
        row = (await self._connection.execute(query.order_by(c.reserved_at.desc(), c.id).limit(1))).one_or_none()
        return _use(row) if row else None

    async def save_use(self, use: VoucherUse) -> None:
        values = {**vars(use), "state": use.state.value}
        statement = self._insert(_USE).values(**values)
        changed = {name: value for name, value in values.items() if name not in ("id", "key", "code")}
        await self._connection.execute(statement.on_conflict_do_update(index_elements=["key", "code"], set_=changed))

    async def release_over(self, code: str, at: datetime) -> int:
        c = _USE.c
        over = and_(c.code == code, c.state == UseState.RESERVED.value, c.reserved_until <= at)
        ended = {"state": UseState.RELEASED.value, "reserved_until": None, "ended_at": at}
        count = (await self._connection.execute(update(_USE).where(over).values(**ended))).rowcount
        if count:
            await self._uncount(code, count)
        return count

    async def with_reservations_over(self, at: datetime, *, after: str | None, limit: int) -> list[str]:
        c = _USE.c
        due = select(c.code).where(c.reserved_until.is_not(None), c.reserved_until <= at)
        if after is not None:
            due = due.where(c.code > after)
        # Found first, and only then sorted: else every use would be read in the order that is asked for.
        found = due.cte("due").prefix_with("MATERIALIZED").c.code
        return list((await self._connection.scalars(select(found).distinct().order_by(found).limit(limit))).all())

    async def _uncount(self, code: str, count: int) -> None:
        c = _VOUCHER.c
        await self._connection.execute(update(_VOUCHER).where(c.code == code).values(uses=c.uses - count))


def _voucher(row: Row[Any]) -> Voucher:
    return Voucher(**{**row._mapping, "kind": VoucherKind(row.kind), "effect": Effect(**row.effect)})


def _use(row: Row[Any]) -> VoucherUse:
    return VoucherUse(**{**row._mapping, "state": UseState(row.state)})
