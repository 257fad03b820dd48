"""Points at scale: balance, history, earning, redeeming and timelines, at full size and at a tenth of it.

PostgreSQL holds 1,000,000 customers with 10,000,000 entries, SQLite a tenth of that; beside them one regular who has
10,000 entries alone. Each operation runs through the services, one after the other, for customers picked at random;
in the end several processes redeem at once. PostgreSQL gets a quarter of the memory, and has read everything once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from bench.crash_layouts import database_url
from bench.ledger_data import EARNED, ENTRIES_A_CUSTOMER, customer_id, fill_postgresql, fill_sqlite, warm_postgresql
from bench.processes import temporary_folder
from bench.report import describe_machine, machine_line, percentile, say, table, write_json
from bot.clock import SystemClock
from bot.core.customers import CustomerId
from bot.core.ledger import EntryKind
from bot.services.ids import new_id
from bot.services.ledger import award_points, balance_of, redeem_points
from bot.services.timeline import timeline_of
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

CUSTOMERS = {"postgres": 1_000_000, "sqlite": 100_000}
BALANCE_AIM_MS, GROWTH_AIM, REDEMPTIONS_AIM = 5.0, 1.5, 500
CLOCK = SystemClock()
TASKS_A_PROCESS = 8
REGULAR = CustomerId(customer_id(0))

Operation = Callable[[SqlDatabase, CustomerId], Awaitable[Any]]


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlDatabase]:
    """The database at the address."""
    db = SqlDatabase(create_engine(url), create_wakeups(url))
    try:
        yield db
    finally:
        await db.close()


async def read_balance(db: SqlDatabase, customer: CustomerId) -> None:
    """What is there to spend."""
    async with db.reading() as work:
        await balance_of(work, CLOCK, customer)


async def read_history(db: SqlDatabase, customer: CustomerId) -> None:
    """The first page of where it came from."""
    async with db.reading() as work:
        await work.ledger.page(customer, before=None, limit=20)


async def read_timeline(db: SqlDatabase, customer: CustomerId) -> None:
    """Everything that happened with a customer, newest first."""
    async with db.reading() as work:
        await timeline_of(work, customer)


async def earn(db: SqlDatabase, customer: CustomerId) -> None:
    """One order's points."""
    async with db.transaction() as work:
        await award_points(work, CLOCK, customer, EntryKind.ORDER, 7, key=new_id(), source="TC-1")


async def redeem(db: SqlDatabase, customer: CustomerId) -> None:
    """A few points, so that nobody runs out of them."""
    async with db.transaction() as work:
        await redeem_points(work, CLOCK, customer, 1, key=new_id())


OPERATIONS: dict[str, Operation] = {
    "balance": read_balance,
    "history page": read_history,
    "earn": earn,
    "redeem": redeem,
    "timeline": read_timeline,
}


async def measure(url: str, customers: int, times: int, seed: int) -> dict[str, list[float]]:
    """Milliseconds of each operation, and of the regular's balance, history and timeline."""
    chance = random.Random(seed)
    found: dict[str, list[float]] = {}
    async with opened(url) as db:
        for name, operation in OPERATIONS.items():
            picked = [CustomerId(customer_id(chance.randint(1, customers))) for _ in range(times)]
            found[name] = await _timed(db, operation, picked)
        for name in ("balance", "history page", "timeline"):
            found[f"{name} of the regular"] = await _timed(db, OPERATIONS[name], [REGULAR] * times)
    return found


async def _timed(db: SqlDatabase, operation: Operation, picked: list[CustomerId]) -> list[float]:
    # The first ones prepare statements, which every process does once.
    for customer in picked[:20]:
        await operation(db, customer)
    taken = []
    for customer in picked:
        began = time.perf_counter()
        await operation(db, customer)
        taken.append((time.perf_counter() - began) * 1_000)
    return taken


def redeem_at_once(url: str, customers: int, processes: int, seconds: float) -> float:
    """Redemptions a second, by so many processes with some tasks each, on customers picked at random."""
    context = multiprocessing.get_context("spawn")
    ready, results = context.Barrier(processes + 1), context.SimpleQueue()
    children = [
        context.Process(target=_redeem_process, args=(url, customers, seconds, number, ready, results), daemon=True)
        for number in range(processes)
    ]
    for child in children:
        child.start()
    ready.wait(120)
    done = sum(results.get() for _ in children)
    for child in children:
        child.join(30)
    return float(done / seconds)


def _redeem_process(url: str, customers: int, seconds: float, seed: int, ready: Any, results: Any) -> None:
    async def work() -> int:
        chance = random.Random(seed)
        async with opened(url) as db:
            await redeem(db, CustomerId(customer_id(chance.randint(1, customers))))
            await asyncio.get_running_loop().run_in_executor(None, ready.wait, 120)
            until = time.perf_counter() + seconds

            async def one_after_the_other() -> int:
                done = 0
                while time.perf_counter() < until:
                    await redeem(db, CustomerId(customer_id(chance.randint(1, customers))))
                    done += 1
                return done

            return sum(await asyncio.gather(*(one_after_the_other() for _ in range(TASKS_A_PROCESS))))

    results.put(asyncio.run(work()))


async def prepare(kind: str, url: str, customers: int) -> None:
    """Make the schema, and fill it."""
    engine = create_engine(url)
    await migrate(engine)
    await engine.dispose()
    if kind == "sqlite":
        fill_sqlite(Path(url.removeprefix("sqlite:///")), customers)
    else:
        await fill_postgresql(url, customers)
        say("  reading it once ...")
        await warm_postgresql(url)


def _settings() -> dict[str, str]:
    # What PostgreSQL's manual advises for a machine that it has to itself; its default is for the smallest there is.
    quarter = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 2**20
    return {"shared_buffers": f"{quarter}MB", "max_wal_size": "8GB"}


def run(kind: str, customers: int, options: argparse.Namespace) -> dict[str, Any]:
    """Fill one database of that size and measure everything on it."""
    with temporary_folder("kasuki-ledger-") as folder, database_url(kind, folder, settings=_settings()) as url:
        entries = customers * ENTRIES_A_CUSTOMER
        say(f"{kind}: filling {customers:,} customers with {entries:,} entries")
        began = time.monotonic()
        asyncio.run(prepare(kind, url, customers))
        say(f"{kind}: filled in {time.monotonic() - began:.0f} s; measuring")
        taken = asyncio.run(measure(url, customers, options.times, seed=customers))
        rate = redeem_at_once(url, customers, options.processes, options.seconds)
        shutil.rmtree(folder, ignore_errors=True)
    return {"kind": kind, "customers": customers, "entries": entries, "ms": taken, "redemptions_per_second": rate}


def report(small: dict[str, Any], full: dict[str, Any]) -> str:
    """What full size costs, against a tenth."""

    def cell(values: list[float]) -> str:
        return f"{percentile(values, 50):.2f} / {percentile(values, 95):.2f}"

    rows: list[Sequence[str]] = [
        (
            name,
            cell(small["ms"][name]),
            cell(full["ms"][name]),
            f"{percentile(full['ms'][name], 50) / percentile(small['ms'][name], 50):.2f} x",
        )
        for name in full["ms"]
    ]
    rates = [one["redemptions_per_second"] for one in (small, full)]
    rows.append(("redemptions a second, at once", *(f"{rate:,.0f}" for rate in rates), f"{rates[1] / rates[0]:.2f} x"))
    headings = (
        f"{full['kind']}: median / 95th percentile, ms",
        f"{small['entries']:,} entries",
        f"{full['entries']:,} entries",
        "ratio",
    )
    return table(headings, rows)


def verdicts(small: dict[str, Any], full: dict[str, Any]) -> list[str]:
    """The aims, and what was reached."""
    regular = percentile(full["ms"]["balance of the regular"], 50)
    growth = max(percentile(full["ms"][name], 50) / percentile(small["ms"][name], 50) for name in full["ms"])
    lines = [
        f"{full['kind']}: balance of a customer with 10,000 entries {regular:.2f} ms (aim {BALANCE_AIM_MS:g})",
        f"{full['kind']}: largest growth of a median from a tenth to full size {growth:.2f} x (aim {GROWTH_AIM:g})",
    ]
    if full["kind"] == "postgres":
        lines.append(f"postgres: {full['redemptions_per_second']:,.0f} redemptions a second (aim {REDEMPTIONS_AIM})")
    return lines


def main() -> int:
    """Run the benchmark; the tables go to standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.ledger", description=__doc__)
    parser.add_argument("--databases", nargs="+", choices=sorted(CUSTOMERS), default=sorted(CUSTOMERS))
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the full size, for a quick look (0.01)")
    parser.add_argument("--times", type=int, default=500, help="how often each operation is measured")
    parser.add_argument("--processes", type=int, default=2, help="how many processes redeem at once")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long they do")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    options = parser.parse_args()
    machine = describe_machine()
    results, lines = [], []
    for kind in options.databases:
        size = max(int(CUSTOMERS[kind] * options.scale), 100)
        small, full = (run(kind, customers, options) for customers in (size // 10, size))
        print(report(small, full), end="\n\n", flush=True)
        lines += verdicts(small, full)
        results += [small, full]
    print("\n".join(lines))
    print(machine_line(machine))
    write_json(options.json, {"machine": machine, "results": results, "points_an_order": EARNED})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
