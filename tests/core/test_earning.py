"""What an order earns, and what refunds leave of it: to the point, whatever the amounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.earning import available_from, expiry_after, kept_points, points_for
from bot.core.loyalty import EarningRules, Multiplier
from bot.core.orders import OrderLine

DAY = date(2026, 1, 5)
ONE_A_DOLLAR = EarningRules(points_per_minor=Fraction(1, 100))


def lines(*prices: int, sku: str = "BEAN-1") -> list[OrderLine]:
    return [OrderLine(sku, "Beans", 1, price) for price in prices]


def line(sku: str, price: int, quantity: int = 1) -> OrderLine:
    return OrderLine(sku, sku.title(), quantity, price)


def rules(*multipliers: Multiplier, **changes) -> EarningRules:
    return replace(ONE_A_DOLLAR, multipliers=multipliers, **changes)


def earned(of, paid=None, by=ONE_A_DOLLAR, *, day=DAY, **who) -> int:
    worth = sum(one.quantity * one.unit_price_minor for one in of)
    return points_for(of, worth if paid is None else paid, by, day=day, **who)


# What an order earns


def test_points_are_rounded_down_once_for_the_whole_order():
    assert earned(lines(199)) == 1
    assert earned(lines(150, 150)) == 3
    assert earned([line("CUP", 75, quantity=4)]) == 3


def test_a_discount_earns_nothing():
    assert earned(lines(1_000, 1_000), 1_500) == 15


def test_below_the_minimum_nothing_is_earned_and_at_it_everything():
    by = rules(minimum_minor=1_000)

    assert earned(lines(1_000), 999, by) == 0
    assert earned(lines(1_000), 1_000, by) == 10


def test_what_is_excluded_earns_nothing_and_does_not_count_toward_the_minimum():
    by = rules(excluded=("GIFT-*",), minimum_minor=1_000)

    assert earned([line("GIFT-CARD", 5_000), line("MUG", 1_800)], by=by) == 18
    assert earned([line("GIFT-CARD", 5_000), line("CUP", 300)], by=by) == 0


def test_a_discount_is_spread_over_what_earns_and_what_does_not():
    by = rules(excluded=("GIFT-CARD",))

    assert earned([line("GIFT-CARD", 5_000), line("MUG", 5_000)], 8_000, by) == 40


def test_of_several_multipliers_the_largest_counts_for_each_line():
    by = rules(
        Multiplier(Fraction(2), products=("BEAN-*",)),
        Multiplier(Fraction(3, 2), tiers=("gold",)),
        Multiplier(Fraction(5), products=("MUG",), tiers=("silver",)),
    )
    order = [line("BEAN-1", 1_000), line("MUG", 1_000)]

    assert earned(order, by=by) == 30
    assert earned(order, by=by, tier="gold") == 35
    assert earned(order, by=by, tier="silver") == 70


@pytest.mark.parametrize(("segments", "points"), [((), 10), (("vip",), 10), (("vip", "wholesale"), 20)])
def test_a_segment_earns_more(segments, points):
    by = rules(Multiplier(Fraction(2), segments=("wholesale", "staff")))

    assert earned(lines(1_000), by=by, segments=segments) == points


@pytest.mark.parametrize(("day", "points"), [(4, 10), (5, 20), (9, 20), (10, 10)])
def test_a_campaign_counts_on_its_first_and_its_last_day(day, points):
    by = rules(Multiplier(Fraction(2), first_day=date(2026, 1, 5), last_day=date(2026, 1, 9)))

    assert earned(lines(1_000), by=by, day=date(2026, 1, day)) == points


def test_an_order_without_lines_earns_by_its_total_alone():
    by = rules(Multiplier(Fraction(2), products=("BEAN-*",)), excluded=("GIFT-*",))

    assert points_for([], 1_250, by, day=DAY) == 12


def test_what_cost_nothing_earns_nothing():
    assert earned(lines(0)) == earned(lines(1_000), 0) == earned([], 0) == 0


PRICES = st.lists(st.integers(0, 10**7), min_size=1, max_size=6)
RATES = st.fractions(min_value=Fraction(1, 10_000), max_value=10, max_denominator=10_000)


@given(PRICES, RATES, st.data())
def test_a_lower_price_never_earns_more(prices, rate, data):
    by = replace(ONE_A_DOLLAR, points_per_minor=rate)
    worth = sum(prices)
    paid = data.draw(st.integers(0, worth))

    assert 0 <= earned(lines(*prices), paid, by) <= earned(lines(*prices), worth, by)


@given(PRICES, RATES)
def test_points_are_the_exact_share_of_the_money_rounded_down(prices, rate):
    by = replace(ONE_A_DOLLAR, points_per_minor=rate)

    assert earned(lines(*prices), by=by) == sum(prices) * rate.numerator // rate.denominator


@given(PRICES, st.permutations(range(6)))
def test_the_order_of_the_lines_does_not_matter(prices, places):
    some = [line(f"P-{number}", price) for number, price in enumerate(prices)]
    others = [some[place] for place in places if place < len(some)]
    by = rules(Multiplier(Fraction(3, 2), products=("P-1", "P-3")), excluded=("P-2",))

    assert earned(some, by=by) == earned(others, by=by)


# What refunds leave


@pytest.mark.parametrize(("refunded", "kept"), [(0, 10), (1, 9), (500, 5), (501, 4), (999, 0), (1_000, 0), (2_000, 0)])
def test_a_refund_leaves_the_same_share_of_the_points_rounded_down(refunded, kept):
    assert kept_points(10, 1_000, refunded) == kept


@given(st.integers(0, 10**6), st.integers(1, 10**8))
def test_a_full_refund_leaves_nothing_and_no_refund_everything(points, paid):
    assert kept_points(points, paid, paid) == 0
    assert kept_points(points, paid, 0) == points


@given(st.integers(0, 10**6), st.integers(0, 10**8), st.lists(st.integers(1, 10**7), max_size=8))
def test_refunds_take_more_and_more_and_never_more_than_was_earned(points, paid, refunds):
    left = [kept_points(points, paid, sum(refunds[:number])) for number in range(len(refunds) + 1)]

    assert left[0] == points
    assert left == sorted(left, reverse=True)
    assert left[-1] >= 0


# How long points last


def moment(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)


def test_points_wait_for_the_days_of_the_hold():
    assert available_from(replace(ONE_A_DOLLAR, hold_days=14), moment(2026, 1, 5, 9)) == moment(2026, 1, 19, 9)


@pytest.mark.parametrize(
    ("months", "at", "ends"),
    [
        (12, moment(2026, 1, 5, 9), moment(2027, 1, 5, 9)),
        (12, moment(2028, 2, 29, 9), moment(2029, 2, 28, 9)),
        (1, moment(2026, 1, 31, 9), moment(2026, 2, 28, 9)),
        (None, moment(2026, 1, 5, 9), None),
    ],
)
def test_points_last_for_whole_months(months, at, ends):
    assert expiry_after(replace(ONE_A_DOLLAR, months=months), at) == ends


def test_without_earning_rules_points_last_for_ever():
    assert expiry_after(None, moment(2026, 1, 5)) is None


@given(st.integers(0, 25_000), st.integers(1, 120))
def test_points_never_run_out_before_they_can_be_spent(days, months):
    at = moment(2020, 1, 1) + timedelta(days=days)
    ends = expiry_after(replace(ONE_A_DOLLAR, months=months), at)

    assert at + timedelta(days=28 * months) <= ends <= at + timedelta(days=31 * months)
