"""Crashes: workers and gateways are killed while customers write; is everything answered exactly once, in order?"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from bench.crash_audit import Audit, audit, count_answered, count_turns_held, count_waiting
from bench.crash_clients import Customer, Instalments
from bench.crash_layouts import LAYOUTS, Layout, database_url
from bench.messages import turn_text
from bench.processes import BenchmarkError, child_environment, free_port, require_model, run_bot, tail, temporary_folder
from bench.report import describe_machine, machine_line, say, table, write_json
from bot.storage.engine import create_engine
from bot.storage.tables import conversations

POLL_SECONDS = 0.005
GATEWAY_AWAY_SECONDS = (0.2, 1.5)
DEFAULT_WORKERS = {"serve": 1, "separate": 2}


@dataclass(frozen=True)
class Plan:
    """What is tried. The seed fixes the customers' messages and the order of the kills, not the machine's timing."""

    database: str
    layout: str
    messages: int = 200
    conversations: int = 20
    worker_kills: int = 5
    gateway_kills: int = 2
    workers: int | None = None
    seed: int = 1
    patience_seconds: float = 180.0  # for each kill, and for the end


@dataclass(frozen=True)
class Kill:
    """One kill: what was under way at that moment (turns of the worker, unacknowledged messages of the gateway)."""

    what: str
    at_seconds: float
    under_way: int
    waiting: int


@dataclass
class Outcome:
    """What happened in one run."""

    plan: Plan
    audit: Audit = field(default_factory=Audit)
    kills: list[Kill] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, doubled or out of order."""
        return self.audit.is_clean


async def run_crash(plan: Plan, *, keep_logs: Path | None = None) -> Outcome:
    """Run the service, the customers and the kills; then audit. Everything is stopped and gone afterwards."""
    require_model()
    with temporary_folder("kasuki-crash-") as folder, database_url(plan.database, folder) as url:
        port = free_port()
        env = child_environment(folder, DATABASE_URL=url, PORT=str(port), LOG_FORMAT="text")
        await asyncio.to_thread(run_bot, "demo", env, folder)
        layout = LAYOUTS[plan.layout](env, folder, plan.workers or DEFAULT_WORKERS[plan.layout])
        engine = create_engine(url)
        try:
            run = _Run(plan, layout, engine, f"http://127.0.0.1:{port}/chat/ws")
            outcome = await run.run()
            if not outcome.is_clean:
                for log in sorted(folder.glob("*.log")):
                    say(f"the end of {log.name}:\n{tail(log)}")
            return outcome
        finally:
            await asyncio.to_thread(layout.stop)
            await engine.dispose()
            if keep_logs is not None:
                for log in folder.glob("*.log"):
                    target = keep_logs / f"{plan.database}-{plan.layout}-{log.name}"
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(log, target)


class _Run:
    """One run, from the first message to the audit."""

    def __init__(self, plan: Plan, layout: Layout, engine: AsyncEngine, url: str) -> None:
        self._plan = plan
        self._layout = layout
        self._engine = engine
        self._random = random.Random(plan.seed)
        self._instalments = Instalments()
        self._customers = [self._customer(number, url) for number in range(plan.conversations)]
        self._tasks: list[asyncio.Task[None]] = []
        self._outcome = Outcome(plan)
        self._began = time.monotonic()

    def _customer(self, number: int, url: str) -> Customer:
        each, more = divmod(self._plan.messages, self._plan.conversations)
        first = self._random.randint(1, 10)
        texts = [turn_text(first + turn) for turn in range(each + (number < more))]
        return Customer(url, texts, self._instalments, f"{self._plan.seed}-{number}")

    async def run(self) -> Outcome:
        plan = self._plan
        say(f"{plan.database}, {plan.layout}: {plan.messages} messages in {plan.conversations} conversations")
        self._layout.start()
        self._tasks = [asyncio.create_task(customer.run()) for customer in self._customers]
        try:
            await self._kill_all()
            self._release(self._plan.messages)
            await self._settle()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._layout.stop)
        self._outcome.seconds = time.monotonic() - self._began
        findings = self._outcome.audit.findings
        self._outcome.audit = await audit(self._engine, self._customers)
        self._outcome.audit.findings[:0] = findings
        return self._outcome

    # The messages are released in instalments, one for each kill, so that every kill finds work under way although a
    # new worker needs many seconds to load its model.

    async def _kill_all(self) -> None:
        kills = ["worker"] * self._plan.worker_kills + ["gateway"] * self._plan.gateway_kills
        self._random.shuffle(kills)
        size = max(1, self._plan.messages // (len(kills) + 1))
        for what in kills:
            self._release(size)
            await (self._kill_worker() if what == "worker" else self._kill_gateway())

    def _release(self, count: int) -> None:
        self._instalments.release(min(count, self._plan.messages - self._instalments.released))

    async def _kill_worker(self) -> None:
        answered = await count_answered(self._engine)
        outstanding = self._instalments.released - answered
        wanted = answered + self._random.randint(0, outstanding * 4 // 5)
        deadline = time.monotonic() + self._plan.patience_seconds
        await self._until(lambda: self._has_answered(wanted), deadline, "answers before a worker is killed")
        while True:
            self._layout.check()
            workers = list(self._layout.workers().items())
            if not workers and time.monotonic() > deadline:
                raise BenchmarkError("There was no worker to kill.")
            self._random.shuffle(workers)
            for worker_id, process in workers:
                # Stopped first: what it holds at this moment is what it holds when it dies.
                process.suspend()
                held = await count_turns_held(self._engine, worker_id)
                waiting = await count_waiting(self._engine)
                if held or time.monotonic() > deadline or self._is_all_over(waiting):
                    self._layout.kill_worker(worker_id)
                    self._note("worker", held, waiting)
                    return
                process.resume()
            if not await count_waiting(self._engine):
                self._release(1)
            await asyncio.sleep(self._random.uniform(0, 4 * POLL_SECONDS))

    async def _has_answered(self, wanted: int) -> bool:
        return await count_answered(self._engine) >= wanted

    async def _are_all_connected(self) -> bool:
        return all(customer.is_connected for customer in self._customers)

    def _is_all_over(self, waiting: int) -> bool:
        return not waiting and all(customer.is_done for customer in self._customers)

    async def _kill_gateway(self) -> None:
        deadline = time.monotonic() + self._plan.patience_seconds
        await self._until(self._are_all_connected, deadline, "all customers to be connected")
        await asyncio.sleep(self._random.uniform(0, 0.3))
        while True:
            self._layout.check()
            process = self._layout.gateway()
            process.suspend()
            await asyncio.sleep(10 * POLL_SECONDS)
            unacknowledged = sum(customer.in_flight for customer in self._customers)
            waiting = await count_waiting(self._engine)
            if unacknowledged or time.monotonic() > deadline or self._is_all_over(waiting):
                self._layout.kill_gateway()
                self._note("gateway", unacknowledged, waiting)
                break
            process.resume()
            if self._instalments.taken == self._instalments.released:
                self._release(1)
            await asyncio.sleep(self._random.uniform(0, 20 * POLL_SECONDS))
        await asyncio.sleep(self._random.uniform(*GATEWAY_AWAY_SECONDS))
        self._layout.restart_gateway()

    def _note(self, what: str, under_way: int, waiting: int) -> None:
        kill = Kill(what, round(time.monotonic() - self._began, 1), under_way, waiting)
        self._outcome.kills.append(kill)
        say(f"killed a {what}: {under_way} under way, {waiting} messages waiting")

    async def _settle(self) -> None:
        """Wait until everything is acknowledged, answered and shown; what does not happen in time is a finding."""
        deadline = time.monotonic() + self._plan.patience_seconds

        async def acknowledged() -> bool:
            return all(customer.is_done for customer in self._customers)

        async def answered() -> bool:
            return await count_waiting(self._engine) == 0

        async def shown() -> bool:
            async with self._engine.connect() as connection:
                c = conversations.c
                last = dict((await connection.execute(select(c.id, c.last_seq))).tuples().all())
            return all(last.get(customer.conversation_id or "", 0) == customer.last_seq for customer in self._customers)

        await self._until(acknowledged, deadline, "every message to be acknowledged")
        await self._until(answered, deadline, "every message to be answered")
        await self._until(shown, deadline, "every answer to be shown")

    async def _until(self, happened: Callable[[], Awaitable[bool]], deadline: float, what: str) -> None:
        while not await happened():
            self._layout.check()
            for task in self._tasks:
                if task.done():
                    task.result()
            if time.monotonic() > deadline:
                self._outcome.audit.findings.append(f"waited in vain for {what}")
                return
            await asyncio.sleep(POLL_SECONDS)


# --- what is shown -----------------------------------------------------------------------------------------------

ROWS: Sequence[tuple[str, Callable[[Outcome], object]]] = (
    ("sent", lambda outcome: outcome.audit.sent),
    ("acknowledged", lambda outcome: outcome.audit.acknowledged),
    ("answered exactly once", lambda outcome: outcome.audit.answered_once),
    ("answered twice", lambda outcome: outcome.audit.answered_twice),
    ("acknowledged, and lost", lambda outcome: outcome.audit.lost),
    ("recorded, and never answered", lambda outcome: outcome.audit.unanswered),
    ("answers out of order", lambda outcome: outcome.audit.out_of_order),
    ("customers shown something else than was recorded", lambda outcome: outcome.audit.shown_wrongly),
    ("apologies instead of an answer", lambda outcome: outcome.audit.apologies),
    ("drops", lambda outcome: outcome.audit.drops),
    ("workers killed (turns under way at each)", lambda outcome: _kills(outcome, "worker")),
    ("gateways killed (unacknowledged at each)", lambda outcome: _kills(outcome, "gateway")),
    ("tries of a turn that died", lambda outcome: outcome.audit.tries_that_died),
    ("messages sent again", lambda outcome: outcome.audit.sent_again),
    ("connections", lambda outcome: outcome.audit.connections),
    ("median seconds to the answer", lambda outcome: f"{outcome.audit.median_answer_seconds:.1f}"),
    ("slowest answer, seconds", lambda outcome: f"{outcome.audit.slowest_answer_seconds:.1f}"),
    ("run, seconds", lambda outcome: f"{outcome.seconds:.0f}"),
    ("verdict", lambda outcome: "reached" if outcome.is_clean else "NOT reached"),
)


def _kills(outcome: Outcome, what: str) -> str:
    under_way = [kill.under_way for kill in outcome.kills if kill.what == what]
    return f"{len(under_way)} ({', '.join(map(str, under_way))})"


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """What became of the messages, one column for each run."""
    headings = ["messages", *(f"{outcome.plan.database}, {outcome.plan.layout}" for outcome in outcomes)]
    return table(headings, [[title, *map(value, outcomes)] for title, value in ROWS])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit status: 1 if anything was lost, doubled, out of order or not answered."""
    parser = argparse.ArgumentParser(prog="python -m bench.crash", description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument(
        "--layout",
        choices=(*LAYOUTS, "both"),
        default="both",
        help="serve: it replaces killed workers itself; separate: every process by itself (default: %(default)s)",
    )
    parser.add_argument(
        "--messages", type=int, default=200, help="in all conversations together (default: %(default)s)"
    )
    parser.add_argument("--conversations", type=int, default=20, help="default: %(default)s")
    parser.add_argument("--worker-kills", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--gateway-kills", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--workers", type=int, help="workers at a time (default: 1 with serve, 2 separate)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything to a file")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what the processes logged")
    options = parser.parse_args(arguments)
    outcomes = []
    machine = describe_machine()
    try:
        for database in ("sqlite", "postgresql") if options.database == "both" else (options.database,):
            for layout in LAYOUTS if options.layout == "both" else (options.layout,):
                plan = Plan(
                    database,
                    layout,
                    options.messages,
                    options.conversations,
                    options.worker_kills,
                    options.gateway_kills,
                    options.workers,
                    options.seed,
                )
                outcomes.append(asyncio.run(run_crash(plan, keep_logs=options.logs)))
    except BenchmarkError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    print(f"{machine_line(machine)}\n\n{outcome_table(outcomes)}")
    for outcome in outcomes:
        for finding in outcome.audit.findings[:20]:
            print(f"\n{outcome.plan.database}, {outcome.plan.layout}: {finding}")
    write_json(options.json, {"machine": machine, "outcomes": outcomes})
    return 0 if all(outcome.is_clean for outcome in outcomes) else 1


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        sys.exit(main())
