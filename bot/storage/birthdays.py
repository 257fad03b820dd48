"""Birthdays, and who had a treat for theirs, in the database."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.vouchers import VoucherKind
from bot.storage import tables

_CUSTOMER = tables.customers.c
_VOUCHER = tables.vouchers.c


class SqlBirthdays:
    """BirthdayRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def set(self, customer_id: CustomerId, month: int, day: int, at: datetime) -> None:
        is_known = and_(_CUSTOMER.birthday_month == month, _CUSTOMER.birthday_day == day)
        statement = update(tables.customers).where(_CUSTOMER.id == customer_id)
        await self._connection.execute(
            statement.values(
                birthday_set_at=case((is_known, _CUSTOMER.birthday_set_at), else_=at),
                birthday_month=month,
                birthday_day=day,
            )
        )

    async def treatable(
        self,
        birthday: tuple[int, int],
        *,
        set_before: datetime,
        treated_before: datetime,
        after: CustomerId | None,
        limit: int,
    ) -> list[CustomerId]:
        month, day = birthday
        treated = select(_VOUCHER.code).where(
            _VOUCHER.customer_id == _CUSTOMER.id,
            _VOUCHER.kind == VoucherKind.BIRTHDAY.value,
            _VOUCHER.created_at > treated_before,
        )
        query = select(_CUSTOMER.id).where(
            _CUSTOMER.birthday_month == month,
            _CUSTOMER.birthday_day == day,
            or_(_CUSTOMER.birthday_set_at.is_(None), _CUSTOMER.birthday_set_at < set_before),
            _CUSTOMER.merged_into_id.is_(None),
            _CUSTOMER.erased_at.is_(None),
            _CUSTOMER.id > (after or ""),
            ~treated.exists(),
        )
        return list((await self._connection.scalars(query.order_by(_CUSTOMER.id).limit(limit))).all())

    async def treated_at(self, customer_id: CustomerId) -> datetime | None:
        query = select(func.max(_VOUCHER.created_at)).where(
            _VOUCHER.customer_id == customer_id, _VOUCHER.kind == VoucherKind.BIRTHDAY.value
        )
        found: datetime | None = await self._connection.scalar(query)
        return found
