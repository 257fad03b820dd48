"""Questions with fixed answers, from the shop's knowledge."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.history import last_said
from actions.money import refund_in_words
from actions.orders import order_spoken_of
from actions.slots import begin_task
from actions.wording import TALK_TO_A_PERSON, Button, payload
from bot.core.knowledge import Knowledge, KnowledgeEntry
from bot.core.orders import can_change
from bot.core.wishes import ASK_KNOWLEDGE, SIGN_IN
from bot.services.orders import refunds_of
from bot.services.turn_context import TurnContext

# From this similarity on, an entry says more than the one that belongs to the wish.
SURE = 0.6
# And from this one on, also than the one that belongs to another wish.
VERY_SURE = 0.8
# Where the general answer often does not settle the matter.
OFTEN_FOR_PEOPLE = frozenset(
    {
        *("payment_issue", "edit_account", "delete_account", "privacy_request", "registration_problems"),
        *("contact_customer_service", "switch_account"),
    }
)


class Answer(Action):
    """Gives the answer that the shop has written down."""

    def name(self) -> str:
        return "action_answer"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        intent = details.intent_of(tracker)
        async with turn_of(tracker) as turn:
            begun = _task_meant(turn, tracker)
            if begun is not None:
                return begin_task(tracker, begun[0], **begun[1])
            if intent == "check_refund_policy" and (news := await _refund_under_way(turn, tracker)) is not None:
                dispatcher.utter_message(text=news)
            else:
                await say_answer(turn, tracker, dispatcher)
        return []


def _task_meant(turn: TurnContext, tracker: Tracker) -> tuple[str, dict[str, Any]] | None:
    """The task that a message is about although it was understood as a question, and what is known of it."""
    intent, text = details.intent_of(tracker), details.text_of(tracker)
    if tracker.active_loop_name is not None or not text:
        return None
    has_points = turn.customer is not None and turn.shop.loyalty is not None
    if has_points and intent == "use_promo_code" and _MY_VOUCHERS.search(text):
        return "check_points", {"item": "vouchers"}
    if has_points and tracker.get_slot("last_wish") == "check_points" and _WHERE_FROM.search(text):
        return "check_points", {"item": "history"}
    if turn.customer is None and intent in ("switch_account", "create_account") and wants_in(text):
        return SIGN_IN, {}
    return None


_MY_VOUCHERS = re.compile(
    r"^\W*(?:(?:show|see) )?(?:me )?(?:my )?(?:vouchers?|coupons?)\W*$"
    r"|\b(?:do i have|have i|which|what|show|see)\b"
    r"(?!.*\b(?:enter|type|work|accept|checkout)).*\b(?:vouchers?|coupons?)\b"
    r"|\b(?:lost|find|forgot|where(?:'?s| is))\b.*\bmy (?:\w+ )?(?:vouchers?|coupons?|qr)\b|\bqr code again\b",
    re.IGNORECASE,
)
_WHERE_FROM = re.compile(
    r"\b(?:where?|how) (?:did|do) (?:they|these|those|it|the points) (?:come|go|get)\b", re.IGNORECASE
)
_SIGNS_IN = re.compile(
    r"^(?!.*\b(?:other|another|different|switch|change|out|how|can'?t|cannot)\b).*\b(?:log|sign)(?: me)? ?in\b",
    re.IGNORECASE,
)


def wants_in(text: str) -> bool:
    """Whether somebody wants to sign in here, with no other account than they have."""
    return _SIGNS_IN.search(text) is not None


async def say_answer(turn: TurnContext, tracker: Tracker, dispatcher: CollectingDispatcher) -> None:
    """Say what the shop has written down about what the message asks; offer a person where there is nothing."""
    intent = details.intent_of(tracker)
    entry = find_answer(turn.content.knowledge, tracker, intent)
    if entry is None:
        dispatcher.utter_message(
            text="I don't have an answer to that at hand, but a person will.", buttons=list(TALK_TO_A_PERSON)
        )
        return
    links = "".join(f"\n{link.title}: {link.url}" for link in entry.links)
    busy = tracker.active_loop_name is not None
    choices = list(TALK_TO_A_PERSON) if intent in OFTEN_FOR_PEOPLE and not busy else None
    if intent == "check_cancellation_fee" and not busy:
        choices = await _cancel_choice(turn, tracker)
    text = f"{entry.answer}{links}"
    if not busy and text in last_said(tracker):
        text = f"{text}\nIf that does not answer it, shall I bring in a person?"
        choices = list(TALK_TO_A_PERSON)
    dispatcher.utter_message(text=text, buttons=choices)


async def _cancel_choice(turn: TurnContext, tracker: Tracker) -> list[Button] | None:
    """Whoever asks what cancelling costs may want to cancel the order that was spoken of last."""
    order = await order_spoken_of(turn, tracker)
    if order is None or not can_change(order):
        return None
    return [{"title": f"Cancel {order.number}", "payload": payload("cancel_order", order_number=order.number)}]


async def _refund_under_way(turn: TurnContext, tracker: Tracker) -> str | None:
    """Whoever has just had an order cancelled means that order's money, not the shop's policy."""
    order = await order_spoken_of(turn, tracker)
    if order is None or not await refunds_of(turn.work, order.number):
        return None
    return await refund_in_words(turn, order.number)


def find_answer(knowledge: Knowledge, tracker: Tracker, intent: str) -> KnowledgeEntry | None:
    """The entry that answers the message: the one nearest to it where that is clear, else the wish's own."""
    found = tracker.latest_message.get("knowledge") or {}
    nearest = knowledge.entry(str(found.get("id")))
    if intent == ASK_KNOWLEDGE:
        return nearest
    similarity = float(found.get("similarity") or 0)
    if nearest is not None and similarity >= (SURE if nearest.intent in (None, intent) else VERY_SURE):
        return nearest
    return knowledge.answer_to("check_refund_policy" if intent == "track_refund" else intent)
