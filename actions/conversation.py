"""Greeting, introducing the assistant, and saying honestly what it cannot do."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, UserUtteranceReverted
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.context import turn_of
from actions.wording import CAPABILITIES, TALK_TO_A_PERSON

# What to do without the thing that is being asked for.
_WITHOUT = {
    "order_number": "Without its number I cannot find an order for somebody who is not signed in. "
    "Once you sign in to your account, I see your orders by myself; a person can help you, too.",
    "order_proof": "Without the e-mail address or the postcode of the order I may not show it to anybody. "
    "Once you sign in to your account, I need neither; a person can help you, too.",
}


class Greet(Action):
    """Greets, by first name when the customer is known."""

    def name(self) -> str:
        return "action_greet"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            name = f", {turn.customer.first_name}" if turn.customer else ""
            text = f"Hello{name}! I'm {turn.shop.assistant_name}, {turn.shop.name}'s assistant. How can I help?"
        # In the middle of a question, the question itself comes next.
        busy = tracker.active_loop_name
        dispatcher.utter_message(text=text, buttons=None if busy else list(CAPABILITIES))
        return []


class IntroduceBot(Action):
    """Never pretends to be a person."""

    def name(self) -> str:
        return "action_introduce_bot"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            dispatcher.utter_message(
                text=f"I'm a bot: {turn.shop.assistant_name}, {turn.shop.name}'s assistant, a computer program. "
                "If you would rather have a person, just say so."
            )
        return []


class ExplainCapabilities(Action):
    """Says what the assistant can do."""

    def name(self) -> str:
        return "action_explain_capabilities"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        dispatcher.utter_message(
            text="I can tell you where an order is, list your orders when you are signed in, "
            "tell you when we are open, and pass you on to a person.",
            buttons=None if tracker.active_loop_name else list(CAPABILITIES),
        )
        return []


class Decline(Action):
    """Says that something is beyond the assistant, and what is not."""

    def name(self) -> str:
        return "action_decline"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        dispatcher.utter_message(
            text="I'm afraid I can't help with that, or I did not understand it. This is what I can do:",
            buttons=list(CAPABILITIES),
        )
        return []


class DefaultFallback(Action):
    """What the dialogue model falls back to when no rule fits; the message is taken out of its history."""

    def name(self) -> str:
        return "action_default_fallback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        dispatcher.utter_message(
            text="Sorry, I did not get that. Could you put it another way?", buttons=list(CAPABILITIES)
        )
        return [UserUtteranceReverted()]


class FormHelp(Action):
    """Says what else there is, when what was asked for did not come; the question itself follows."""

    def name(self) -> str:
        return "action_form_help"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        without = _WITHOUT.get(tracker.get_slot("requested_slot") or "")
        if without:
            dispatcher.utter_message(
                text=f"{without} Or say “stop” for something else.", buttons=list(TALK_TO_A_PERSON)
            )
        return []
