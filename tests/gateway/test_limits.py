"""The buckets that limit how fast somebody may send."""

from __future__ import annotations

import pytest

from bot.gateway import limits
from bot.gateway.limits import RateLimit, RateLimited
from bot.gateway.settings import ADDRESS_LIMIT


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


def test_much_is_spent_at_once_and_what_came_to_nothing_is_given_back(watch):
    limit = RateLimit(100, 1, watch)
    limit.spend("a", 60)
    with pytest.raises(RateLimited) as refused:
        limit.spend("a", 60)
    assert refused.value.retry_after == 20
    limit.give_back("a", 30)
    limit.give_back("nobody", 30)

    limit.spend("a", 70)
    with pytest.raises(RateLimited):
        limit.spend("a")
    limit.give_back("a", 1_000)
    limit.spend("a", 100)
    with pytest.raises(RateLimited):
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


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_one_place_is_an_address_or_a_network_of_ipv6(address, place):
    assert limits.one_place(address) == place


async def test_whoever_changes_their_address_within_their_network_has_one_limit(gateway, monkeypatch):
    monkeypatch.setattr(gateway.app[ADDRESS_LIMIT], "_burst", 2)
    monkeypatch.setattr(gateway.app[ADDRESS_LIMIT], "_per_second", 0.001)
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:1::1"]
    answers = [await gateway.post({"type": "hello"}, headers={"X-Forwarded-For": address}) for address in addresses]

    assert [status for status, _ in answers] == [200, 200, 429, 200]
