"""Codes as people type them, and what is kept of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.verification import CODE_LIMITS, LookupLimits, find_code, hash_code, is_code

CODES = st.from_regex(r"[0-9]{6}", fullmatch=True)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("It's 123456.", "123456"),
        ("the code for TC-10002 is 123456", "123456"),
        ("TC-10002 123456", "123456"),
        ("1 2 3 4 5 6", "123456"),
        ("012345", "012345"),
        ("１２３４５６", "123456"),  # noqa: RUF001 - full-width digits, as some keyboards write them
        ("", None),
        ("what code?", None),
        ("12345", None),
        ("1234567", None),
        ("12345a6", None),
        ("+63 912 345 6789", None),
    ],
)
def test_a_code_is_found_in_what_was_typed(typed, code):
    assert find_code(typed) == code


@given(st.text(max_size=60))
def test_whatever_was_typed_gives_six_digits_or_nothing(typed):
    found = find_code(typed)

    assert found is None or (len(found) == 6 and found.isascii() and found.isdigit())


@given(CODES, CODES, st.text(alphabet="0123456789abcdef", min_size=1, max_size=32))
def test_only_the_code_itself_fits_its_hash_which_does_not_hold_it(code, other, salt):
    kept = hash_code(code, salt)

    assert is_code(code, kept)
    assert is_code(other, kept) == (other == code)
    assert kept != hash_code(code, f"{salt}0")
    assert len(kept) <= 128


@pytest.mark.parametrize(("in_conversation", "to_address", "reached"), [(2, 4, False), (3, 0, True), (0, 5, True)])
def test_three_codes_a_conversation_and_five_an_address_are_enough(in_conversation, to_address, reached):
    assert CODE_LIMITS.is_reached(in_conversation, to_address) is reached


def test_lookups_have_limits_of_their_own():
    assert LookupLimits(per_conversation=2, per_order=3).is_reached(2, 0)
