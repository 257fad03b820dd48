"""Who was brought by whom, in the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import EMAIL, PHONE, CustomerId
from bot.core.earning import EARNING_STATUSES
from bot.core.referrals import Household, Referral, household
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_REFERRAL = tables.referrals
_ACCOUNT = tables.loyalty_accounts
# A literal, because a partial index is found by the words of its condition.
_PENDING = text("referrals.due_at IS NOT NULL AND referrals.rewarded_at IS NULL AND referrals.refused IS NULL")


class SqlReferrals:
    """ReferralRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def code_of(self, customer_id: CustomerId) -> str | None:
        return await self._connection.scalar(
            select(_ACCOUNT.c.referral_code).where(_ACCOUNT.c.customer_id == customer_id)
        )

    async def set_code(self, customer_id: CustomerId, code: str) -> bool:
        if await self.with_code(code) is not None:
            return False
        statement = update(_ACCOUNT).where(_ACCOUNT.c.customer_id == customer_id).values(referral_code=code)
        return (await self._connection.execute(statement)).rowcount == 1

    async def with_code(self, code: str) -> CustomerId | None:
        return await self._connection.scalar(select(_ACCOUNT.c.customer_id).where(_ACCOUNT.c.referral_code == code))

    async def add(self, referral: Referral) -> bool:
        return await insert_unless_there(self._connection, _REFERRAL, asdict(referral), ["referee_id"])

    async def get(self, referee_id: CustomerId) -> Referral | None:
        query = select(_REFERRAL).where(_REFERRAL.c.referee_id == referee_id)
        row = (await self._connection.execute(query)).one_or_none()
        return _referral(row) if row else None

    async def save(self, referral: Referral) -> None:
        statement = update(_REFERRAL).where(_REFERRAL.c.referee_id == referral.referee_id)
        await self._connection.execute(statement.values(**asdict(referral)))

    async def of_referrer(self, customer_id: CustomerId, limit: int) -> list[Referral]:
        c = _REFERRAL.c
        query = select(_REFERRAL).where(c.referrer_id == customer_id).order_by(c.joined_at.desc(), c.referee_id)
        return [_referral(row) for row in await self._connection.execute(query.limit(limit))]

    async def rewarded_since(self, customer_id: CustomerId, since: datetime) -> int:
        c = _REFERRAL.c
        query = select(func.count()).where(c.referrer_id == customer_id, c.rewarded_at > since)
        return await self._connection.scalar(query) or 0

    async def due(self, at: datetime, *, after: CustomerId | None, limit: int) -> list[CustomerId]:
        c, last = _REFERRAL.c, _REFERRAL.alias().c
        query = select(c.referee_id).where(_PENDING, c.due_at <= at).order_by(c.due_at, c.referee_id)
        if after is not None:
            last_due_at = select(last.due_at).where(last.referee_id == after).scalar_subquery()
            query = query.where(or_(c.due_at > last_due_at, and_(c.due_at == last_due_at, c.referee_id > after)))
        return list((await self._connection.scalars(query.limit(limit))).all())

    async def household(self, customer_id: CustomerId) -> Household:
        c = tables.customers.c
        query = select(c.name, c.email, c.phone, c.postcode, c.address).where(c.id == customer_id)
        person = (await self._connection.execute(query)).one()
        identities, addresses, orders = (
            tables.customer_identities.c,
            tables.customer_addresses.c,
            tables.orders.c,
        )
        reached = select(identities.kind, identities.value).where(identities.customer_id == customer_id)
        contacts = [(row.kind, row.value) for row in await self._connection.execute(reached)]
        contacts += [(kind, value) for kind, value in ((EMAIL, person.email), (PHONE, person.phone)) if value]
        lived = select(addresses.address).where(addresses.customer_id == customer_id)
        sent = select(orders.shipping_address, orders.postcode).where(orders.customer_id == customer_id)
        parcels = (await self._connection.execute(sent.distinct())).all()
        return household(
            person.name,
            [person.postcode, *(row.postcode for row in parcels)],
            [person.address, *(await self._connection.scalars(lived)), *(row.shipping_address for row in parcels)],
            contacts,
        )

    async def has_paid_order(self, customer_id: CustomerId) -> bool:
        c = tables.orders.c
        paid = or_(c.paid_at.is_not(None), c.status.in_([status.value for status in EARNING_STATUSES]))
        query = select(c.number).where(c.customer_id == customer_id, paid).limit(1)
        return await self._connection.scalar(query) is not None


def _referral(row: Row[Any]) -> Referral:
    return Referral(**row._mapping)
