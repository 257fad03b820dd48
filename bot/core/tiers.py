"""The levels of the programme: what counts toward them, who has which, and how long it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from bot.core.loyalty import Tier, TierRules

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class TierStanding:
    """Where a customer stands: their level, and what was earned within the window as of now.

    `missing` is how many points it takes to the next level (0 on the highest). `until` is the moment from which on the
    present level is lost if nothing more is earned; None: never.
    """

    tier: Tier | None
    earned: int
    next_tier: Tier | None
    missing: int
    until: datetime | None


def first_day_that_counts(rules: TierRules, now: datetime) -> date:
    """The oldest day (UTC) whose points can still matter now."""
    return _day(now) - timedelta(days=rules.window_days + rules.grace_days - 1)


def standing_at(rules: TierRules, earned: Mapping[date, int], now: datetime) -> TierStanding:
    """The standing now, by what was earned (less what was taken back of it) on each day (UTC).

    Days count whole: a day's points count on that day and until the window has passed. The level is the highest that
    was reached within the window as of today, or as of any day of the grace period before today. Only what was bought
    counts, so spending never costs a level.
    """
    today = _day(now)
    sums = _sums(earned, rules, today)
    best = max(sums[today - day * _DAY] for day in range(rules.grace_days + 1))
    reached = [tier for tier in rules.tiers if tier.points <= best]
    above = [tier for tier in rules.tiers if tier.points > best]
    tier, next_tier = reached[-1] if reached else None, above[0] if above else None
    return TierStanding(
        tier=tier,
        earned=sums[today],
        next_tier=next_tier,
        missing=next_tier.points - sums[today] if next_tier else 0,
        until=_until(tier, sums, rules) if tier else None,
    )


def _sums(earned: Mapping[date, int], rules: TierRules, today: date) -> dict[date, int]:
    """The sum of the window that ends on each day, from the beginning of the grace period until nothing counts."""
    # What is entered for later days does not count yet.
    known = {day: points for day, points in earned.items() if day <= today}
    day = today - rules.grace_days * _DAY
    total = sum(points for at, points in known.items() if day - rules.window_days * _DAY < at <= day)
    sums = {day: total}
    while day < today + rules.window_days * _DAY:
        day += _DAY
        total += known.get(day, 0) - known.get(day - rules.window_days * _DAY, 0)
        sums[day] = total
    return sums


def _until(tier: Tier, sums: Mapping[date, int], rules: TierRules) -> datetime | None:
    """The day after the grace that follows the last window with enough points."""
    if tier.points <= 0:
        return None
    last = max(day for day, total in sums.items() if total >= tier.points)
    return datetime.combine(last + (rules.grace_days + 1) * _DAY, time(), timezone.utc)


def _day(moment: datetime) -> date:
    return moment.astimezone(timezone.utc).date()
