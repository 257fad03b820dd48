"""Limits on how fast somebody may send: a bucket of tokens per key, refilled steadily."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

from bot.errors import BotError

# Enough for every conversation that is really being held; the oldest untouched ones are full again anyway.
MAX_KEYS = 50_000


class RateLimited(BotError):
    """Too much at once. `retry_after` is in whole seconds."""

    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"That was a lot at once. Please wait {retry_after} seconds and send it again.")
        self.retry_after = retry_after


class RateLimit:
    """At most `burst` at once, and `per_second` in the long run, for each key."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str, amount: float = 1) -> None:
        """Take a token, or so many. Raises RateLimited, taking nothing, when there are not enough."""
        now = self._clock()
        tokens, at = self._buckets.pop(key, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._per_second)
        allowed = tokens >= amount
        self._buckets[key] = (tokens - amount if allowed else tokens, now)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        if not allowed:
            raise RateLimited(max(1, math.ceil((amount - tokens) / self._per_second)))

    def knows(self, key: str) -> bool:
        """Whether something was spent under the key lately."""
        return key in self._buckets

    def forget(self, key: str) -> None:
        """Nothing was spent under the key."""
        self._buckets.pop(key, None)

    def give_back(self, key: str, amount: float) -> None:
        """Return what was spent on something that did not come about."""
        if key in self._buckets:
            tokens, at = self._buckets[key]
            self._buckets[key] = (min(self._burst, tokens + amount), at)


def client_address(request: web.Request) -> str:
    """Where a request comes from, for limits. A proxy on this machine is believed about the address it forwards for."""
    peer = request.remote or ""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if peer in ("127.0.0.1", "::1") and forwarded:
        return one_place(forwarded.rsplit(",", 1)[-1].strip())
    return one_place(peer)


def one_place(address: str) -> str:
    """An address, or for IPv6 the network that one connection is given (RFC 6177), with 2^64 addresses to choose from.

    What is no address stays as it is.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))
