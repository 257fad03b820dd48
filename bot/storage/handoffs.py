"""Requests for a person, in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.agents import AgentId
from bot.core.conversations import ConversationId
from bot.core.handoffs import Handoff, HandoffId, HandoffReason, HandoffState, Stage, Step
from bot.storage import tables

_C = tables.handoffs.c
_OPEN = _C.closed_at.is_(None)
_EVENT = tables.conversation_events.c


def _in(state: HandoffState) -> tuple[ColumnElement[bool], ...]:
    # What is open has an index of its own, which no database uses unless it is told that this is open.
    return (_C.state == state.value, *(() if state is HandoffState.CLOSED else (_OPEN,)))


class SqlHandoffs:
    """HandoffRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, handoff: Handoff) -> None:
        await self._connection.execute(insert(tables.handoffs).values(**_columns(handoff)))

    async def save(self, handoff: Handoff) -> None:
        values = _columns(handoff)
        await self._connection.execute(update(tables.handoffs).where(_C.id == values.pop("id")).values(**values))

    async def open_for(self, conversation_id: ConversationId) -> Handoff | None:
        found = await self._list(_OPEN, _C.conversation_id == conversation_id)
        return found[0] if found else None

    async def lock_open(self, conversation_id: ConversationId) -> Handoff | None:
        query = select(tables.handoffs).where(_OPEN, _C.conversation_id == conversation_id).with_for_update()
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return _handoff(row) if row else None

    async def last_helped(self, conversation_id: ConversationId) -> Handoff | None:
        return await self._closed(_C.conversation_id == conversation_id, _C.agent_id.is_not(None))

    async def last_of(self, conversation_id: ConversationId) -> Handoff | None:
        query = select(tables.handoffs).where(_C.conversation_id == conversation_id)
        # One that is open began after those that are closed.
        newest = query.order_by(_OPEN.desc(), _C.closed_at.desc(), _C.id).limit(1)
        row = (await self._connection.execute(newest)).mappings().first()
        return _handoff(row) if row else None

    async def in_state(self, state: HandoffState) -> list[Handoff]:
        return await self._list(*_in(state))

    async def line(self) -> list[ConversationId]:
        query = select(_C.conversation_id).where(*_in(HandoffState.WAITING))
        query = query.order_by(_C.priority.desc(), func.coalesce(_C.waiting_since, _C.requested_at), _C.id)
        return [ConversationId(one) for one in await self._connection.scalars(query)]

    async def offer(self, handoff_id: HandoffId, agent_id: AgentId, now: datetime, until: datetime) -> bool:
        is_free = or_(_C.offered_until.is_(None), _C.offered_until <= now)
        statement = update(tables.handoffs).where(_C.id == handoff_id, _C.state == HandoffState.WAITING.value, is_free)
        return (
            await self._connection.execute(statement.values(offered_to=agent_id, offered_until=until))
        ).rowcount == 1

    async def hear(self, conversation_id: ConversationId, at: datetime) -> None:
        statement = update(tables.handoffs).where(_OPEN, _C.conversation_id == conversation_id)
        await self._connection.execute(statement.values(heard_at=at, snoozed_until=None))

    async def of_agent(self, agent_id: AgentId) -> list[Handoff]:
        return await self._list(*_in(HandoffState.ACTIVE), _C.agent_id == agent_id)

    async def loads(self) -> dict[AgentId, int]:
        query = select(_C.agent_id, func.count()).where(*_in(HandoffState.ACTIVE)).group_by(_C.agent_id)
        return {AgentId(agent_id): number for agent_id, number in await self._connection.execute(query)}

    async def claims_since(self, at: datetime) -> Sequence[datetime]:
        query = select(_EVENT.at, _EVENT.detail).where(_EVENT.kind == "handoff_step", _EVENT.at >= at)
        steps = await self._connection.execute(query.order_by(_EVENT.at))
        from_line = {"step": Step.CLAIM.value, "from": Stage.QUEUE.value}
        return [step.at for step in steps if from_line.items() <= step.detail.items()]

    async def line_since(self) -> datetime | None:
        since = func.min(func.coalesce(_C.waiting_since, _C.requested_at))
        found: datetime | None = await self._connection.scalar(select(since).where(*_in(HandoffState.WAITING)))
        return found

    async def _closed(self, *conditions: ColumnElement[bool]) -> Handoff | None:
        query = select(tables.handoffs).where(*conditions, _C.closed_at.is_not(None))
        row = (await self._connection.execute(query.order_by(_C.closed_at.desc(), _C.id).limit(1))).mappings().first()
        return _handoff(row) if row else None

    async def _list(self, *conditions: ColumnElement[bool]) -> list[Handoff]:
        query = select(tables.handoffs).where(*conditions).order_by(_C.waiting_since, _C.requested_at, _C.id)
        return [_handoff(row) for row in (await self._connection.execute(query)).mappings()]


def _handoff(row: RowMapping) -> Handoff:
    values: dict[str, Any] = dict(row)
    values |= {"reason": HandoffReason(row["reason"]), "state": HandoffState(row["state"])}
    return Handoff(**{**values, "passed_by": tuple(row["passed_by"])})


def _columns(handoff: Handoff) -> dict[str, Any]:
    values = {name: getattr(value, "value", value) for name, value in vars(handoff).items()}
    return {**values, "passed_by": list(handoff.passed_by), "summary": dict(handoff.summary)}
