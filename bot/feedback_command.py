"""`python -m bot feedback`: the themes of what customers say, and telling them what was done about one."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.core.shop import Shop
from bot.core.themes import all_themes
from bot.errors import BotError
from bot.services.improvements import ThemeLine, tell_improvement, themes_between
from bot.services.ports import Clock, Database, PageLinks

THEMES_DAYS, TELL_DAYS = 90, 365
_HEADINGS = ("Theme", "Said", "Complaints", "Scores", "Low", "Share", "In words such as")


class FeedbackCommandRefused(BotError):
    """A command that cannot be carried out as it was given; nothing was done."""

    code = "bad_request"


@dataclass(frozen=True)
class FeedbackRequest:
    """The command as it was given. Both days count, in the shop's time zone."""

    action: str
    theme: str | None = None
    text: str | None = None
    first: date | None = None
    last: date | None = None
    author: str = "the shop"
    dry_run: bool = False


async def run_feedback(
    db: Database, clock: Clock, shop: Shop, links: PageLinks, request: FeedbackRequest, say: Callable[[str], None]
) -> None:
    """Do it, and say what was found or done. Raises FeedbackCommandRefused for a command that makes no sense."""
    if request.action == "themes":
        say(await _themes(db, clock, shop, request))
    else:
        say(await _tell(db, clock, shop, links, request))


async def _themes(db: Database, clock: Clock, shop: Shop, request: FeedbackRequest) -> str:
    if request.theme or request.text or request.dry_run:
        raise FeedbackCommandRefused("`feedback themes` takes days alone: --from and --to.")
    last = request.last or _today(clock, shop)
    first = request.first or last - timedelta(days=THEMES_DAYS - 1)
    if first > last:
        raise FeedbackCommandRefused(f"{first} is after {last}: --from is the first day, --to the last.")
    lines = await themes_between(db, _begin(first, shop), _begin(last + timedelta(days=1), shop))
    window = f"What customers spoke of from {first} to {last}"
    if not lines:
        return f"{window}: nothing that has a theme."
    return "\n".join([f"{window}:", "", *_table([_HEADINGS, *map(_cells, lines)])])


async def _tell(db: Database, clock: Clock, shop: Shop, links: PageLinks, request: FeedbackRequest) -> str:
    if not request.theme or not request.text or not request.text.strip():
        raise FeedbackCommandRefused('Say which theme, and what was done: feedback tell delivery --text "We …"')
    if request.last is not None:
        raise FeedbackCommandRefused("`feedback tell` writes to all who spoke of it until now: leave out --to.")
    theme = _known_theme(shop, request.theme)
    first = request.first or _today(clock, shop) - timedelta(days=TELL_DAYS)
    told = await tell_improvement(
        *(db, clock, shop, links, theme, request.text),
        author=request.author,
        since=_begin(first, shop),
        dry_run=request.dry_run,
    )
    people = "1 person" if told == 1 else f"{told} people"
    since = f"who complained, commented or gave a low score about {theme} since {first}"
    if request.dry_run:
        return f"This would be told to {people} {since}. Nothing was sent."
    return f"Told {people} {since}. Nobody is told twice in the same words."


def _known_theme(shop: Shop, text: str) -> str:
    themes = all_themes(shop.feedback.themes)
    theme = text.strip().lower()
    if theme not in themes:
        near = difflib.get_close_matches(theme, themes, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(themes)}."
        raise FeedbackCommandRefused(f"There is no theme {text!r}. {hint}")
    return theme


def _today(clock: Clock, shop: Shop) -> date:
    return clock.now().astimezone(shop.hours.zone).date()


def _begin(day: date, shop: Shop) -> datetime:
    return datetime.combine(day, time(), shop.hours.zone)


def _cells(line: ThemeLine) -> tuple[str, ...]:
    count = line.count
    share = "–" if count.low_share is None else f"{count.low_share:.0%}"
    numbers = (count.answers, count.complaints, count.scored, count.low)
    return (count.theme, *map(str, numbers), share, ", ".join(line.examples))


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows with their columns one below the other: words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(widths) - 1
    return [
        "  ".join(
            cell.ljust(width) if place in (0, last) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
