"""Consents and the audit log in the database; both are only ever added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.audit import AuditEntry
from bot.core.consents import Consent
from bot.core.customers import CustomerId
from bot.storage import tables

_CONSENT = tables.consents.c
_CONSENTS = select(*(column for column in _CONSENT if column.name != "id")).order_by(_CONSENT.id)


class SqlConsents:
    """ConsentRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, consent: Consent) -> None:
        await self._connection.execute(insert(tables.consents).values(**asdict(consent)))

    async def said(self, channel: str, address_hash: str, purpose: str) -> list[Consent]:
        query = _CONSENTS.where(
            _CONSENT.address_hash == address_hash, _CONSENT.channel == channel, _CONSENT.purpose == purpose
        )
        return [Consent(**row) for row in (await self._connection.execute(query)).mappings()]

    async def of_addresses(self, addresses: Sequence[tuple[str, str]]) -> list[Consent]:
        query = _CONSENTS.where(tuple_(_CONSENT.channel, _CONSENT.address_hash).in_(addresses))
        return [Consent(**row) for row in (await self._connection.execute(query)).mappings()]


class SqlAudit:
    """AuditRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry) -> None:
        await self._connection.execute(insert(tables.audit_log).values(**{**vars(entry), "detail": dict(entry.detail)}))

    async def of_customers(self, ids: Sequence[CustomerId]) -> list[AuditEntry]:
        c = tables.audit_log.c
        query = select(c.at, c.actor, c.action, c.customer_id, c.detail).where(c.customer_id.in_(ids)).order_by(c.id)
        return [AuditEntry(**row) for row in (await self._connection.execute(query)).mappings()]
