"""Greeting, introducing the assistant, and saying honestly what it cannot do."""

from __future__ import annotations

import re

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, UserUtteranceReverted
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.history import choices_before_this, said_before_this, turns_in_a_row
from actions.orders import order_spoken_of
from actions.people import bring_in_a_person, how_they_answer
from actions.shop import ProductAvailability
from actions.slots import begin_task
from actions.undoing_rewards import undoes_reward
from actions.wording import CAPABILITIES, TALK_TO_A_PERSON, Button, payload
from bot.core.desk import Signal
from bot.core.handoffs import HandoffReason
from bot.core.orders import can_change
from bot.core.wishes import LEAVE_CONTACT, TASKS, UNDO_REWARD, WISH_TITLES
from bot.services.calling import Calling, is_called_for
from bot.services.handoff_words import promise_in_words
from bot.services.handoffs import Reach, reach_of

# As many of the likeliest wishes are offered when a message is unclear.
WISHES_OFFERED = 2
# Below this score of the gate, a message is taken for nonsense rather than for something unclear.
UNCLEAR_SCORE = 0.25


_WHEN_ANSWERED = re.compile(
    r"\bwhen\b.*\b(?:they|you|someone|somebody|person|team|agent|hear|answer|reply|write|call|contact)\b", re.IGNORECASE
)


class Greet(Action):
    """Greets, by first name when the customer is known."""

    def name(self) -> str:
        return "action_greet"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            name = f", {turn.customer.first_name}" if turn.customer else ""
            me = f"I'm {turn.shop.assistant_name}, {turn.shop.name}'s assistant. How can I help?"
        if tracker.active_loop_name:  # the question of the form comes next
            dispatcher.utter_message(text=f"Hello{name}!")
        else:
            dispatcher.utter_message(text=f"Hello{name}! {me}", buttons=list(CAPABILITIES))
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
            text="I can tell you where an order is, cancel or change it while it is still with us, register a return, "
            "find invoices and refunds, recommend something, answer questions about the shop, "
            "and pass you on to a person.",
            buttons=None if tracker.active_loop_name else list(CAPABILITIES),
        )
        return []


class Affirm(Action):
    """A yes to nothing in particular, or to several things at once."""

    def name(self) -> str:
        return "action_affirm"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        offered = choices_before_this(tracker)
        if len(offered) > 1:
            dispatcher.utter_message(text="Gladly! Which one would you like?", buttons=offered)
        else:
            dispatcher.utter_message(text="Great! What can I do for you?", buttons=list(CAPABILITIES))
        return []


# What is done already, and only a person can take back.
_DONE = {
    "delete_account": "That has been passed on already, and I cannot call it back by myself. If you have changed your "
    "mind, tell a person at once: shall I bring one in?",
}
_DONE["privacy_request"] = _DONE["delete_account"]


_FORGET_ME = re.compile(r"^\W*(?:please |pls |you )?forget (?:all |everything )?(?:about )?me\b", re.IGNORECASE)


class NothingToStop(Action):
    """ "Cancel" while nothing is going on: the order that was spoken of last may be meant."""

    def name(self) -> str:
        return "action_nothing_to_stop"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        if undoes_reward(details.text_of(tracker)) or tracker.get_slot("last_wish") == "redeem_points":
            return begin_task(tracker, UNDO_REWARD)
        if _FORGET_ME.search(details.text_of(tracker)):
            return begin_task(tracker, "delete_account")
        async with turn_of(tracker) as turn:
            order = await order_spoken_of(turn, tracker)
        if order is not None and can_change(order):
            # The form asks before it cancels anything.
            return begin_task(tracker, "cancel_order", named_order=order.number)
        done = _DONE.get(str(tracker.get_slot("last_wish")))
        if done is not None:
            dispatcher.utter_message(text=done, buttons=list(TALK_TO_A_PERSON))
            return []
        dispatcher.utter_message(
            text="There is nothing to stop right now. What can I do for you?", buttons=list(CAPABILITIES)
        )
        return []


class Repeat(Action):
    """Says the last thing again."""

    def name(self) -> str:
        return "action_repeat"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        said = said_before_this(tracker)
        if not said:
            dispatcher.utter_message(text="I have not said anything yet. How can I help?", buttons=list(CAPABILITIES))
        for event in said:
            dispatcher.utter_message(text=event["text"], buttons=(event.get("data") or {}).get("buttons"))
        return []


class StayCalm(Action):
    """Answers abuse without returning it."""

    def name(self) -> str:
        return "action_stay_calm"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        again = turns_in_a_row(tracker, self.name()) > 0
        text = (
            "I'd still like to help. Shall I bring in a person?"
            if again
            else "I'm sorry that this is frustrating. Tell me what went wrong, and I do what I can; "
            "or shall I bring in a person?"
        )
        dispatcher.utter_message(text=text, buttons=list(TALK_TO_A_PERSON))
        return []


_UNDO = re.compile(r"\b(?:undo|revert|take it back|wrong (?:one|reward))\b", re.IGNORECASE)


class Decline(Action):
    """Says that something is beyond the assistant, or unclear, and what could be meant; in the end, brings in a person.

    Once: the likeliest wishes as choices, or what the assistant can do. Twice in a row: the offer of a person. After
    that a person is asked for without another question.
    """

    def name(self) -> str:
        return "action_decline"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        has_redeemed = tracker.get_slot("last_wish") == "redeem_points" and tracker.active_loop_name is None
        if undoes_reward(details.text_of(tracker)) or (has_redeemed and _UNDO.search(details.text_of(tracker))):
            return begin_task(tracker, UNDO_REWARD)
        if details.value(tracker, "product") is not None:
            # Whoever names one of our products wants something of us.
            return await ProductAvailability().run(dispatcher, tracker, domain)
        if _WHEN_ANSWERED.search(details.text_of(tracker)[:300]):
            async with turn_of(tracker) as turn:
                handoff = await turn.work.handoffs.open_for(turn.conversation.id)
                if handoff is not None:
                    is_promised = await reach_of(turn.work, turn.shop, turn.clock.now()) is not Reach.NO_DESK
                    promise = promise_in_words(turn.shop, handoff, turn.clock.now())
                    when = f"{promise[0].upper()}{promise[1:]}" if is_promised else how_they_answer(turn)
                    dispatcher.utter_message(text=f"Our team has your request. {when}")
                    return []
        times = turns_in_a_row(tracker, self.name())
        likeliest = likeliest_wishes(tracker)
        async with turn_of(tracker) as turn:
            enough = await is_called_for(turn.work, turn.clock, turn.shop, Signal.MISUNDERSTOOD)
        if times >= (1 if enough else 2):
            async with turn_of(tracker) as turn:
                called = await bring_in_a_person(turn, tracker, Calling(HandoffReason.MISUNDERSTOOD))
            text = f"I'm sorry, I do not understand it. {called.text}"
            dispatcher.utter_message(text=text, buttons=list(called.choices) or None)
            if called.asks_contact:
                return begin_task(tracker, LEAVE_CONTACT)
        elif times == 1:
            dispatcher.utter_message(
                text="I'm sorry, I still don't understand. Shall I bring in a person?", buttons=list(TALK_TO_A_PERSON)
            )
        elif likeliest:
            dispatcher.utter_message(
                text="I'm not sure what you mean. Is it one of these? Or say it in other words.",
                buttons=[*likeliest, *TALK_TO_A_PERSON],
            )
        else:
            dispatcher.utter_message(
                text="I'm afraid I can't help with that, or I did not understand it. This is what I can do:",
                buttons=list(CAPABILITIES),
            )
        return []


def likeliest_wishes(tracker: Tracker) -> list[Button]:
    """The two likeliest wishes as choices, where the message was refused for being unclear; else none."""
    signals = tracker.latest_message.get("intent_signals") or {}
    ranking = [one["name"] for one in tracker.latest_message.get("intent_ranking") or []]
    if not ranking or ranking[0] == "out_of_scope" or float(signals.get("score") or 0) < UNCLEAR_SCORE:
        return []
    number = details.typed_order_number(tracker)
    known = [name for name in ranking if name in WISH_TITLES][:WISHES_OFFERED]
    return [
        {
            "title": WISH_TITLES[name],
            "payload": payload(name, order_number=number) if number and name in TASKS else payload(name),
        }
        for name in known
    ]


class DefaultFallback(Action):
    """What the dialogue model falls back to when no rule fits; the message is taken out of its history."""

    def name(self) -> str:
        return "action_default_fallback"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        dispatcher.utter_message(
            text="Sorry, I did not get that. Could you put it another way?", buttons=list(CAPABILITIES)
        )
        return [UserUtteranceReverted()]
