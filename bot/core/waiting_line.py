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
# For so long a customer waits for somebody who speaks their language, is there and has no room. Then anybody may help:
# the language is only what a browser or an app says.
LANGUAGE_WAITED_FOR = timedelta(minutes=3)


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

    @property
    def turn(self) -> tuple[datetime, AgentId]:
        """Whose turn it is among those who have as much to do."""
        return self.free_since, self.id

    def knows(self, handoff: Handoff) -> bool:
        """Whether they know what it is about."""
        return handoff.topic is None or not self.skills or handoff.topic in self.skills

    def speaks(self, handoff: Handoff) -> bool:
        """Whether they speak the customer's language, as far as that is known."""
        return handoff.language is None or not self.languages or handoff.language in self.languages

    def suits(self, handoff: Handoff) -> bool:
        """Both."""
        return self.knows(handoff) and self.speaks(handoff)


def in_line(waiting: Iterable[Handoff]) -> list[Handoff]:
    """Who waits, in the order in which they are helped: urgent ones first, then first come, first served."""
    return sorted(waiting, key=lambda one: (-one.priority, one.waiting_since or one.requested_at, one.id))


def offers(waiting: Iterable[Handoff], helpers: Sequence[Helper], now: datetime) -> list[tuple[Handoff, AgentId]]:
    """Whom to offer what now: for each in line, the least busy who suits, and of those the one longest free.

    Nobody in line waits because somebody before them can be helped by nobody. Who speaks the language goes before who
    knows the topic, and who does both before either; where nobody who is there does, anybody may help: better than no
    answer. Who let an offer pass is asked again only if nobody else can help.
    """
    load = {helper.id: helper.load for helper in helpers}
    room = sum(max(helper.capacity - helper.load, 0) for helper in helpers)
    found: list[tuple[Handoff, AgentId]] = []
    for handoff in in_line(waiting) if room else ():
        if len(found) == room:
            # However long the line is: nobody can take one more.
            break
        if handoff.offered_to in load and handoff.offered_until is not None and now < handoff.offered_until:
            # Only to somebody who is there still.
            continue
        if (chosen := _helper_for(handoff, helpers, load, now)) is not None:
            load[chosen] += 1
            found.append((handoff, chosen))
    return found


def _helper_for(
    handoff: Handoff, helpers: Sequence[Helper], load: Mapping[AgentId, int], now: datetime
) -> AgentId | None:
    wanted = handoff.wanted_agent_id if handoff.wanted_until is not None and now < handoff.wanted_until else None
    if wanted is not None and wanted not in handoff.passed_by:
        # Nobody waits for somebody who has no room.
        helpers = [one for one in helpers if one.id == wanted and load[one.id] < one.capacity] or helpers
    fresh = [helper for helper in helpers if helper.id not in handoff.passed_by]
    for asked in (fresh, helpers):
        free = [helper for helper in _best_of(asked, handoff, now) if load[helper.id] < helper.capacity]
        if free:
            return min(free, key=lambda one: (not one.speaks(handoff), load[one.id] / one.capacity, *one.turn)).id
    return None


def _best_of(helpers: Sequence[Helper], handoff: Handoff, now: datetime) -> Sequence[Helper]:
    """Those of the helpers who can help best, whether or not they have room."""
    speaking = [helper for helper in helpers if helper.speaks(handoff)]
    if not speaking or now - (handoff.waiting_since or handoff.requested_at) >= LANGUAGE_WAITED_FOR:
        speaking = list(helpers)
    return [helper for helper in speaking if helper.knows(handoff)] or speaking


def expected_wait(
    position: int, claims: Sequence[datetime], stands_since: datetime, now: datetime, window: timedelta
) -> timedelta | None:
    """How long it will take at the pace of the last claims; None where too few tell nothing.

    The median pause between claims within the window, the one since the last claim included if it is longer than that,
    for each place in the line: a line that stands still is not promised to move as it did. It stands still only while
    somebody is in it; `stands_since` is since when whoever has been in it for longest has been.
    """
    recent = sorted(at for at in claims if now - at <= window)
    if len(recent) < CLAIMS_TO_JUDGE_BY:
        return None
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(recent)]
    pause = max(statistics.median(pauses), (now - max(recent[-1], stands_since)).total_seconds())
    return timedelta(seconds=pause * position)
