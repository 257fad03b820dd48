"""Addresses as they are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.customers import MAX_ADDRESS_CHARACTERS, normalise_address


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("48 Salcedo Street, Makati 1200", "48 Salcedo Street, Makati 1200"),
        ("  48 Salcedo  Street,\n\n Makati\t1200, \r\nPhilippines ", "48 Salcedo Street, Makati 1200, Philippines"),
        ("大阪市北区梅田 1-2-3", "大阪市北区梅田 1-2-3"),
        ("", None),
        (" \n , ", None),
        ("12345", None),
        ("a" * (MAX_ADDRESS_CHARACTERS + 1), None),
        ("a" * MAX_ADDRESS_CHARACTERS, "a" * MAX_ADDRESS_CHARACTERS),
    ],
)
def test_an_address_is_one_line_with_a_letter_in_it(typed, kept):
    assert normalise_address(typed) == kept


@given(st.text(max_size=600))
def test_an_address_that_is_kept_is_kept_as_it_is(typed):
    kept = normalise_address(typed)

    assert kept is None or (normalise_address(kept) == kept and "\n" not in kept)
