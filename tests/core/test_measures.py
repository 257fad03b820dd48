"""Measures: days in the shop's time zone, a value only where there is something to measure, and words for people."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import measure_list
from bot.core.durations import clock_seconds, open_seconds, percentile
from bot.core.measures import (
    NOT_AVAILABLE,
    Definition,
    Unit,
    Window,
    duration_in_words,
    mean_score,
    net_promoters,
    ratio,
    satisfied,
    total,
)
from bot.core.opening_hours import Holiday, Interval, OpeningHours
from bot.core.visits import Visit, count_visits

MANILA, BERLIN = ZoneInfo("Asia/Manila"), ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=timezone.utc)


def a_definition(unit: Unit = Unit.SHARE) -> Definition:
    return Definition("key", "Title", "what it means", unit, "some", "of these")


# Windows


def test_a_window_is_whole_days_of_the_shops_clock():
    window = Window(date(2026, 1, 5), date(2026, 1, 6), MANILA)

    assert window.starts_at == datetime(2026, 1, 4, 16, 0, tzinfo=timezone.utc)
    assert window.ends_at - window.starts_at == 2 * DAY
    assert window.days == 2
    assert str(window) == "2026-01-05 to 2026-01-06"


def test_a_day_on_which_the_clocks_change_is_as_long_as_it_is():
    spring, autumn = (Window(day, day, BERLIN) for day in (date(2026, 3, 29), date(2026, 10, 25)))

    assert spring.ends_at - spring.starts_at == 23 * HOUR
    assert autumn.ends_at - autumn.starts_at == 25 * HOUR


def test_a_window_does_not_end_before_it_begins():
    with pytest.raises(ValueError, match="before it begins"):
        Window(date(2026, 1, 5), date(2026, 1, 4), MANILA)


def test_the_months_of_a_window_cover_each_day_once():
    months = Window(date(2025, 11, 20), date(2026, 2, 3), MANILA).months()

    assert [str(month) for month in months] == [
        "2025-11-20 to 2025-11-30", "2025-12-01 to 2025-12-31", "2026-01-01 to 2026-01-31", "2026-02-01 to 2026-02-03",
    ]  # fmt: skip
    assert all(one.ends_at == other.starts_at for one, other in pairwise(months))


# Values


def test_a_ratio_of_nothing_has_no_value_and_a_sum_of_nothing_is_nothing():
    empty = ratio(a_definition(), "then", 0, 0)

    assert empty.value is None
    assert empty.in_words("USD") == NOT_AVAILABLE == "n/a"
    assert total(a_definition(Unit.COUNT), "then", 0).in_words("USD") == "0"
    assert ratio(a_definition(), "then", 0, 4).in_words("USD") == "0.0%"


@pytest.mark.parametrize(
    ("kind", "answers", "numerator", "denominator", "value"),
    [
        (satisfied, {1: 1, 3: 2, 4: 3, 5: 4}, 7, 10, 0.7),
        (satisfied, {}, 0, 0, None),
        (net_promoters, {0: 1, 6: 1, 7: 5, 8: 1, 9: 1, 10: 3}, 2, 12, 100 * 2 / 12),
        (net_promoters, {6: 3, 9: 1}, -2, 4, -50),
        (net_promoters, {}, 0, 0, None),
        (mean_score, {1: 1, 7: 3}, 22, 4, 5.5),
        (mean_score, {}, 0, 0, None),
    ],
)
def test_scores_become_a_measure(kind, answers, numerator, denominator, value):
    measure = kind(a_definition(), "then", answers)

    assert (measure.numerator, measure.denominator) == (numerator, denominator)
    assert measure.value == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        (Unit.COUNT, 12_345, "12,345"),
        (Unit.POINTS, 420, "420"),
        (Unit.MONEY, 123_456.4, "$1,234.56"),
        (Unit.MONEY, -50, "-$0.50"),
        (Unit.SHARE, 0.4567, "45.7%"),
        (Unit.NET_SCORE, 31.4, "+31"),
        (Unit.NET_SCORE, -7.6, "-8"),
        (Unit.MEAN_SCORE, 5.456, "5.46"),
        (Unit.DURATION, 125 * 60, "2 h 5 min"),
    ],
)
def test_values_read_as_people_write_them(unit, value, words):
    assert total(a_definition(unit), "then", value).in_words("USD") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0, "0 s"), (40, "40 s"), (60, "1 min"), (59.6 * 60, "1 h"), (3_600, "1 h"), (7_500, "2 h 5 min")),
        *((23 * 3_600 + 59.7 * 60, "1 d"), (86_400, "1 d"), (100 * 3_600, "4 d 4 h")),
    ],
)
def test_durations_read_in_two_units(seconds, words):
    assert duration_in_words(seconds) == words


def test_every_measure_says_what_it_means_and_of_what_it_is():
    measures = [definition for group in measure_list.GROUPS.values() for definition in group]

    assert len({definition.key for definition in measures}) == len(measures)
    for definition in measures:
        assert definition.title and definition.meaning and definition.source
        # A median has no numerator; a share, a mean or a median is of something.
        assert definition.numerator or definition.unit is Unit.DURATION
        if definition.unit in (Unit.SHARE, Unit.NET_SCORE, Unit.MEAN_SCORE, Unit.DURATION):
            assert definition.denominator


# Visits


@pytest.mark.parametrize(
    ("visit", "resolved"),
    [
        ({"ended_at": NOON - 2 * DAY}, True),
        ({"ended_at": NOON - 2 * DAY, "returned_at": NOON - 2 * DAY + 23 * HOUR}, False),
        ({"ended_at": NOON - 2 * DAY, "returned_at": NOON - DAY}, True),
        ({"ended_at": NOON - 2 * DAY, "handed_off": True}, False),
        ({"ended_at": NOON - 2 * DAY, "handed_off": True, "pleased": True}, False),
        ({"ended_at": NOON - HOUR}, None),
        ({"ended_at": NOON - HOUR, "pleased": True}, True),
        ({"ended_at": NOON - HOUR, "handed_off": True}, False),
        ({"ended_at": NOON - 3 * HOUR, "returned_at": NOON - HOUR}, False),
        ({"ended_at": NOON - DAY}, True),
    ],
)
def test_a_visit_is_resolved_without_a_person_and_with_a_good_sign_or_no_return(visit, resolved):
    assert Visit(began_at=visit["ended_at"] - HOUR, **visit).is_resolved(NOON) is resolved


def test_visits_too_recent_to_judge_count_as_visits_and_not_as_judged():
    old, new = NOON - 3 * DAY, NOON - HOUR
    visits = [Visit(old, old), Visit(old, old, handed_off=True), Visit(new, new), Visit(new, new, pleased=True)]

    counts = count_visits(visits, NOON)

    assert (counts.visits, counts.handed_off, counts.judged, counts.resolved) == (4, 1, 3, 2)


# Durations


def hours(zone: ZoneInfo = MANILA, spans: tuple[str, ...] = ("09:00-12:00", "13:00-17:00"), **more) -> OpeningHours:
    return OpeningHours(zone, tuple(tuple(map(Interval.parse, spans)) for _ in range(7)), **more)


def local(day: int, hour: int, minute: int = 0, zone: ZoneInfo = MANILA) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=zone).astimezone(timezone.utc)


@pytest.mark.parametrize(
    ("start", "end", "open_hours"),
    [
        (local(2, 10), local(2, 11), 1),
        (local(2, 11), local(2, 14), 2),
        (local(2, 16), local(3, 10), 2),
        (local(2, 18), local(3, 8), 0),
        (local(2, 12, 30), local(2, 12, 45), 0),
        (local(2, 8), local(9, 8), 7 * 7),
        (local(2, 10), local(2, 10), 0),
    ],
)
def test_only_the_hours_in_which_the_shop_was_open_count(start, end, open_hours):
    # Among others, so that the spans do not get in each other's way.
    spans = [(local(1, 0), local(30, 0)), (start, end), (local(5, 9), local(5, 10))]

    assert open_seconds(hours(), spans)[1] == open_hours * 3_600


def test_holidays_and_nights_count_as_the_shop_keeps_them():
    closed = hours(spans=("20:00-02:00",), holidays={date(2026, 3, 3): Holiday("Rest")})

    assert open_seconds(closed, [(local(2, 0), local(5, 0))]) == [(2 + 6 + 0 + 4) * 3_600]


def test_a_shop_that_never_closes_is_open_all_the_time_and_one_that_never_opens_never():
    spans = [(local(1, 3), local(30, 7))]

    assert open_seconds(hours(spans=("00:00-24:00",)), spans) == clock_seconds(spans)
    assert open_seconds(hours(spans=()), spans) == [0]
    assert open_seconds(hours(), []) == []


@given(st.lists(st.tuples(st.integers(0, 8_000), st.integers(0, 3_000)), min_size=1, max_size=2))
def test_open_time_is_what_going_through_the_minutes_gives(spans):
    # Across the change to summer time in Berlin, on 29 March.
    shop, begin = hours(BERLIN, ("00:00-03:10", "09:30-12:00", "21:00-24:00")), local(26, 0, zone=BERLIN)
    minute = timedelta(minutes=1)
    moments = [(begin + start * minute, begin + (start + length) * minute) for start, length in spans]

    expected = [
        60 * sum(shop.is_open(start + number * minute) for number in range((end - start) // minute))
        for start, end in moments
    ]

    assert open_seconds(shop, moments) == expected


def test_percentiles_lie_between_the_nearest_values():
    assert percentile([], 50) is None
    assert percentile([7], 90) == 7
    assert percentile([4, 1, 3, 2], 50) == 2.5
    assert percentile(list(range(101)), 90) == 90
