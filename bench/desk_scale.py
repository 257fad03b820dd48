"""The desk at scale: every list, opening a conversation, searching, the reports, and the look at the line each second.

A year of a shop's chats (see desk_scale_data) is put into an empty database; then each question is asked through the
services as the desk asks it, one after the other. Nothing else is asked meanwhile.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from bench.crash_layouts import database_url
from bench.desk_scale_data import RARE_WORD, Sizes, Year, fill_postgresql, fill_sqlite
from bench.processes import temporary_folder
from bench.report import describe_machine, machine_line, percentile, say, table, write_json
from bot.business import load_business
from bot.core.agents import Agent, AgentId
from bot.core.conversations import ConversationId
from bot.core.desk_records import Listed, ListQuery
from bot.core.measures import Window
from bot.core.shop import Shop
from bot.services.desk_reports import desk_report
from bot.services.desk_views import list_conversations, view_conversation
from bot.services.waiting import look_after_line
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

ROOT = Path(__file__).resolve().parent.parent
PAGE = 51
LONG = timedelta(hours=40)
REPORT_DAYS = 90
LIST_AIM_MS, SEARCH_AIM_MS, PASS_AIM_MS, REPORT_AIM_MS = 50.0, 300.0, 20.0, 2_000.0

Question = Callable[[], Awaitable[Any]]


class StoppedClock:
    """Always the same moment: that up to which the chats go."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """That moment."""
        return self._at


class Desk:
    """What the desk asks for, of a filled database."""

    def __init__(self, url: str, shop: Shop, until: datetime) -> None:
        self.db = SqlDatabase(create_engine(url), create_wakeups(url))
        self._clock = StoppedClock(until)
        # Nobody is due for anything, as in most seconds.
        desk = replace(shop.desk, always_open=True, ask_after=LONG, give_up_after=LONG, customer_grace=LONG)
        self._shop = replace(shop, desk=desk)

    async def questions(self) -> dict[str, tuple[Question, float]]:
        """Each question under its name, with how many milliseconds it may take."""
        found: dict[str, tuple[Question, float]] = {}
        for name, query in _lists().items():
            found[f"list: {name}"] = (self._asks(query), LIST_AIM_MS)
            rows = await list_conversations(self.db, query)
            if len(rows) == query.limit:
                found[f"list: {name}, next page"] = (self._asks(replace(query, before=rows[-2].place)), LIST_AIM_MS)
        for name, text in _searches().items():
            found[f"search: {name}"] = (self._asks(ListQuery(text=text, limit=PAGE)), SEARCH_AIM_MS)
        for name, conversation_id in (await self._to_open()).items():
            found[f"open: {name}"] = (self._opens(conversation_id), LIST_AIM_MS)
        found["one row again"] = (self._reads_row(conversation_id), LIST_AIM_MS)
        found["the line, a second's look"] = (self._looks_at_line, PASS_AIM_MS)
        found[f"report of {REPORT_DAYS} days"] = (self._reports, REPORT_AIM_MS)
        return found

    def _asks(self, query: ListQuery) -> Question:
        async def ask() -> list[Listed]:
            return await list_conversations(self.db, query)

        return ask

    def _opens(self, conversation_id: ConversationId) -> Question:
        async def ask() -> Any:
            return await view_conversation(self.db, self._clock, self._shop, await self._agent(), conversation_id)

        return ask

    def _reads_row(self, conversation_id: ConversationId) -> Question:
        async def ask() -> Any:
            async with self.db.reading() as work:
                return await work.desk.listed(conversation_id)

        return ask

    async def _looks_at_line(self) -> int:
        return await look_after_line(self.db, self._clock, self._shop)

    async def _reports(self) -> dict[str, Any]:
        zone = self._shop.hours.zone
        last = self._clock.now().astimezone(zone).date()
        window = Window(last - timedelta(days=REPORT_DAYS - 1), last, zone)
        return await desk_report(self.db, self._shop, window, self._clock.now())

    async def _agent(self) -> Agent:
        async with self.db.reading() as work:
            agent = await work.agents.get(AgentId("agent-00"))
        assert agent is not None
        return agent

    async def _to_open(self) -> dict[str, ConversationId]:
        with_regular = await list_conversations(self.db, ListQuery(text="customer0@example.com", limit=1))
        waiting = await list_conversations(self.db, ListQuery(owner="queue", limit=PAGE))
        known = [one for one in waiting if one.customer_name is not None]
        strangers = [one for one in waiting if one.customer_name is None]
        return {
            "of a regular": with_regular[0].conversation.id,
            "of a customer": known[0].conversation.id,
            "of a stranger": strangers[0].conversation.id,
        }


def _lists() -> dict[str, ListQuery]:
    owners = ("queue", "agent", "bot", "callback", "resolved")
    lists = {owner: ListQuery(owner=owner, limit=PAGE) for owner in owners}
    lists["mine"] = ListQuery(agent_id=AgentId("agent-03"), limit=PAGE)
    lists["a label"] = ListQuery(label="label 7", limit=PAGE)
    lists["everything"] = ListQuery(limit=PAGE)
    return lists


def _searches() -> dict[str, str]:
    return {
        "an e-mail address": "customer123@example.com",
        "a name": "Kide Refund",
        "an order number": "TC-12345",
        "a usual word": "refund",
        "a rare word": RARE_WORD,
        "nothing like it": "xylophone quartet",
        "one letter": "e",
    }


async def measure(url: str, shop: Shop, until: datetime, times: int, only: str) -> list[dict[str, Any]]:
    """The milliseconds of each question."""
    desk = Desk(url, shop, until)
    rows = []
    try:
        for name, (ask, aim) in (await desk.questions()).items():
            if only not in name:
                continue
            # The first ones prepare statements and read files, which happens once.
            taken = [await _timed(ask) for _ in range(times + 2)][2:]
            rows.append({"question": name, "p50": percentile(taken, 50), "p95": percentile(taken, 95), "aim": aim})
            say(f"  {name}: {rows[-1]['p50']:.1f} ms")
    finally:
        await desk.db.close()
    return rows


async def _timed(ask: Question) -> float:
    began = time.perf_counter()
    await ask()
    return (time.perf_counter() - began) * 1_000


async def fill(url: str, year: Year) -> None:
    """Make the tables, and fill them."""
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()
    if url.startswith("sqlite"):
        fill_sqlite(Path(str(make_url(url).database)), year)
    else:
        await fill_postgresql(url, year)


def report(machine: dict[str, Any], found: dict[str, list[dict[str, Any]]], sizes: Sizes) -> str:
    """The results as Markdown."""
    kinds = list(found)
    names = [row["question"] for row in found[kinds[0]]]
    by_name = {kind: {row["question"]: row for row in rows} for kind, rows in found.items()}
    headings = ["milliseconds, median (95th percentile)", *kinds, "aim"]
    lines = [
        [name, *(_cell(by_name[kind].get(name)) for kind in kinds), f"{by_name[kinds[0]][name]['aim']:.0f}"]
        for name in names
    ]
    size = f"{sizes.conversations:,} conversations, {sizes.customers:,} customers, {sizes.handoffs:,} requests"
    return "\n\n".join([machine_line(machine), f"{size} for a person.", table(headings, lines)])


def _cell(row: dict[str, Any] | None) -> str:
    return f"{row['p50']:.1f} ({row['p95']:.1f})" if row else "–"


def run(options: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """What was measured on each kind of database."""
    shop = load_business(ROOT / "business.yml").to_shop()
    until = datetime.now(timezone.utc).replace(microsecond=0)
    if options.url:
        return {"given": asyncio.run(measure(options.url, shop, options.until or until, options.times, options.only))}
    found = {}
    for kind in options.databases:
        with temporary_folder("kasuki-scale-") as folder, database_url(kind, folder) as url:
            say(f"{kind}: filling a database with {options.conversations:,} conversations")
            # Anew for each, so that both are filled with the same.
            asyncio.run(fill(url, Year(Sizes(conversations=options.conversations), until, options.seed)))
            found[kind] = asyncio.run(measure(url, shop, until, options.times, options.only))
    return found


def build_parser() -> argparse.ArgumentParser:
    """What can be asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench.desk_scale", description=__doc__)
    kinds = ("sqlite", "postgres")
    parser.add_argument("--databases", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--conversations", type=int, default=Sizes().conversations, help="how many there are")
    parser.add_argument("--times", type=int, default=20, help="how often each question is asked")
    parser.add_argument("--only", default="", help="only the questions with this in their names")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="a database that was filled before, to be asked as it is")
    parser.add_argument("--until", type=datetime.fromisoformat, help="up to when it was filled")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    return parser


def main() -> int:
    """Measure, and show a table."""
    options = build_parser().parse_args()
    machine = describe_machine()
    found = run(options)
    print(report(machine, found, Sizes(conversations=options.conversations)))
    write_json(options.json, {"machine": machine, "measured": found})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
