"""Many open chats at once: memory for each socket, and how soon a message is acknowledged beside idle ones."""

from __future__ import annotations

import argparse
import http.client
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.processes import (
    ROOT,
    BenchmarkError,
    Child,
    child_environment,
    free_port,
    memory_of,
    processor_seconds,
    run_bot,
    temporary_folder,
)
from bench.report import describe_machine, machine_line, percentile, say, table, write_json

READY_SECONDS, WARM_UP_SECONDS = 60.0, 3.0
AIM_KB, AIM_MS = 40.0, 25.0


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    idle: int = 1_000
    talking: int = 100
    # Nobody answers here, and of those for whom twenty messages wait the service makes a case of its own.
    seconds: float = 20.0
    warm_up: int = 50
    settle_seconds: float = 3.0


@dataclass
class Talk:
    """How talking went."""

    milliseconds: list[float] = field(default_factory=list)
    lost: int = 0
    processor_ms: float = 0.0

    def row(self) -> list[object]:
        """Messages, lost ones, milliseconds to the acknowledgement, and the gateway's own for each."""
        times = [f"{percentile(self.milliseconds, percent):.1f}" for percent in (50, 95, 99)]
        return [len(self.milliseconds), self.lost, *times, f"{self.processor_ms:.1f}"]


@dataclass
class Measured:
    """What was found."""

    memory_without_mb: float = 0.0
    memory_idle_mb: float = 0.0
    kb_per_socket: float = 0.0
    opened_per_second: float = 0.0
    processor_idle_percent: float = 0.0
    alone: Talk = field(default_factory=Talk)
    beside_idle: Talk = field(default_factory=Talk)


class Customers:
    """The process with the customers, which is told what to do."""

    def __init__(self, url: str, env: dict[str, str], folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.sockets_client", url],
            cwd=folder,
            env={**env, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, name: str, *arguments: object) -> Any:
        """Have something done, and return what came of it. Raises BenchmarkError when the process ended instead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([name, *arguments]) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise BenchmarkError(f"The customers' process ended while it should {name}.")
        return json.loads(answer)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def measure(plan: Plan) -> Measured:
    """Start a gateway with a database of its own, and customers; measure; stop both."""
    measured = Measured()
    with temporary_folder("kasuki-sockets-") as folder:
        port = free_port()
        env = child_environment(folder, PORT=str(port), API_KEY=secrets.token_urlsafe(32), LOG_FORMAT="text")
        run_bot("migrate", env, folder)
        command = [sys.executable, "-m", "bot", "gateway"]
        gateway = Child("gateway", command, env=env, cwd=folder, log=folder / "gateway.log")
        customers = Customers(f"http://127.0.0.1:{port}", env, folder)
        try:
            _wait_until_it_serves(gateway, port)
            say("warming up")
            _talk(gateway, customers, plan.warm_up, WARM_UP_SECONDS)
            say(f"{plan.talking} customers talk for {plan.seconds:.0f} s, with no other socket open")
            measured.alone = _talk(gateway, customers, plan.talking, plan.seconds)
            time.sleep(plan.settle_seconds)
            measured.memory_without_mb = memory_of([gateway.process]).rss
            say(f"{plan.idle} sockets are opened")
            opened = customers.ask("wait_idly", plan.idle)
            measured.opened_per_second = plan.idle / opened["seconds"]
            before, began = processor_seconds([gateway.process]), time.perf_counter()
            time.sleep(plan.settle_seconds)
            spent = processor_seconds([gateway.process]) - before
            measured.processor_idle_percent = 100 * spent / (time.perf_counter() - began)
            measured.memory_idle_mb = memory_of([gateway.process]).rss
            grown = measured.memory_idle_mb - measured.memory_without_mb
            measured.kb_per_socket = grown * 1_000 / plan.idle
            say(f"{plan.talking} customers talk for {plan.seconds:.0f} s beside them")
            measured.beside_idle = _talk(gateway, customers, plan.talking, plan.seconds)
            gateway.check()
        finally:
            customers.stop()
            gateway.stop()
    return measured


def _wait_until_it_serves(gateway: Child, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        gateway.check()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise BenchmarkError(f"The gateway did not serve within {READY_SECONDS:.0f} seconds.")


def _talk(gateway: Child, customers: Customers, count: int, seconds: float) -> Talk:
    before = processor_seconds([gateway.process])
    found = customers.ask("talk", count, seconds)
    if not found["milliseconds"]:
        raise BenchmarkError("No message was acknowledged.")
    spent = processor_seconds([gateway.process]) - before
    return Talk(found["milliseconds"], found["lost"], spent * 1_000 / len(found["milliseconds"]))


def report(measured: Measured, plan: Plan) -> str:
    """The tables."""
    headings = ["", "messages", "lost", "median, ms", "p95, ms", "p99, ms", "processor ms a message"]
    rows = [
        [f"{plan.talking} talking, none idle", *measured.alone.row()],
        [f"{plan.talking} talking, {plan.idle} idle", *measured.beside_idle.row()],
    ]
    median = percentile(measured.beside_idle.milliseconds, 50)
    sockets = [
        ["gateway without sockets, RSS, MB", f"{measured.memory_without_mb:.1f}", ""],
        [f"gateway with {plan.idle} idle sockets, RSS, MB", f"{measured.memory_idle_mb:.1f}", ""],
        ["memory for each socket, KB", f"{measured.kb_per_socket:.1f}", _aim(measured.kb_per_socket, AIM_KB)],
        ["sockets opened, with hello, a second", f"{measured.opened_per_second:.0f}", ""],
        ["processor while all are idle, %", f"{measured.processor_idle_percent:.1f}", ""],
        ["from sending to acknowledgement, median, ms", f"{median:.1f}", _aim(median, AIM_MS)],
    ]
    return f"{table(headings, rows)}\n\n{table(['', 'measured', 'aim'], sockets)}"


def _aim(value: float, most: float) -> str:
    return f"≤ {most:.0f}: {'met' if value <= most else 'missed'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit status: 0 when measured, whatever the numbers; 1 when it could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench.sockets", description=__doc__)
    parser.add_argument("--idle", type=int, default=Plan.idle, help="sockets that are only open (default: %(default)s)")
    parser.add_argument(
        "--talking",
        type=int,
        default=Plan.talking,
        help="customers who write, a message a second (default: %(default)s)",
    )
    parser.add_argument(
        "--seconds", type=float, default=Plan.seconds, help="how long they write, twice (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to a file")
    options = parser.parse_args(arguments)
    plan = Plan(options.idle, options.talking, options.seconds)
    machine = describe_machine()
    try:
        measured = measure(plan)
    except BenchmarkError as error:
        print(f"The benchmark could not be run: {error}", file=sys.stderr)
        return 1
    print(f"{machine_line(machine)}\n\n{report(measured, plan)}")
    write_json(options.json, {"machine": machine, "plan": plan, "results": measured})
    return 0


if __name__ == "__main__":
    sys.exit(main())
