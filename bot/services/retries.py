"""Once more, for what came to nothing through no fault of its own: two transactions were in each other's way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from secrets import SystemRandom
from typing import TypeVar

from bot.errors import TransactionLost

TRIES = 3
# Uneven, so that two who met do not meet again.
PAUSE_SECONDS = (0.01, 0.05)

Result = TypeVar("Result")


async def again_if_lost(
    do: Callable[[], Awaitable[Result]], *, pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Result:
    """Do it, up to three times when the database gives its transaction up for another one's sake.

    To be around whole transactions that are safe to repeat. Raises TransactionLost when the last try was lost, too; any
    other error at once.
    """
    for tried in range(1, TRIES):
        try:
            return await do()
        except TransactionLost:
            await pause(tried * SystemRandom().uniform(*PAUSE_SECONDS))
    return await do()
