"""Measures of how the shop is doing: what each one is, over which window, and of how many.

A measure always carries its definition, its window, its numerator and its denominator. Where the denominator is empty
there is no value: "n/a", never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum
from zoneinfo import ZoneInfo

from bot.core.money import money_in_words

NOT_AVAILABLE = "n/a"


@dataclass(frozen=True)
class Window:
    """Whole days in the shop's time zone, the first and the last included."""

    first_day: date
    last_day: date
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if self.last_day < self.first_day:
            raise ValueError(f"a window cannot end ({self.last_day}) before it begins ({self.first_day})")

    @property
    def starts_at(self) -> datetime:
        """The moment at which the first day begins, in UTC."""
        return _midnight(self.first_day, self.zone)

    @property
    def ends_at(self) -> datetime:
        """The moment at which the day after the last one begins, in UTC: no longer inside."""
        return _midnight(self.last_day + timedelta(days=1), self.zone)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last_day - self.first_day).days + 1

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}"

    def months(self) -> list[Window]:
        """The calendar months that it touches, oldest first, cut where it begins and ends."""
        found = []
        first = self.first_day
        while first <= self.last_day:
            next_month = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
            found.append(Window(first, min(next_month - timedelta(days=1), self.last_day), self.zone))
            first = next_month
        return found


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(timezone.utc)


class Unit(str, Enum):
    """What a value is counted in: money is in minor units, a duration in seconds, a share between 0 and 1."""

    COUNT = "count"
    POINTS = "points"
    MONEY = "money"
    SHARE = "share"
    NET_SCORE = "net_score"
    MEAN_SCORE = "mean_score"
    DURATION = "duration"


@dataclass(frozen=True)
class Definition:
    """What a measure means, in words for the shop's owner. A plain sum has no denominator."""

    key: str
    title: str
    meaning: str
    unit: Unit
    numerator: str
    denominator: str | None = None
    source: str = ""


@dataclass(frozen=True)
class Measure:
    """One measured number. `over` says in words what days it is about; `value` is None where there is none."""

    definition: Definition
    over: str
    numerator: float | None
    denominator: int | None
    value: float | None

    def in_words(self, currency: str) -> str:
        """The value as people read it, or "n/a"."""
        return NOT_AVAILABLE if self.value is None else _WORDS[self.definition.unit](self.value, currency)

    def numerator_in_words(self, currency: str) -> str:
        """The numerator as people read it, or nothing where there is none (a median has none)."""
        if self.numerator is None:
            return ""
        if self.definition.unit is Unit.MONEY:
            return money_in_words(round(self.numerator), currency)
        return f"{self.numerator:,.0f}"


def total(definition: Definition, over: str, amount: float) -> Measure:
    """A plain sum or count: of nothing it is 0."""
    return Measure(definition, over, amount, None, amount)


def ratio(definition: Definition, over: str, numerator: float, denominator: int, *, scale: float = 1) -> Measure:
    """numerator / denominator, times the scale; without a value where the denominator is 0."""
    value = scale * numerator / denominator if denominator else None
    return Measure(definition, over, numerator, denominator, value)


def satisfied(definition: Definition, over: str, answers: Mapping[int, int]) -> Measure:
    """CSAT from the number of answers for each score 1 to 5: the share of 4 and 5."""
    return ratio(definition, over, answers.get(4, 0) + answers.get(5, 0), sum(answers.values()))


def net_promoters(definition: Definition, over: str, answers: Mapping[int, int]) -> Measure:
    """NPS from the number of answers for each score 0 to 10: the percentage of 9 and 10 less that of 0 to 6."""
    promoters = sum(number for score, number in answers.items() if score >= 9)
    detractors = sum(number for score, number in answers.items() if score <= 6)
    return ratio(definition, over, promoters - detractors, sum(answers.values()), scale=100)


def mean_score(definition: Definition, over: str, answers: Mapping[int, int]) -> Measure:
    """CES from the number of answers for each score: their mean."""
    points = sum(score * number for score, number in answers.items())
    return ratio(definition, over, points, sum(answers.values()))


def duration_in_words(seconds: float) -> str:
    """Two units are enough to act on: "40 s", "7 min", "2 h 5 min", "3 d 4 h"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 24 * 60:
        return _two_units(minutes // 60, "h", minutes % 60, "min")
    hours = round(minutes / 60)
    return _two_units(hours // 24, "d", hours % 24, "h")


def _two_units(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


_WORDS: Mapping[Unit, Callable[[float, str], str]] = {
    Unit.COUNT: lambda value, _: f"{value:,.0f}",
    Unit.POINTS: lambda value, _: f"{value:,.0f}",
    Unit.MONEY: lambda value, currency: money_in_words(round(value), currency),
    Unit.SHARE: lambda value, _: f"{value:.1%}",
    Unit.NET_SCORE: lambda value, _: f"{round(value):+d}",
    Unit.MEAN_SCORE: lambda value, _: f"{value:.2f}",
    Unit.DURATION: lambda value, _: duration_in_words(value),
}
