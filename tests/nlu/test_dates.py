"""Dates and spans of dates, as they are said on a Wednesday, 29 July 2026."""

from datetime import date

import pytest

from bot.nlu.details import DetailFinder

TODAY = date(2026, 7, 29)


@pytest.fixture(scope="module")
def finder() -> DetailFinder:
    return DetailFinder(today=lambda: TODAY)


def values(finder: DetailFinder, text: str) -> list[tuple[str, str | int]]:
    return [(detail.kind, detail.value) for detail in finder.find(text)]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-07-29"), ("tonight", "2026-07-29"), ("tomorrow", "2026-07-30"), ("tommorow", "2026-07-30"),
        ("tmrw pls", "2026-07-30"), ("yesterday", "2026-07-28"), ("yesterdy", "2026-07-28"),
        ("the day after tomorrow", "2026-07-31"), ("the day before yesterday", "2026-07-27"),
        ("friday", "2026-07-31"), ("on fri", "2026-07-31"), ("this friday", "2026-07-31"), ("wednesday", "2026-07-29"),
        ("next friday", "2026-08-07"), ("next monday", "2026-08-03"), ("last monday", "2026-07-27"),
        ("last wed", "2026-07-22"), ("on wednsday", "2026-07-29"), ("I received it on friday", "2026-07-24"),
        ("since monday", "2026-07-27"), ("by tuesday", "2026-08-04"), ("open on sundays", "2026-08-02"),
        ("in 3 days", "2026-08-01"), ("in three weeks", "2026-08-19"), ("in a month", "2026-08-29"),
        ("two weeks ago", "2026-07-15"), ("a year ago", "2025-07-29"), ("10 days from now", "2026-08-08"),
        ("25 December", "2026-12-25"), ("dec 25", "2026-12-25"), ("Dec. 25th, 2027", "2027-12-25"),
        ("25th of december 2025", "2025-12-25"), ("the 1st of may", "2026-05-01"), ("march 14", "2027-03-14"),
        ("july 20", "2026-07-20"), ("open on may 3", "2027-05-03"), ("29 february", "2028-02-29"),
        ("12/25/2026", "2026-12-25"), ("25/12/2026", "2026-12-25"), ("05/06/2026", "2026-05-06"),
        ("5/6/26", "2026-05-06"), ("24.12.2026", "2026-12-24"), ("12-24-2026", "2026-12-24"),
        ("2026-12-24", "2026-12-24"), ("2026/12/24.", "2026-12-24"), ("2026-12-24 10:00", "2026-12-24"),
        ("12/25", "2026-12-25"), ("on 8/4", "2026-08-04"), ("on 2024-05-01", "2024-05-01"),
        ("on the 5th", "2026-08-05"), ("the 20th?", "2026-07-20"), ("by the 21st please", "2026-08-21"),
        ("it came on the 3rd", "2026-07-03"), ("the 5th of next month", "2026-08-05"), ("5 may po", "2026-05-05"),
    ],
)  # fmt: skip
def test_a_day_is_given_as_an_iso_date(finder: DetailFinder, text: str, day: str) -> None:
    assert values(finder, text) == [("date", day)]


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("from monday to friday", "2026-08-03/2026-08-07"), ("friday - monday", "2026-07-31/2026-08-03"),
        ("mon-fri", "2026-08-03/2026-08-07"), ("last monday to friday", "2026-07-27/2026-07-31"),
        ("between 1 and 5 december", "2026-12-01/2026-12-05"), ("december 1-5", "2026-12-01/2026-12-05"),
        ("1st to the 5th of december", "2026-12-01/2026-12-05"), ("dec 1 until dec 5", "2026-12-01/2026-12-05"),
        ("dec 28 to january 3", "2026-12-28/2027-01-03"), ("between dec 1 and dec 5, 2027", "2027-12-01/2027-12-05"),
        ("2026-12-01 to 2026-12-05", "2026-12-01/2026-12-05"), ("12/1/2026 – 12/5/2026", "2026-12-01/2026-12-05"),
        ("from today until the 5th", "2026-07-29/2026-08-05"), ("from tomorrow to sunday", "2026-07-30/2026-08-02"),
        ("this week", "2026-07-27/2026-08-02"), ("next week", "2026-08-03/2026-08-09"),
        ("last week", "2026-07-20/2026-07-26"), ("this weekend", "2026-08-01/2026-08-02"),
        ("over the weekend", "2026-08-01/2026-08-02"), ("last month", "2026-06-01/2026-06-30"),
        ("next year", "2027-01-01/2027-12-31"), ("the last 30 days", "2026-06-29/2026-07-29"),
        ("next two weeks", "2026-07-29/2026-08-12"), ("the past week", "2026-07-22/2026-07-29"),
    ],
)  # fmt: skip
def test_a_span_is_given_as_an_iso_interval(finder: DetailFinder, text: str, span: str) -> None:
    assert values(finder, text) == [("date_range", span)]


@pytest.mark.parametrize(
    "text",
    [
        "May I ask", "may 3 bags pa ba kayo", "march to the shop", "in december", "one second", "the 2nd one",
        "my 1st order", "24/7", "open 24/7", "4 sat down", "the sun", "black friday sale", "happy friday!!",
        "february 30", "2026-13-45", "31/31/2026", "1.5 may", "next day delivery",
        "within 3 days", "dec 10,000 beans", "in 999999999 years", "1/2", "0/0", "1-2-3", "sundae",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date_is_none(finder: DetailFinder, text: str) -> None:
    assert [kind for kind, _ in values(finder, text) if kind in ("date", "date_range")] == []


def test_several_days_in_one_message_are_all_found(finder: DetailFinder) -> None:
    assert values(finder, "not friday, saturday or the 5th of august") == [
        ("date", "2026-07-31"), ("date", "2026-08-01"), ("date", "2026-08-05"),
    ]  # fmt: skip


def test_a_span_that_ends_before_it_begins_is_two_days(finder: DetailFinder) -> None:
    assert values(finder, "2026-12-05 to 2026-12-01") == [("date", "2026-12-05"), ("date", "2026-12-01")]


def test_a_date_is_no_order_number_no_postcode_and_no_phone_number(finder: DetailFinder) -> None:
    assert values(finder, "25 December 2026") == [("date", "2026-12-25")]
    assert values(finder, "order 10002 of dec 5 to 1200") == [
        ("order_number", "TC-10002"), ("date", "2026-12-05"), ("postcode", "1200"),
    ]  # fmt: skip


def test_a_shop_may_write_the_day_first() -> None:
    finder = DetailFinder(today=lambda: TODAY, month_first=False)

    assert values(finder, "05/06/2026, 12/25/2026") == [("date", "2026-06-05"), ("date", "2026-12-25")]


@pytest.mark.parametrize(
    ("today", "text", "value"),
    [
        (date(2026, 8, 2), "next monday", "2026-08-03"),
        (date(2026, 8, 2), "this weekend", "2026-08-01/2026-08-02"),
        (date(2026, 1, 31), "in a month", "2026-02-28"),
        (date(2026, 1, 31), "last month", "2025-12-01/2025-12-31"),
        (date(2026, 1, 5), "dec 25", "2025-12-25"),
        (date(2028, 2, 29), "a year ago", "2027-02-28"),
        (date(2026, 2, 10), "by the 31st", "2026-03-31"),
        (date(9999, 12, 31), "tomorrow", None),
    ],
)
def test_the_calendars_edges_hold(today: date, text: str, value: str | None) -> None:
    found = DetailFinder(today=lambda: today).find(text)

    assert [detail.value for detail in found] == ([value] if value else [])
