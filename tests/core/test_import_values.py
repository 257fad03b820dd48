"""How cells of imported files are read."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.import_values import (
    REMEMBERED,
    Reason,
    Rejected,
    Remembering,
    currency_digits,
    read_birthday,
    read_decimal,
    read_email,
    read_moment,
    read_order_number,
    read_quantity,
    to_minor,
)

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("12", "12"),
        ("12.5", "12.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-2.50", "-2.50"),
        ("\u22122.50", "-2.50"),
        ("(2.50)", "-2.50"),
        ("1,234.50", "1234.50"),
        ("1 234 567", "1234567"),
        ("1\u00a0234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("$12.50", "12.50"),
        ("-$12.50", "-12.50"),
        ("£-5", "-5"),
        ("12.50 EUR", "12.50"),
        ("USD 12.50", "12.50"),
        ("12.50 €", "12.50"),
        (" 7 ", "7"),
    ],
)
def test_amounts_are_read_as_people_write_them(written, amount):
    assert read_decimal(written, decimal_comma=False) == Decimal(amount)


@pytest.mark.parametrize(
    ("written", "amount"), [("1.234,50", "1234.50"), ("12,5", "12.5"), ("1 234,5 €", "1234.5"), ("1.234", "1234")]
)
def test_amounts_are_read_with_a_decimal_comma_where_that_is_said(written, amount):
    assert read_decimal(written, decimal_comma=True) == Decimal(amount)


@pytest.mark.parametrize(
    "written",
    *[
        [
            *(
                "",
                "-",
                "$",
                ".",
                "free",
                "12,50",
                "1,23,456",
                "1.2.3",
                "1e5",
                "0x10",
                "--5",
                "((5))",
                "5-",
                "NaN",
                "inf",
            ),
            *("1 2", "12.50 EUROS", "\u0661\u0662", "1" * 50, "1,2345.00"),
        ]
    ],
)
def test_what_is_no_amount_is_none(written):
    assert read_decimal(written, decimal_comma=False) is None


@given(st.text(max_size=50), st.booleans())
def test_reading_an_amount_never_fails(text, comma):
    value = read_decimal(text, decimal_comma=comma)

    assert value is None or value.is_finite()


@given(st.decimals(-(10**9), 10**9, places=2))
def test_an_amount_that_is_written_plainly_is_read_exactly(amount):
    assert read_decimal(f"{amount:,}", decimal_comma=False) == amount
    german = f"{amount:,}".translate(str.maketrans(",.", ".,"))
    assert read_decimal(german, decimal_comma=True) == amount


@pytest.mark.parametrize(("written", "quantity"), [("6", 6), ("6.0", 6), ("-3", -3), ("1,000", 1000)])
def test_quantities_are_whole(written, quantity):
    assert read_quantity(written, decimal_comma=False) == quantity


@pytest.mark.parametrize(
    ("amount", "digits", "minor"),
    [
        ("0.001", 2, (0, True)),
        ("0.005", 2, (1, True)),
        ("-0.005", 2, (-1, True)),
        ("2.55", 2, (255, False)),
        ("2.550", 2, (255, False)),
        ("2.5", 0, (3, True)),
        ("1.2345", 3, (1235, True)),
    ],
)
def test_more_decimals_than_the_currency_has_are_rounded_half_away_from_zero(amount, digits, minor):
    assert to_minor(Decimal(amount), digits) == minor


@pytest.mark.parametrize("amount", ["999999999999999999999999999999", "-1e25", "1e26", f"1{'0' * 60}.5", "1e400"])
def test_an_amount_too_large_to_be_right_is_rejected_however_large(amount):
    with pytest.raises(Rejected) as refused:
        to_minor(Decimal(amount), 2)

    assert refused.value.reason is Reason.TOO_LARGE


def test_currencies_have_their_own_decimals():
    assert [currency_digits(currency) for currency in ("USD", "JPY", "BHD")] == [2, 0, 3]
    with pytest.raises(Rejected):
        currency_digits("ABC")


@pytest.mark.parametrize(
    ("written", "formats", "moment"),
    [
        ("2025-07-01", (), (2025, 6, 30, 23, 0)),
        ("2025-07-01 12:30", (), (2025, 7, 1, 11, 30)),
        ("2025-07-01T12:30:15.123456", (), (2025, 7, 1, 11, 30, 15, 123456)),
        ("2025-07-01T12:30:00Z", (), (2025, 7, 1, 12, 30)),
        ("2025-07-01 12:30:00+02:00", (), (2025, 7, 1, 10, 30)),
        ("20250701T1230", (), (2025, 7, 1, 11, 30)),
        ("01/07/2025 12:30", ("%Y-%m-%d", "%d/%m/%Y %H:%M"), (2025, 7, 1, 11, 30)),
        # Twice on that night: the first time, still in summer time.
        ("2025-10-26 01:30", (), (2025, 10, 26, 0, 30)),
        # Left out on that night.
        ("2025-03-30 01:30", (), (2025, 3, 30, 1, 30)),
    ],
)
def test_moments_without_a_time_zone_are_in_the_shops(written, formats, moment):
    assert read_moment(written, formats, LONDON) == datetime(*moment, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "written",
    ["", "2025", "2025-07", "01.07.2025", "yesterday", "2025-13-01", "0001-01-01", "9999-12-31T23:59-14:00:00"],
)
def test_what_is_no_moment_is_rejected(written):
    with pytest.raises(Rejected) as refusal:
        read_moment(written, (), LONDON)

    assert refusal.value.reason is Reason.BAD_DATE


@given(st.text(max_size=40))
def test_reading_a_moment_or_a_birthday_never_fails_in_another_way(text):
    for read in (lambda: read_moment(text, (), LONDON), lambda: read_birthday(text, ()), lambda: read_email(text)):
        try:
            read()
        except Rejected:
            pass


def test_order_numbers_are_in_upper_case_and_nothing_else_is_changed():
    assert [read_order_number(text) for text in (" c536379 ", "tc-1", "A563185")] == ["C536379", "TC-1", "A563185"]


def test_what_was_read_is_remembered_and_forgotten_before_it_is_too_much():
    read = []
    remembering = Remembering(lambda text: read.append(text) or len(read))

    assert [remembering["a"], remembering["b"], remembering["a"]] == [1, 2, 1]
    for number in range(2 * REMEMBERED):
        assert remembering[f"n{number}"] == number + 3
        assert len(remembering) <= REMEMBERED
