"""What the latency benchmark measures, and how it is shown."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.processes import Memory
from bench.report import percentile, table

# Ten turns in a row, the whole script each time, so that the same messages are compared.
LAST_TURN = 200
WINDOWS = {"1–10": (1, 10), "around 50": (46, 55), "around 100": (96, 105), "around 200": (191, LAST_TURN)}
FIRST, LAST = "1–10", "around 200"


@dataclass
class Measured:
    """What was measured of one service. Times of turns are in milliseconds."""

    ready_seconds: float = 0.0
    memory_warm: dict[str, Memory] = field(default_factory=dict)
    memory_end: dict[str, Memory] = field(default_factory=dict)
    turns_ms: dict[str, list[float]] = field(default_factory=lambda: {window: [] for window in WINDOWS})
    processor_ms: dict[str, float] = field(default_factory=dict)
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


def comparison(results: dict[str, Measured]) -> str:
    """The numbers of what was measured, side by side."""
    names = list(results)
    lines: list[tuple[str, list[float | None], str]] = [
        ("start to first answer, s", [m.ready_seconds for m in results.values()], ".1f"),
    ]
    for window in WINDOWS:
        lines.append((f"turns {window}, median, ms", [m.median(window) for m in results.values()], ".1f"))
        lines.append((f"turns {window}, p95, ms", [m.p95(window) for m in results.values()], ".1f"))
    processor = [sum(m.processor_ms.values()) for m in results.values()]
    lines.append(("processor time for each of turns 1–10, ms", list(processor), ".1f"))
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


def process_table(results: dict[str, Measured]) -> str:
    """The memory and the processor time of each process."""
    rows = []
    for name, measured in results.items():
        for role, warm in measured.memory_warm.items():
            end = measured.memory_end[role]
            pss = ["–" if memory.pss is None else f"{memory.pss:.0f}" for memory in (warm, end)]
            times = f"{measured.processor_ms[role]:.1f}"
            rows.append([f"{name}: {role}", f"{warm.rss:.0f}", pss[0], f"{end.rss:.0f}", pss[1], times])
    headings = ["RSS after warm-up, MB", "PSS", "RSS at the end, MB", "PSS", "processor ms a message"]
    return table(["process", *headings], rows)


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
