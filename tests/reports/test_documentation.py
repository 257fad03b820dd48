"""The page about the report explains everything that the report shows, and only that."""

from __future__ import annotations

import re
from pathlib import Path

from bot.core import measure_list
from bot.core.segments import TITLES
from bot.reports import bg_nbd, gamma_gamma, outlook
from bot.reports.months import MONTHS_SHOWN
from bot.reports.report import DEFAULT_DAYS, ReportTerms

PAGE = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """The rows of all tables whose first column has that heading, by their first cell; one cell may name two."""
    found, inside = {}, False
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == heading:
            inside = True
        elif inside and not line.startswith("|--"):
            found.update(dict.fromkeys(cells[0].split(" · "), cells[1:]))
    return found


def test_every_figure_is_explained_and_every_explained_one_exists():
    ahead = (outlook.ACTIVE, outlook.COMING_PURCHASES, outlook.SPEND, outlook.COMING_VALUE)
    shown = [definition for group in measure_list.GROUPS.values() for definition in group] + list(ahead)

    explained = rows("figure")

    assert set(explained) == {definition.title for definition in shown}
    for definition in shown:
        assert bool(explained[definition.title][1]) == (definition.denominator is not None), definition.title


def test_every_group_is_explained_and_every_explained_one_exists():
    assert set(rows("group")) == set(TITLES.values())


def test_every_heading_of_figures_is_a_chapter():
    chapters = re.findall(r"^## (.+)$", PAGE, re.M)

    assert {*measure_list.GROUPS, "Looking ahead"} <= set(chapters)


def test_the_numbers_on_the_page_are_those_of_the_program():
    terms = ReportTerms()
    for phrase in (
        f"the last {DEFAULT_DAYS}",
        f"within {terms.measuring.activity_days} days",
        f"the coming {terms.months_ahead} months",
        f"each month worth {terms.monthly_discount:.0%} less",
        f"from {bg_nbd.MIN_CUSTOMERS} customers on, of whom {bg_nbd.MIN_REPEAT_BUYERS} bought again",
        f"from {gamma_gamma.MIN_BUYERS} repeat buyers on",
        f"at most {MONTHS_SHOWN}",
    ):
        assert phrase in PAGE, phrase
