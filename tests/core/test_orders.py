"""Order numbers as people type them, and what proves an order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.customers import normalise_email, normalise_postcode
from bot.core.orders import (
    MAX_ORDER_NUMBER_CHARACTERS,
    OPEN_STATUSES,
    OrderStatus,
    normalise_order_number,
    other_forms,
    proves_order,
)
from tests.builders import a_customer, an_order

PREFIXES = st.from_regex(r"[A-Z]{0,4}", fullmatch=True)
TYPED = st.one_of(st.text(max_size=40), st.from_regex(r"[#\s]*[A-Za-z]{0,4}[-\s#_]*[0-9]{1,13}\s*", fullmatch=True))


@pytest.mark.parametrize(
    "typed",
    [
        "TC-10002",
        "tc-10002",
        "TC10002",
        " tc 10002 ",
        "#10002",
        "10002",
        "TC–10002",
        "TC_10002",
        "1 00 02",
        "#TC-10002",
    ],
)
def test_one_order_number_has_many_spellings(typed):
    assert normalise_order_number(typed, "TC") == "TC-10002"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "TC",
        "123",
        "TC-123",
        "ABCDE-1000",
        "1" * 13,
        "10002TC",
        "TC.10002",
        "TC-10002; DROP TABLE orders",
        "١٠٠٠٢",
        "1000²",
        "TC-" + "0" * MAX_ORDER_NUMBER_CHARACTERS,
        " " * 200 + "10002",
    ],
)
def test_what_is_no_order_number_is_none(typed):
    assert normalise_order_number(typed, "TC") is None


def test_a_number_of_another_shop_keeps_its_letters():
    assert normalise_order_number("ab 4711", "TC") == "AB-4711"


def test_a_shop_without_a_prefix_has_bare_numbers():
    assert normalise_order_number("# 4711", "") == "4711"
    assert normalise_order_number("ab4711", "") == "AB-4711"


@given(TYPED, PREFIXES)
def test_a_normalised_order_number_stays_as_it_is(typed, prefix):
    once = normalise_order_number(typed, prefix)

    assert once is None or normalise_order_number(once, prefix) == once


@given(TYPED, PREFIXES)
def test_a_normalised_order_number_can_be_stored(typed, prefix):
    number = normalise_order_number(typed, prefix)

    assert number is None or (number.isascii() and number == number.upper() and 4 <= len(number) <= 17)


@given(st.text(max_size=60))
def test_nothing_typed_proves_an_order_that_has_no_proof(proof):
    assert not proves_order(an_order(email=None, postcode=None), proof)
    assert not proves_order(an_order(email="", postcode=" - "), proof)


@given(st.text(st.characters(), max_size=60))
def test_only_the_address_or_the_postcode_proves_an_order(proof):
    right = normalise_email(proof) == "maria@example.com" or normalise_postcode(proof) == "1200"

    assert proves_order(an_order(), proof) <= right


def test_an_address_is_not_taken_for_a_postcode():
    assert not proves_order(an_order(postcode="1200EXAMPLE"), "1200@example")


@given(st.text(max_size=40))
def test_addresses_and_postcodes_are_normal_once_normalised(text):
    assert normalise_email(normalise_email(text)) == normalise_email(text)
    assert normalise_postcode(normalise_postcode(text)) == normalise_postcode(text)


def test_an_order_is_open_until_it_has_arrived_or_come_to_nothing():
    assert {status for status in OrderStatus if an_order(status=status).is_open} == OPEN_STATUSES
    assert OrderStatus.DELIVERED not in OPEN_STATUSES


@pytest.mark.parametrize(("name", "first"), [("Maria Santos", "Maria"), (" Aiko ", "Aiko"), ("", ""), (" ", "")])
def test_people_are_addressed_by_their_first_name(name, first):
    assert a_customer(name=name).first_name == first


@pytest.mark.parametrize(
    ("number", "forms"),
    [("TC-536365", ("536365", "TC536365")), ("C-536379", ("C536379",)), ("536365", ())],
)
def test_a_number_may_be_kept_without_the_prefix_or_the_dash(number, forms):
    assert other_forms(number, "TC") == forms


@given(typed=TYPED, prefix=PREFIXES)
def test_every_other_form_of_a_number_is_the_same_number(typed, prefix):
    number = normalise_order_number(typed, prefix)
    forms = other_forms(number, prefix) if number else ()

    assert {normalise_order_number(form, prefix) for form in forms} <= {number}
