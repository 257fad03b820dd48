"""Waiting for something for so long at most, without losing that one was told to stop.

asyncio.wait_for forgets in Python 3.10 that it was cancelled when what it waits for happens in the same moment
(https://github.com/python/cpython/issues/86296): a loop that runs until it is cancelled then never ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

_Result = TypeVar("_Result")


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event is set, as soon as it is, or when so many seconds are over."""
    try:
        await finish_within(event.wait(), seconds)
    except asyncio.TimeoutError:
        return event.is_set()
    return True


async def finish_within(work: Awaitable[_Result], seconds: float) -> _Result:
    """The work's result; what is not done in so many seconds is cancelled.

    Raises asyncio.TimeoutError then, and whatever the work raises.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=max(seconds, 0))
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    if task.cancelled():
        raise asyncio.TimeoutError
    return task.result()
