"""What is remembered of a wish, and of the ones before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.forms import REQUESTED_SLOT

FORM = "task_form"
LISTEN = "action_listen"
GO_ON = "go_on"
# What belongs to the task at hand; the rest of the slots is remembered beyond it.
TASK_SLOTS = (
    *("order_number", "order_proof", "email", "code"),
    *("item", "details", "address", "contact", "rating", "birthday", "card_code", "survey", "confirmed", GO_ON),
)
SLOTS = ("wish", "named_order", "last_order", "last_proof", "last_wish", "waiting_wishes", *TASK_SLOTS)


def slots_of(tracker: Tracker) -> dict[str, Any]:
    """What is known, as a copy that may be changed."""
    return {name: tracker.get_slot(name) for name in SLOTS}


def changes(tracker: Tracker, slots: Mapping[str, Any]) -> list[EventType]:
    """The events that bring the slots to these values."""
    return [SlotSet(name, slots[name]) for name in SLOTS if tracker.get_slot(name) != slots[name]]


def begin_task(tracker: Tracker, wish: str, **known: Any) -> list[EventType]:
    """The events that begin a task of ours, which nobody wished for in this message, with what is known of it."""
    slots = slots_of(tracker)
    slots.update({**dict.fromkeys(TASK_SLOTS), "wish": wish, "named_order": None, "waiting_wishes": [], **known})
    return [*changes(tracker, slots), SlotSet(REQUESTED_SLOT, None), FollowupAction(FORM)]


# A picked yes or no says which question it answers.
QUESTION = "question"


def question_id(slots: Mapping[str, Any], slot: str) -> str:
    """Which question is open: the detail, of which wish, for which order."""
    return f"{slot} {slots['wish']} {slots['order_number']}"
