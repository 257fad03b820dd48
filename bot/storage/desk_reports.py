"""What the desk's reports are made of, in the database."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.agents import AgentId
from bot.core.conversations import Author
from bot.core.desk_reports import Rating, Request, Step
from bot.core.measures import Window
from bot.storage import tables

# A wait that began on the last day may end on the next ones.
AFTER = timedelta(days=2)
_AFTER_A_PERSON = "csat:handoff:"


class SqlDeskReports:
    """DeskReportRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def steps(self, window: Window) -> list[Step]:
        c = tables.conversation_events.c
        query = select(c.conversation_id, c.at, c.detail).where(c.kind == "handoff_step", c.at >= window.starts_at)
        rows = await self._connection.execute(query.where(c.at < window.ends_at + AFTER).order_by(c.id))
        return [
            Step(
                conversation_id,
                at,
                str(detail.get("from")),
                str(detail.get("to")),
                detail.get("agent"),
                detail.get("to_agent"),
            )
            for conversation_id, at, detail in rows
        ]

    async def requests(self, window: Window) -> list[Request]:
        c = tables.handoffs.c
        query = select(c.requested_at, c.reason, c.agent_id, c.claimed_at, c.first_reply_at, c.closed_at, c.outcome)
        inside = (c.requested_at >= window.starts_at, c.requested_at < window.ends_at)
        rows = await self._connection.execute(query.where(*inside).order_by(c.requested_at, c.id))
        return [Request(*row) for row in rows]

    async def ratings(self, window: Window) -> list[Rating]:
        f, handoff = tables.feedback.c, tables.handoffs.c
        # The request's id is what the key ends with: cut out of the key, each is found by its index.
        after_a_person = and_(
            f.key.startswith(_AFTER_A_PERSON), handoff.id == func.substr(f.key, len(_AFTER_A_PERSON) + 1)
        )
        query = (
            select(f.answered_at, f.score, handoff.id.is_not(None), handoff.agent_id)
            .select_from(tables.feedback.outerjoin(tables.handoffs, after_a_person))
            .where(f.kind == "csat", f.score.is_not(None), f.order_number.is_(None))
            .where(f.answered_at >= window.starts_at, f.answered_at < window.ends_at)
            .order_by(f.answered_at, f.id)
        )
        return [
            Rating(at, score, bool(by), agent_id) for at, score, by, agent_id in await self._connection.execute(query)
        ]

    async def replies(self, window: Window) -> dict[AgentId, int]:
        c = tables.messages.c
        query = select(c.agent_id, func.count()).where(c.author == Author.AGENT.value, c.agent_id.is_not(None))
        query = query.where(c.at >= window.starts_at, c.at < window.ends_at).group_by(c.agent_id)
        return {AgentId(agent_id): number for agent_id, number in await self._connection.execute(query)}
