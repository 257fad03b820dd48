"""When a shop is open: weekly hours in its own time zone, with split hours, nights and holidays.

Hours belong to the day on which they begin: Friday's 20:00-02:00 covers Saturday until 02:00, also when Saturday is a
holiday, and a holiday cancels everything that would begin on it.

A local time means the first moment at which the shop's clock shows that time or a later one. So hours that begin in the
hour that a change to summer time skips begin when the skipped hour would have begun, and in the hour that a change to
winter time repeats, the first pass counts, for opening and for closing.

Questions take any aware time; answers are UTC, because Python compares and subtracts two times of one zone by their
clocks, which is wrong across a clock change.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# How far ahead to look: beyond a year, so that every holiday of the coming year is seen.
HORIZON_DAYS = 400

_DAY_MINUTES = 24 * 60
_INTERVAL = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


@dataclass(frozen=True, order=True)
class Interval:
    """Open from one local time to another, in minutes after the midnight that begins the day.

    `closes_minute` is greater than 24 × 60 when the interval ends on the next day.
    """

    opens_minute: int
    closes_minute: int

    @classmethod
    def parse(cls, text: str) -> "Interval":
        """Read "08:00-20:00"; an end at or before the start is on the next day ("20:00-02:00").

        Raises ValueError, with a message for the shop's owner, for anything else.
        """
        match = _INTERVAL.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not a time span such as 08:00-20:00")
        open_hour, open_minute, close_hour, close_minute = map(int, match.groups())
        opens, closes = open_hour * 60 + open_minute, close_hour * 60 + close_minute
        if max(open_minute, close_minute) > 59 or opens >= _DAY_MINUTES or closes > _DAY_MINUTES:
            raise ValueError(f"{text!r} has a time that no clock shows")
        if opens == closes:
            raise ValueError(f"{text!r} begins when it ends; write 00:00-24:00 for a whole day")
        return cls(opens, closes if closes > opens else closes + _DAY_MINUTES)

    def __str__(self) -> str:
        closes = self.closes_minute if self.closes_minute <= _DAY_MINUTES else self.closes_minute - _DAY_MINUTES
        return f"{_clock(self.opens_minute)}–{_clock(closes)}"


@dataclass(frozen=True)
class Holiday:
    """A date with its own hours in place of the weekday's; no intervals means closed."""

    name: str
    intervals: tuple[Interval, ...] = ()


@dataclass(frozen=True)
class OpeningHours:
    """A shop's hours: `weekly` has seven entries, Monday first, each the intervals that begin on that day.

    Raises ValueError when there are not seven, or when two intervals overlap.
    """

    zone: ZoneInfo
    weekly: tuple[tuple[Interval, ...], ...]
    holidays: Mapping[date, Holiday] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_week(self.weekly)
        for day, holiday in self.holidays.items():
            check_day(f"{day}", holiday.intervals)
        object.__setattr__(self, "weekly", tuple(tuple(sorted(day)) for day in self.weekly))
        object.__setattr__(self, "holidays", dict(self.holidays))

    def is_open(self, at: datetime) -> bool:
        """Whether the shop is open at this moment: from the opening moment on, and no longer at the closing one.

        Raises ValueError for a time without a zone, as the other questions here do.
        """
        return any(start <= at < end for start, end in self._raw_spans(*self._days_around(at)))

    def closes_at(self, at: datetime) -> datetime | None:
        """When the opening that covers this moment ends, in UTC.

        None when the shop is closed then, or never closes. Intervals that touch are one opening.
        """
        for start, end in self._openings(at):
            if start > at:
                break
            if at < end:
                return end if end - at < timedelta(days=HORIZON_DAYS - 2) else None
        return None

    def next_opening(self, at: datetime) -> datetime | None:
        """The first opening after this moment, in UTC; None when there is none within HORIZON_DAYS.

        While the shop is open, this is the opening after the present one.
        """
        for start, _ in self._openings(at):
            if start > at:
                return start
        return None

    def holiday_on(self, day: date) -> Holiday | None:
        """The holiday on this date, in the shop's zone."""
        return self.holidays.get(day)

    def describe_week(self) -> list[tuple[str, str]]:
        """The usual week in words, without holidays; days with the same hours share a line.

        For example [("Monday–Friday", "08:00–12:00, 13:00–17:00"), ("Saturday–Sunday", "closed")].
        """
        lines = []
        for intervals, group in groupby(range(7), key=self.weekly.__getitem__):
            days = list(group)
            first, last = WEEKDAYS[days[0]], WEEKDAYS[days[-1]]
            label = "Every day" if len(days) == 7 else first if len(days) == 1 else f"{first}–{last}"
            lines.append((label, describe_intervals(intervals)))
        return lines

    def _intervals_on(self, day: date) -> tuple[Interval, ...]:
        holiday = self.holidays.get(day)
        return self.weekly[day.weekday()] if holiday is None else holiday.intervals

    def _days_around(self, at: datetime) -> tuple[date, date]:
        """Yesterday and today in the shop's zone: no interval is longer than a day, so no older one can cover `at`."""
        if at.tzinfo is None:
            raise ValueError("a time without a zone cannot be compared with opening hours")
        today = at.astimezone(self.zone).date()
        return today - timedelta(days=1), today

    def _raw_spans(self, first: date, last: date) -> Iterator[tuple[datetime, datetime]]:
        """What begins on each date from first to last, as moments in UTC, in order of their start."""
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            for interval in sorted(self._intervals_on(day)):
                start = self._moment(day, interval.opens_minute)
                end = self._moment(day, interval.closes_minute)
                if start < end:  # hours that lie wholly inside a skipped hour vanish
                    yield start, end

    def _openings(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The spans that may cover or follow `at`, those that touch or overlap joined into one."""
        first, today = self._days_around(at)
        joined: tuple[datetime, datetime] | None = None
        for start, end in self._raw_spans(first, today + timedelta(days=HORIZON_DAYS)):
            if joined is not None and start <= joined[1]:
                joined = joined[0], max(joined[1], end)
                continue
            if joined is not None:
                yield joined
            joined = start, end
        if joined is not None:
            yield joined

    def _moment(self, day: date, minute: int) -> datetime:
        """The first moment at which the shop's clock shows `minute` minutes after this date's midnight, or more."""
        wall = datetime.combine(day, time()) + timedelta(minutes=minute)
        moment = wall.replace(tzinfo=self.zone).astimezone(timezone.utc)
        if moment.astimezone(self.zone).replace(tzinfo=None) == wall:
            return moment
        # The clock skips this time. The jump lies between the readings with the offsets after and before it.
        before, after = wall.replace(tzinfo=self.zone, fold=1).astimezone(timezone.utc), moment
        while after - before > timedelta(seconds=1):
            middle = before + (after - before) // 2
            if middle.astimezone(self.zone).replace(tzinfo=None) < wall:
                before = middle
            else:
                after = middle
        return after.replace(microsecond=0)


def check_week(weekly: tuple[tuple[Interval, ...], ...]) -> None:
    """Check a week of intervals, Monday first.

    Raises ValueError naming the day when there are not seven days, when two intervals of a day overlap, or when a
    night runs into the next day's hours.
    """
    if len(weekly) != 7:
        raise ValueError(f"a week has seven days, not {len(weekly)}")
    for number, intervals in enumerate(weekly):
        check_day(WEEKDAYS[number], intervals)
        following = weekly[(number + 1) % 7]
        if intervals and following and max(intervals).closes_minute - _DAY_MINUTES > min(following).opens_minute:
            tomorrow = WEEKDAYS[(number + 1) % 7]
            raise ValueError(f"{WEEKDAYS[number]}'s {max(intervals)} runs into {tomorrow}'s {min(following)}")


def check_day(name: str, intervals: tuple[Interval, ...]) -> None:
    """Check the intervals of one day. Raises ValueError, naming the day, when two of them overlap."""
    ordered = sorted(intervals)
    for earlier, later in pairwise(ordered):
        if later.opens_minute < earlier.closes_minute:
            raise ValueError(f"{name}'s {earlier} and {later} overlap")


def describe_intervals(intervals: tuple[Interval, ...]) -> str:
    """One day's hours for people: "08:00–12:00, 13:00–17:00", "open all day", or "closed"."""
    if intervals == (Interval(0, _DAY_MINUTES),):
        return "open all day"
    return ", ".join(map(str, sorted(intervals))) or "closed"


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
