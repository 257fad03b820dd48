"""Whose names people at the desk have just seen in their lists, so that not every look at a list is noted anew."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence

from aiohttp import web

from bot.core.agents import Agent
from bot.core.customers import CustomerId

# That somebody saw a customer's name in a list is noted again after so long.
SEEN_AGAIN_SECONDS = 3600.0
MAX_SEEN = 50_000


class SeenLately:
    """Who has seen whose name in a list, so that a list that is asked for again and again is noted once in a while."""

    def __init__(self) -> None:
        self._at: OrderedDict[tuple[str, str], float] = OrderedDict()

    def new_ones(self, agent: Agent, customers: Sequence[CustomerId]) -> list[CustomerId]:
        """Those of the customers that are to be noted now."""
        now = time.monotonic()
        found = []
        for customer_id in dict.fromkeys(customers):
            if now - self._at.get((agent.id, customer_id), -SEEN_AGAIN_SECONDS) >= SEEN_AGAIN_SECONDS:
                found.append(customer_id)
        return found

    def note(self, agent: Agent, customers: Sequence[CustomerId]) -> None:
        """They are noted."""
        for customer_id in customers:
            self._at.pop((agent.id, customer_id), None)
            self._at[agent.id, customer_id] = time.monotonic()
        while len(self._at) > MAX_SEEN:
            self._at.popitem(last=False)


SEEN = web.AppKey("seen_lately", SeenLately)
