"""Codes for friends, and who counts as one person or one household."""

from __future__ import annotations

import pytest

from bot.core.loyalty import ReferralRules
from bot.core.orders import OrderStatus
from bot.core.referrals import (
    counts_for_referral,
    household,
    is_same_person,
    new_referral_code,
    normalise_referral_code,
    referral_link,
    shared_home,
)
from tests.builders import a_refund, an_order

RULES = ReferralRules(referrer_points=100, referee_points=50, minimum_minor=2_000)


def home(name="Maria Santos", *, postcodes=(), addresses=(), contacts=()):
    return household(name, postcodes, addresses, contacts)


def test_codes_are_short_differ_and_have_nothing_that_looks_alike():
    codes = [new_referral_code() for _ in range(500)]

    assert len(set(codes)) == 500
    assert all(len(code) == 9 and code[4] == "-" for code in codes)
    assert not set("".join(codes)) & set("01258BILOSUZ")
    # Neither a word nor a number.
    assert all(any(map(str.isdigit, code)) and any(map(str.isalpha, code)) for code in codes)


@pytest.mark.parametrize(
    "typed", ["kx4p-7m3r", " KX4P 7M3R ", "kx4p7m3r.", "\uff2b\uff38\uff14\uff307m3r", "KX4P–7M3R"]
)
def test_a_code_is_found_however_it_is_typed(typed):
    assert normalise_referral_code(typed) == "KX4P-7M3R"


@pytest.mark.parametrize(
    "page, link",
    [
        ("https://shop.example", "https://shop.example?ref=KX4P-7M3R"),
        ("https://shop.example/en/?a=1#top", "https://shop.example/en/?a=1&ref=KX4P-7M3R#top"),
        ("https://shop.example/?ref=OTHER", "https://shop.example/?ref=KX4P-7M3R"),
    ],
)
def test_a_link_carries_the_code(page, link):
    assert referral_link(page, "KX4P-7M3R") == link


@pytest.mark.parametrize(
    "one, other, same",
    [
        (("email", "maria@example.com"), ("email", "Maria+2@Example.com "), True),
        (("phone", "+63 917 123 4567"), ("phone", "+639171234567"), True),
        (("telegram", "42"), ("telegram", "42"), True),
        (("telegram", "42"), ("phone", "42"), False),
        (("email", "maria@example.com"), ("email", "marian@example.com"), False),
    ],
)
def test_whoever_is_reached_under_the_same_address_is_the_same_person(one, other, same):
    assert is_same_person(home(contacts=[one]), home(contacts=[other])) is same


def test_one_address_is_one_household_however_it_is_written():
    ours = home(addresses=["12 Mabini St., Makati\n1200", None])

    assert shared_home(ours, home("Aiko Tanaka", addresses=["12 mabini st, makati 1200"])) == "same_address"
    assert shared_home(ours, home("Aiko Tanaka", addresses=["14 Mabini St., Makati 1200"])) is None


def test_what_names_no_house_is_no_address_to_share():
    for text in ("Makati City", "1200", "", " , "):
        assert shared_home(home("A", addresses=[text]), home("B", addresses=[text])) is None


def test_those_who_collect_their_orders_do_not_live_in_the_shop():
    ours, theirs = home("A", addresses=["1 Market Road, Manila"]), home("B", addresses=["1 market road, manila"])

    assert shared_home(ours, theirs, shop_address="1 Market Road, Manila") is None
    assert shared_home(ours, theirs, shop_address="2 Market Road, Manila") == "same_address"


def test_the_same_name_in_one_postcode_is_one_household_and_in_another_is_not():
    ours = home(postcodes=["12 00"])

    assert shared_home(ours, home("maria  santos", postcodes=["1200", "1605"])) == "same_name"
    assert shared_home(ours, home("maria santos", postcodes=["1605"])) is None
    assert shared_home(ours, home("Aiko Tanaka", postcodes=["1200"])) is None
    assert shared_home(home("", postcodes=["1200"]), home("", postcodes=["1200"])) is None


@pytest.mark.parametrize(
    "status, refunded, counts",
    [
        (OrderStatus.PAID, 0, True),
        (OrderStatus.DELIVERED, 900, True),
        (OrderStatus.DELIVERED, 901, False),
        (OrderStatus.PENDING, 0, False),
        (OrderStatus.CANCELLED, 0, False),
        (OrderStatus.RETURNED, 0, False),
        (OrderStatus.RETURNED, 900, True),
        (OrderStatus.RETURNED, 901, False),
        (OrderStatus.REFUNDED, 0, False),
    ],
)
def test_an_order_counts_when_it_is_paid_and_enough_of_it_is_kept(status, refunded, counts):
    # Of a total of 2,900, where 2,000 count.
    refunds = [a_refund(amount_minor=refunded)] if refunded else []

    assert counts_for_referral(an_order(status=status), refunds, RULES) is counts


def test_an_order_that_was_paid_back_in_full_never_counts():
    assert not counts_for_referral(an_order(status=OrderStatus.PAID), [a_refund(amount_minor=2_900)], None)
