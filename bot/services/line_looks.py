"""A look at all of the desk: who waits, who is helped, who is there, and whom to offer what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.agents import Agent, AgentId
from bot.core.handoffs import Handoff, HandoffId, HandoffState
from bot.core.waiting_line import Helper, offers
from bot.services.ports import UnitOfWork


@dataclass(frozen=True)
class DeskLook:
    """Who waits, who is helped, and everybody at the desk."""

    waiting: Sequence[Handoff]
    active: Sequence[Handoff]
    agents: Mapping[AgentId, Agent]

    def offers(self, now: datetime) -> list[tuple[Handoff, AgentId]]:
        """Whom to offer what at that moment."""
        if not self.waiting:
            return []
        loads = Counter(one.agent_id for one in self.active)
        loads.update(one.offered_to for one in self.waiting if is_on_offer(one, self.agents, now))
        helpers = [
            Helper(
                *(agent.id, agent.capacity, loads[agent.id], agent.free_since),
                *(frozenset(agent.skills), frozenset(agent.languages)),
            )
            for agent in self.agents.values()
            if agent.is_there(now)
        ]
        return offers([as_offered(one, self.agents, now) for one in self.waiting], helpers, now)

    def is_expected(self, handoff: Handoff, now: datetime) -> bool:
        """Whether somebody is being asked to help them, or is about to be, who was not asked before."""
        return is_on_offer(handoff, self.agents, now) or handoff.id in asked_anew(self.offers(now))


async def look(work: UnitOfWork) -> DeskLook:
    """How it is now."""
    waiting = await work.handoffs.in_state(HandoffState.WAITING)
    active = await work.handoffs.in_state(HandoffState.ACTIVE)
    return DeskLook(waiting, active, {agent.id: agent for agent in await work.agents.all()})


def asked_anew(found: Iterable[tuple[Handoff, AgentId]]) -> list[HandoffId]:
    """Those among what is to be offered for whom somebody is asked who has not let it pass."""
    return [handoff.id for handoff, agent_id in found if agent_id not in handoff.passed_by]


def is_on_offer(handoff: Handoff, agents: Mapping[AgentId, Agent], now: datetime) -> bool:
    """Whether somebody who is there is being asked."""
    if handoff.offered_to is None or handoff.offered_until is None or now >= handoff.offered_until:
        return False
    asked = agents.get(handoff.offered_to)
    return asked is not None and asked.is_there(now)


def as_offered(handoff: Handoff, agents: Mapping[AgentId, Agent], now: datetime) -> Handoff:
    """The request without an offer that is over: it was let pass, or whoever it was made to has gone."""
    if handoff.offered_until is None or is_on_offer(handoff, agents, now):
        return handoff
    # Who went away meanwhile has not let it pass.
    asked = handoff.offered_to if now >= handoff.offered_until else None
    passed_by = (*handoff.passed_by, asked) if asked and asked not in handoff.passed_by else handoff.passed_by
    return replace(handoff, passed_by=passed_by, offered_to=None, offered_until=None)
