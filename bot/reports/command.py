"""The command `report`: gather, show, write."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bot.core.shop import Shop
from bot.errors import BotError
from bot.reports.csv_files import write_csv
from bot.reports.report import Report, ReportTerms, choose_window, gather
from bot.reports.terminal import show
from bot.services.measures import MeasureTerms
from bot.services.ports import Database


@dataclass(frozen=True)
class ReportRequest:
    """What was asked for on the command line; None is the default."""

    first: date | None = None
    last: date | None = None
    csv_folder: Path | None = None
    picture_folder: Path | None = None
    margin_percent: float | None = None
    activity_days: int | None = None

    def terms(self) -> ReportTerms:
        """How to measure. Raises ValueError for terms without sense."""
        usual = MeasureTerms()
        return ReportTerms(
            MeasureTerms(
                activity_days=usual.activity_days if self.activity_days is None else self.activity_days,
                margin=usual.margin if self.margin_percent is None else self.margin_percent / 100,
            )
        )


class CannotWrite(BotError):
    """A file of the report cannot be written."""

    code = "cannot_write"


async def show_report(
    db: Database, shop: Shop, now: datetime, request: ReportRequest, say: Callable[[str], None] = print
) -> None:
    """Show the report in the terminal, and write its files where they were asked for.

    Raises BadWindow for days that make no sense, CannotWrite where a file cannot be written.
    """
    report = await gather(db, shop, choose_window(request.first, request.last, shop, now), now, request.terms())
    show(report)
    try:
        _write_files(report, request, say)
    except OSError as error:
        raise CannotWrite(f"{error.filename or 'The folder'} cannot be written: {error.strerror}.") from error


def _write_files(report: Report, request: ReportRequest, say: Callable[[str], None]) -> None:
    if request.csv_folder is not None:
        say(f"Tables: {_names(write_csv(report, request.csv_folder))}")
    if request.picture_folder is not None:
        # Brings matplotlib, which takes a while.
        from bot.reports.pictures import draw

        drawn, empty = draw(report, request.picture_folder)
        if drawn:
            say(f"Pictures: {_names(drawn)}")
        if empty:
            say(f"There is nothing to draw yet for: {', '.join(empty)}.")


def _names(paths: Iterable[Path]) -> str:
    return ", ".join(map(str, paths))
