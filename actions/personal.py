"""Wishes about what is the customer's own, which may also be meant as a question about how it works."""

from __future__ import annotations

import re
from typing import ClassVar

from actions import details
from actions.task import Access, Question, Talk, Task
from bot.core.loyalty import Program

# From this similarity on, an answer of the shop's is what was asked for.
NEAR_AN_ANSWER = 0.6
_MINE = re.compile(
    r"\b(?:my|mine|ours?|do i have|have i|i have|i'?ve|i had|did i|am i|was i|ko|akin|namin)\b", re.IGNORECASE
)


class PersonalTask(Task):
    """Something of the customer's own. A question in general gets the shop's general answer instead."""

    access = Access.VERIFIED
    needs_order = False
    # Whether even somebody unknown who speaks of it means their own, rather than how it works.
    asks_strangers: ClassVar[bool] = True

    def is_meant(self, talk: Talk) -> bool:
        if details.was_picked(talk.tracker) or talk.customer is not None:
            return True
        is_mine = _MINE.search(details.text_of(talk.tracker)) is not None
        return self.asks_strangers and (is_mine or not is_near_an_answer(talk))


class OwnDataTask(PersonalTask):
    """Something that even a stranger wants done, unless they ask how it goes."""

    def is_meant(self, talk: Talk) -> bool:
        is_question = _HOW.search(details.text_of(talk.tracker)) is not None
        return details.was_picked(talk.tracker) or not (is_question and is_near_an_answer(talk))


_HOW = re.compile(r"^\W*(?:how|what|can i|when|will|does|do i|do you)\b", re.IGNORECASE)


class LoyaltyTask(PersonalTask):
    """Something of the loyalty programme, where the shop has one."""

    def is_meant(self, talk: Talk) -> bool:
        return talk.turn.shop.loyalty is not None and super().is_meant(talk)


class TellingTask(LoyaltyTask):
    """One that needs to know nothing but who it is."""

    async def question(self, slot: str, talk: Talk) -> Question:
        raise AssertionError(f"{self.wish} asks for nothing, and so not for {slot}")


def is_near_an_answer(talk: Talk) -> bool:
    """Whether one of the shop's answers is about just this."""
    found = talk.tracker.latest_message.get("knowledge") or {}
    return float(found.get("similarity") or 0) >= NEAR_AN_ANSWER


def program(talk: Talk) -> Program:
    """The loyalty programme. Only where the shop has one."""
    assert talk.turn.shop.loyalty is not None  # noqa: S101 - the task is not meant otherwise
    return talk.turn.shop.loyalty


def event_key(talk: Talk, name: str) -> str:
    """A key for what this message sets off: the same turn, run again, is the same event."""
    conversation = talk.turn.conversation
    return f"{name}:{conversation.id}:{conversation.last_seq}"
