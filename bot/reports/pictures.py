"""The report as pictures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from babel.numbers import get_currency_precision, get_currency_symbol
from numpy.typing import NDArray

from bot.core.measures import Measure
from bot.core.segments import MEANINGS, TITLES
from bot.reports.months import Cohort, MonthFigures
from bot.reports.picture_style import BLUE, GREY, LIGHT, ORANGE, Picture, label_months
from bot.reports.report import Report


def draw(report: Report, folder: Path) -> tuple[list[Path], list[str]]:
    """Draw what there is to draw into the folder; the files, and what there is nothing to draw for."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "revenue": draw_revenue,
        "retention": draw_retention,
        "segments": draw_segments,
        "satisfaction": draw_satisfaction,
        "points": draw_points,
    }
    drawn, empty = [], []
    for name, drawing in pictures.items():
        picture = drawing(report)
        path = folder / f"{name}.png"
        if picture is None:
            # One of an earlier report would be taken for this one's.
            path.unlink(missing_ok=True)
            empty.append(name)
        else:
            picture.save(path)
            drawn.append(path)
    return drawn, empty


def draw_revenue(report: Report) -> Picture | None:
    """Revenue by month, and below it the customers of each month, new ones and those who came back."""
    months = report.months
    if not any(month.orders for month in months):
        return None
    picture = Picture(
        f"{report.shop_name}: revenue and customers by month",
        "Orders less their refunds. " + _not_complete(months), height=6.4, rows=2,
    )  # fmt: skip
    above, below = picture.axes
    unit, letter = _thousands([month.revenue_minor for month in months], report.currency)
    above.bar(_places(months), [month.revenue_minor / unit for month in months], color=_shades(months, BLUE))
    picture.heading(above, f"Revenue, {letter}{get_currency_symbol(report.currency, locale='en_US')}")
    above.axhline(0, color=GREY, linewidth=0.8)
    back = [month.buyers - month.new_buyers for month in months]
    new = [month.new_buyers for month in months]
    below.bar(_places(months), back, color=_shades(months, BLUE), label="bought before")
    below.bar(_places(months), new, bottom=back, color=_shades(months, ORANGE), label="bought for the first time")
    picture.heading(below, "Customers who bought")
    picture.legend(below, {"bought before": BLUE, "bought for the first time": ORANGE})
    label_months(above, months, names=False)
    label_months(below, months)
    return picture


def draw_retention(report: Report) -> Picture | None:
    """A heat map: of those who first bought in a month, the share who bought so many months later."""
    cohorts = [cohort for cohort in report.cohorts if len(cohort.buyers) > 1]
    if not cohorts:
        return None
    shares = _shares(cohorts)
    rows, columns = shares.shape
    picture = Picture(
        f"{report.shop_name}: how many come back",
        "Of the customers who first bought in a month, the share who bought again so many months later.",
        height=1.9 + 0.36 * rows, grid=False,
    )  # fmt: skip
    (axes,) = picture.axes
    highest = max(float(np.nanmax(shares)), 0.01)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=highest * 1.25, aspect="auto")
    for row, column in np.argwhere(~np.isnan(shares)):
        share = shares[row, column]
        colour = "white" if share > highest * 0.75 else "black"
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=8.5, color=colour)
    axes.set_xticks(range(columns), [f"{later + 1}" for later in range(columns)])
    axes.set_yticks(range(rows), [f"{one.month:%b %Y}  ({one.size:,})" for one in cohorts])
    # White lines between the cells.
    axes.set_xticks(np.arange(columns - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(rows - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.set_xlabel("months after the first purchase")
    axes.set_ylabel("first purchase in (customers)")
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return picture


def draw_segments(report: Report) -> Picture | None:
    """Each group's share of the customers beside its share of what customers brought."""
    groups = report.outlook.by_segment(report.window.last_day)
    customers = sum(one.customers for one in groups)
    brought = sum(max(one.net_minor, 0) for one in groups)
    if not customers or not brought:
        return None
    picture = Picture(
        f"{report.shop_name}: who the customers are, and what they brought",
        f"{customers:,} customers by how lately, how often and for how much they bought, up to "
        f"{report.window.last_day}.",
        height=5.4, grid=False,
    )  # fmt: skip
    (axes,) = picture.axes
    places = np.arange(len(groups))
    series = (
        (places - 0.2, [one.customers / customers for one in groups], BLUE),
        (places + 0.2, [max(one.net_minor, 0) / brought for one in groups], ORANGE),
    )
    for where, values, colour in series:
        axes.barh(where, values, height=0.38, color=colour)
        for place, value in zip(where, values, strict=True):
            axes.text(value + 0.005, place, f"{value:.0%}", va="center", fontsize=9)
    for place, one in zip(places, groups, strict=True):
        beside = {"xy": (0, place), "textcoords": "offset points", "ha": "right"}
        axes.annotate(TITLES[one.segment], xytext=(-8, 4), va="bottom", weight="bold", fontsize=10, **beside)
        axes.annotate(_wrapped(MEANINGS[one.segment]), xytext=(-8, 2), va="top", fontsize=8.5, color=GREY, **beside)
    axes.invert_yaxis()
    axes.set_xlim(0, max(max(values) for _, values, _ in series) * 1.12)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines["bottom"].set_visible(False)
    picture.legend(axes, {"share of the customers": BLUE, "share of what all customers brought": ORANGE})
    return picture


def draw_satisfaction(report: Report) -> Picture | None:
    """CSAT, NPS and CES by month, each with the number of answers behind it."""
    months = report.months
    kinds = (
        ("Satisfied: share of 4 and 5 among answers from 1 to 5, %", [month.csat for month in months], 100, (0, 100)),
        ("Would recommend (NPS): % of 9 and 10 less % of 0 to 6", [month.nps for month in months], 1, (-100, 100)),
        ("Easy: mean of the answers from 1 (hard) to 7 (easy)", [month.ces for month in months], 1, (1, 7)),
    )
    asked = [kind for kind in kinds if any(measure.value is not None for measure in kind[1])]
    if not asked:
        return None
    picture = Picture(
        f"{report.shop_name}: what customers say, by month",
        "The small numbers count the answers. " + _not_complete(months), height=1.4 + 2.3 * len(asked), rows=len(asked),
    )  # fmt: skip
    for axes, (title, measures, scale, limits) in zip(picture.axes, asked, strict=True):
        _draw_scores(axes, measures, scale)
        axes.set_ylim(*limits)
        picture.heading(axes, title)
        if limits[0] < 0:
            axes.axhline(0, color=GREY, linewidth=0.8)
        label_months(axes, months, names=axes is picture.axes[-1])
    return picture


def draw_points(report: Report) -> Picture | None:
    """Points issued and spent by month, and below them the points outstanding."""
    months = report.months
    if not any(month.points.issued or month.points.spent or month.points.outstanding for month in months):
        return None
    picture = Picture(
        f"{report.shop_name}: loyalty points by month",
        "What customers were given, and what they redeemed. " + _not_complete(months), height=6.4, rows=2,
    )  # fmt: skip
    above, below = picture.axes
    places = _places(months)
    above.bar(places - 0.2, [month.points.issued for month in months], width=0.38, color=_shades(months, BLUE))
    above.bar(places + 0.2, [month.points.spent for month in months], width=0.38, color=_shades(months, ORANGE))
    picture.heading(above, "Points")
    picture.legend(above, {"issued": BLUE, "spent": ORANGE})
    below.plot(places, [month.points.outstanding for month in months], color=BLUE, marker="o", markersize=4)
    below.set_ylim(bottom=min(0, *(month.points.outstanding for month in months)))
    picture.heading(below, "Points that customers hold at the end of the month")
    label_months(above, months, names=False)
    label_months(below, months)
    picture.whole_numbers()
    return picture


def _draw_scores(axes: Any, measures: Sequence[Measure], scale: float) -> None:
    places = [place for place, measure in enumerate(measures) if measure.value is not None]
    values = [measure.value * scale for measure in measures if measure.value is not None]
    axes.plot(places, values, color=BLUE, marker="o", markersize=4)
    for place, value in zip(places, values, strict=True):
        axes.annotate(
            f"{measures[place].denominator:,}", (place, value), xytext=(0, 6), textcoords="offset points",
            ha="center", fontsize=7.5, color=GREY,
        )  # fmt: skip


def _shares(cohorts: Sequence[Cohort]) -> NDArray[Any]:
    """A row for each cohort, a column for each later month; nan where the month is not complete."""
    width = max(len(cohort.buyers) for cohort in cohorts) - 1
    shares = np.full((len(cohorts), width), np.nan)
    for row, cohort in enumerate(cohorts):
        shares[row, : len(cohort.buyers) - 1] = np.array(cohort.buyers[1:]) / cohort.size
    return shares


def _places(months: Sequence[MonthFigures]) -> NDArray[Any]:
    return np.arange(len(months))


def _shades(months: Sequence[MonthFigures], colour: str) -> list[str]:
    """The month that is not complete is paler."""
    return [colour if month.is_whole else LIGHT[colour] for month in months]


def _not_complete(months: Sequence[MonthFigures]) -> str:
    return "" if months[-1].is_whole else f"{months[-1].window.first_day:%B %Y} is not complete."


def _thousands(minor: Sequence[int], currency: str) -> tuple[int, str]:
    """What to divide minor units by so that the axis has short numbers, and the word for it."""
    one = 10 ** get_currency_precision(currency)
    for factor, word in ((1_000_000, "millions of "), (1_000, "thousands of ")):
        if max(map(abs, minor)) >= 10 * factor * one:
            return factor * one, word
    return one, ""


def _wrapped(text: str, width: int = 34) -> str:
    return "\n".join(textwrap.wrap(text, width))
