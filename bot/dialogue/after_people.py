"""How the dialogue goes on when people had the conversation in between: anew, but for what is known."""

from __future__ import annotations

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME, REQUESTED_SLOT
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SessionStarted, SlotSet
from rasa.shared.core.trackers import DialogueStateTracker

from bot.core.wishes import LEAVE_CONTACT, SURVEY
from bot.services.aftermath import Aftermath

FORM = "task_form"
# What the customer was at is over; what was spoken of is not forgotten.
KEPT_SLOTS = ("last_order", "last_proof", "last_product", "last_wish")


def session_after_people(tracker: DialogueStateTracker | None, happened: Aftermath) -> list[Event]:
    """A new session: what was said last, and what was asked with it as if the dialogue itself had asked."""
    known = {name: tracker.get_slot(name) for name in KEPT_SLOTS} if tracker else {}
    if happened.order is not None and happened.order != known.get("last_order"):
        # What proved another order proves nothing about this one.
        known |= {"last_order": happened.order, "last_proof": None}
    events: list[Event] = [
        ActionExecuted(ACTION_SESSION_START_NAME),
        SessionStarted(),
        *(SlotSet(name, value) for name, value in known.items() if value is not None),
    ]
    if happened.survey is not None:
        question = happened.survey
        asked = {"id": question.feedback_id, "kind": question.kind.value, "text": question.text}
        events += _in_the_form(SURVEY, "rating", SlotSet("survey", asked))
    elif happened.asks_contact:
        events += _in_the_form(LEAVE_CONTACT, "contact")
    if happened.text:
        buttons = [{"title": choice.title, "payload": choice.payload} for choice in happened.choices]
        events.append(BotUttered(happened.text, {"buttons": buttons} if buttons else None))
    return [*events, ActionExecuted(ACTION_LISTEN_NAME)]


def _in_the_form(wish: str, asked: str, *more: Event) -> list[Event]:
    return [
        SlotSet("wish", wish),
        *more,
        ActionExecuted(FORM),
        ActiveLoop(FORM),
        SlotSet(REQUESTED_SLOT, asked),
    ]
