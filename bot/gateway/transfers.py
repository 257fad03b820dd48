"""Files on their way, in and out: how many at once, and at what pace, because each of them is in memory meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

from bot.gateway.connections import PATIENCE_SECONDS, leave_soon, patience
from bot.gateway.limits import RateLimited
from bot.waits import finish_within

PIECE_BYTES = 64 * 1024
# The pace that is asked of the other side, after some seconds that everybody has: 512 kilobits a second.
BYTES_A_SECOND = 64 * 1024
BUSY_SECONDS = 3

log = logging.getLogger(__name__)


@dataclass
class Transfers:
    """What is on its way, by where it comes from or goes to."""

    by_address: Counter[str] = field(default_factory=Counter)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @contextlib.contextmanager
    def one_more(self, address: str, at_once: int, of_one: int) -> Iterator[None]:
        """Room for one, where at most so many are on their way. Raises RateLimited while there is none."""
        if not self._has_room(address, at_once, of_one):
            raise RateLimited(BUSY_SECONDS)
        self.by_address[address] += 1
        try:
            yield
        finally:
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]

    @contextlib.asynccontextmanager
    async def in_turn(self, address: str, at_once: int, of_one: int, seconds: float) -> AsyncIterator[None]:
        """The same, but it is waited for, so long at most: a page with many pictures asks for all of them at once."""
        async with self._changed:
            with contextlib.suppress(asyncio.TimeoutError):
                room = self._changed.wait_for(lambda: self._has_room(address, at_once, of_one))
                await finish_within(room, seconds)
            place = contextlib.ExitStack()
            place.enter_context(self.one_more(address, at_once, of_one))
        try:
            yield
        finally:
            place.close()
            async with self._changed:
                self._changed.notify_all()

    def _has_room(self, address: str, at_once: int, of_one: int) -> bool:
        return sum(self.by_address.values()) < at_once and self.by_address[address] < of_one


class Pace:
    """How much time one transfer has left: some seconds, and more for all that has been moved."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + seconds

    def moved(self, size: int) -> None:
        """So many bytes more are on the other side."""
        self._ends += size / BYTES_A_SECOND

    def left(self) -> float:
        """The seconds until it is too slow; 0 once it is."""
        return max(0.0, self._ends - self._clock())


async def send_in_pieces(
    request: web.Request, response: web.StreamResponse, content: bytes, pace: Pace
) -> web.StreamResponse:
    """Send what may be large, and never have much of it waiting to be read. Whoever is too slow is cut off."""
    response.content_length = len(content)
    # It ends with the answer, so that what is not read of it in the end is not kept for ever.
    response.force_close()
    await response.prepare(request)
    try:
        if request.method != "HEAD":
            for start in range(0, len(content), PIECE_BYTES):
                piece = content[start : start + PIECE_BYTES]
                with patience(request, min(PATIENCE_SECONDS, pace.left())):
                    await response.write(piece)
                pace.moved(len(piece))
    except ConnectionError:
        log.debug("a file was not read to its end")
    finally:
        leave_soon(request.transport)
    return response
