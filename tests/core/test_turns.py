"""How often a turn is tried, and how long between."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.core.turns import LEASE, LEASE_RENEWAL_SECONDS, MAX_ATTEMPTS, is_exhausted, retry_delay
from bot.core.verification import LookupLimits


@given(st.integers(0, MAX_ATTEMPTS * 2))
def test_every_wait_is_longer_than_the_one_before(attempts):
    assert timedelta(seconds=0.5) <= retry_delay(attempts) <= retry_delay(attempts + 1)
    assert attempts < 1 or retry_delay(attempts + 1) == 4 * retry_delay(attempts)


def test_an_apology_comes_within_a_minute_of_the_first_failure():
    assert sum((retry_delay(attempts) for attempts in range(1, MAX_ATTEMPTS)), timedelta()) < timedelta(minutes=1)


@given(st.integers(0, 100))
def test_tries_end(attempts):
    assert is_exhausted(attempts) is (attempts >= MAX_ATTEMPTS)


def test_two_renewals_may_be_missed_before_a_lease_is_lost():
    assert LEASE.total_seconds() >= 3 * LEASE_RENEWAL_SECONDS


@given(st.integers(0, 50), st.integers(0, 50))
def test_either_limit_alone_stops_guessing(in_conversation, for_order):
    limits = LookupLimits(per_conversation=5, per_order=10)

    assert limits.is_reached(in_conversation, for_order) is (in_conversation >= 5 or for_order >= 10)
