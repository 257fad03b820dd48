"""Dates and spans of dates, as customers say them, in ISO 8601.

A weekday is the coming one; "next friday" is the one of next week, "last friday" the one before today. A date without
its year is the coming one, or the one of the past 90 days if that is nearer. Words decide where they can: "received on
friday" is past, "by the 5th" is to come. Weeks begin on Monday.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from spacy.matcher.levenshtein import levenshtein
from spacy.vocab import Vocab

from bot.nlu import days
from bot.nlu.date_patterns import BEFORE_A_DATE, CONNECTORS, SUFFIXES, date_matcher
from bot.nlu.days import Direction
from bot.nlu.message_text import Draft, Words
from bot.nlu.numbers import Numbers

DATE, DATE_RANGE = "date", "date_range"

_COMING_WORDS = frozenset("by until till before next will open opening closed schedule book".split())
_PAST_WORDS = frozenset(
    "since last ordered bought purchased paid placed made sent arrived came got had received delivered returned "
    "cancelled canceled happened went moved treated".split()
)
# "May" and "march" are verbs, and Tagalog "may 3" is "there are 3": what follows must not be what is counted.
_UNSURE_MONTHS = frozenset(("may", "mar", "march"))
_AFTER_A_DATE = frozenset(
    "to until till through and or please at in by for if is was then po so but from between with thanks".split()
)
_WHICH = frozenset("this next last past coming".split())
# Names of sales and greetings.
_NOT_BEFORE_A_WEEKDAY = frozenset("black good happy cyber giving".split())


@dataclass(frozen=True)
class _Reading:
    """Words read as a day or, with `last`, a span. `again` gives the first such day on or after another, if any."""

    first: int
    end: int
    day: date
    last: date | None = None
    again: Callable[[date], date | None] | None = None


class DateFinder:
    """Finds dates ("2026-12-24") and spans ("2026-12-24/2026-12-31"), read from the day that is `today()`.

    `month_first` says how 05/06/2026 is read: May 6, or 5 June. A date that fits only one way is read that way.
    """

    def __init__(self, vocab: Vocab, today: Callable[[], date], month_first: bool = True) -> None:
        self._today = today
        self._month_first = month_first
        self._matcher = date_matcher(vocab)

    def find(self, draft: Draft, words: Words) -> None:
        """Add what is found to the draft."""
        matches = self._matcher(words.doc)
        if not matches:
            return
        reader = _Reader(words, self._today(), self._month_first)
        found: list[_Reading] = []
        taken = bytearray(len(words) + 1)
        # The longest reading holds.
        for key, start, end in sorted(matches, key=lambda match: (match[1] - match[2], match[1])):
            if any(taken[start:end]):
                continue
            reading = reader.read(words.doc.vocab.strings[key], start, end)
            if reading is not None and draft.is_free(*words.span(reading.first, reading.end)):
                found.append(reading)
                taken[start:end] = b"\1" * (end - start)
        for one in _joined(words, sorted(found, key=lambda reading: reading.first)):
            span = words.span(one.first, one.end)
            if one.last is None:
                draft.add(DATE, one.day.isoformat(), *span)
            else:
                draft.add(DATE_RANGE, f"{one.day.isoformat()}/{one.last.isoformat()}", *span)


class _Reader:
    """Reads matched words, each kind in its own way; None means that they are no date after all."""

    def __init__(self, words: Words, today: date, month_first: bool) -> None:
        self._words = words
        self._today = today
        self._month_first = month_first
        self._numbers = Numbers(words)

    def read(self, kind: str, start: int, end: int) -> _Reading | None:
        reading: _Reading | None = getattr(self, f"_read_{kind}")(start, end)
        return reading

    def _read_near_day(self, start: int, end: int) -> _Reading | None:
        word = self._words.word(end - 1)
        if word in ("today", "tonight"):
            away = 0
        else:
            away = -1 if levenshtein(word, "yesterday", 2) <= 2 else 1
            away *= 2 if end - start > 1 else 1
        day = days.shift(self._today, away, "days")
        return _Reading(start, end, day) if day else None

    def _read_weekday(self, start: int, end: int) -> _Reading | None:
        number = days.weekday_number(self._words.word(end - 1))
        if number is None or self._words.word(end - 2) in _NOT_BEFORE_A_WEEKDAY:
            return None
        said = self._words.word(start) if end - start > 1 else ""
        day = self._weekday(end - 1, number, said)
        first = start if said in _WHICH else end - 1
        return _Reading(first, end, day, again=lambda other: days.weekday_on_or_after(other, number))

    def _read_weekdays(self, start: int, end: int) -> _Reading | None:
        first, last = (days.weekday_number(self._words.word(at)) for at in (start, end - 1))
        if first is None or last is None:
            return None
        day = self._weekday(start, first, self._words.word(start - 1))
        return _Reading(start, end, day, days.weekday_on_or_after(day, last))

    def _weekday(self, at: int, number: int, said: str) -> date:
        is_past = said not in ("this", "coming") and self._direction(at) is Direction.PAST
        if said == "next":
            return days.weekday_of_week(self._today, number, 1)
        if said in ("last", "past") or is_past:
            return days.weekday_before(self._today, number)
        return days.weekday_on_or_after(self._today, number)

    def _read_away(self, start: int, end: int) -> _Reading | None:
        """ "in 3 days", "two weeks ago", "a month from now"."""
        ahead = self._words.word(end - 1) != "ago"
        at = start + 1 if self._words.word(start) == "in" else start
        count = self._count(at)
        unit = next((word for word in self._words.lower[start:end] if word in days.UNITS), None)
        if count is None or unit is None:
            return None
        day = days.shift(self._today, count if ahead else -count, unit)
        return _Reading(start, end, day) if day else None

    def _read_stretch(self, start: int, end: int) -> _Reading | None:
        count = self._count(end - 2) if end - start > 2 else 1
        if not count:
            return None
        ahead = self._words.word(start) in ("next", "coming")
        span = days.stretch(self._today, count if ahead else -count, self._words.word(end - 1))
        return _Reading(start, end, *span) if span else None

    def _read_period(self, start: int, end: int) -> _Reading | None:
        ahead = {"last": -1, "next": 1}.get(self._words.word(start), 0)
        span = days.period(self._today, self._words.word(end - 1), ahead)
        return _Reading(start, end, *span) if span else None

    def _read_month_and_day(self, start: int, end: int) -> _Reading | None:
        """ "25 December", "Dec. 25th, 2026"; and "1-5 December", "between December 1 and 5"."""
        words = self._words
        numbers = [at for at in range(start, end) if words.word(at).isdigit()]
        year = days.as_year(words.word(numbers[-1])) if len(words.word(numbers[-1])) == 4 else None
        day_words = numbers[:-1] if year else numbers
        month_at = next(at for at in range(start, end) if words.word(at) in days.MONTH_NUMBERS)
        month = days.MONTH_NUMBERS[words.word(month_at)]
        if not day_words or any(len(words.word(at)) > 2 or not self._stands_alone(at, end) for at in day_words):
            return None
        if "and" in words.lower[start:end] and words.word(start - 1) != "between":
            return None
        if words.word(month_at) in _UNSURE_MONTHS and not year and not self._is_surely_month(start, end):
            return None
        first, last = int(words.word(day_words[0])), int(words.word(day_words[-1]))
        if year:
            day, until = days.make(year, month, first), days.make(year, month, last)
        else:
            until = days.choose_month_day(self._today, month, last, self._direction(start))
            day = until and days.make(until.year, month, first)
        if day is None or until is None:
            return None
        if len(day_words) > 1:
            return _Reading(start, end, day, until) if day < until else None
        again = None if year else lambda other: days.month_day_on_or_after(other, month, first)
        return _Reading(start, end, day, again=again)

    def _read_day_of_month(self, start: int, end: int) -> _Reading | None:
        """ "on the 5th", "the 5th of next month"."""
        words = self._words
        at = next(at for at in range(start, end) if words.word(at).isdigit())
        number = int(words.word(at)) if len(words.word(at)) <= 2 else 0
        if not self._stands_alone(at, end) or not self._ends_here(end):
            return None
        if words.word(end - 1) == "month":
            month = days.period(self._today, "month", {"last": -1, "next": 1}.get(words.word(end - 2), 0))
            day = month and days.make(month[0].year, month[0].month, number)
            return _Reading(start, end, day) if day else None
        if words.word(start) != "the" and words.word(start) not in BEFORE_A_DATE:
            return None
        day = days.choose_day_of_month(self._today, number, self._direction(at))
        first = start if words.word(start) == "the" else start + 1
        again = lambda other: days.day_of_month_on_or_after(other, number)  # noqa: E731
        return _Reading(first, end, day, again=again) if day else None

    def _read_figures(self, start: int, end: int) -> _Reading | None:
        """ "2026-12-24", "12/24/2026", "24.12.2026", and "12/24"."""
        words = self._words
        first, last = words.span(start, end)
        around = words.text[max(0, first - 2) : first], words.text[last : last + 2]
        if any(words.ends[at] != words.starts[at + 1] for at in range(start, end - 1)) or _goes_on(*around):
            return None
        parts = words.text[first:last].replace(".", "-").replace("/", "-").split("-")
        if len({words.word(at) for at in range(start + 1, end, 2)}) > 1 or any(len(part) > 4 for part in parts):
            return None
        if len(parts) == 2:
            return self._read_slashed(start, end, int(parts[0]), int(parts[1]))
        if len(parts[0]) == 4:
            year, pair = days.as_year(parts[0]), (int(parts[1]), int(parts[2]))
            day = year and days.make(year, *pair)
        else:
            short = len(parts[2]) == 2 and words.word(start + 1) == "/"
            year = days.as_year(f"20{parts[2]}" if short else parts[2])
            day = year and self._in_year(year, int(parts[0]), int(parts[1]))
        return _Reading(start, end, day) if day else None

    def _in_year(self, year: int, one: int, other: int) -> date | None:
        orders = ((one, other), (other, one)) if self._month_first else ((other, one), (one, other))
        return next((day for month, number in orders if (day := days.make(year, month, number))), None)

    def _read_slashed(self, start: int, end: int, one: int, other: int) -> _Reading | None:
        # "4/5" may be a rating or a half of something; "24/7" is no day of July.
        said = self._words.word(start - 1) in BEFORE_A_DATE
        if (one, other) == (24, 7) or (max(one, other) <= 12 and not said):
            return None
        fits = self._in_year(2024, one, other)  # a leap year: it has every day
        day = fits and days.choose_month_day(self._today, fits.month, fits.day, self._direction(start))
        if fits is None or day is None:
            return None
        return _Reading(start, end, day, again=lambda to: days.month_day_on_or_after(to, fits.month, fits.day))

    def _count(self, at: int) -> int | None:
        if self._words.word(at) in ("a", "an"):
            return 1
        found = self._numbers.figure_from(at) or self._numbers.ending_with(at)
        return int(found[0]) if found and found[0] == int(found[0]) else None

    def _direction(self, start: int) -> Direction:
        before = [self._words.word(at) for at in range(max(0, start - 3), start)]
        if any(word in _PAST_WORDS for word in before):
            return Direction.PAST
        return Direction.COMING if any(word in _COMING_WORDS for word in before) else Direction.NEAREST

    def _stands_alone(self, at: int, end: int) -> bool:
        """Whether a number is a whole one, not a piece of "1.5" or "10,000"."""
        start, stop = self._words.span(at, at + 1)
        text = self._words.text
        if at + 1 < end and self._words.word(at + 1) == ",":
            return True
        return not _goes_on(text[max(0, start - 2) : start], text[stop : stop + 2], dash=False)

    def _is_surely_month(self, start: int, end: int) -> bool:
        words = self._words
        has_suffix = any(word in SUFFIXES or word == "of" for word in words.lower[start:end])
        return has_suffix or words.word(start - 1) in BEFORE_A_DATE or self._ends_here(end)

    def _ends_here(self, end: int) -> bool:
        follows = self._words.word(end)
        return not follows.isalpha() or follows in _AFTER_A_DATE


def _goes_on(before: str, after: str, dash: bool = True) -> bool:
    """Whether figures go on before or after these characters."""
    signs = ".,:/-" if dash else ".,:/"
    return (before[-1:] in signs and before[-1:] != "" and before[:1].isdigit()) or (
        after[:1] in signs and after[1:].isdigit()
    )


def _joined(words: Words, readings: list[_Reading]) -> list[_Reading]:
    """The readings, with two days and a word such as "to" between them made into one span."""
    joined: list[_Reading] = []
    for one in readings:
        span = _span(words, joined[-1], one) if joined else None
        if span is None:
            joined.append(one)
        else:
            joined[-1] = span
    return joined


def _span(words: Words, one: _Reading, other: _Reading) -> _Reading | None:
    between = [word for word in words.lower[one.end : other.first] if word != "the"]
    linked = len(between) == 1 and (
        between[0] in CONNECTORS or (between[0] == "and" and words.word(one.first - 1) == "between")
    )
    if not linked or one.last is not None or other.last is not None:
        return None
    first, last = one.day, other.day
    if other.again is not None:
        last = other.again(first) or last
    elif one.again is not None and (back := days.shift(last, -1, "years")):
        first = one.again(back) or first
    return _Reading(one.first, other.end, first, last) if first <= last else None
