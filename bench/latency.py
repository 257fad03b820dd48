"""Latency, memory and start-up beside stock Rasa, through the same REST channel with the same messages."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bench.messages import SCRIPT, turn_text
from bench.processes import BenchmarkError, Memory, memory_of, temporary_folder
from bench.report import describe_machine, machine_line, percentile, say, table, write_json
from bench.servers import OurService, StockService
from bench.stock import StockRasa

REQUEST_SECONDS, READY_SECONDS, STAGE_SECONDS = 60.0, 600.0, 1_200.0
# Ten turns in a row, the whole script each time, so that the same messages are compared.
LAST_TURN = 200
WINDOWS = {"1–10": (1, 10), "around 50": (46, 55), "around 100": (96, 105), "around 200": (191, LAST_TURN)}
FIRST, LAST = "1–10", "around 200"


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    conversations: int
    long_conversations: int
    senders: int
    messages: int


FULL = Plan(conversations=30, long_conversations=3, senders=8, messages=400)
QUICK = Plan(conversations=8, long_conversations=1, senders=8, messages=80)


@dataclass
class Measured:
    """What was measured of one service. Times of turns are in milliseconds."""

    ready_seconds: float = 0.0
    memory_warm: dict[str, Memory] = field(default_factory=dict)
    memory_end: dict[str, Memory] = field(default_factory=dict)
    turns_ms: dict[str, list[float]] = field(default_factory=lambda: {window: [] for window in WINDOWS})
    messages_per_second: float = 0.0
    sent: int = 0
    errors: int = 0
    notes: list[str] = field(default_factory=list)

    def median(self, window: str) -> float:
        """The median of a window of turns; not a number when nothing was measured."""
        return statistics.median(self.turns_ms[window]) if self.turns_ms[window] else float("nan")

    def p95(self, window: str) -> float:
        """The 95th percentile of a window of turns; not a number when nothing was measured."""
        return percentile(self.turns_ms[window], 95) if self.turns_ms[window] else float("nan")

    def model_process(self, when: str = "warm") -> Memory:
        """The memory of the process with the model."""
        return next(iter((self.memory_warm if when == "warm" else self.memory_end).values()))

    def total(self, when: str = "warm") -> Memory:
        """The memory of all processes."""
        return sum((self.memory_warm if when == "warm" else self.memory_end).values(), Memory(0.0, 0.0))


class Client:
    """Sends messages as Rasa's clients do, and takes the time until the answer is there."""

    def __init__(self, session: aiohttp.ClientSession, url: str, measured: Measured) -> None:
        self._session = session
        self._url = url
        self._measured = measured

    async def send(self, sender: str, text: str) -> float | None:
        """The milliseconds until the answer; None, and one error more, when there was none."""
        began = time.perf_counter()
        self._measured.sent += 1
        try:
            answers = await self.ask(sender, text)
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError):
            answers = []
        if not answers:
            self._measured.errors += 1
            return None
        return (time.perf_counter() - began) * 1_000

    async def ask(self, sender: str, text: str) -> list[Any]:
        """What the bot answers."""
        async with self._session.post(self._url, json={"sender": sender, "message": text}) as response:
            response.raise_for_status()
            answers: list[Any] = await response.json()
            return answers


async def measure(service: OurService | StockService, plan: Plan) -> Measured:
    """Start a service, measure it, and stop it."""
    measured = Measured()
    name = service.name
    await asyncio.to_thread(service.prepare)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(headers=service.headers, timeout=timeout) as session:
        client = Client(session, service.url, measured)
        try:
            say(f"{name}: starting")
            measured.ready_seconds = await _start(service, client)
            say(f"{name}: first answer after {measured.ready_seconds:.1f} s")
            for turn in range(1, 2 * len(SCRIPT) + 1):
                await client.send("warm-up", turn_text(turn))
            measured.memory_warm = {role: memory_of(these) for role, these in service.processes().items()}
            await _short_conversations(client, measured, plan, name)
            await _long_conversations(client, measured, plan, name)
            await _at_once(client, measured, plan, name)
            measured.memory_end = {role: memory_of(these) for role, these in service.processes().items()}
            service.check()
        finally:
            await asyncio.to_thread(service.stop)
    if measured.errors:
        say(f"{name}: {measured.errors} of {measured.sent} messages without an answer")
    return measured


async def _start(service: OurService | StockService, client: Client) -> float:
    began = time.perf_counter()
    service.start()
    while time.perf_counter() - began < READY_SECONDS:
        service.check()
        try:
            if await client.ask("first", SCRIPT[0]):
                return time.perf_counter() - began
        except (aiohttp.ClientError, asyncio.TimeoutError):
            pass
        await asyncio.sleep(0.05)
    raise BenchmarkError(f"{service.name} did not answer within {READY_SECONDS:.0f} seconds.")


async def _short_conversations(client: Client, measured: Measured, plan: Plan, name: str) -> None:
    say(f"{name}: {plan.conversations} conversations of {len(SCRIPT)} turns, one after the other")
    for conversation in range(plan.conversations):
        for turn in range(1, len(SCRIPT) + 1):
            took = await client.send(f"short-{conversation}", turn_text(turn))
            if took is not None:
                measured.turns_ms[FIRST].append(took)


async def _long_conversations(client: Client, measured: Measured, plan: Plan, name: str) -> None:
    say(f"{name}: {plan.long_conversations} conversations of {LAST_TURN} turns, one after the other")
    deadline = time.perf_counter() + STAGE_SECONDS
    for conversation in range(plan.long_conversations):
        for turn in range(1, LAST_TURN + 1):
            if time.perf_counter() > deadline:
                measured.notes.append(
                    f"{name}: stopped at turn {turn} of long conversation {conversation + 1}, for lack of time"
                )
                return
            took = await client.send(f"long-{conversation}", turn_text(turn))
            for window, (first, last) in WINDOWS.items():
                if took is not None and window != FIRST and first <= turn <= last:
                    measured.turns_ms[window].append(took)
        say(f"{name}: turn {LAST_TURN} took {measured.median(LAST):.0f} ms")


async def _at_once(client: Client, measured: Measured, plan: Plan, name: str) -> None:
    each = plan.messages // plan.senders
    say(f"{name}: {plan.senders} senders at once, {each} messages each")

    async def send_all(sender: int) -> None:
        for count in range(each):
            conversation, turn = divmod(count, len(SCRIPT))
            await client.send(f"at-once-{sender}-{conversation}", turn_text(turn + 1))

    began = time.perf_counter()
    await asyncio.gather(*(send_all(sender) for sender in range(plan.senders)))
    measured.messages_per_second = each * plan.senders / (time.perf_counter() - began)


# --- what is shown -----------------------------------------------------------------------------------------------


def comparison(results: dict[str, Measured]) -> str:
    """The numbers of what was measured, side by side."""
    names = list(results)
    lines: list[tuple[str, list[float | None], str]] = [
        ("start to first answer, s", [m.ready_seconds for m in results.values()], ".1f"),
    ]
    for window in WINDOWS:
        lines.append((f"turns {window}, median, ms", [m.median(window) for m in results.values()], ".1f"))
        lines.append((f"turns {window}, p95, ms", [m.p95(window) for m in results.values()], ".1f"))
    lines.append(("messages/s, several senders", [m.messages_per_second for m in results.values()], ".1f"))
    for when, title in (("warm", "after warm-up"), ("end", "at the end")):
        models = [m.model_process(when) for m in results.values()]
        totals = [m.total(when) for m in results.values()]
        lines += [
            (f"memory of the model's process {title}, RSS, MB", [memory.rss for memory in models], ".0f"),
            (f"memory of all processes {title}, RSS, MB", [memory.rss for memory in totals], ".0f"),
            (f"memory of all processes {title}, PSS, MB", [memory.pss for memory in totals], ".0f"),
        ]
    lines.append(("messages without an answer", [m.errors for m in results.values()], ".0f"))
    lines.append(("messages sent", [m.sent for m in results.values()], ".0f"))
    rows = []
    for title, values, style in lines:
        row = [title, *("–" if value is None else format(value, style) for value in values)]
        if len(names) == 2:
            row.append(_ratio(title, *values))
        rows.append(row)
    return table(["", *names, *(["ratio"] if len(names) == 2 else [])], rows)


def _ratio(title: str, stock: float | None, ours: float | None) -> str:
    if title.startswith("messages w") or title == "messages sent" or not stock or not ours:
        return ""
    better = ours / stock if title.startswith("messages/s") else stock / ours
    return f"{better:.1f}×"


def memory_table(results: dict[str, Measured]) -> str:
    """The memory of each process."""
    rows = []
    for name, measured in results.items():
        for role, warm in measured.memory_warm.items():
            end = measured.memory_end[role]
            pss = ["–" if memory.pss is None else f"{memory.pss:.0f}" for memory in (warm, end)]
            rows.append([f"{name}: {role}", f"{warm.rss:.0f}", pss[0], f"{end.rss:.0f}", pss[1]])
    return table(["MB", "RSS after warm-up", "PSS after warm-up", "RSS at the end", "PSS at the end"], rows)


@dataclass(frozen=True)
class Aim:
    """What was to be reached, and what was."""

    name: str
    wanted: str
    value: float
    reached: bool


def aims(results: dict[str, Measured]) -> list[Aim]:
    """The aims that can be judged with what was measured."""
    found = []
    ours, stock = results.get("ours"), results.get("stock")
    if ours:
        growth = ours.median(LAST) / ours.median(FIRST)
        found.append(Aim("our turn 200 / our turns 1–10", "≤ 1.3", growth, growth <= 1.3))
    if ours and stock:
        early = stock.median(FIRST) / ours.median(FIRST)
        late = stock.median(LAST) / ours.median(LAST)
        memory = ours.model_process().rss / stock.model_process().rss
        ready = ours.ready_seconds / stock.ready_seconds
        found += [
            Aim("stock / ours, turns 1–10", "≥ 5", early, early >= 5),
            Aim("stock / ours, around turn 200", "≥ 20", late, late >= 20),
            Aim("our worker's memory / stock server's", "≤ 0.5", memory, memory <= 0.5),
            Aim("our time to the first answer / stock's", "≤ 0.33", ready, ready <= 1 / 3),
        ]
    return found


def aims_table(found: Sequence[Aim]) -> str:
    """The aims with a verdict each."""
    rows = [[aim.name, aim.wanted, f"{aim.value:.2f}", "reached" if aim.reached else "NOT reached"] for aim in found]
    return table(["aim", "wanted", "measured", "verdict"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status: 0 when measured, whatever the numbers; 1 when it could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--only", choices=("stock", "ours"), help="measure one side alone")
    parser.add_argument("--quick", action="store_true", help="fewer conversations: rough numbers in a few minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to a file")
    parser.add_argument(
        "--work",
        type=Path,
        metavar="FOLDER",
        default=Path(tempfile.gettempdir()) / "kasuki-bench",
        help="where stock Rasa's environment (2.5 GB) and models are kept between runs (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    plan = QUICK if options.quick else FULL
    machine = describe_machine()
    results: dict[str, Measured] = {}
    versions: dict[str, str] = {}
    try:
        if options.only != "ours":
            stock = StockRasa(options.work.resolve())
            model = stock.prepare()
            versions = stock.versions()
            with temporary_folder("kasuki-stock-") as folder:
                results["stock"] = asyncio.run(measure(StockService(folder, stock, model), plan))
        if options.only != "stock":
            with temporary_folder("kasuki-ours-") as folder:
                results["ours"] = asyncio.run(measure(OurService(folder), plan))
    except BenchmarkError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        if options.only is None and not results:
            print("`python -m bench.latency --only ours` does without stock Rasa.", file=sys.stderr)
        return 1

    found = aims(results)
    print(f"{machine_line(machine)}\n")
    if versions:
        print("Stock: " + ", ".join(f"{name} {version}" for name, version in versions.items()) + "\n")
    print(comparison(results))
    print(f"\n{memory_table(results)}")
    if found:
        print(f"\n{aims_table(found)}")
    for note in (note for measured in results.values() for note in measured.notes):
        print(f"\nNote: {note}")
    write_json(
        options.json, {"machine": machine, "stock_versions": versions, "plan": plan, "results": results, "aims": found}
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
