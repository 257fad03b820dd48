"""Asking how it was, at the end of a conversation, and what follows from the answer."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType
from rasa_sdk.executor import CollectingDispatcher
from rasa_sdk.types import DomainDict

from actions import details
from actions.context import turn_of
from actions.people import bring_in_a_person
from actions.slots import begin_task
from actions.task import Access, Question, Talk, Task, is_something_else, pick, picked_or_written
from actions.wording import TALK_TO_A_PERSON, Button, payload
from bot.core.desk import Signal
from bot.core.feedback import SCALES, FeedbackId, FeedbackKind, Invitation, is_low, is_score
from bot.core.handoffs import HandoffReason
from bot.core.wishes import NO_WISH, SURVEY
from bot.services.calling import Calling, is_called_for
from bot.services.feedback import next_question
from bot.services.feedback_answers import Answered, decline_question, record_answer
from bot.services.turn_context import TurnContext

SKIP = "skip"
GOODBYE = "Goodbye, and thank you for stopping by! I'm here around the clock if you need anything."
_NOT_NOW: Button = pick("Not now", rating=SKIP)
_INVITATIONS: dict[Invitation, tuple[str, Button]] = {
    Invitation.REVIEW: (
        "Would you tell others, too, in a short review?",
        {"title": "Write a review", "payload": payload("review")},
    ),
    Invitation.REFERRAL: (
        "If you know somebody who would like it here, there is something in it for both of you.",
        {"title": "Bring a friend", "payload": payload("refer_friend")},
    ),
}
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
# At the beginning, where a score stands: "I have two accounts" is none.
_SCORE = re.compile(
    rf"^\W*(?:(?:i(?:'?d| would)? )?(?:say|give|rate)\s+(?:it |you |this )?)?(?:an? )?(\d{{1,2}}|{'|'.join(_WORDS)})"
    r"(?:\s*(?:/|out of|of)\s*\d+)?(?=[\s.,!)]|$)",
    re.IGNORECASE,
)
_UNHAPPY = re.compile(r"\b(?:terrible|awful|horrible|bad|poor|useless|worst|meh|disappoint\w*|hate)\b", re.IGNORECASE)
# Said lately, these mean that it was not settled, whatever came of it.
_TROUBLE = re.compile(
    r"\b(?:gone|stole|stolen|broken|missing|complain\w*|stop asking|does ?n.?o?t work|not work\w*"
    r"|(?:not|never|n't) (?:got|get|received|arrived))\b",
    re.IGNORECASE,
)
_NOT_AFTER = frozenset({"complaint", "report_problem", "track_refund", "delete_account", "privacy_request"})
MESSAGES_LOOKED_AT = 4


class Survey(Task):
    """Takes the answer to how it was; a low score goes to a person, a very good one is asked for more."""

    wish = SURVEY
    title = "your rating"
    access = Access.ANYBODY
    needs_order = False

    async def details(self, talk: Talk) -> list[str]:
        score = talk.slots["rating"]
        if score in (None, SKIP):
            return ["rating"]
        return ["details"] if is_low(_kind(talk), int(score)) else []

    async def take(self, talk: Talk) -> dict[str, Any]:
        if talk.requested == "rating":
            score = _score(talk)
            if score is not None:
                # At once: whoever gives a score and leaves has given it.
                text = details.text_of(talk.tracker)
                words = text if len(text.split()) >= WORDS_OF_A_REASON else None
                await _record(talk, score, words)
                return {"rating": str(score), **({"details": words} if words else {})}
            if _out_of_scale(talk) or _UNHAPPY.search(details.text_of(talk.tracker)):
                scale = SCALES[_kind(talk)]
                talk.say(
                    f"I'm listening! A number from {scale.least} to {scale.most}, please, so that our team sees it."
                )
                return {}
            # It was our question, not their wish: whatever else they say, it is over.
            return {} if is_something_else(talk) else {"rating": SKIP}
        if talk.requested == "details":
            is_skipped = details.value(talk.tracker, "rating") == SKIP
            if is_skipped or details.intent_of(talk.tracker) in _NOTHING_TO_SAY:
                return {"details": ""}
            written = picked_or_written(talk, "details")
            return {"details": written} if written else {}
        return {}

    async def question(self, slot: str, talk: Talk) -> Question:
        scale = SCALES[_kind(talk)]
        if slot == "rating":
            ends = f"{scale.least} is {scale.least_means}, {scale.most} is {scale.most_means}"
            asked = f"{talk.slots['survey']['text']} ({ends})"
            scores = [pick(scale.label(score), rating=str(score)) for score in reversed(scale.scores)]
            return Question(asked, f"So, from {scale.least} to {scale.most}?", [*scores, _NOT_NOW])
        return Question(
            "I'm sorry that it was not better. What went wrong, and what can we do? A person will read it.",
            "So, what can we do?",
            [pick("I'd rather not say", rating=SKIP)],
        )

    async def finish(self, talk: Talk) -> None:
        if talk.slots["rating"] == SKIP:
            await decline_question(talk.turn.work, talk.turn.clock, _id(talk))
            is_goodbye = details.intent_of(talk.tracker) == "goodbye"
            talk.say(GOODBYE if is_goodbye else "All right. Just write when you need something.")
            return
        answered = await _record(talk, int(talk.slots["rating"]), talk.slots["details"] or None)
        points = f" There are {answered.points} points for you, for taking the time." if answered.points else ""
        said = f"{answered.reply}{points}"
        number = answered.feedback.request_number
        if number is not None:
            said, turn = f"{said} The number is {number}.", talk.turn
            if await is_called_for(turn.work, turn.clock, turn.shop, Signal.LOW_RATING):
                called = await bring_in_a_person(turn, talk.tracker, Calling(HandoffReason.LOW_RATING))
                talk.say(f"{said} {called.text}", called.choices)
            else:
                talk.say(said, TALK_TO_A_PERSON)
        elif answered.invitation is None:
            talk.say(said)
        else:
            words, button = _INVITATIONS[answered.invitation]
            talk.say(f"{said} {words}", [button])


_NOTHING_TO_SAY = frozenset({"deny", "goodbye", "thank"})


WORDS_OF_A_REASON = 4


def _out_of_scale(talk: Talk) -> bool:
    return _SCORE.search(details.text_of(talk.tracker)) is not None


def _kind(talk: Talk) -> FeedbackKind:
    return FeedbackKind(talk.slots["survey"]["kind"])


def _score(talk: Talk) -> int | None:
    picked = details.value(talk.tracker, "rating")
    if picked == SKIP:
        return None
    match = _SCORE.search(details.text_of(talk.tracker))
    said = match[1].lower() if match else ""
    score = int(picked) if picked is not None else int(_WORDS.get(said, said or -1))
    return score if is_score(_kind(talk), score) else None


def _id(talk: Talk) -> FeedbackId:
    return FeedbackId(talk.slots["survey"]["id"])


async def _record(talk: Talk, score: int, text: str | None) -> Answered:
    turn = talk.turn
    return await record_answer(turn.work, turn.clock, turn.shop, _id(talk), score=score, text=text)


async def ask_how_it_was(turn: TurnContext, tracker: Tracker) -> list[EventType]:
    """Begin asking how it was, if that may be asked now; otherwise nothing."""
    said = [event for event in tracker.events if event["event"] == "user"]
    wishes = [((one.get("parse_data") or {}).get("intent") or {}).get("name") for one in said]
    # Whoever has only said hello has nothing to judge.
    if all(wish in NO_WISH for wish in wishes) or tracker.get_slot("last_wish") in _NOT_AFTER:
        return []
    if any(_TROUBLE.search(str(one.get("text") or "")) for one in said[-MESSAGES_LOOKED_AT:]):
        return []
    question = await next_question(turn.work, turn.clock, turn.shop, turn.conversation, turn.customer)
    if question is None:
        return []
    asked = {"id": question.feedback_id, "kind": question.kind.value, "text": question.text}
    return begin_task(tracker, SURVEY, survey=asked)


class Welcome(Action):
    """Accepts thanks, and asks how it was."""

    def name(self) -> str:
        return "action_welcome"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            asking = await ask_how_it_was(turn, tracker)
        more = "" if asking else " Is there anything else I can do for you?"
        dispatcher.utter_message(text=f"You're welcome!{more}")
        return asking


class SayGoodbye(Action):
    """Says goodbye, and asks how it was."""

    def name(self) -> str:
        return "action_say_goodbye"

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: DomainDict) -> list[EventType]:
        async with turn_of(tracker) as turn:
            asking = await ask_how_it_was(turn, tracker)
        dispatcher.utter_message(text=GOODBYE)
        return asking
