"""Token buckets: so many at once, so many a second, and no credit for standing still beyond that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.rate_buckets import Bucket, Rate


def test_some_go_at_once_and_then_one_at_a_time():
    bucket = Bucket(Rate(per_second=2, at_once=3), now=10)
    waits = []
    for _ in range(5):
        waits.append(bucket.wait(10))
        bucket.take(10)

    assert waits == [0, 0, 0, 0.5, 1.0]


def test_a_long_pause_fills_it_and_no_more():
    bucket = Bucket(Rate(per_second=1, at_once=2), now=0)
    for _ in range(2):
        bucket.take(0)
    assert not bucket.is_full(1)
    assert bucket.is_full(1_000)
    for _ in range(2):
        assert bucket.wait(1_000) == 0
        bucket.take(1_000)
    assert bucket.wait(1_000) == 1


@given(st.floats(0.1, 50), st.integers(1, 20), st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_whoever_waits_is_never_faster_than_the_rate(per_second, at_once, pauses):
    bucket, now, taken = Bucket(Rate(per_second, at_once), now=0.0), 0.0, 0
    for pause in pauses:
        now += pause
        now += bucket.wait(now)
        bucket.take(now)
        taken += 1
        assert taken <= at_once + now * per_second + 1e-6


def test_a_clock_that_goes_back_gives_nothing_away():
    bucket = Bucket(Rate(1, 1), now=5)
    bucket.take(5)
    assert bucket.wait(4) >= 1
