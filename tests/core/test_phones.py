"""Telephone numbers: the same number however it is written, and no number where there is none."""

import pytest

from bot.core.phones import normalise_phone


@pytest.mark.parametrize(
    ("text", "country", "normal"),
    [
        ("+63 917 123 4567", None, "+639171234567"),
        ("0917-123 4567", "PH", "+639171234567"),
        ("(0917) 123.4567", "PH", "+639171234567"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("+1 650 253 0000", "PH", "+16502530000"),
        ("٠٩١٧ ١٢٣ ٤٥٦٧", "PH", "+639171234567"),
        # Nobody knows which country: equal is what is written alike.
        ("0917 123 4567", None, "09171234567"),
        ("0917-1234567", None, "09171234567"),
    ],
)
def test_one_number_has_one_form(text, country, normal):
    assert normalise_phone(text, country) == normal
    assert normalise_phone(normal, country) == normal


@pytest.mark.parametrize(
    "text", ["", " ", "none", "123", "maria@example.com", "x" * 5_000, "1" * 41, "+", "call me 5", "\x00"]
)
@pytest.mark.parametrize("country", [None, "PH"])
def test_what_is_no_number_is_none(text, country):
    assert normalise_phone(text, country) is None
