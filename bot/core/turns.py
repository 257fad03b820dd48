"""When a turn is tried again, and when it is given up."""

from __future__ import annotations

from datetime import timedelta

MAX_ATTEMPTS = 4
LEASE = timedelta(seconds=15)
LEASE_RENEWAL_SECONDS = 5.0


def is_exhausted(attempts: int) -> bool:
    """Whether a message has been tried as often as it may be."""
    return attempts >= MAX_ATTEMPTS


def retry_delay(attempts: int) -> timedelta:
    """How long to wait after that many failed attempts: half a second, then four times as long each time."""
    return timedelta(seconds=0.5 * 4 ** max(attempts - 1, 0))
