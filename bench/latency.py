"""Latency, memory and start-up beside stock Rasa, through the same REST channel with the same messages."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bench.latency_report import FIRST, LAST, LAST_TURN, WINDOWS, Measured, aims, aims_table, comparison, process_table
from bench.messages import SCRIPT, turn_text
from bench.processes import BenchmarkError, memory_of, processor_seconds, temporary_folder
from bench.report import describe_machine, machine_line, say, write_json
from bench.servers import OurService, StockService
from bench.stock import StockRasa

REQUEST_SECONDS, READY_SECONDS, STAGE_SECONDS = 60.0, 600.0, 1_200.0


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    conversations: int
    long_conversations: int
    senders: int
    messages: int


FULL = Plan(conversations=30, long_conversations=3, senders=8, messages=400)
QUICK = Plan(conversations=8, long_conversations=1, senders=8, messages=80)


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
            before = _processor_seconds(service)
            await _short_conversations(client, measured, plan, name)
            spent = {role: seconds - before[role] for role, seconds in _processor_seconds(service).items()}
            count = plan.conversations * len(SCRIPT)
            measured.processor_ms = {role: seconds * 1_000 / count for role, seconds in spent.items()}
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


def _processor_seconds(service: OurService | StockService) -> dict[str, float]:
    return {role: processor_seconds(these) for role, these in service.processes().items()}


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status: 0 when measured, whatever the numbers; 1 when it could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=__doc__)
    parser.add_argument("--only", choices=("stock", "ours"), help="measure one side alone")
    parser.add_argument("--quick", action="store_true", help="fewer conversations: rough numbers in a few minutes")
    parser.add_argument(
        "--stories",
        action="store_true",
        help="give stock Rasa three stories as well, so that its two transformer policies have something to learn",
    )
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
            stock = StockRasa(options.work.resolve(), with_stories=options.stories)
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
        packages = ", ".join(f"{name} {version}" for name, version in versions.items())
        learns = "with three stories" if options.stories else "no stories: UnexpecTEDIntentPolicy and TEDPolicy idle"
        print(f"Stock: {packages}; {learns}\n")
    print(comparison(results))
    print(f"\n{process_table(results)}")
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
