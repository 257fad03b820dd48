"""The shop month by month, and the customers of each month over the months after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from bot.core.measures import Measure, Window
from bot.services.measure_ports import Credit, PointsFlow, Purchase

MONTHS_SHOWN = 24
COHORTS_SHOWN = 13


@dataclass(frozen=True)
class MonthFigures:
    """One calendar month: what was sold, who bought, what customers said, which points moved.

    `is_whole` is False for the last month where the window ends before it. Counts of buyers leave out orders of nobody
    in particular.
    """

    window: Window
    is_whole: bool
    revenue_minor: int
    orders: int
    buyers: int
    new_buyers: int
    csat: Measure
    nps: Measure
    ces: Measure
    points: PointsFlow

    @property
    def name(self) -> str:
        """2026-03."""
        return month_name(self.window.first_day)


@dataclass(frozen=True)
class Cohort:
    """Those whose first purchase was in one month, and how many of them bought in it and in each month after it.

    A month that the window does not cover to its end is left out.
    """

    month: date
    buyers: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many there are: all of them bought in their first month."""
        return self.buyers[0]


@dataclass(frozen=True)
class MonthSales:
    """What was sold in a month, and to how many."""

    revenue_minor: int = 0
    orders: int = 0
    buyers: int = 0
    new_buyers: int = 0


def month_name(day: date) -> str:
    """2026-03."""
    return f"{day:%Y-%m}"


def months_to_show(purchases: Sequence[Purchase], window: Window) -> list[Window]:
    """Whole calendar months up to the window's last day, which may cut the last one; from the first purchase on."""
    began = window.first_day
    if purchases:
        began = min(began, purchases[0].placed_at.astimezone(window.zone).date())
    return Window(began.replace(day=1), window.last_day, window.zone).months()[-MONTHS_SHOWN:]


def is_whole(month: Window) -> bool:
    """Whether the month ends with its last day."""
    return (month.last_day + timedelta(days=1)).day == 1


def sales_by_month(purchases: Iterable[Purchase], credits: Iterable[Credit], zone: tzinfo) -> dict[date, MonthSales]:
    """What was sold in each month, by its first day, in the shop's time zone. The purchases are in order of time."""
    revenue: defaultdict[date, int] = defaultdict(int)
    orders: defaultdict[date, int] = defaultdict(int)
    buyers: defaultdict[date, set[str]] = defaultdict(set)
    new: defaultdict[date, int] = defaultdict(int)
    known: set[str] = set()
    for purchase in purchases:
        month = _month(purchase.placed_at, zone)
        revenue[month] += purchase.net_minor
        orders[month] += 1
        if purchase.customer_id is not None:
            buyers[month].add(purchase.customer_id)
            new[month] += purchase.customer_id not in known
            known.add(purchase.customer_id)
    for credit in credits:
        revenue[_month(credit.issued_at, zone)] -= credit.amount_minor
    return {month: MonthSales(revenue[month], orders[month], len(buyers[month]), new[month]) for month in revenue}


def cohorts(purchases: Iterable[Purchase], window: Window) -> list[Cohort]:
    """The latest cohorts up to the window's end, oldest first. The purchases are in order of time."""
    first: dict[str, date] = {}
    bought: defaultdict[tuple[date, int], set[str]] = defaultdict(set)
    for purchase in purchases:
        if purchase.customer_id is not None:
            month = _month(purchase.placed_at, window.zone)
            begun = first.setdefault(purchase.customer_id, month)
            bought[begun, _months_between(begun, month)].add(purchase.customer_id)
    # The last day of the last month that is covered.
    last = (window.last_day + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    return [
        Cohort(month, tuple(len(bought[month, later]) for later in range(_months_between(month, last) + 1)))
        for month in sorted(set(first.values()))
        if month <= last
    ][-COHORTS_SHOWN:]


def _month(moment: datetime, zone: tzinfo) -> date:
    return moment.astimezone(zone).date().replace(day=1)


def _months_between(earlier: date, later: date) -> int:
    return (later.year - earlier.year) * 12 + later.month - earlier.month
