"""How the details of a wish are asked for, and what there is to do without them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.forms import REQUESTED_SLOT
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.history import said_in_this_form
from actions.identity import questions_about_identity
from actions.slots import FORM, GO_ON, QUESTION, question_id, slots_of
from actions.task import Question, Talk
from actions.tasks import TASKS
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, Button, beside, payload

# What to do without the detail that is being asked for.
WITHOUT = {
    "order_number": "Without its number I cannot find an order for somebody who is not signed in. "
    "Once you sign in to your account, I see your orders by myself; a person can help you, too.",
    "order_proof": "Without the e-mail address or the postcode of the order I may not show it to anybody. "
    "Once you sign in to your account, I need neither; a person can help you, too.",
    "email": "Without knowing that it is you, I may not change or show anything personal; a person can help you, too.",
    "code": "Please look into the spam folder as well; a person can help you, too.",
    "confirmed": "A “yes” or a “no” is all I need.",
    GO_ON: "A “yes” or a “no” is all I need.",
}


_HAS_IT_NOT = re.compile(
    r"\b(?:don'?t|do not|can'?t|cannot|didn'?t|no longer|never)\s+(?:\w+\s+){0,2}"
    r"(?:have|know|find|remember|got|get|see)\b"
    r"|\b(?:lost|forgot|forgotten)\b|\bno idea\b|\bwhat (?:is|'s) (?:that|an order number)\b",
    re.IGNORECASE,
)


def has_it_not(text: str) -> bool:
    """Whether somebody says that they do not have what they were asked for."""
    return _HAS_IT_NOT.search(text) is not None


def help_without(slot: str, *, known: bool) -> str:
    """What there is to do without the detail that was asked for."""
    without = None if known and slot == "order_number" else WITHOUT.get(slot)
    stop = "" if slot in ("confirmed", GO_ON) else " Or say “stop” for something else."
    return f"{without or 'I am not sure that I understood.'}{stop}"


class FormHelp(Action):
    """Says what else there is, when what was asked for did not come; the question itself follows."""

    def name(self) -> str:
        return "action_form_help"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        if details.intent_of(tracker) == "repeat":
            return []  # the question itself is what is repeated
        async with turn_of(tracker) as turn:
            text = help_without(tracker.get_slot(REQUESTED_SLOT) or "", known=turn.customer is not None)
        if said_in_this_form(tracker, text):
            text = "I'm sorry, I can't go on without it. A person can."
        dispatcher.utter_message(text=text, buttons=list(TALK_TO_A_PERSON))
        return []


def go_on_question(waiting: Mapping[str, Any]) -> Question:
    """Whether to go on with a wish that was put aside."""
    number = waiting["slots"].get("order_number") or waiting["slots"].get("named_order")
    title = TASKS[waiting["wish"]].title + (f" ({number})" if number else "")
    return Question(f"Shall we go on with {title}?", f"So, shall we go on with {title}?", YES_OR_NO)


def _for_this(choice: Button, question: str) -> Button:
    if choice["payload"] not in ("/affirm", "/deny"):
        return choice
    return {**choice, "payload": payload(choice["payload"].removeprefix("/"), **{QUESTION: question})}


class Ask(Action, ABC):
    """Asks for one detail, in the words of the task at hand; briefly, when it was explained before."""

    @property
    @abstractmethod
    def slot(self) -> str:
        """The detail."""

    def name(self) -> str:
        return f"action_ask_{FORM}_{self.slot}"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            talk = Talk(turn, tracker, dispatcher, slots_of(tracker))
            question = await self._question(talk)
        text, cards = question.text, question.cards
        if said_in_this_form(tracker, question.text):
            text, cards = question.brief, ()
        choices = [_for_this(choice, question_id(talk.slots, self.slot)) for choice in question.choices]
        dispatcher.utter_message(text=text, buttons=choices or None, is_question=True, **beside(cards))
        return []

    async def _question(self, talk: Talk) -> Question:
        if self.slot == GO_ON:
            return go_on_question(talk.slots["waiting_wishes"][0])
        return questions_about_identity(self.slot, talk) or await TASKS[talk.slots["wish"]].question(self.slot, talk)


class AskOrderNumber(Ask):
    slot = "order_number"


class AskOrderProof(Ask):
    slot = "order_proof"


class AskEmail(Ask):
    slot = "email"


class AskCode(Ask):
    slot = "code"


class AskItem(Ask):
    slot = "item"


class AskDetails(Ask):
    slot = "details"


class AskAddress(Ask):
    slot = "address"


class AskContact(Ask):
    slot = "contact"


class AskRating(Ask):
    slot = "rating"


class AskBirthday(Ask):
    slot = "birthday"


class AskCardCode(Ask):
    slot = "card_code"


class AskConfirmed(Ask):
    slot = "confirmed"


class AskGoOn(Ask):
    slot = "go_on"
