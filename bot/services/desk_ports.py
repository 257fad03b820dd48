"""What the desk needs from the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.agents import Agent, AgentId, AgentSession
from bot.core.conversations import ConversationId
from bot.core.handoffs import Handoff, HandoffId, HandoffState


class AgentRepository(Protocol):
    """The people at the desk, and their sessions."""

    async def add(self, agent: Agent) -> bool:
        """False, adding nothing, if somebody has this e-mail address."""
        ...

    async def get(self, agent_id: AgentId) -> Agent | None: ...
    async def lock(self, agent_id: AgentId) -> Agent | None: ...
    async def lock_by_email(self, email: str) -> Agent | None: ...
    async def save(self, agent: Agent) -> None: ...
    async def by_email(self, email: str) -> Agent | None: ...
    async def see(self, agent_id: AgentId, at: datetime) -> None:
        """Note that somebody's desk is open."""
        ...

    async def set_free(self, agent_id: AgentId, at: datetime) -> None:
        """Note that somebody has one conversation less."""
        ...

    async def all(self) -> list[Agent]:
        """Everybody, by name."""
        ...

    async def lock_line(self) -> None:
        """One at a time decides who is offered what."""
        ...

    async def add_session(self, session: AgentSession) -> None: ...
    async def session(self, token_hash: str) -> AgentSession | None: ...
    async def touch_session(self, token_hash: str, at: datetime) -> None:
        """Note that somebody is still there."""
        ...

    async def end_sessions(self, agent_id: AgentId, *, but: str | None = None) -> list[str]:
        """End all sessions of somebody, but perhaps one; the hashes of those that ended."""
        ...

    async def sessions_of(self, agent_id: AgentId) -> list[AgentSession]:
        """Where somebody is signed in; some of it may be over."""
        ...

    async def end_session(self, token_hash: str) -> None: ...
    async def forget_sessions(self, before: datetime) -> int:
        """Forget sessions in which nothing was done since then; how many."""
        ...


class HandoffRepository(Protocol):
    """Requests for a person."""

    async def add(self, handoff: Handoff) -> None: ...
    async def save(self, handoff: Handoff) -> None: ...
    async def open_for(self, conversation_id: ConversationId) -> Handoff | None:
        """The one that a person still has something to do for; there is one at most."""
        ...

    async def lock_open(self, conversation_id: ConversationId) -> Handoff | None:
        """Like open_for, and nobody else changes it until this unit of work ends. The conversation must be locked."""
        ...

    async def last_helped(self, conversation_id: ConversationId) -> Handoff | None:
        """The last one that was closed and that somebody had: who only waited was helped by nobody."""
        ...

    async def last_of(self, conversation_id: ConversationId) -> Handoff | None:
        """The last one there was, open or not."""
        ...

    async def in_state(self, state: HandoffState) -> list[Handoff]:
        """Everything that waits, is being worked on, or is to be called back; whoever came first, first."""
        ...

    async def line(self) -> list[ConversationId]:
        """Who waits, in the order in which they are helped; see waiting_line.in_line."""
        ...

    async def offer(self, handoff_id: HandoffId, agent_id: AgentId, now: datetime, until: datetime) -> bool:
        """Offer it, unless it is on offer or waits no more; whether this did."""
        ...

    async def hear(self, conversation_id: ConversationId, at: datetime) -> None:
        """Note that the customer wrote something. What was put off is put off no longer."""
        ...

    async def of_agent(self, agent_id: AgentId) -> list[Handoff]:
        """What somebody is working on."""
        ...

    async def loads(self) -> dict[AgentId, int]:
        """How many conversations everybody has who has any."""
        ...

    async def claims_since(self, at: datetime) -> Sequence[datetime]:
        """When somebody was taken from the line, since then; the oldest first."""
        ...

    async def line_since(self) -> datetime | None:
        """Since when whoever has waited for longest has; None where nobody waits."""
        ...
