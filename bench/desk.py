"""The desk: a busy day's waiting times against an ideal line, and how fast an agent's words reach the customer.

The day is simulated: 500 customers come to 20 agents in two rushes, on a clock that jumps, through the real services
and database; what they wait is compared with a line in which whoever is free takes the first at once. Then 100 live
conversations are held over real sockets with a gateway of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.desk_day import MINUTES_OF_HELP, Day, simulate
from bench.desk_live import Gateway, Live, run_live
from bench.processes import BenchmarkError, temporary_folder
from bench.report import describe_machine, machine_line, percentile, say, table, write_json
from bot.business import load_business
from bot.core.shop import Shop
from bot.storage.engine import create_engine
from bot.storage.migrate import migrate
from bot.storage.unit_of_work import SqlDatabase
from bot.storage.wakeups import create_wakeups

ROOT = Path(__file__).resolve().parent.parent
ARRIVAL_AIM_MS = 50.0


async def measure_day(folder: Path, shop: Shop, options: argparse.Namespace) -> dict[str, Any]:
    """The simulated day."""
    url = f"sqlite:///{folder / 'day.db'}"
    engine = create_engine(url)
    await migrate(engine)
    db = SqlDatabase(engine, create_wakeups(url))
    began = time.monotonic()
    try:
        day = await simulate(db, shop, customers=options.customers, agents=options.agents, seed=options.seed)
    finally:
        await db.close()
    say(f"the day took {time.monotonic() - began:.0f} s, in {day.ticks:,} looks at the line")
    return {**waits_of(day), "customers": options.customers, "agents": options.agents}


def waits_of(day: Day) -> dict[str, Any]:
    """The figures of a day."""
    kinds = {"ours": day.waited, "ideal": day.ideal}
    return {
        **{
            name: {f"p{percent}": day.minutes(waits, percent) for percent in (50, 90, 100)}
            for name, waits in kinds.items()
        },
        "starved": day.starved,
        "overtaken": day.overtaken,
        # What our line adds, for the customer to whom it adds most.
        "added_at_most": max((_minutes(day.waited[one] - day.ideal[one]) for one in day.waited), default=0.0),
    }


def _minutes(length: timedelta) -> float:
    return length.total_seconds() / 60


async def measure_live(folder: Path, shop: Shop, options: argparse.Namespace) -> dict[str, Any]:
    """The live conversations."""
    gateway = Gateway(folder, f"sqlite:///{folder / 'live.db'}", shop)
    try:
        live = await run_live(
            gateway,
            conversations=options.conversations,
            agents=options.agents,
            seconds=options.seconds,
            pause=options.pause,
            seed=options.seed,
        )
    finally:
        await gateway.stop()
    return figures_of(live, options)


def figures_of(live: Live, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of live conversations, in milliseconds."""
    return {
        "conversations": options.conversations,
        "agent_messages": len(live.arrivals) + live.lost,
        "customer_messages": live.customer_messages,
        "lost": live.lost,
        **{f"arrival_p{percent}": percentile(live.arrivals, percent) for percent in (50, 95, 100)},
        **{f"committed_p{percent}": percentile(live.answers, percent) for percent in (50, 95, 100)},
    }


def show(result: dict[str, Any]) -> str:
    """The result as tables."""
    lines = [machine_line(result["machine"]), ""]
    if "day" in result:
        day = result["day"]
        rows = [[name, *(f"{day[name][key]:.1f}" for key in ("p50", "p90", "p100"))] for name in ("ideal", "ours")]
        lines += [
            f"{day['customers']} customers, {day['agents']} agents, {MINUTES_OF_HELP + 1:.0f} minutes of help on "
            "average. Minutes waited:",
            "",
            table(["line", "median", "90th percentile", "longest"], rows),
            "",
            f"Never helped: {day['starved']}. Overtaken by more than a minute: {day['overtaken']}. "
            f"Added to the ideal wait: {day['added_at_most']:.1f} minutes at most.",
            "",
        ]
    if "live" in result:
        live = result["live"]
        rows = [
            ["agent's send to customer's screen", *(f"{live[f'arrival_p{one}']:.1f}" for one in (50, 95, 100))],
            ["agent's send to committed", *(f"{live[f'committed_p{one}']:.1f}" for one in (50, 95, 100))],
        ]
        lines += [
            f"{live['conversations']} live conversations, {live['agent_messages']:,} messages of agents and "
            f"{live['customer_messages']:,} of customers, {live['lost']} lost. Milliseconds:",
            "",
            table(["", "median", "95th percentile", "longest"], rows),
            "",
            f"Aim: a median of at most {ARRIVAL_AIM_MS:.0f} ms.",
        ]
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.desk", description=__doc__)
    parser.add_argument("--customers", type=int, default=500, help="who come on the simulated day (%(default)s)")
    parser.add_argument("--agents", type=int, default=20, help="who work there (%(default)s)")
    parser.add_argument("--conversations", type=int, default=100, help="held live (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they talk (%(default)s)")
    parser.add_argument("--pause", type=float, default=5.0, help="seconds between an agent's messages (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed is the same day (%(default)s)")
    parser.add_argument("--only", choices=["day", "live"], help="one of the two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    return parser


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked for."""
    shop = load_business(ROOT / "business.yml").to_shop()
    result: dict[str, Any] = {"machine": describe_machine()}
    with temporary_folder("kasuki-desk-") as folder:
        if options.only != "live":
            result["day"] = await measure_day(folder, shop, options)
        if options.only != "day":
            result["live"] = await measure_live(folder, shop, options)
    return result


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print what came of it; 1 where somebody was never helped, or a message was lost."""
    options = build_parser().parse_args(arguments)
    try:
        result = asyncio.run(measure(options))
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    print(show(result))
    write_json(options.json, result)
    lost = result.get("day", {}).get("starved", 0) + result.get("live", {}).get("lost", 0)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
