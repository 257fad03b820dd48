"""Days by the calendar, as people mean them: "friday", "5 December", "next week", "in three weeks"."""

from __future__ import annotations

import enum
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta, weekday
from spacy.matcher.levenshtein import levenshtein

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(MONTHS, start=1)},
    "sept": 9,
}
WEEKDAY_NUMBERS = {
    **{name: number for number, name in enumerate(WEEKDAYS)},
    **{name[:3]: number for number, name in enumerate(WEEKDAYS)},
    **{"tues": 1, "weds": 2, "thur": 3, "thurs": 3},
}
UNITS = {
    **dict.fromkeys(("day", "days"), "days"),
    **dict.fromkeys(("week", "weeks"), "weeks"),
    **dict.fromkeys(("month", "months"), "months"),
    **dict.fromkeys(("year", "years"), "years"),
}

_FIRST_YEAR, _LAST_YEAR = 1900, 2099
# "July 20", said on July 29, is nine days ago; said in December it is next July.
_LONGEST_AGO = timedelta(days=90)


class Direction(enum.Enum):
    """Where a day that is said without its month or year is looked for."""

    PAST = enum.auto()
    NEAREST = enum.auto()
    COMING = enum.auto()


Span = tuple[date, date]


def as_year(digits: str) -> int | None:
    """The year that the digits are, if it is one that customers speak of."""
    year = int(digits)
    return year if _FIRST_YEAR <= year <= _LAST_YEAR else None


def weekday_number(word: str) -> int | None:
    """The weekday that a word names, Monday being 0; a full name may have one typing error."""
    if word in WEEKDAY_NUMBERS:
        return WEEKDAY_NUMBERS[word]
    return next((number for number, name in enumerate(WEEKDAYS) if levenshtein(word, name, 1) <= 1), None)


def shift(today: date, count: int, unit: str) -> date | None:
    """The day that many days, weeks, months or years away; None beyond the calendar."""
    counts = {name: count if UNITS[unit] == name else 0 for name in ("days", "weeks", "months", "years")}
    try:
        return today + relativedelta(
            days=counts["days"], weeks=counts["weeks"], months=counts["months"], years=counts["years"]
        )
    except (OverflowError, ValueError):
        return None


def weekday_on_or_after(day: date, number: int) -> date:
    """The first such weekday, the day itself included."""
    return day + relativedelta(weekday=weekday(number)(+1))


def weekday_before(day: date, number: int) -> date:
    """The last such weekday before the day."""
    return day + relativedelta(days=-1, weekday=weekday(number)(-1))


def weekday_of_week(today: date, number: int, weeks: int) -> date:
    """That weekday of the week that is so many weeks away; weeks begin on Monday."""
    return today - timedelta(days=today.weekday()) + timedelta(weeks=weeks, days=number)


def month_day_on_or_after(day: date, month: int, number: int) -> date | None:
    """The first such day of the year, the day itself included; 29 February waits for a leap year."""
    return next(
        (found for year in range(day.year, day.year + 9) if (found := make(year, month, number)) and found >= day), None
    )


def day_of_month_on_or_after(day: date, number: int) -> date | None:
    """The first day with that number in its month, the day itself included."""
    first = day.replace(day=1)
    months = (first + relativedelta(months=ahead) for ahead in range(3))
    return next((found for one in months if (found := make(one.year, one.month, number)) and found >= day), None)


def make(year: int, month: int, number: int) -> date | None:
    """That date, if the calendar has it."""
    try:
        return date(year, month, number)
    except ValueError:
        return None


def choose(today: date, before: date | None, coming: date | None, direction: Direction) -> date | None:
    """Of the last such day before today and the coming one, the one that is meant."""
    if before is None or coming is None or direction is Direction.COMING:
        return coming
    ago, ahead = today - before, coming - today
    if direction is Direction.PAST or (ago < ahead and ago <= _LONGEST_AGO):
        return before
    return coming


def choose_month_day(today: date, month: int, number: int, direction: Direction) -> date | None:
    """The day of the year that is meant: a near one of the past, or the coming one."""
    coming = month_day_on_or_after(today, month, number)
    before = month_day_on_or_after(today - relativedelta(years=1), month, number)
    return choose(today, before if before and before < today else None, coming, direction)


def choose_day_of_month(today: date, number: int, direction: Direction) -> date | None:
    """The day that is meant by "the 5th": the nearest."""
    coming = day_of_month_on_or_after(today, number)
    before = day_of_month_on_or_after(today - relativedelta(months=1), number)
    return choose(today, before if before and before < today else None, coming, direction)


def period(today: date, unit: str, ahead: int) -> Span | None:
    """The week (Monday to Sunday), weekend, month or year that is so many of them away."""
    match unit:
        case "week":
            return weekday_of_week(today, 0, ahead), weekday_of_week(today, 6, ahead)
        case "weekend":
            return weekday_of_week(today, 5, ahead), weekday_of_week(today, 6, ahead)
        case "month":
            first = today.replace(day=1) + relativedelta(months=ahead)
            return first, first + relativedelta(months=1, days=-1)
        case "year":
            return date(today.year + ahead, 1, 1), date(today.year + ahead, 12, 31)
        case _:
            return None


def stretch(today: date, count: int, unit: str) -> Span | None:
    """From today so many days, weeks, months or years ahead, or from so many ago until today."""
    other = shift(today, count, unit)
    return None if other is None else (min(today, other), max(today, other))
