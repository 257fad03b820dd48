"""How fast something may go on the whole, and for a moment: token buckets."""

from __future__ import annotations

from dataclasses import dataclass

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rate:
    """So many a second in the long run, and so many at once after a pause."""

    per_second: float
    at_once: float


class Bucket:
    """A token bucket: full at first, filling up at its rate. Times are seconds of one steady clock."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = rate.at_once
        self._as_of = now

    def wait(self, now: float) -> float:
        """Seconds until there is room for one more; 0 when there is now."""
        self._fill(now)
        missing = 1 - self._left
        # What is left of a rounding is nothing to wait for: a clock may not even have so short a while.
        return missing / self._rate.per_second if missing > _ROUNDING else 0.0

    def take(self, now: float) -> None:
        """Spend one; whoever did not wait makes the next one wait longer."""
        self._fill(now)
        self._left -= 1

    def is_full(self, now: float) -> bool:
        """Whether it would make nobody wait, so that it can be forgotten."""
        self._fill(now)
        return self._left >= self._rate.at_once

    def _fill(self, now: float) -> None:
        self._left = min(self._rate.at_once, self._left + (now - self._as_of) * self._rate.per_second)
        self._as_of = max(self._as_of, now)
