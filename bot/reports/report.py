"""The whole report of a shop, gathered: measures, months, cohorts, segments and what is to come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.core.measure_list import GROUPS
from bot.core.measures import Measure, Window
from bot.core.money import money_in_words
from bot.core.shop import Shop
from bot.errors import BotError
from bot.reports.months import Cohort, MonthFigures, MonthSales, cohorts, is_whole, months_to_show, sales_by_month
from bot.reports.outlook import Outlook, look_ahead
from bot.services.measures import MeasureTerms, survey_measures, take_measures
from bot.services.ports import Database, UnitOfWork

DEFAULT_DAYS = 90
_LONG_AGO = date(1970, 1, 1)


class BadWindow(BotError):
    """The days of a report make no sense."""

    code = "bad_window"


@dataclass(frozen=True)
class ReportTerms:
    """How to measure, and how far to look ahead: so many months, what comes in a month later worth so much less."""

    measuring: MeasureTerms = field(default_factory=MeasureTerms)
    months_ahead: int = 12
    monthly_discount: float = 0.01


@dataclass(frozen=True)
class Report:
    """Everything that a report shows. `remarks` are for people: what was left out, what could not be computed."""

    shop_name: str
    currency: str
    window: Window
    terms: ReportTerms
    measures: dict[str, Measure]
    months: Sequence[MonthFigures]
    cohorts: Sequence[Cohort]
    outlook: Outlook
    remarks: Sequence[str]

    def groups(self) -> dict[str, list[Measure]]:
        """The measures under the headings that people read them by."""
        found = {title: [self.measures[one.key] for one in definitions] for title, definitions in GROUPS.items()}
        return {**found, "Looking ahead": list(self.outlook.measures)}


def choose_window(first: date | None, last: date | None, shop: Shop, now: datetime) -> Window:
    """The days to report on: up to yesterday unless told otherwise, and 90 days.

    Raises BadWindow for days that are still to come, and for an end before the start.
    """
    zone = shop.hours.zone
    today = now.astimezone(zone).date()
    last = last or today - timedelta(days=1)
    first = first or last - timedelta(days=DEFAULT_DAYS - 1)
    if last < first:
        raise BadWindow(f"The report cannot end ({last}) before it begins ({first}). Choose other days.")
    if last > today:
        raise BadWindow(f"The report cannot end on {last}, which is still to come. Choose {today} or an earlier day.")
    return Window(first, last, zone)


async def gather(db: Database, shop: Shop, window: Window, now: datetime, terms: ReportTerms) -> Report:
    """Measure everything that the report shows. Changes nothing."""
    measures = await take_measures(db, shop, window, now, terms.measuring)
    async with db.reading() as work:
        purchases = await work.measures.purchases(window.ends_at, shop.currency)
        credits = await work.measures.credits(window.ends_at, shop.currency)
        numbers = await work.measures.customer_numbers()
        sales = sales_by_month(purchases, credits, window.zone)
        months = [
            await _month(work, month, sales.get(month.first_day, MonthSales()), now)
            for month in months_to_show(purchases, window)
        ]
        ever = await work.measures.sales(replace(window, first_day=_LONG_AGO), shop.currency)
    outlook = look_ahead(
        *(purchases, credits, numbers, window),
        months=terms.months_ahead,
        margin=terms.measuring.margin,
        monthly_discount=terms.monthly_discount,
    )
    remarks = []
    if ever.in_other_currencies:
        remarks.append(
            f"Left out, being in other currencies than {shop.currency}: {_orders(ever.in_other_currencies)}."
        )
    if nobodys := sum(purchase.customer_id is None for purchase in purchases):
        remarks.append(f"Counted as sales and for nothing else, being of no known customer: {_orders(nobodys)}.")
    if credits:
        given_back = money_in_words(sum(credit.amount_minor for credit in credits), shop.currency)
        remarks.append(f"Taken off, being credit notes for no order in particular: {given_back}.")
    return Report(
        *(shop.name, shop.currency, window, terms, measures, months, cohorts(purchases, window), outlook),
        remarks=[*remarks, *outlook.remarks],
    )


async def _month(work: UnitOfWork, month: Window, sales: MonthSales, now: datetime) -> MonthFigures:
    csat, nps, ces, _ = survey_measures(await work.measures.surveys(month), str(month))
    return MonthFigures(
        window=month,
        is_whole=is_whole(month),
        **vars(sales),
        csat=csat,
        nps=nps,
        ces=ces,
        points=await work.measures.points(month, now),
    )


def _orders(number: int) -> str:
    return "1 order" if number == 1 else f"{number:,} orders"
