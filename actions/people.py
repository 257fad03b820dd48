"""Asking for a person, and telling people something: complaints, feedback, reviews, call-backs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.order_changes import shown
from actions.slots import begin_task
from actions.task import Access, Question, Talk, Task, is_something_else, other_words, pick, picked_or_written
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, Button
from bot.core.desk_records import preview
from bot.core.handoffs import HandoffReason, Stage
from bot.core.requests import RequestKind
from bot.core.shop import Shop
from bot.core.wishes import LEAVE_CONTACT, TOPICS
from bot.services.calling import Calling
from bot.services.handoff_summary import latest_wish, notes_of, summary_of
from bot.services.handoff_words import moment_in_words
from bot.services.handoffs import note_call_back, request_handoff
from bot.services.line_places import what_comes_next
from bot.services.turn_context import TurnContext


class RequestHandoff(Action):
    """Records that a person is wanted, and says honestly what happens next."""

    def name(self) -> str:
        return "action_request_handoff"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            called = await bring_in_a_person(turn, tracker, turn.calling)
            text = f"{_BECAUSE[turn.calling.reason]} {called.text}" if turn.calling.reason in _BECAUSE else called.text
            dispatcher.utter_message(text=text, buttons=list(called.choices) or None)
        return begin_task(tracker, LEAVE_CONTACT) if called.asks_contact else []


_BECAUSE = {
    HandoffReason.ANGER: "I'm sorry that we have let you down.",
    HandoffReason.FOR_PEOPLE: "Our team sees to that in person.",
}


@dataclass(frozen=True)
class Called:
    """What the customer hears when a person was called, and whether they are to say how to reach them."""

    text: str
    choices: tuple[Button, ...] = ()
    asks_contact: bool = False


async def bring_in_a_person(turn: TurnContext, tracker: Tracker, calling: Calling) -> Called:
    """Ask for a person, and return what happens next, in words."""
    known = await turn.work.handoffs.open_for(turn.conversation.id) is not None
    wish = calling.wish or latest_wish(await notes_of(turn.work, turn.conversation, tracker.events))
    session = list(tracker.events)
    if calling.reason is HandoffReason.MISUNDERSTOOD:
        # Which is what is being said just now.
        session.append({"event": "action", "name": "action_decline"})
    standing = await request_handoff(
        turn.work,
        turn.clock,
        turn.shop,
        turn.conversation,
        calling.reason,
        topic=TOPICS.get(wish or ""),
        priority=turn.shop.desk.priority(calling.reason.value, wish),
        summary=await summary_of(turn.work, turn.conversation, session),
    )
    turn.conversation = standing.conversation
    comes_next = await what_comes_next(turn.work, turn.clock, turn.shop, standing)
    if comes_next is not None:
        choices = tuple({"title": choice.title, "payload": choice.payload} for choice in comes_next.choices)
        is_noted = standing.stage is Stage.CALLBACK and standing.handoff is not None
        asks_contact = is_noted and standing.handoff is not None and standing.handoff.contact is None
        meanwhile = " Meanwhile you can go on asking me." if is_noted and not asks_contact else ""
        return Called(f"{comes_next.text}{meanwhile}", choices, asks_contact)
    done = (
        "Your request is still with our team."
        if known
        else "I have passed your request and this conversation on to our team."
    )
    return Called(f"{done} {how_they_answer(turn)} Meanwhile you can go on asking me.")


def how_they_answer(turn: TurnContext) -> str:
    """How and when the customer hears from a person."""
    shop = turn.shop
    if turn.customer is not None and turn.customer.email:
        return f"A person will write to {turn.customer.email}, {shop.reply_time}."
    return f"But I don't know how they can reach you, so please {write_or_call(shop)}; they answer {shop.reply_time}."


def write_or_call(shop: Shop) -> str:
    """How the shop is reached."""
    phone = f" or call {shop.contact_phone}" if shop.contact_phone else ""
    return f"write to {shop.contact_email}{phone}"


NO_CONTACT = "none"
# The wish to tell something has so many words at most, and what is told then has so many at least.
_LEAD_WORDS, _REST_WORDS = 7, 4
_WISHING_TO_TELL = (*("complain", "feedback", "review", "suggest", "leave a", "give you", "rate", "rating", "stars"),)


class _Message(Task):
    """Something that the customer tells the shop, in their own words."""

    access = Access.ANYBODY
    needs_order = False
    kind: ClassVar[RequestKind]
    ask: ClassVar[str]
    enough_words: ClassVar[int] = 6

    async def details(self, talk: Talk) -> list[str]:
        return ["details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        if (written := picked_or_written(talk, "details")) is not None:
            return {"details": written}
        if (more := other_words(talk)) is not None:
            return {"details": more}
        said = details.text_of(talk.tracker)
        is_first = talk.slots["details"] is None and details.intent_of(talk.tracker) == self.wish
        return {"details": said} if is_first and self.says_it_all(said) else {}

    def says_it_all(self, text: str) -> bool:
        """Whether the first message is the message itself already, and not just the wish to leave one."""
        # "I'd like to leave feedback, the beans taste burnt": what comes behind is it.
        lead, _, rest = text.partition(",") if "," in text else text.partition(":")
        is_told = len(lead.split()) <= _LEAD_WORDS and len(rest.split()) >= _REST_WORDS
        low = rest.lower() if is_told else text.lower()
        wish_only = any(words in low for words in _WISHING_TO_TELL)
        return not wish_only and (is_told or len(low.split()) >= self.enough_words)

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot == "details":
            return Question(self.ask, "So, what would you like to tell us?")
        return Question(
            f"I will pass this on to our team: “{shown(talk.slots['details'])}” Shall I send it?",
            "So, shall I send it?",
            YES_OR_NO,
        )

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        request = await talk.pass_on(
            self.kind,
            order_number=talk.slots["last_order"] if turn.customer else None,
            contact=None if talk.slots["contact"] == NO_CONTACT else talk.slots["contact"],
            rating=talk.slots["rating"],
        )
        talk.say(*self.thanks(talk, request.number))

    def thanks(self, talk: Talk, number: str) -> tuple[str, tuple[dict[str, str], ...]]:
        """What is said when it is sent, and what is offered then."""
        return "Thank you! I have passed it on; our team reads every word.", ()

    async def refuse(self, talk: Talk) -> bool:
        talk.say("All right, I have not sent anything.")
        return True


class Complaint(_Message):
    """A complaint goes to a person, under a number."""

    wish = "complaint"
    title = "your complaint"
    kind = RequestKind.COMPLAINT
    ask = "I'm sorry that something went wrong. What happened? I will bring it to a person."

    async def details(self, talk: Talk) -> list[str]:
        known = talk.customer is not None
        return ["details", "confirmed"] if known else ["details", "contact", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        found = await super().take(talk)
        if talk.customer is None and talk.requested == "contact":
            reached = details.value(talk.tracker, "email") or details.value(talk.tracker, "phone")
            if reached is None and details.intent_of(talk.tracker) == "deny":
                reached = NO_CONTACT
            if reached is not None:
                found["contact"] = str(reached)
        return found

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot == "contact":
            return Question(
                "How can our team reach you? Send me an e-mail address or a telephone number.",
                "So, under which e-mail address or telephone number can our team reach you?",
                [{"title": "I'd rather not say", "payload": "/deny"}],
            )
        return await super().question(slot, talk)

    def thanks(self, talk: Talk, number: str) -> tuple[str, tuple[dict[str, str], ...]]:
        contact = talk.slots["contact"]
        if contact and contact != NO_CONTACT:
            answer = f"They will get back to you at {contact}, {talk.turn.shop.reply_time}."
        else:
            answer = how_they_answer(talk.turn)
        return f"I'm sorry for the trouble. A person will read your complaint, {number}. {answer}", TALK_TO_A_PERSON


class GiveFeedback(_Message):
    """What a customer thinks, for the team."""

    wish = "give_feedback"
    title = "your feedback"
    kind = RequestKind.FEEDBACK
    ask = "I'd love to hear it! What should our team know?"


class Review(_Message):
    """A rating, and a few words with it."""

    wish = "review"
    title = "your review"
    kind = RequestKind.REVIEW
    ask = "What would you like to say with it? A sentence or two will do."

    async def details(self, talk: Talk) -> list[str]:
        return ["rating", "details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        found: dict[str, Any] = {}
        rating = details.value(talk.tracker, "rating")
        if rating is None and talk.requested == "rating":
            text = details.text_of(talk.tracker)
            rating = text if text in ("1", "2", "3", "4", "5") else None
        if rating is not None and 1 <= int(rating) <= 5:
            found["rating"] = int(rating)
        if talk.requested != "rating":
            found.update(await super().take(talk))
        return found

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot == "rating":
            return Question(
                "How many stars do you give us, from 1 to 5?",
                "So, how many stars, from 1 to 5?",
                [pick("★" * stars, rating=str(stars)) for stars in (5, 4, 3, 2, 1)],
            )
        return await super().question(slot, talk)

    def thanks(self, talk: Talk, number: str) -> tuple[str, tuple[dict[str, str], ...]]:
        rating = talk.slots["rating"]
        if rating is not None and rating <= 2:
            return (
                f"Thank you for being frank; I'm sorry that we let you down. {how_they_answer(talk.turn)}",
                TALK_TO_A_PERSON,
            )
        return "Thank you for your review! Our team reads every one.", ()


class CallbackRequest(Task):
    """Somebody of the team calls back."""

    wish = "callback_request"
    title = "the call-back"
    access = Access.ANYBODY
    needs_order = False

    async def details(self, talk: Talk) -> list[str]:
        return ["contact", "details", "confirmed"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        found: dict[str, Any] = {}
        number = details.value(talk.tracker, "phone")
        if number is not None:
            found["contact"] = str(number)
        elif picked_or_written(talk, "contact") is not None and (
            details.intent_of(talk.tracker) == self.wish or not is_something_else(talk)
        ):
            talk.say("I need a telephone number for that, such as +63 917 123 4567.")
        words = (picked_or_written(talk, "details") if talk.requested == "details" else None) or other_words(talk)
        # "No, call 0918 123 4567" puts the number right, and nothing else.
        if words is not None and not (talk.requested == "confirmed" and number is not None):
            found["details"] = words
        return found

    async def question(self, slot: str, talk: Talk) -> Question:
        if slot == "contact":
            known = talk.customer.phone if talk.customer else None
            choices = [pick(known, phone=known)] if known else []
            return Question("Which number may we call?", "So, which number may we call?", choices)
        if slot == "details":
            return Question("What is it about, and when suits you best?", "So, what is the call about?")
        return Question(
            f"I will ask our team to call {talk.slots['contact']}: “{shown(talk.slots['details'])}” Shall I?",
            "So, shall I ask them to call you?",
            YES_OR_NO,
        )

    async def finish(self, talk: Talk) -> None:
        turn = talk.turn
        await talk.pass_on(RequestKind.CALLBACK, contact=talk.slots["contact"])
        summary = await summary_of(turn.work, turn.conversation, talk.tracker.events)
        turn.conversation = await note_call_back(
            *(turn.work, turn.clock, turn.shop, turn.conversation, talk.slots["contact"]),
            summary={**summary, "said": preview(talk.slots["details"])},
        )
        shop, now = turn.shop, turn.clock.now()
        handoff = await turn.work.handoffs.open_for(turn.conversation.id)
        when = "soon"
        if handoff is not None and handoff.due_at is not None:
            when = f"by {moment_in_words(handoff.due_at, shop, now)}"
        elif (opens := shop.desk.opens_at(shop.hours, now)) is not None:
            when = f"after we open again, {moment_in_words(opens, shop, now)}"
        talk.say(f"Done: our team has your number, {talk.slots['contact']}, and will call you {when}.")
