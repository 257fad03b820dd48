"""When people answer, by when they get in touch, and what is urgent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.desk import FIRST, NORMAL, URGENT, DeskPolicy, Signal
from bot.core.opening_hours import Holiday, Interval, OpeningHours

MANILA = ZoneInfo("Asia/Manila")
BERLIN = ZoneInfo("Europe/Berlin")  # in 2027: 28 March skips 02:00-03:00, 31 October repeats it
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
DESK = DeskPolicy(call_back_within=4 * HOUR)


def every_day(*spans: str, zone: ZoneInfo = MANILA, holidays=None) -> OpeningHours:
    week = tuple(tuple(map(Interval.parse, spans)) for _ in range(7))
    return OpeningHours(zone, week, holidays or {})


def at(text: str, zone: tzinfo = MANILA) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_a_desk_that_never_closes_does_what_it_says():
    never = every_day()
    always = replace(DESK, always_open=True)

    assert not DESK.is_open(never, at("2027-02-01T12:00"))
    assert always.is_open(never, at("2027-02-01T12:00"))
    assert always.opens_at(never, at("2027-02-01T12:00")) is None
    assert always.due_at(never, at("2027-02-01T12:00")) == at("2027-02-01T16:00")


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        ("2027-02-01T09:00", "2027-02-01T13:00"),  # while open
        ("2027-02-01T03:00", "2027-02-01T12:00"),  # before opening: from then on
        ("2027-02-01T18:00", "2027-02-02T10:00"),  # two hours today, two tomorrow
        ("2027-02-01T20:00", "2027-02-02T12:00"),  # just closed
    ],
)
def test_only_open_hours_count_towards_a_call_back(asked, due):
    assert DESK.due_at(every_day("08:00-20:00"), at(asked)) == at(due)


def test_a_break_at_noon_does_not_count():
    assert DESK.due_at(every_day("08:00-12:00", "13:00-17:00"), at("2027-02-01T10:00")) == at("2027-02-01T15:00")


def test_a_night_that_began_yesterday_counts():
    hours = every_day("20:00-02:00")

    assert DESK.is_open(hours, at("2027-02-02T01:00"))
    assert DESK.due_at(hours, at("2027-02-02T01:00")) == at("2027-02-02T23:00")
    assert DESK.opens_at(hours, at("2027-02-02T02:00")) == at("2027-02-02T20:00")


def test_a_holiday_is_skipped_and_one_with_hours_is_not():
    holidays = {
        date(2027, 2, 2): Holiday("A holiday"),
        date(2027, 2, 3): Holiday("A short day", (Interval.parse("10:00-12:00"),)),
    }
    hours = every_day("08:00-20:00", holidays=holidays)

    assert DESK.opens_at(hours, at("2027-02-01T21:00")) == at("2027-02-03T10:00")
    # Two hours on the short day, two on the next.
    assert DESK.due_at(hours, at("2027-02-01T21:00")) == at("2027-02-04T10:00")


def test_the_night_of_the_change_to_summer_time_is_an_hour_shorter():
    hours = every_day("22:00-06:00", zone=BERLIN)

    # 00:30 to 02:00, then 03:00 to 05:30.
    assert DESK.due_at(hours, at("2027-03-28T00:30", BERLIN)) == at("2027-03-28T05:30", BERLIN)


def test_the_night_of_the_change_to_winter_time_is_an_hour_longer():
    hours = every_day("22:00-06:00", zone=BERLIN)

    # The hour from two to three comes twice.
    assert DESK.due_at(hours, at("2027-10-31T00:30", BERLIN)) == at("2027-10-31T03:30", BERLIN)


def test_hours_are_those_of_the_shop_wherever_somebody_asks_from():
    hours = every_day("08:00-20:00")

    assert DESK.is_open(hours, at("2027-01-31T19:00", ZoneInfo("America/New_York")))


def test_a_shop_that_never_opens_still_names_a_time():
    assert DESK.due_at(every_day(), at("2027-02-01T12:00")) == at("2027-02-01T16:00")


@given(
    st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: at("2026-01-01T00:00", timezone.utc) + minutes * MINUTE),
    st.sampled_from([("08:00-12:00", "13:00-17:00"), ("20:00-02:00",), ("00:00-24:00",), ("02:30-03:10",)]),
)
def test_a_call_back_is_due_while_people_answer_or_as_they_leave_and_never_sooner_than_promised(asked, spans):
    hours = every_day(*spans, zone=BERLIN)

    due = DESK.due_at(hours, asked)

    assert due - asked >= DESK.call_back_within
    assert hours.is_open(due) or hours.is_open(due - timedelta(seconds=1))


def test_what_the_owner_calls_urgent_is():
    desk = replace(DESK, urgent=frozenset({Signal.ANGER.value, "payment_issue"}))

    assert [desk.priority(*about) for about in [("asked", None), ("anger",), ("asked", "payment_issue")]] == [
        NORMAL,
        URGENT,
        URGENT,
    ]
    assert FIRST > URGENT
