"""Asking for a person."""

from __future__ import annotations

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions.context import turn_of
from bot.core.handoffs import HandoffReason
from bot.services.handoffs import request_handoff


class RequestHandoff(Action):
    """Records that a person is wanted, and says honestly what happens next."""

    def name(self) -> str:
        return "action_request_handoff"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            shop = turn.shop
            known = await turn.work.handoffs.open_for(turn.conversation.id) is not None
            await request_handoff(turn.work, turn.clock, shop, turn.conversation, HandoffReason.ASKED)
            done = (
                "Your request is still with our team."
                if known
                else "I have passed your request and this conversation on to our team."
            )
            if turn.customer is not None and turn.customer.email:
                answer = f"A person will write to {turn.customer.email}, {shop.reply_time}."
            else:
                phone = f" or call {shop.contact_phone}" if shop.contact_phone else ""
                answer = (
                    "But I don't know how they can reach you, so please write to "
                    f"{shop.contact_email}{phone}; they answer {shop.reply_time}."
                )
            dispatcher.utter_message(text=f"{done} {answer} Meanwhile you can go on asking me.")
        return []
