"""Runs the custom actions in the worker's own process, where Rasa would call an action server."""

from __future__ import annotations

import json
import logging
from contextvars import ContextVar
from typing import Any

from rasa.utils.endpoints import ClientResponseError, EndpointConfig
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection

from bot.waits import finish_within

ACTION_SECONDS = 10.0

# Rasa logs an action's error and carries on; the turn asks here whether it may be committed.
action_failures: ContextVar[list[BaseException]] = ContextVar("action_failures")


class InProcessActions(EndpointConfig):
    """An action endpoint without a network. Every action has a time budget; its failure fails the turn."""

    def __init__(self, package: str = "actions") -> None:
        super().__init__(url="in-process", enable_selective_domain=True)
        self._executor = ActionExecutor()
        # Its own message per action would fill the log at every start.
        logging.getLogger("rasa_sdk.executor").setLevel(logging.WARNING)
        self._executor.register_package(package)

    @property
    def names(self) -> frozenset[str]:
        """The actions there are."""
        return frozenset(self._executor.actions)

    async def request(self, method: str = "post", *_args: Any, **kwargs: Any) -> Any:
        failures = action_failures.get()
        if failures:
            raise failures[0]
        call = kwargs["json"]
        try:
            return await finish_within(self._executor.run(call), ACTION_SECONDS)
        except ActionExecutionRejection as error:
            body = json.dumps({"action_name": error.action_name, "error": error.message})
            raise ClientResponseError(400, "rejected", body) from error
        except Exception as error:
            failures.append(error)
            raise
