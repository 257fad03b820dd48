"""What keeps the service going: tracker events, outbox, verification attempts and workers in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import ConversationId
from bot.services.ports import OutboxEntry, VerificationAttempt, WorkerState
from bot.storage import tables
from bot.storage.engine import insert_unless_there


class SqlTrackerEvents:
    """TrackerEventRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def current_session(self, conversation_id: ConversationId) -> tuple[list[str], int]:
        c = tables.tracker_events.c
        # The partial index of session starts finds this without reading the sessions before.
        start = (
            select(func.coalesce(func.max(c.position), 0))
            .where(c.conversation_id == conversation_id, c.begins_session)
            .scalar_subquery()
        )
        query = select(c.position, c.event).where(c.conversation_id == conversation_id, c.position >= start)
        rows = (await self._connection.execute(query.order_by(c.position))).all()
        return [row.event for row in rows], rows[-1].position + 1 if rows else 0

    async def recent(self, conversation_id: ConversationId, limit: int) -> list[str]:
        c = tables.tracker_events.c
        query = select(c.event).where(c.conversation_id == conversation_id).order_by(c.position.desc()).limit(limit)
        return list(await self._connection.scalars(query))[::-1]

    async def last_at(self, conversation_id: ConversationId) -> datetime | None:
        c = tables.tracker_events.c
        query = select(c.at).where(c.conversation_id == conversation_id).order_by(c.position.desc()).limit(1)
        at: datetime | None = await self._connection.scalar(query)
        return at

    async def append(
        self, conversation_id: ConversationId, position: int, events: Sequence[tuple[str, bool]], at: datetime
    ) -> None:
        if events:
            await self._connection.execute(
                insert(tables.tracker_events),
                [
                    {
                        "conversation_id": conversation_id,
                        "position": position + offset,
                        "event": event,
                        "begins_session": begins_session,
                        "at": at,
                    }
                    for offset, (event, begins_session) in enumerate(events)
                ],
            )


class SqlVerifications:
    """VerificationRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, attempt: VerificationAttempt) -> None:
        await self._connection.execute(insert(tables.verification_attempts).values(**asdict(attempt)))

    async def failed_in_conversation(self, conversation_id: ConversationId, kind: str, since: datetime) -> int:
        return await self._failed(tables.verification_attempts.c.conversation_id == conversation_id, kind, since)

    async def failed_for_subject(self, kind: str, subject: str, since: datetime) -> int:
        return await self._failed(tables.verification_attempts.c.subject == subject, kind, since)

    async def _failed(self, condition: ColumnElement[bool], kind: str, since: datetime) -> int:
        c = tables.verification_attempts.c
        query = select(func.count()).where(condition, c.kind == kind, c.at > since, c.succeeded.is_(False))
        return await self._connection.scalar(query) or 0


class SqlOutbox:
    """OutboxRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: OutboxEntry) -> bool:
        return await insert_unless_there(self._connection, tables.outbox, asdict(entry), ["key"])

    async def has(self, key: str) -> bool:
        query = select(tables.outbox.c.id).where(tables.outbox.c.key == key)
        return await self._connection.scalar(query) is not None

    async def claim_due(self, now: datetime, until: datetime) -> OutboxEntry | None:
        c = tables.outbox.c
        due = select(c.id).where(c.next_attempt_at <= now).order_by(c.next_attempt_at).limit(1)
        entry_id = await self._connection.scalar(due.with_for_update(skip_locked=True))
        if entry_id is None:
            return None
        claimed = update(tables.outbox).where(c.id == entry_id).values(next_attempt_at=until).returning(tables.outbox)
        return OutboxEntry(**(await self._connection.execute(claimed)).mappings().one())

    async def save(self, entry: OutboxEntry) -> None:
        values, c = asdict(entry), tables.outbox.c
        # What was emptied while it was being delivered, because its reader was erased, stays empty.
        is_whole = c.payload["to"].as_string().is_distinct_from("")
        await self._connection.execute(update(tables.outbox).where(c.id == values.pop("id"), is_whole).values(**values))


class SqlWorkers:
    """WorkerRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def report(self, state: WorkerState) -> None:
        values = asdict(state)
        updated = await self._connection.execute(
            update(tables.workers).where(tables.workers.c.id == state.id).values(**values)
        )
        if updated.rowcount == 0:
            await self._connection.execute(insert(tables.workers).values(**values))

    async def remove(self, worker_id: str) -> None:
        await self._connection.execute(delete(tables.workers).where(tables.workers.c.id == worker_id))

    async def seen_since(self, at: datetime) -> list[WorkerState]:
        rows = await self._connection.execute(select(tables.workers).where(tables.workers.c.seen_at >= at))
        return [WorkerState(**row) for row in rows.mappings()]
