"""The report as tables in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from bot.core.measures import NOT_AVAILABLE, Measure
from bot.core.money import money_in_words
from bot.core.segments import MEANINGS, TITLES
from bot.reports.months import Cohort, month_name
from bot.reports.report import Report

# Where nobody says how wide it is: a file, a pipe.
WIDTH = 130


def show(report: Report, console: Console | None = None) -> None:
    """Print the report."""
    if console is None:
        console = Console()
        if not console.is_terminal:
            console.width = WIDTH
    for part in _parts(report):
        console.print(part)


def _parts(report: Report) -> Iterator[RenderableType]:
    window = report.window
    yield _heading(f"{report.shop_name}, {window} ({window.days} days, {window.zone})")
    yield Text(_terms(report))
    for title, measures in report.groups().items():
        yield _heading(title)
        yield measures_table(measures, report.currency)
    yield _heading(f"Customers by how lately, how often and for how much they bought, at the end of {window.last_day}")
    yield segments_table(report)
    yield _heading("Month by month (* not complete)")
    yield months_table(report)
    if any(len(cohort.buyers) > 1 for cohort in report.cohorts):
        yield _heading("Of those who first bought in a month, the share who bought again so many months later")
        yield cohorts_table(report.cohorts)
    if report.remarks:
        yield _heading("Remarks")
    for remark in report.remarks:
        yield Text(f"• {remark}")
    yield ""


def _heading(text: str) -> Text:
    return Text(f"\n{text}", style="bold underline")


def _terms(report: Report) -> str:
    terms = report.terms
    return (
        f"A customer is one who bought within {terms.measuring.activity_days} days. The margin is "
        f"{terms.measuring.margin:.0%}, and what is to come is worth {terms.monthly_discount:.0%} less for each month. "
        f"{NOT_AVAILABLE}: there was nothing to measure."
    )


def measures_table(measures: Iterable[Measure], currency: str) -> Table:
    """Each measure with its value, what it is of, its window and its definition."""
    table = _table(["Measure", "", "Of", "Days", "What it means"], left={0, 2, 3, 4})
    for measure in measures:
        table.add_row(measure.definition.title, _value(measure, currency), of_what(measure, currency), measure.over,
                      measure.definition.meaning)  # fmt: skip
    return table


def of_what(measure: Measure, currency: str) -> str:
    """Numerator and denominator in words ("31 answers of 4 or 5 ÷ 40 answers"); of a plain sum, what is summed."""
    definition = measure.definition
    if definition.denominator is None:
        return definition.numerator
    parts = [] if measure.numerator is None else [f"{measure.numerator_in_words(currency)} {definition.numerator}"]
    return " ÷ ".join([*parts, f"{measure.denominator or 0:,} {definition.denominator}"])


def segments_table(report: Report) -> Table:
    """The groups of customers by recency, frequency and amount."""
    ahead = f"Next {report.outlook.months} months, each"
    table = _table(["Group", "Customers", "", "Brought so far", "", "Last bought", ahead, "Who they are"], {0, 7})
    groups = report.outlook.by_segment(report.window.last_day)
    customers, net_minor = sum(one.customers for one in groups), sum(one.net_minor for one in groups)
    for one in groups:
        table.add_row(
            TITLES[one.segment],
            f"{one.customers:,}",
            _share(one.customers, customers),
            money_in_words(one.net_minor, report.currency),
            _share(one.net_minor, net_minor),
            NOT_AVAILABLE if one.median_days_ago is None else f"{one.median_days_ago:,.0f} days ago",
            NOT_AVAILABLE if one.mean_value_minor is None
            else money_in_words(round(one.mean_value_minor), report.currency),
            MEANINGS[one.segment],
        )  # fmt: skip
    return table


def months_table(report: Report) -> Table:
    """The months, the last of which may not be complete."""
    headings = ["Month", "Revenue", "Orders", "Customers", "of them new", "CSAT (answers)", "NPS (answers)",
                "CES (answers)", "Points issued", "Points spent"]  # fmt: skip
    table = _table(headings, {0})
    for month in report.months:
        table.add_row(
            month.name + ("" if month.is_whole else "*"),
            money_in_words(month.revenue_minor, report.currency),
            *(f"{number:,}" for number in (month.orders, month.buyers, month.new_buyers)),
            *(f"{_value(one, report.currency)} ({one.denominator:,})" for one in (month.csat, month.nps, month.ces)),
            *(f"{number:,}" for number in (month.points.issued, month.points.spent)),
        )
    return table


def cohorts_table(cohorts: Iterable[Cohort]) -> Table:
    """Of the customers who first bought in a month, the share who bought in each month after it."""
    rows = list(cohorts)
    later = range(1, max(len(cohort.buyers) for cohort in rows))
    table = _table(["First bought in", "Customers", *(f"{number}" for number in later)], {0})
    for cohort in rows:
        shares = [_share(number, cohort.size, digits=0) for number in cohort.buyers[1:]]
        table.add_row(month_name(cohort.month), f"{cohort.size:,}", *shares, *[""] * (len(later) - len(shares)))
    return table


def _table(headings: Iterable[str], left: set[int]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number in left else "right", no_wrap=number == 0)
    return table


def _value(measure: Measure, currency: str) -> Text:
    words = measure.in_words(currency)
    return Text(words, style="dim" if words == NOT_AVAILABLE else "bold")


def _share(part: float, whole: float, digits: int = 1) -> str:
    return f"{part / whole:.{digits}%}" if whole > 0 else NOT_AVAILABLE
