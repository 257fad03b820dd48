"""Days that there are, the one that comes every four years, and those that have to wait."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.birthdays import (
    CATCH_UP_DAYS,
    birthday_on,
    birthdays_on,
    days_to_treat,
    is_birthday,
    to_be_known_by,
)
from bot.core.loyalty import BirthdayTreat, Effect, Offer

MANILA = ZoneInfo("Asia/Manila")
TREAT = BirthdayTreat(Offer("cake", "A cake", Effect(item="CAKE")))
LEAP_DAYS = st.sampled_from([(2, 28), (3, 1)])


@pytest.mark.parametrize("month, day", [(2, 29), (1, 31), (12, 31), (4, 30)])
def test_days_that_there_are_can_be_birthdays(month, day):
    assert is_birthday(month, day)


@pytest.mark.parametrize("month, day", [(2, 30), (4, 31), (1, 0), (1, 32), (0, 1), (13, 1), (-1, 5), (1, -1)])
def test_days_that_there_are_not_cannot(month, day):
    assert not is_birthday(month, day)


@pytest.mark.parametrize(
    "year, leap_day, falls_on",
    [
        (2028, (2, 28), date(2028, 2, 29)),
        (2028, (3, 1), date(2028, 2, 29)),
        (2027, (2, 28), date(2027, 2, 28)),
        (2027, (3, 1), date(2027, 3, 1)),
        (2100, (3, 1), date(2100, 3, 1)),
    ],
)
def test_29_february_falls_on_the_day_that_the_shop_chose(year, leap_day, falls_on):
    assert birthday_on(year, 2, 29, leap_day) == falls_on
    assert (2, 29) in birthdays_on(falls_on, leap_day)


@given(st.integers(2024, 2130), st.dates(date(2000, 1, 1), date(2000, 12, 31)), LEAP_DAYS)
def test_every_birthday_falls_on_one_day_of_a_year(year, born, leap_day):
    birthday = (born.month, born.day)
    days = [date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]

    assert [day for day in days if birthday in birthdays_on(day, leap_day)] == [birthday_on(year, *birthday, leap_day)]


def test_a_missed_treat_is_given_within_a_week():
    days = list(days_to_treat(date(2027, 1, 3)))

    assert days[0] == date(2026, 12, 27)
    assert days[-1] == date(2027, 1, 3)
    assert len(days) == CATCH_UP_DAYS + 1


def test_a_birthday_is_known_in_time_thirty_days_ahead_in_the_shops_time_zone():
    before = to_be_known_by(date(2026, 3, 31), TREAT, MANILA)

    # Entered on 1 March, whatever the hour, it is 30 days ahead; on 2 March it is 29.
    assert before == datetime(2026, 3, 2, tzinfo=MANILA)
