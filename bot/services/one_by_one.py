"""The same for many, one at a time: one that fails holds nobody else up."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from bot.services.ports import Database, UnitOfWork
from bot.services.retries import again_if_lost

Item = TypeVar("Item")

log = logging.getLogger(__name__)


async def one_by_one(
    db: Database, items: Iterable[Item], do: Callable[[UnitOfWork, Item], Awaitable[int]], *, what: str
) -> int:
    """Do it for each of them in a transaction of its own, and return how much was done in all.

    One that fails is undone and logged, and the others go on; whoever looks for what is due finds it again next time.
    """
    return sum([await _do_one(db, item, do, what) for item in items])


async def _do_one(db: Database, item: Item, do: Callable[[UnitOfWork, Item], Awaitable[int]], what: str) -> int:
    async def attempt() -> int:
        async with db.transaction() as work:
            return await do(work, item)

    try:
        return await again_if_lost(attempt)
    except Exception as error:
        # Where it was, and not what the error says, nor whom it was about: that may be personal.
        place = "".join(traceback.format_tb(error.__traceback__))
        log.error("%s: one failed (%s); it is tried again\n%s", what, type(error).__name__, place)
        return 0
