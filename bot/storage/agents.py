"""The people at the desk and their sessions, in the database."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, case, delete, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.agents import GONE_AFTER, Agent, AgentId, AgentSession, Presence, Role
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_C = tables.agents.c
_SESSION = tables.agent_sessions.c


class SqlAgents:
    """AgentRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, agent: Agent) -> bool:
        return await insert_unless_there(self._connection, tables.agents, _columns(agent), ["email"])

    async def get(self, agent_id: AgentId) -> Agent | None:
        return await self._one(_C.id == agent_id)

    async def lock(self, agent_id: AgentId) -> Agent | None:
        return await self._one(_C.id == agent_id, lock=True)

    async def lock_by_email(self, email: str) -> Agent | None:
        return await self._one(_C.email == email, lock=True)

    async def by_email(self, email: str) -> Agent | None:
        return await self._one(_C.email == email)

    async def see(self, agent_id: AgentId, at: datetime) -> None:
        # Whoever was gone has been free since they came back: not since yesterday, before whoever was there all along.
        was_gone = or_(_C.seen_at.is_(None), _C.seen_at <= at - GONE_AFTER)
        free_since = case((was_gone, literal(at, tables.UtcDateTime())), else_=_C.free_since)
        statement = update(tables.agents).where(_C.id == agent_id)
        await self._connection.execute(statement.values(seen_at=at, free_since=free_since))

    async def set_free(self, agent_id: AgentId, at: datetime) -> None:
        await self._connection.execute(update(tables.agents).where(_C.id == agent_id).values(free_since=at))

    async def save(self, agent: Agent) -> None:
        values = _columns(agent)
        await self._connection.execute(update(tables.agents).where(_C.id == values.pop("id")).values(**values))

    async def all(self) -> list[Agent]:
        rows = await self._connection.execute(select(tables.agents).order_by(_C.name, _C.email))
        return [_agent(row) for row in rows.mappings()]

    async def lock_line(self) -> None:
        # On SQLite there is one writer.
        if self._connection.dialect.name == "postgresql":
            await self._connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('the line', 0))"))

    async def add_session(self, session: AgentSession) -> None:
        await self._connection.execute(insert(tables.agent_sessions).values(**vars(session)))

    async def session(self, token_hash: str) -> AgentSession | None:
        query = select(tables.agent_sessions).where(_SESSION.token_hash == token_hash)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return AgentSession(**row) if row else None

    async def touch_session(self, token_hash: str, at: datetime) -> None:
        statement = update(tables.agent_sessions).where(_SESSION.token_hash == token_hash, _SESSION.seen_at < at)
        await self._connection.execute(statement.values(seen_at=at))

    async def end_sessions(self, agent_id: AgentId, *, but: str | None = None) -> list[str]:
        statement = delete(tables.agent_sessions).where(
            _SESSION.agent_id == agent_id, _SESSION.token_hash != (but or "")
        )
        return list((await self._connection.scalars(statement.returning(_SESSION.token_hash))).all())

    async def sessions_of(self, agent_id: AgentId) -> list[AgentSession]:
        query = select(tables.agent_sessions).where(_SESSION.agent_id == agent_id)
        return [AgentSession(**row) for row in (await self._connection.execute(query)).mappings()]

    async def end_session(self, token_hash: str) -> None:
        await self._connection.execute(delete(tables.agent_sessions).where(_SESSION.token_hash == token_hash))

    async def forget_sessions(self, before: datetime) -> int:
        statement = delete(tables.agent_sessions).where(_SESSION.seen_at < before)
        return (await self._connection.execute(statement)).rowcount

    async def _one(self, condition: ColumnElement[bool], *, lock: bool = False) -> Agent | None:
        query = select(tables.agents).where(condition)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return _agent(row) if row else None


def _agent(row: RowMapping) -> Agent:
    lists = {"skills": tuple(row["skills"]), "languages": tuple(row["languages"])}
    return Agent(**{**row, **lists, "role": Role(row["role"]), "presence": Presence(row["presence"])})


def _columns(agent: Agent) -> dict[str, Any]:
    return {name: getattr(value, "value", value) for name, value in vars(agent).items()}
