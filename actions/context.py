"""The turn in which an action runs."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import AsyncIterator

from rasa_sdk import Tracker

from bot.services.turn_context import TurnContext, current_turn


@contextlib.asynccontextmanager
async def turn_of(tracker: Tracker) -> AsyncIterator[TurnContext]:
    """The current turn: the worker's, whose transaction commits with the replies.

    Under `rasa run actions` there is no worker; each action then gets a transaction of its own.
    """
    context = current_turn.get(None)
    if context is not None:
        yield context
        return
    # By name, because only a stand-alone action server needs the composition root; nothing here depends on it.
    app = importlib.import_module("bot.app")
    async with app.standalone_turn(tracker.sender_id) as context:
        yield context
