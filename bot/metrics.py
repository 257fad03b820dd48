"""What is measured, in Prometheus's form. Processes share the numbers through files, so one page shows them all."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class TurnMetrics:
    """Where a turn's time goes, and how turns end."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._seconds = Histogram(
            "kasuki_turn_stage_seconds",
            "Seconds a turn spent in a stage: wait, understand, dialogue, record, total (the transaction).",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._outcomes = Counter("kasuki_turns", "Turns by how they ended.", ["outcome"], registry=registry)

    def observe(self, stage: str, seconds: float) -> None:
        """Note how long a stage took."""
        self._seconds.labels(stage).observe(seconds)

    def count(self, outcome: str) -> None:
        """Note how a turn ended."""
        self._outcomes.labels(outcome).inc()


class GatewayMetrics:
    """What arrives at the front door."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._messages = Counter(
            "kasuki_messages_received", "Messages from customers, by channel.", ["channel"], registry=registry
        )
        self._refusals = Counter(
            "kasuki_refusals", "Frames and requests refused, by code.", ["code"], registry=registry
        )
        self._seconds = Histogram(
            "kasuki_record_seconds",
            "Seconds until a message was committed.",
            ["channel"],
            buckets=_SECONDS,
            registry=registry,
        )

    def received(self, channel: str, seconds: float) -> None:
        """Note a recorded message and how long recording it took."""
        self._messages.labels(channel).inc()
        self._seconds.labels(channel).observe(seconds)

    def refused(self, code: str) -> None:
        """Note a refusal."""
        self._refusals.labels(code).inc()


def render_metrics(folder: Path) -> bytes:
    """Everything that the processes sharing the folder have measured, as Prometheus text."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(folder))
    return generate_latest(registry)
