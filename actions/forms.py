"""What all forms share: which slots they need, and one check when all of them are there."""

from __future__ import annotations

from abc import ABC, abstractmethod

from rasa_sdk import FormValidationAction, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.types import DomainDict


def said_before(tracker: Tracker, text: str) -> bool:
    """Whether the bot has said exactly this since the form began."""
    for event in reversed(tracker.events):
        if event["event"] == "active_loop":
            return False
        if event["event"] == "bot" and event.get("text") == text:
            return True
    return False


class Form(FormValidationAction, ABC):
    """A form that decides for itself which slots it needs, without being sent the domain at every turn."""

    @abstractmethod
    async def slots_needed(self, tracker: Tracker) -> list[str]:
        """The slots to fill, in the order in which they are asked for."""

    async def check_filled(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        """Called once per message, when every slot is filled. May empty slots again, to have them asked for anew."""
        return []

    async def required_slots(
        self, domain_slots: list[str], dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[str]:
        return await self.slots_needed(tracker)

    async def _extract_validation_events(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict
    ) -> list[EventType]:
        events: list[EventType] = await self.get_validation_events(dispatcher, tracker, domain)
        tracker.add_slots(events)
        if await self._next_missing(tracker) is None:
            checked = await self.check_filled(dispatcher, tracker)
            tracker.add_slots(checked)
            events += checked
        return [*events, SlotSet(REQUESTED_SLOT, await self._next_missing(tracker))]

    async def _next_missing(self, tracker: Tracker) -> str | None:
        return next((slot for slot in await self.slots_needed(tracker) if tracker.slots.get(slot) is None), None)
