"""Rasa's tracker in our database, in the turn's own transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rasa.core.tracker_store import SerializedTrackerAsText, TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.core.conversations import ConversationId
from bot.dialogue.after_people import session_after_people
from bot.services.aftermath import aftermath_of
from bot.services.turn_context import current_turn

# Rasa's cost grows with the events of a session, so a conversation at rest gets a new one beyond this many.
# About eight turns: well above what the policies look back at.
SESSION_EVENTS = 50


@dataclass(frozen=True)
class _Loaded:
    position: int
    events: int


class TurnTrackerStore(TrackerStore, SerializedTrackerAsText):
    """Reads the current session's events and appends new ones, through the unit of work of the current turn."""

    def __init__(self, domain: Domain | None = None) -> None:
        super().__init__(domain)
        # One entry per conversation that is being worked on; a conversation has one turn at a time.
        self._loaded: dict[str, _Loaded] = {}

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        work = current_turn.get().work
        texts, position = await work.tracker_events.current_session(ConversationId(sender_id))
        self._loaded[sender_id] = _Loaded(position, len(texts))
        tracker = self._tracker(sender_id, [json.loads(text) for text in texts]) if texts else None
        turn = current_turn.get()
        if (happened := await aftermath_of(work, turn.clock, turn.shop, turn.conversation)) is not None:
            self._loaded[sender_id] = _Loaded(position, 0)
            events = session_after_people(tracker, happened)
            return self._tracker(sender_id, [event.as_dict() for event in events])
        if tracker is None:
            return None
        if len(texts) > SESSION_EVENTS and _is_at_rest(tracker):
            self._loaded[sender_id] = _Loaded(position, 0)
            tracker = self._tracker(sender_id, [event.as_dict() for event in _new_session(tracker)])
        return tracker

    async def save(self, tracker: DialogueStateTracker) -> None:
        turn = current_turn.get()
        loaded = self._loaded[tracker.sender_id]
        new = list(tracker.events)[loaded.events :]
        # Rasa saves more than once in some turns.
        self._loaded[tracker.sender_id] = _Loaded(loaded.position + len(new), loaded.events + len(new))
        await turn.work.tracker_events.append(
            ConversationId(tracker.sender_id),
            loaded.position,
            [(json.dumps(event.as_dict()), _begins_session(event)) for event in new],
            turn.clock.now(),
        )

    def forget(self, sender_id: str) -> None:
        """The turn is over, one way or the other."""
        self._loaded.pop(sender_id, None)

    async def keys(self) -> Iterable[str]:
        return []

    def _tracker(self, sender_id: str, events: Sequence[dict[str, object]]) -> DialogueStateTracker:
        return DialogueStateTracker.from_dict(sender_id, events, self.domain.slots)


def _begins_session(event: Event) -> bool:
    return isinstance(event, ActionExecuted) and event.action_name == ACTION_SESSION_START_NAME


def _is_at_rest(tracker: DialogueStateTracker) -> bool:
    return tracker.latest_action_name == ACTION_LISTEN_NAME and not tracker.active_loop


def _new_session(tracker: DialogueStateTracker) -> list[Event]:
    slots = [SlotSet(name, slot.value) for name, slot in tracker.slots.items() if slot.value != slot.initial_value]
    return [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(),
        *slots,
        ActionExecuted(ACTION_LISTEN_NAME),
    ]
