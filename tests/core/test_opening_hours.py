"""When a shop is open."""

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.opening_hours import Holiday, Interval, OpeningHours, describe_intervals

MANILA = "Asia/Manila"
BERLIN = "Europe/Berlin"  # in 2027: 28 March skips 02:00-03:00, 31 October repeats it


def spans(*texts: str) -> tuple[Interval, ...]:
    return tuple(map(Interval.parse, texts))


def hours(week: dict[int, tuple[Interval, ...]], zone: str = MANILA, holidays=None) -> OpeningHours:
    return OpeningHours(ZoneInfo(zone), tuple(week.get(day, ()) for day in range(7)), holidays or {})


def every_day(*texts: str, zone: str = MANILA, holidays=None) -> OpeningHours:
    return hours({day: spans(*texts) for day in range(7)}, zone, holidays)


def at(text: str, zone: str = MANILA, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


# The usual week


def test_the_shop_is_open_from_its_opening_moment_until_before_its_closing_moment():
    shop = every_day("08:00-20:00")

    assert not shop.is_open(at("2027-02-01T07:59:59"))
    assert shop.is_open(at("2027-02-01T08:00"))
    assert shop.is_open(at("2027-02-01T19:59:59"))
    assert not shop.is_open(at("2027-02-01T20:00"))


def test_the_customers_zone_does_not_matter():
    shop = every_day("08:00-20:00")

    assert shop.is_open(utc("2027-02-01T00:00"))
    assert not shop.is_open(utc("2027-02-01T12:00"))
    assert shop.is_open(at("2027-01-31T19:00", "America/New_York"))


def test_split_hours_close_the_shop_in_between():
    shop = every_day("08:00-12:00", "13:00-17:00")

    assert not shop.is_open(at("2027-02-01T12:30"))
    assert shop.closes_at(at("2027-02-01T09:00")) == at("2027-02-01T12:00")
    assert shop.next_opening(at("2027-02-01T12:30")) == at("2027-02-01T13:00")


def test_hours_that_touch_are_one_opening():
    shop = every_day("13:00-17:00", "08:00-13:00")

    assert shop.closes_at(at("2027-02-01T09:00")) == at("2027-02-01T17:00")
    assert shop.next_opening(at("2027-02-01T09:00")) == at("2027-02-02T08:00")


def test_a_closed_shop_has_no_closing_time():
    assert every_day("08:00-20:00").closes_at(at("2027-02-01T21:00")) is None


def test_the_next_opening_skips_closed_days():
    weekdays = hours({day: spans("08:00-20:00") for day in range(5)})

    assert weekdays.next_opening(at("2027-02-05T20:00")) == at("2027-02-08T08:00")


def test_while_open_the_next_opening_is_the_one_after():
    assert every_day("08:00-20:00").next_opening(at("2027-02-01T08:00")) == at("2027-02-02T08:00")


def test_answers_are_in_utc():
    shop = every_day("08:00-20:00")

    assert shop.closes_at(at("2027-02-01T09:00")).isoformat() == "2027-02-01T12:00:00+00:00"
    assert shop.next_opening(at("2027-02-01T21:00")).isoformat() == "2027-02-02T00:00:00+00:00"


def test_a_shop_that_never_closes_has_neither_closing_nor_next_opening():
    shop = every_day("00:00-24:00")

    assert shop.is_open(at("2027-02-01T00:00"))
    assert shop.closes_at(at("2027-02-01T00:00")) is None
    assert shop.next_opening(at("2027-02-01T00:00")) is None


def test_a_shop_that_never_opens_has_no_next_opening():
    shop = hours({})

    assert not shop.is_open(at("2027-02-01T10:00"))
    assert shop.next_opening(at("2027-02-01T10:00")) is None


def test_a_time_without_a_zone_is_refused():
    naive = datetime(2027, 2, 1, 10)  # noqa: DTZ001 - the point

    for question in ("is_open", "closes_at", "next_opening"):
        with pytest.raises(ValueError, match="zone"):
            getattr(every_day("08:00-20:00"), question)(naive)


# Nights


def test_a_night_belongs_to_the_day_it_begins_on():
    fridays = hours({4: spans("20:00-02:00")})

    assert fridays.is_open(at("2027-02-06T01:59"))  # Saturday
    assert not fridays.is_open(at("2027-02-06T02:00"))
    assert not fridays.is_open(at("2027-02-05T01:00"))  # Friday, before it began
    assert fridays.closes_at(at("2027-02-05T23:00")) == at("2027-02-06T02:00")


def test_sunday_night_runs_into_monday():
    assert hours({6: spans("20:00-02:00")}).is_open(at("2027-02-08T01:00"))


# Holidays


def test_a_holiday_closes_the_shop_for_the_day():
    shop = every_day("08:00-20:00", holidays={date(2027, 2, 2): Holiday("Inventory")})

    assert not shop.is_open(at("2027-02-02T10:00"))
    assert shop.next_opening(at("2027-02-01T20:00")) == at("2027-02-03T08:00")
    assert shop.holiday_on(date(2027, 2, 2)).name == "Inventory"
    assert shop.holiday_on(date(2027, 2, 3)) is None


def test_a_holidays_own_hours_replace_the_weekdays():
    shop = every_day("08:00-20:00", holidays={date(2027, 2, 2): Holiday("Eve", spans("10:00-12:00"))})

    assert not shop.is_open(at("2027-02-02T09:00"))
    assert shop.closes_at(at("2027-02-02T11:00")) == at("2027-02-02T12:00")


def test_a_holiday_opens_the_shop_on_a_weekday_that_is_closed():
    shop = hours({}, holidays={date(2027, 12, 5): Holiday("Market", spans("10:00-12:00"))})

    assert shop.next_opening(at("2027-02-01T00:00")) == at("2027-12-05T10:00")


def test_the_night_before_a_holiday_runs_to_its_end():
    shop = every_day("20:00-02:00", holidays={date(2027, 2, 2): Holiday("Rest")})

    assert shop.is_open(at("2027-02-02T01:00"))
    assert shop.closes_at(at("2027-02-01T22:00")) == at("2027-02-02T02:00")


def test_a_holidays_own_night_does_not_begin():
    shop = every_day("20:00-02:00", holidays={date(2027, 2, 2): Holiday("Rest")})

    assert not shop.is_open(at("2027-02-02T22:00"))
    assert not shop.is_open(at("2027-02-03T01:00"))


def test_a_night_that_runs_into_a_holidays_hours_is_one_opening():
    shop = every_day("20:00-02:00", holidays={date(2027, 2, 2): Holiday("Festival", spans("01:00-05:00"))})

    assert shop.closes_at(at("2027-02-01T22:00")) == at("2027-02-02T05:00")


def test_a_holiday_is_a_date_in_the_shops_zone():
    shop = every_day("00:00-24:00", holidays={date(2027, 2, 2): Holiday("Rest")})

    assert not shop.is_open(utc("2027-02-01T16:00"))  # midnight in Manila
    assert shop.is_open(utc("2027-02-02T16:00"))


# Clock changes


def test_a_night_is_an_hour_shorter_when_the_clock_skips_one():
    shop = every_day("22:00-06:00", zone=BERLIN)

    assert shop.is_open(utc("2027-03-28T03:59"))
    assert not shop.is_open(utc("2027-03-28T04:00"))


def test_a_night_is_an_hour_longer_when_the_clock_repeats_one():
    shop = every_day("22:00-06:00", zone=BERLIN)

    assert shop.is_open(utc("2027-10-31T04:59"))
    assert not shop.is_open(utc("2027-10-31T05:00"))


def test_hours_that_begin_in_a_skipped_hour_begin_when_it_would_have():
    shop = every_day("02:30-10:00", zone=BERLIN)

    assert shop.next_opening(at("2027-03-28T00:00", BERLIN)) == utc("2027-03-28T01:00")
    assert not shop.is_open(utc("2027-03-28T00:59:59"))
    assert shop.is_open(utc("2027-03-28T01:00"))


def test_hours_that_end_in_a_skipped_hour_end_when_it_would_have_begun():
    assert every_day("22:00-02:30", zone=BERLIN).closes_at(at("2027-03-27T23:00", BERLIN)) == utc("2027-03-28T01:00")


def test_hours_inside_a_skipped_hour_vanish():
    shop = every_day("02:10-02:50", zone=BERLIN)

    assert shop.next_opening(at("2027-03-27T12:00", BERLIN)) == at("2027-03-29T02:10", BERLIN)


def test_the_first_pass_of_a_repeated_hour_counts():
    shop = every_day("22:00-02:30", zone=BERLIN)

    assert shop.closes_at(at("2027-10-30T23:00", BERLIN)) == utc("2027-10-31T00:30")
    assert not shop.is_open(at("2027-10-31T02:15", BERLIN, fold=1))


def test_hours_that_begin_in_a_repeated_hour_begin_once():
    shop = every_day("02:30-10:00", zone=BERLIN)

    assert shop.is_open(at("2027-10-31T02:10", BERLIN, fold=1))
    assert shop.next_opening(utc("2027-10-31T00:30")) == at("2027-11-01T02:30", BERLIN)


def test_a_date_that_a_zone_skipped_has_no_hours():
    apia = every_day("08:00-20:00", zone="Pacific/Apia")  # went from 29 to 31 December 2011

    assert apia.next_opening(at("2011-12-29T20:00", "Pacific/Apia")) == at("2011-12-31T08:00", "Pacific/Apia")


# Words


def test_equal_days_share_a_line():
    shop = hours({**{day: spans("08:00-12:00", "13:00-17:00") for day in range(5)}, 5: spans("09:00-12:00")})

    assert shop.describe_week() == [
        ("Monday–Friday", "08:00–12:00, 13:00–17:00"),
        ("Saturday", "09:00–12:00"),
        ("Sunday", "closed"),
    ]


def test_a_week_of_equal_days_is_every_day():
    assert every_day("20:00-02:00").describe_week() == [("Every day", "20:00–02:00")]


def test_only_days_in_a_row_share_a_line():
    shop = hours({0: spans("08:00-12:00"), 2: spans("08:00-12:00")})

    assert [days for days, _ in shop.describe_week()] == ["Monday", "Tuesday", "Wednesday", "Thursday–Sunday"]


def test_a_whole_day_and_a_closed_day_have_words_of_their_own():
    assert describe_intervals(spans("00:00-24:00")) == "open all day"
    assert describe_intervals(()) == "closed"


# What is refused


@pytest.mark.parametrize("text", ["", "8am-5pm", "08:00", "25:00-26:00", "08:60-09:00", "24:00-02:00", "08:00-24:01"])
def test_what_no_clock_shows_is_refused(text):
    with pytest.raises(ValueError, match="time"):
        Interval.parse(text)


def test_an_empty_span_is_refused():
    with pytest.raises(ValueError, match="00:00-24:00"):
        Interval.parse("08:00-08:00")


def test_overlapping_hours_are_refused_by_day():
    with pytest.raises(ValueError, match="Tuesday's 08:00–12:00 and 11:00–13:00 overlap"):
        hours({1: spans("11:00-13:00", "08:00-12:00")})


def test_a_night_that_runs_into_the_next_days_hours_is_refused():
    with pytest.raises(ValueError, match="Sunday's 20:00–02:00 runs into Monday's 01:00–05:00"):
        hours({6: spans("20:00-02:00"), 0: spans("01:00-05:00")})


def test_a_week_needs_seven_days():
    with pytest.raises(ValueError, match="seven"):
        OpeningHours(ZoneInfo(MANILA), ((),) * 6)


# Properties

quarters = st.integers(min_value=0, max_value=95).map(lambda quarter: quarter * 15)
intervals = st.builds(lambda opens, length: Interval(opens, opens + length), quarters, quarters.map(lambda q: q + 15))


@st.composite
def shops(draw) -> OpeningHours:
    week = [draw(st.lists(intervals, max_size=1)) for _ in range(7)]
    holidays = draw(st.dictionaries(st.dates(date(2027, 3, 20), date(2027, 4, 5)), st.lists(intervals, max_size=1)))
    zone = draw(st.sampled_from([MANILA, BERLIN, "America/New_York", "Australia/Lord_Howe", "America/St_Johns"]))
    for number, day in enumerate(week):  # drop what would overlap
        following = week[(number + 1) % 7]
        if day and following and day[0].closes_minute - 24 * 60 > following[0].opens_minute:
            day.clear()
    return OpeningHours(
        ZoneInfo(zone), tuple(map(tuple, week)), {day: Holiday("x", tuple(own)) for day, own in holidays.items()}
    )


moments = st.datetimes(datetime(2027, 3, 10), datetime(2027, 11, 10)).map(  # noqa: DTZ001 - given its zone at once
    lambda moment: moment.replace(tzinfo=timezone.utc)
)
SECOND = timedelta(seconds=1)


@given(shops(), moments)
def test_an_open_shop_stays_open_until_it_closes(shop, moment):
    closing = shop.closes_at(moment)

    assert shop.is_open(moment) or closing is None
    if closing is not None:
        assert closing > moment
        assert shop.is_open(max(moment, closing - SECOND))
        assert not shop.is_open(closing)


@given(shops(), moments)
def test_a_closed_shop_stays_closed_until_it_opens(shop, moment):
    opening = shop.next_opening(moment)

    if opening is not None:
        assert opening > moment
        assert shop.is_open(opening)
        assert not shop.is_open(opening - SECOND) or opening - SECOND < moment
        if not shop.is_open(moment):
            halfway = moment + (opening - moment) / 2
            assert not shop.is_open(halfway)
