"""The line of customers who wait for a person: who is next, for whom, and how long it will take."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from bot.core.agents import AgentId
from bot.core.handoffs import Handoff

# Fewer claims than these tell nothing about how long the next one takes.
CLAIMS_TO_JUDGE_BY = 3


@dataclass(frozen=True)
class Helper:
    """Somebody who takes conversations now: what they know, and how much they have to do. `load` counts open offers.

    No skills or languages means all of them.
    """

    id: AgentId
    capacity: int
    load: int
    free_since: datetime
    skills: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()

    @property
    def has_room(self) -> bool:
        """Whether they can take one more."""
        return self.load < self.capacity

    def suits(self, handoff: Handoff) -> bool:
        """Whether they know what it is about, and speak the customer's language."""
        knows = handoff.topic is None or not self.skills or handoff.topic in self.skills
        return knows and (handoff.language is None or not self.languages or handoff.language in self.languages)


def in_line(waiting: Iterable[Handoff]) -> list[Handoff]:
    """Who waits, in the order in which they are helped: urgent ones first, then first come, first served."""
    return sorted(waiting, key=lambda one: (-one.priority, one.waiting_since or one.requested_at, one.id))


def position_of(handoff: Handoff, waiting: Iterable[Handoff]) -> int | None:
    """The place in the line, from 1; None for somebody who does not wait."""
    ids = [one.id for one in in_line(waiting)]
    return ids.index(handoff.id) + 1 if handoff.id in ids else None


def offers(waiting: Iterable[Handoff], helpers: Sequence[Helper], now: datetime) -> list[tuple[Handoff, AgentId]]:
    """Whom to offer what now: for each in line, the least busy who suits, and of those the one longest free.

    Nobody in line waits because somebody before them can be helped by nobody. Who let an offer pass is asked again only
    if nobody else suits. Where nobody who suits is there at all, anybody may help: better than no answer.
    """
    load = {helper.id: helper.load for helper in helpers}
    found: list[tuple[Handoff, AgentId]] = []
    for handoff in in_line(waiting):
        if handoff.offered_to is not None and handoff.offered_until is not None and now < handoff.offered_until:
            continue
        if (chosen := _helper_for(handoff, helpers, load, now)) is not None:
            load[chosen] += 1
            found.append((handoff, chosen))
    return found


def _helper_for(
    handoff: Handoff, helpers: Sequence[Helper], load: Mapping[AgentId, int], now: datetime
) -> AgentId | None:
    suiting = [helper for helper in helpers if helper.suits(handoff)] or list(helpers)
    wanted = handoff.wanted_agent_id if handoff.wanted_until is not None and now < handoff.wanted_until else None
    if wanted is not None and any(helper.id == wanted for helper in helpers) and wanted not in handoff.passed_by:
        suiting = [helper for helper in helpers if helper.id == wanted]
    free = [helper for helper in suiting if load[helper.id] < helper.capacity]
    fresh = [helper for helper in free if helper.id not in handoff.passed_by] or free
    if not fresh:
        return None
    return min(fresh, key=lambda helper: (load[helper.id] / helper.capacity, helper.free_since, helper.id)).id


def expected_wait(position: int, claims: Sequence[datetime], now: datetime, window: timedelta) -> timedelta | None:
    """How long it will take at the pace of the last claims; None where too few tell nothing.

    The median pause between claims within the window, the one since the last claim included if it is longer than that,
    for each place in the line: a line that stands still is not promised to move as it did.
    """
    recent = sorted(at for at in claims if now - at <= window)
    if len(recent) < CLAIMS_TO_JUDGE_BY:
        return None
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(recent)]
    pause = max(statistics.median(pauses), (now - recent[-1]).total_seconds())
    return timedelta(seconds=pause * position)
