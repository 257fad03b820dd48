"""The shop month by month, in its own time zone, and what became of the customers of each month."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from bot.core.measures import Window
from bot.reports.months import (
    COHORTS_SHOWN,
    MONTHS_SHOWN,
    MonthSales,
    cohorts,
    is_whole,
    months_to_show,
    sales_by_month,
)
from bot.services.measure_ports import Credit, Purchase
from tests.reports.made_up import MANILA, WINDOW


def bought(name: str | None, year: int, month: int, day: int = 10, net_minor: int = 1_000, hour: int = 9) -> Purchase:
    return Purchase(name, datetime(year, month, day, hour, tzinfo=timezone.utc), net_minor)


def test_a_month_counts_orders_customers_and_the_new_ones_among_them():
    sales = sales_by_month(
        [bought("A", 2026, 1), bought("A", 2026, 1), bought(None, 2026, 1), bought("A", 2026, 2), bought("B", 2026, 2)],
        [],
        MANILA,
    )

    assert sales == {date(2026, 1, 1): MonthSales(3_000, 3, 1, 1), date(2026, 2, 1): MonthSales(2_000, 2, 2, 1)}


def test_what_was_given_back_is_taken_off_the_month_it_was_given_back_in():
    credits = [Credit("A", datetime(2026, month, 10, tzinfo=timezone.utc), 400) for month in (1, 2, 2)]

    sales = sales_by_month([bought("A", 2026, 1)], credits, MANILA)

    assert sales == {date(2026, 1, 1): MonthSales(600, 1, 1, 1), date(2026, 2, 1): MonthSales(-800, 0, 0, 0)}


def test_an_evening_order_belongs_to_the_shops_next_day():
    # 17:00 on 31 January in London is one in the morning of 1 February in Manila.
    assert list(sales_by_month([bought("A", 2026, 1, 31, hour=17)], [], MANILA)) == [date(2026, 2, 1)]


def test_months_run_from_the_first_purchase_to_the_end_of_the_window():
    months = months_to_show([bought("A", 2025, 11), bought("A", 2026, 5)], WINDOW)

    assert [str(month)[:7] for month in months] == [
        *("2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"),
    ]
    assert months[0].first_day == date(2025, 11, 1)
    assert months[-1].last_day == date(2026, 6, 20)
    assert [is_whole(month) for month in months] == [True] * 7 + [False]


def test_no_more_months_are_shown_than_can_be_read():
    assert len(months_to_show([bought("A", 2015, 1)], WINDOW)) == MONTHS_SHOWN
    assert len(cohorts([bought("A", 2020 + number // 12, 1 + number % 12) for number in range(60)], WINDOW)) == 1
    many = [bought(f"{number}", 2020 + number // 12, 1 + number % 12) for number in range(60)]
    assert len(cohorts(many, WINDOW)) == COHORTS_SHOWN


def test_without_purchases_the_months_are_those_of_the_window():
    assert len(months_to_show([], WINDOW)) == 6
    assert cohorts([], WINDOW) == []


def test_a_cohort_is_followed_through_the_months_after_its_first_purchase():
    window = Window(date(2026, 4, 1), date(2026, 4, 30), MANILA)

    found = cohorts(
        [
            *(bought("A", 2026, 1), bought("B", 2026, 1), bought("A", 2026, 2), bought("A", 2026, 2)),
            *(bought("C", 2026, 2), bought("B", 2026, 4), bought("A", 2026, 4), bought(None, 2026, 4)),
        ],
        window,
    )  # fmt: skip

    assert [(cohort.month, cohort.size, cohort.buyers) for cohort in found] == [
        (date(2026, 1, 1), 2, (2, 1, 0, 2)),
        (date(2026, 2, 1), 1, (1, 0, 0)),
    ]


@pytest.mark.parametrize(("last_day", "lengths"), [(29, [3, 2]), (30, [4, 3, 1])])
def test_a_month_that_is_not_complete_is_left_out_of_the_cohorts(last_day, lengths):
    purchases = [bought("A", 2026, 1), bought("B", 2026, 2), bought("C", 2026, 4)]

    found = cohorts(purchases, Window(date(2026, 4, 1), date(2026, 4, 1) + timedelta(days=last_day - 1), MANILA))

    assert [len(cohort.buyers) for cohort in found] == lengths
