"""What all wishes that take several steps share: who may have them, what is asked, and in which order."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar

from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import details
from actions.wording import Button, beside, order_line, payload
from bot.core.conversations import Card
from bot.core.customers import Customer
from bot.core.orders import Order, proves_order
from bot.core.requests import RequestKind, ServiceRequest
from bot.core.wishes import ASK_KNOWLEDGE, NO_WISH
from bot.services.orders import own_order
from bot.services.requests import record_request
from bot.services.turn_context import TurnContext

CHOICES_AT_MOST = 5
ORDERS_LOOKED_AT = 50


class Access(Enum):
    """Who may have a wish fulfilled."""

    VERIFIED = "verified"  # whoever has proven who they are
    PROVEN_ORDER = "proven_order"  # and whoever knows an order's number and its e-mail address or postcode
    ANYBODY = "anybody"


@dataclass(frozen=True)
class Question:
    """What is asked for a detail; `brief` when it was asked before."""

    text: str
    brief: str
    choices: Sequence[Button] = ()
    # Shown with the text, not with the brief one.
    cards: Sequence[Card] = ()


@dataclass
class Talk:
    """One message on its way through a task: the turn, what is known so far, and the bot's voice."""

    turn: TurnContext
    tracker: Tracker
    dispatcher: CollectingDispatcher
    slots: dict[str, Any] = field(default_factory=dict)

    @property
    def customer(self) -> Customer | None:
        """Who this is, if that is proven."""
        return self.turn.customer

    @property
    def requested(self) -> str | None:
        """The detail that was asked for."""
        return details.requested(self.tracker)

    def say(
        self,
        text: str,
        choices: Sequence[Button] = (),
        *,
        image: str | None = None,
        image_alt: str | None = None,
        cards: Sequence[Card] = (),
    ) -> None:
        """Say something that is no question of the task's, with a picture or with cards if there are any.

        What follows the text's first line is shown by the cards where there are cards, and by the text where not.
        """
        picture = {"image": image, "image_alt": image_alt} if image else {}
        self.dispatcher.utter_message(text=text, buttons=list(choices) or None, **picture, **beside(cards))

    async def pass_on(
        self,
        kind: RequestKind,
        *,
        order_number: str | None = None,
        contact: str | None = None,
        rating: int | None = None,
    ) -> ServiceRequest:
        """Record what the customer wrote as a request, and send it to the shop's people."""
        turn = self.turn
        return await record_request(
            turn.work,
            turn.clock,
            turn.shop,
            turn.conversation,
            turn.customer,
            kind,
            self.slots["details"],
            order_number=order_number,
            contact=contact,
            rating=rating,
        )

    async def orders(self) -> list[Order]:
        """The verified customer's orders, newest first."""
        if self.customer is None:
            return []
        return await self.turn.work.orders.of_customer(self.customer.id, ORDERS_LOOKED_AT)

    async def order(self) -> Order | None:
        """The order this is about, if whoever asks may know it."""
        number = self.slots.get("order_number")
        if not number:
            return None
        if self.customer is not None and (own := await own_order(self.turn.work, self.customer.id, number)):
            return own
        proof = self.slots.get("order_proof")
        order = await self.turn.work.orders.by_number(number) if proof else None
        # Compared once more, because what a slot says is no proof; the attempt itself was counted when it was made.
        return order if order is not None and proves_order(order, str(proof)) else None


def who(talk: Talk) -> Customer:
    """The verified customer. Only where the task is for verified customers."""
    assert talk.customer is not None  # noqa: S101 - nobody else gets there
    return talk.customer


class Task(ABC):
    """One wish that takes several steps. Stateless: what is known is in the slots."""

    wish: ClassVar[str]
    title: ClassVar[str]  # as in "Shall we go on with …?"
    access: ClassVar[Access] = Access.VERIFIED
    needs_order: ClassVar[bool] = True
    # In "Which order would you like to …?"
    which: ClassVar[str] = "talk about"

    def is_meant(self, talk: Talk) -> bool:
        """Whether the message that was understood as this wish is one, and no question about how it works."""
        return True

    def suits(self, order: Order, talk: Talk) -> bool:
        """Whether the order is one that this could be about."""
        return True

    async def details(self, talk: Talk) -> list[str]:
        """The further details to ask for, in order, once it is clear who asks, and about which order."""
        return []

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        """Say why this cannot be done, if it cannot; whether that was so. It ends the task."""
        return False

    async def take(self, talk: Talk) -> dict[str, Any]:
        """What the message says about the details of this task alone."""
        return {}

    @abstractmethod
    async def question(self, slot: str, talk: Talk) -> Question:
        """How a detail of this task is asked for."""

    @abstractmethod
    async def finish(self, talk: Talk) -> None:
        """Do it, and say what was done."""

    def is_yes(self, text: str) -> bool:
        """Whether words that were not understood as a yes are one to this task's last question."""
        return False

    async def refuse(self, talk: Talk) -> bool:
        """The customer said no at the last question; whether that ends the task."""
        talk.say("All right, I leave everything as it is. What else can I do for you?")
        return True

    async def candidates(self, talk: Talk) -> list[Order]:
        """The customer's orders that this could be about, newest first."""
        return [order for order in await talk.orders() if self.suits(order, talk)]

    async def explain_no_candidates(self, talk: Talk) -> None:
        """Say that there is no order that this could be about."""
        if await talk.orders():
            await self.no_candidates(talk)
        else:
            talk.say(
                "I don't see any order under your account yet. If you ordered as a guest, send me the order number: "
                "then I can look it up."
            )

    async def no_candidates(self, talk: Talk) -> None:
        """The customer has orders, but none that this could be about."""
        talk.say(
            "I don't see an order of yours that this could be about. If you ordered as a guest, send me its number."
        )

    async def ask_which_order(self, talk: Talk) -> Question:
        """Which of the customer's orders is meant."""
        orders = await self.candidates(talk) or await talk.orders()
        lines = "\n".join(order_line(order, talk.turn.shop) for order in orders[:CHOICES_AT_MOST])
        choices = [pick(order.number, order_number=order.number) for order in orders[:CHOICES_AT_MOST]]
        text = f"Which order would you like to {self.which}?"
        return Question(f"{text}\n{lines}" if lines else text, "So, which order is it?", choices)


def pick(title: str, **entities: str) -> Button:
    """A choice that answers a question with these details."""
    return {"title": title, "payload": payload("provide_details", **entities)}


def picked_or_written(talk: Talk, name: str) -> str | None:
    """The detail as picked from the choices, or as it was written when it was asked for."""
    for entity in details.entities(talk.tracker, name):
        if entity.get("extractor") == "choice":
            return str(entity["value"])
    text = details.text_of(talk.tracker)
    if talk.requested != name or not text:
        return None
    intent = details.intent_of(talk.tracker)
    confidence = details.confidence_of(talk.tracker)
    is_mere_word = intent in _MERE_WORDS and confidence > SURE and len(text.split()) <= MERE_WORDS_AT_MOST
    is_question = text.endswith("?") or text.lower().split()[0] in _QUESTION_WORDS
    is_wish = is_question and confidence > RATHER_SURE and intent not in NO_WISH and intent not in _TROUBLE
    is_stop = intent in ("cancel_dialogue", "unsubscribe") and _STOP.search(text) is not None
    interrupts = intent in INTERRUPTIONS and confidence > RATHER_SURE
    return None if interrupts or is_stop or is_mere_word or is_wish else text


def is_something_else(talk: Talk) -> bool:
    """Whether the message, which is no answer to what was asked, is a question or a wish that can be dealt with."""
    confidence = details.confidence_of(talk.tracker)
    intent = details.intent_of(talk.tracker)
    # A few words are easily near to some entry of the knowledge.
    least = SURE if intent == ASK_KNOWLEDGE else RATHER_SURE
    return details.text_of(talk.tracker).endswith("?") or (confidence > least and intent not in NO_WISH)


def other_words(talk: Talk) -> str | None:
    """What the customer says instead of a yes or a no, with what they said before: the message in better words."""
    said = details.text_of(talk.tracker)
    if talk.requested != "confirmed" or not said or details.typed_order_number(talk.tracker) is not None:
        return None
    intent = details.intent_of(talk.tracker)
    confidence = details.confidence_of(talk.tracker)
    is_unclear = confidence < SURE and intent not in INTERRUPTIONS | {"affirm", "deny", "cancel_dialogue"}
    if not is_unclear and intent not in _ABOUT_AN_ORDER | _OWN_WORDS:
        return None
    before = talk.slots["details"]
    return f"{before.rstrip(' .')}. {said}" if before else said


# "Changed my mind" is a reason to send something back, too.
_STOP = re.compile(
    r"^\W*(?:\w+\W+){0,2}?(?:stop|cancel|never ?mind|nvm|forget it|quit|exit|abort|no thanks|drop it|leave it)\b", re.I
)
_QUESTION_WORDS = frozenset("how when where what which who why can could do does is are may".split())
_OWN_WORDS = frozenset({"out_of_scope", "provide_details", "give_feedback", "review"})
_TROUBLE = frozenset({"report_problem", "complaint"})
# Whoever tells what is wrong with an order sounds as if they wished for one of these.
_ABOUT_AN_ORDER = frozenset(
    {"report_problem", "complaint", "return_item", "change_order", "cancel_order", "get_refund"}
)
# "No" and "thanks" say nothing of what is wrong with an order.
_MERE_WORDS = frozenset({"affirm", "deny", "thank", "greet"})
MERE_WORDS_AT_MOST = 3
SURE, RATHER_SURE = 0.8, 0.5
# Said in the middle of a question that is answered in the customer's own words, these are no answer.
INTERRUPTIONS = frozenset(
    {
        "contact_human_agent",
        "goodbye",
        "bot_challenge",
        "repeat",
        "opening_hours",
        "ask_capabilities",
        "sign_out",
    }
)
