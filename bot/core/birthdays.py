"""Birthdays: a month and a day, when the treat for it is due, and when it has to wait."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

from bot.core.loyalty import BirthdayTreat

# A treat that was missed because nothing was running is given late, but no later than this.
CATCH_UP_DAYS = 7
# Who moves their birthday does not get two treats in a row.
DAYS_BETWEEN_TREATS = 330
_LEAP_YEAR = 2000
_LEAP_DAY = (2, 29)


def is_birthday(month: int, day: int) -> bool:
    """Whether somebody can be born on that day: 29 February yes, 30 February no."""
    return 1 <= month <= 12 and 1 <= day <= calendar.monthrange(_LEAP_YEAR, month)[1]


def birthday_on(year: int, month: int, day: int, leap_day: tuple[int, int]) -> date:
    """The day in that year on which a birthday falls; 29 February falls on `leap_day` in years without it."""
    if (month, day) == _LEAP_DAY and not calendar.isleap(year):
        month, day = leap_day
    return date(year, month, day)


def birthdays_on(day: date, leap_day: tuple[int, int]) -> list[tuple[int, int]]:
    """The birthdays (month, day) that fall on a day."""
    found = [(day.month, day.day)]
    if birthday_on(day.year, *_LEAP_DAY, leap_day) == day and _LEAP_DAY not in found:
        found.append(_LEAP_DAY)
    return found


def days_to_treat(today: date) -> Iterator[date]:
    """The days whose treats are due today, the oldest first: those that were missed, and today."""
    return (today - timedelta(days=late) for late in range(CATCH_UP_DAYS, -1, -1))


def to_be_known_by(day: date, treat: BirthdayTreat, zone: tzinfo) -> datetime:
    """The moment before which a birthday has to be entered to count on that day already."""
    return datetime.combine(day - timedelta(days=treat.notice_days - 1), time(), zone)
