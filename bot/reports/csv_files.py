"""The report as CSV files, for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from babel.numbers import get_currency_precision

from bot.core.measures import NOT_AVAILABLE, Unit
from bot.reports.months import month_name
from bot.reports.report import Report

Row = Sequence[object]
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(report: Report, folder: Path) -> list[Path]:
    """Write one file for each table into the folder, in place of those of an earlier report; the files."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "measures": _measures(report),
        "months": _months(report),
        "cohorts": _cohorts(report),
        "segments": _segments(report),
        "customers": _customers(report),
    }
    return [_write(folder / f"{name}.csv", rows) for name, rows in tables.items()]


def _write(path: Path, rows: Iterable[Row]) -> Path:
    # With a mark at the beginning, by which spreadsheets know the encoding.
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        csv.writer(file).writerows([_cell(value) for value in row] for row in rows)
    return path


def _cell(value: object) -> object:
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, float):
        return round(value, 6)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _money(report: Report, minor: float | None) -> Decimal | None:
    """In the currency's own units: 12.50, not 1250."""
    if minor is None:
        return None
    return Decimal(round(minor)).scaleb(-get_currency_precision(report.currency))


def _measures(report: Report) -> Iterator[Row]:
    yield ("measure", "title", "group", "value", "unit", "numerator", "numerator_is", "denominator", "denominator_is",
           "days", "from", "to", "meaning", "source")  # fmt: skip
    for group, measures in report.groups().items():
        for measure in measures:
            what = measure.definition
            money = what.unit is Unit.MONEY
            value, numerator = (
                _money(report, number) if money else number for number in (measure.value, measure.numerator)
            )
            yield (
                *(what.key, what.title, group, value, report.currency if money else what.unit.value),
                *("" if numerator is None else numerator, what.numerator),
                *("" if measure.denominator is None else measure.denominator, what.denominator or ""),
                *(measure.over, report.window.first_day, report.window.last_day, what.meaning, what.source),
            )


def _months(report: Report) -> Iterator[Row]:
    yield ("month", "from", "to", "is_whole", "revenue", "currency", "orders", "customers", "new_customers", "csat",
           "csat_answers", "nps", "nps_answers", "ces", "ces_answers", "points_issued", "points_spent",
           "points_expired", "points_outstanding")  # fmt: skip
    for month in report.months:
        flow = month.points
        yield (
            *(month.name, month.window.first_day, month.window.last_day, "yes" if month.is_whole else "no"),
            *(_money(report, month.revenue_minor), report.currency, month.orders, month.buyers, month.new_buyers),
            *(value for one in (month.csat, month.nps, month.ces) for value in (one.value, one.denominator)),
            *(flow.issued, flow.spent, flow.expired, flow.outstanding),
        )


def _cohorts(report: Report) -> Iterator[Row]:
    yield ("first_bought_in", "months_later", "customers", "bought", "share")
    for cohort in report.cohorts:
        for later, bought in enumerate(cohort.buyers):
            yield (month_name(cohort.month), later, cohort.size, bought, bought / cohort.size)


def _segments(report: Report) -> Iterator[Row]:
    yield ("segment", "customers", "brought", "currency", "median_days_since_purchase",
           f"value_of_{report.outlook.months}_months_each")  # fmt: skip
    for one in report.outlook.by_segment(report.window.last_day):
        yield (one.segment.value, one.customers, _money(report, one.net_minor), report.currency, one.median_days_ago,
               _money(report, one.mean_value_minor))  # fmt: skip


def _customers(report: Report) -> Iterator[Row]:
    months = report.outlook.months
    yield ("customer", "last_purchase", "purchases", "brought", "currency", "recency", "frequency", "amount", "segment",
           "probably_active", f"purchases_in_{months}_months", f"value_of_{months}_months")  # fmt: skip
    for one in report.outlook.prospects:
        standing, record = one.standing, one.standing.record
        yield (
            *(one.number, record.last_on, record.purchases, _money(report, record.net_minor), report.currency),
            *(standing.recency, standing.frequency, standing.amount, standing.segment.value),
            *(one.active, one.purchases, _money(report, one.value_minor)),
        )
