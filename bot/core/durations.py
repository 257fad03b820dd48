"""How long things took: by the clock and in opening hours, and the usual and the long ones."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from bot.core.opening_hours import OpeningHours

Span = tuple[datetime, datetime]


def clock_seconds(spans: Sequence[Span]) -> list[float]:
    """From the start to the end of each span."""
    return [(end - start).total_seconds() for start, end in spans]


def open_seconds(hours: OpeningHours, spans: Sequence[Span]) -> list[float]:
    """For how long the shop was open from the start to the end of each span."""
    if not spans:
        return []
    openings = _openings(hours, min(start for start, _ in spans), max(end for _, end in spans))
    starts = [opens for opens, _ in openings]
    before = [0.0, *accumulate((closes - opens).total_seconds() for opens, closes in openings)]

    def open_until(at: datetime) -> float:
        number = bisect_right(starts, at)
        if number == 0:
            return 0.0
        opens, closes = openings[number - 1]
        return before[number - 1] + (min(at, closes) - opens).total_seconds()

    return [open_until(end) - open_until(start) for start, end in spans]


def _openings(hours: OpeningHours, start: datetime, end: datetime) -> list[Span]:
    """When the shop was open between two moments, in order, cut at both."""
    found = []
    at = start
    while at < end:
        if not hours.is_open(at):
            opens = hours.next_opening(at)
            if opens is None:
                break
            at = opens
            continue
        # None is a shop that does not close for more than a year.
        closes = min(hours.closes_at(at) or at + timedelta(days=365), end)
        found.append((at, closes))
        at = closes
    return found


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The value that this share of the values does not exceed, between the two nearest; None of none."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
