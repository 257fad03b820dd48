"""The desk's reports: the facts of a stretch of days, made into figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.core.desk_reports import DeskFacts, desk_figures
from bot.core.measures import Window
from bot.core.shop import Shop
from bot.services.ports import Database

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


async def desk_report(db: Database, shop: Shop, window: Window, now: datetime) -> dict[str, Any]:
    """The figures of these days: see bot/core/desk_reports.py. Changes nothing."""
    async with db.reading() as work:
        steps = await work.desk_reports.steps(window)
        facts = DeskFacts(
            visits=await work.measures.visits(window),
            steps=steps,
            requests=await work.desk_reports.requests(window),
            ratings=await work.desk_reports.ratings(window),
            replies=await work.desk_reports.replies(window),
            names={agent.id: agent.name for agent in await work.agents.all()},
        )
    return desk_figures(facts, window, shop.desk.own_hours(shop.hours), now)


def as_csv(figures: Mapping[str, Any]) -> str:
    """The figures as a table: of what, of which day, hour, reason or person, which figure, and its value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["of", "which", "figure", "value"])
    for of, which, figure, value in _lines(figures):
        writer.writerow([of, _no_formula(which), figure, "" if value is None else value])
    return text.getvalue()


def _lines(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Any]]:
    for figure, value in _flat(figures["totals"]):
        yield "total", "", figure, value
    for of, key in (("day", "day"), ("reason", "reason"), ("hour", "hour"), ("agent", "name")):
        for row in figures[f"{of}s"]:
            for figure, value in _flat({name: value for name, value in row.items() if name not in (key, "id")}):
                yield of, str(row[key]), figure, value


def _flat(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}_{part}", one) for part, one in value.items())
        else:
            yield name, value


def _no_formula(text: str) -> str:
    """A text that no spreadsheet takes for something to calculate."""
    return f"'{text}" if text.startswith(_FORMULAS) else text
