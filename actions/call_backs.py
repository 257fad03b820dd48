"""How to reach somebody whom nobody could help at once."""

from __future__ import annotations

from typing import Any

from actions import details
from actions.people import NO_CONTACT, write_or_call
from actions.task import Access, Question, Talk, Task, pick
from bot.core.wishes import LEAVE_CONTACT
from bot.services.call_backs import note_contact
from bot.services.handoff_words import HOW_TO_REACH, promise_in_words


class LeaveContact(Task):
    """Takes an address or a number for a call-back that is noted already, and says what is promised."""

    wish = LEAVE_CONTACT
    title = "how to reach you"
    access = Access.ANYBODY
    needs_order = False

    async def details(self, talk: Talk) -> list[str]:
        return ["contact"]

    async def take(self, talk: Talk) -> dict[str, Any]:
        if talk.requested != "contact":
            return {}
        if details.value(talk.tracker, "contact") == NO_CONTACT or details.intent_of(talk.tracker) in _NO:
            return {"contact": NO_CONTACT}
        reached = details.value(talk.tracker, "email") or details.value(talk.tracker, "phone")
        return {} if reached is None else {"contact": str(reached)}

    async def question(self, slot: str, talk: Talk) -> Question:
        brief = "So, under which e-mail address or telephone number can we reach you?"
        return Question(HOW_TO_REACH, brief, [pick("I'd rather not say", contact=NO_CONTACT)])

    async def finish(self, talk: Talk) -> None:
        turn, contact = talk.turn, talk.slots["contact"]
        if contact == NO_CONTACT:
            talk.say(f"All right. A person will answer here in the chat; or {write_or_call(turn.shop)}.")
            return
        handoff = await note_contact(turn.work, turn.conversation, contact)
        if handoff is None:
            talk.say("Thank you! Somebody has seen to it already.")
            return
        promise = promise_in_words(turn.shop, handoff, turn.clock.now())
        talk.say(f"Thank you: {promise} Meanwhile you can go on asking me.")


_NO = frozenset({"deny", "goodbye", "cancel_dialogue"})
