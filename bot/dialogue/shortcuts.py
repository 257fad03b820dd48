"""Work that Rasa does again in every turn with the same result, done once. Each took a tenth of a turn or more."""

from __future__ import annotations

import functools
from typing import Any

from rasa.core.actions.action import RemoteAction
from rasa.shared.core.events import Event


def take_shortcuts() -> None:
    """Put the shortcuts in place, for the whole process. Safe to repeat."""
    # An action's answer is checked against a JSON schema that is compiled anew each time. That guards against a foreign
    # action server; ours is rasa_sdk in this process.
    RemoteAction._validate_action_result = _is_valid
    # The class of each event read from the database is looked for among all subclasses, found anew each time.
    if not hasattr(Event.resolve_by_type, "cache_info"):
        Event.resolve_by_type = staticmethod(functools.lru_cache(maxsize=None)(Event.resolve_by_type))


def _is_valid(_action: RemoteAction, _result: dict[str, Any]) -> bool:
    return True
