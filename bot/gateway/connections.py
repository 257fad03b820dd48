"""Connections that stay open: how many one address may hold, and how long one that does not read is waited for."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator

from aiohttp import web

from bot.gateway.limits import RateLimited

# A whole office behind one address stays below this, with a tab or two for everybody.
MAX_FROM_ONE_ADDRESS = 500
RETRY_SECONDS = 30
# What has been written and not yet been read: beyond so much, writing waits, and for so long.
WRITTEN_AHEAD_BYTES = 32 * 1024
PATIENCE_SECONDS = 20.0


log = logging.getLogger(__name__)


def allow_many_connections() -> None:
    """Let this process hold as many connections as the system allows it; often it begins with a thousand."""
    try:
        import resource
    except ImportError:  # not on this system, which has other limits
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    log.info("up to %s files and connections may be open", soft)


class OpenConnections:
    """Counts the connections that each address, or whoever has signed in, holds open."""

    def __init__(self) -> None:
        self._by_address: Counter[str] = Counter()

    @contextlib.contextmanager
    def held_by(self, address: str, most: int | None = None) -> Iterator[None]:
        """One connection more while it is open. Raises RateLimited when so many are held already."""
        if self._by_address[address] >= (MAX_FROM_ONE_ADDRESS if most is None else most):
            raise RateLimited(RETRY_SECONDS)
        self._by_address[address] += 1
        try:
            yield
        finally:
            self._by_address[address] -= 1
            if not self._by_address[address]:
                del self._by_address[address]


@contextlib.contextmanager
def patience(request: web.Request, seconds: float | None = None) -> Iterator[None]:
    """Cut the connection if a write in here takes too long; whoever writes then gets a ConnectionError.

    Without it, a client that reads nothing would keep its buffer, and whoever writes to it, for ever.
    """
    transport = request.transport
    if transport is None:
        yield
        return
    timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS if seconds is None else seconds, transport.abort)
    try:
        yield
    finally:
        timer.cancel()


def leave_soon(transport: asyncio.Transport | None) -> None:
    """Cut a connection that is over, if its last words are not read in time."""
    if transport is not None and transport.get_write_buffer_size():
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, transport.abort)
