"""Requests to the shop's people, and the codes that prove who asks, in the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import ConversationId
from bot.core.requests import RequestKind, ServiceRequest
from bot.core.verification import VerificationCode
from bot.storage import tables
from bot.storage.engine import insert_unless_there


class SqlRequests:
    """RequestRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, request: ServiceRequest) -> bool:
        values = {**asdict(request), "kind": request.kind.value}
        return await insert_unless_there(self._connection, tables.service_requests, values, ["number"])

    async def open_in(self, conversation_id: ConversationId) -> list[ServiceRequest]:
        c = tables.service_requests.c
        query = select(tables.service_requests).where(c.conversation_id == conversation_id, c.closed_at.is_(None))
        rows = (await self._connection.execute(query.order_by(c.created_at, c.number))).mappings()
        return [ServiceRequest(**{**row, "kind": RequestKind(row["kind"])}) for row in rows]


class SqlCodes:
    """CodeRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lock_address(self, email: str) -> None:
        # There may be no row to lock: an address that nobody has is counted, too. On SQLite there is one writer.
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(
                text("SELECT pg_advisory_xact_lock(hashtextextended(:address, 0))"), {"address": f"code {email}"}
            )

    async def add(self, code: VerificationCode) -> None:
        c = tables.verification_codes.c
        await self._connection.execute(
            update(tables.verification_codes)
            .where(c.conversation_id == code.conversation_id, c.expires_at > code.created_at)
            .values(expires_at=code.created_at)
        )
        await self._connection.execute(insert(tables.verification_codes).values(**asdict(code)))

    async def lock_latest(self, conversation_id: ConversationId) -> VerificationCode | None:
        c = tables.verification_codes.c
        query = select(tables.verification_codes).where(c.conversation_id == conversation_id, c.used_at.is_(None))
        latest = query.order_by(c.expires_at.desc(), c.id).limit(1).with_for_update()
        row = (await self._connection.execute(latest)).mappings().first()
        return VerificationCode(**row) if row else None

    async def save(self, code: VerificationCode) -> None:
        values = asdict(code)
        await self._connection.execute(
            update(tables.verification_codes).where(tables.verification_codes.c.id == values.pop("id")).values(**values)
        )

    async def end(self, conversation_id: ConversationId, at: datetime) -> None:
        c = tables.verification_codes.c
        pending = update(tables.verification_codes).where(c.conversation_id == conversation_id, c.expires_at > at)
        await self._connection.execute(pending.values(expires_at=at))

    async def sent_in_conversation(self, conversation_id: ConversationId, since: datetime) -> int:
        c = tables.conversations.c
        account = select(c.identity_id).where(c.id == conversation_id).scalar_subquery()
        same = select(c.id).where(c.identity_id == account)
        return await self._sent(tables.verification_codes.c.conversation_id.in_(same), since)

    async def sent_to_address(self, email: str, since: datetime) -> int:
        return await self._sent(tables.verification_codes.c.email == email, since)

    async def _sent(self, condition: ColumnElement[bool], since: datetime) -> int:
        query = select(func.count()).where(condition, tables.verification_codes.c.created_at > since)
        return await self._connection.scalar(query) or 0
