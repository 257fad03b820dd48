"""The buckets that limit how fast somebody may send."""

from __future__ import annotations

import pytest

from bot.gateway import limits
from bot.gateway.limits import RateLimit, RateLimited


class Stopwatch:
    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Stopwatch:
    return Stopwatch()


def test_a_burst_is_allowed_and_then_the_steady_rate(watch):
    limit = RateLimit(3, 0.5, watch)
    for _ in range(3):
        limit.spend("a")

    with pytest.raises(RateLimited) as refused:
        limit.spend("a")

    assert refused.value.retry_after == 2
    watch.seconds += 2
    limit.spend("a")
    with pytest.raises(RateLimited):
        limit.spend("a")


def test_waiting_as_long_as_told_is_enough(watch):
    limit = RateLimit(1, 0.3, watch)
    limit.spend("a")
    for _ in range(10):
        with pytest.raises(RateLimited) as refused:
            limit.spend("a")
        watch.seconds += refused.value.retry_after
        limit.spend("a")


def test_being_refused_costs_nothing(watch):
    limit = RateLimit(1, 1, watch)
    limit.spend("a")
    for _ in range(5):
        with pytest.raises(RateLimited):
            limit.spend("a")
    watch.seconds += 1

    limit.spend("a")


def test_a_long_silence_saves_no_more_than_a_burst(watch):
    limit = RateLimit(2, 1, watch)
    limit.spend("a")
    watch.seconds += 1_000
    limit.spend("a")
    limit.spend("a")

    with pytest.raises(RateLimited):
        limit.spend("a")


def test_keys_have_limits_of_their_own(watch):
    limit = RateLimit(1, 1, watch)
    limit.spend("a")
    limit.spend("b")

    with pytest.raises(RateLimited):
        limit.spend("a")


def test_old_keys_are_forgotten_and_busy_ones_are_not(watch, monkeypatch):
    monkeypatch.setattr(limits, "MAX_KEYS", 10)
    limit = RateLimit(1, 0.001, watch)
    limit.spend("busy")
    for number in range(100):
        limit.spend(f"{number}")
        with pytest.raises(RateLimited):
            limit.spend("busy")

    assert len(limit._buckets) == 10
