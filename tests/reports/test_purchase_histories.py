"""Each customer's purchases in three numbers: which days count, from when, until when."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.reports.purchase_histories import PurchaseHistories, summarise_purchases

MONDAY = date(2026, 3, 2)


def days(*later: int) -> list[date]:
    return [MONDAY + timedelta(days=number) for number in later]


def rows(histories: PurchaseHistories) -> dict[str, tuple[float, float, float, float]]:
    columns = (histories.repeats, histories.last_weeks, histories.end_weeks, histories.mean_repeat)
    return {str(name): tuple(map(float, row)) for name, *row in zip(histories.customers, *columns, strict=True)}


def test_the_first_purchase_is_where_the_clock_starts_and_is_no_repeat():
    found = summarise_purchases(["A", "A", "A"], days(0, 7, 21), [10, 20, 40], MONDAY + timedelta(days=28))

    assert rows(found) == {"A": (2, 3, 4, 30)}


def test_orders_of_one_day_are_one_purchase():
    found = summarise_purchases(["A"] * 4, days(0, 0, 14, 14), [10, 10, 20, 30], MONDAY + timedelta(days=14))

    assert rows(found) == {"A": (1, 2, 2, 50)}


def test_the_day_of_the_cut_counts_and_the_day_after_does_not():
    orders = (["A", "A", "A", "B"], days(0, 7, 8, 8), [10, 20, 99, 99])

    assert rows(summarise_purchases(*orders, MONDAY + timedelta(days=7))) == {"A": (1, 1, 1, 20)}


def test_the_order_of_the_orders_does_not_matter():
    found = summarise_purchases(["B", "A", "B"], days(21, 0, 7), [5, 10, 20], MONDAY + timedelta(days=28))

    assert rows(found) == {"A": (0, 0, 4, 0), "B": (1, 2, 3, 5)}
    assert found.repeat_buyers.tolist() == [False, True]


def test_no_orders_are_no_histories():
    assert len(summarise_purchases([], [], [], MONDAY)) == 0
    assert len(summarise_purchases(["A"], days(3), [1], MONDAY)) == 0


orders = st.lists(st.tuples(st.sampled_from("ABCDE"), st.integers(0, 40), st.integers(1, 1_000)), max_size=60)


@given(orders, st.integers(0, 40))
def test_the_summary_is_what_going_through_every_customers_days_gives(bought, cut):
    expected = {}
    for name in sorted({name for name, day, _ in bought if day <= cut}):
        mine = [(day, amount) for who, day, amount in bought if who == name and day <= cut]
        visits = sorted({day for day, _ in mine})
        later = sum(amount for day, amount in mine if day > visits[0])
        repeats = len(visits) - 1
        expected[name] = (
            repeats, (visits[-1] - visits[0]) / 7, (cut - visits[0]) / 7, later / repeats if repeats else 0
        )  # fmt: skip

    found = summarise_purchases(
        [name for name, _, _ in bought],
        days(*(day for _, day, _ in bought)),
        [amount for _, _, amount in bought],
        MONDAY + timedelta(days=cut),
    )

    assert list(rows(found)) == list(expected)
    assert np.array(list(rows(found).values())) == pytest.approx(np.array(list(expected.values())))
