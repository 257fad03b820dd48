"""Visits to the assistant, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

# A customer who writes again after this long has come back: the conversation on a channel never ends by itself.
PAUSE = timedelta(hours=1)
# Whoever comes back within this time was probably not helped.
RETURN = timedelta(hours=24)
GOOD_CSAT = 4


@dataclass(frozen=True)
class Visit:
    """What a customer wrote in one conversation without a long pause, and which the assistant answered.

    `pleased` says whether they rated it well; `returned_at` is when the same person began their next visit.
    """

    began_at: datetime
    ended_at: datetime
    handed_off: bool = False
    pleased: bool = False
    returned_at: datetime | None = None

    def is_resolved(self, now: datetime) -> bool | None:
        """Whether the assistant seems to have helped without a person; None while it is too early to say."""
        if self.handed_off:
            return False
        if self.pleased:
            return True
        if self.returned_at is not None and self.returned_at - self.ended_at < RETURN:
            return False
        return True if now - self.ended_at >= RETURN else None


@dataclass(frozen=True)
class VisitCounts:
    """How many visits there were, how many of them were handed off, could be judged, and were resolved."""

    visits: int
    handed_off: int
    judged: int
    resolved: int


def count_visits(visits: Iterable[Visit], now: datetime) -> VisitCounts:
    """What became of the visits, as far as it is known now."""
    every = list(visits)
    outcomes = [visit.is_resolved(now) for visit in every]
    return VisitCounts(
        visits=len(every),
        handed_off=sum(visit.handed_off for visit in every),
        judged=sum(outcome is not None for outcome in outcomes),
        resolved=sum(outcome is True for outcome in outcomes),
    )
