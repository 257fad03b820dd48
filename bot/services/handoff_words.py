"""What customers and the shop are told when a conversation passes between the bot and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.conversations import Choice
from bot.core.handoffs import Handoff, HandoffReason, Step
from bot.core.shop import Shop

WAIT_ON, LEAVE_MESSAGE, BACK_TO_BOT = "/wait_on", "/leave_message", "/leave_line"
WAIT_ON_CHOICE = Choice("Go on waiting", WAIT_ON)
LEAVE_MESSAGE_CHOICE = Choice("Leave a message", LEAVE_MESSAGE)
BACK_TO_BOT_CHOICE = Choice("Back to the assistant", BACK_TO_BOT)
ASKED_TO_GO_ON = "Thank you for waiting; everybody is still busy. Would you like to go on waiting?"
NOBODY_THERE_YET = "Thank you for waiting; nobody of our team is back at the desk yet. Would you like to go on waiting?"
STILL_THERE = (
    "Are you still there? If there is anything else, write it here. If we hear nothing, we close this conversation in "
    "a while."
)
NOT_IN_LINE = "You are not in line any more, so there is nothing to choose. Ask for a person again whenever you like."
HOW_TO_REACH = "How can we reach you: an e-mail address, or a telephone number?"

_REASONS = {
    HandoffReason.ASKED: "The customer asked for a person.",
    HandoffReason.TURN_FAILED: "The assistant could not answer and apologised.",
    HandoffReason.MISUNDERSTOOD: "The assistant did not understand the customer, several times in a row.",
    HandoffReason.COMPLAINT: "The customer has a complaint.",
    HandoffReason.REPORT_PROBLEM: "The customer reports a problem with an order.",
    HandoffReason.CALLBACK: "The customer would like to be called back.",
    HandoffReason.ABUSE: "The conversation turned abusive, and the assistant stepped back.",
    HandoffReason.ACCOUNT: "The customer needs help with their account.",
    HandoffReason.LOW_RATING: "The customer gave a low rating.",
    HandoffReason.ANGER: "The customer is angry, or threatens.",
    HandoffReason.FOR_PEOPLE: "The customer wants something that only people do.",
    HandoffReason.TAKEN_OVER: "Somebody at the desk stepped in.",
}


@dataclass(frozen=True)
class Place:
    """A place in the line, and how long it will take, if the pace of the line tells, or somebody is being asked."""

    position: int
    expected: timedelta | None
    anybody_there: bool
    is_expected: bool = False


@dataclass(frozen=True)
class People:
    """Who took a step, who had the conversation before, and who has it then, by name; None: nobody."""

    by: str | None = None
    before: str | None = None
    to: str | None = None


def reason_in_words(reason: HandoffReason) -> str:
    """Why a person is wanted, for the shop's people."""
    return _REASONS[reason]


def words_for(step: Step, shop: Shop, people: People, handoff: Handoff | None, now: datetime) -> str | None:
    """What everybody in the conversation reads when a step was taken; None where somebody else says it."""
    by, goes_on = people.by or "Our team", f"{shop.assistant_name}, the assistant, goes on from here."
    match step:
        case Step.CLAIM | Step.TAKE_OVER:
            return f"{by} has joined the conversation."
        case Step.TRANSFER:
            return f"{by} has passed you on to {people.to or 'a colleague'}, who sees what was said."
        case Step.TRANSFER_TEAM:
            return f"{by} has passed you on to a colleague, who sees what was said. You are at the front of the line."
        case Step.VANISH:
            gone = f"I'm sorry: {people.before or 'The person you were talking with'} cannot go on just now."
            is_open = shop.desk.is_open(shop.hours, now)
            return f"{gone} You are at the front of the line again." if is_open else gone
        case Step.RETURN:
            return f"{by} has left. {goes_on}"
        case Step.RESOLVE:
            return f"{by} has closed the conversation. Write again whenever you like."
        case Step.END:
            return "The chat has been ended. Write again whenever you like."
        case Step.GIVE_UP:
            return "We have not heard from you for a while, so we close this for now. Write again whenever you like."
        case Step.CANCEL:
            return f"You have left the line. {goes_on}"
        case Step.NOBODY_CAME:
            is_open = shop.desk.is_open(shop.hours, now)
            nobody = "I'm sorry: nobody of our team could come." if is_open else closed_in_words(shop, now)
            return f"{nobody} {_noted(shop, handoff, now)}"
        case Step.LEAVE_MESSAGE:
            return f"All right, you need not wait. {_noted(shop, handoff, now)}"
        case _:
            return None


def _noted(shop: Shop, handoff: Handoff | None, now: datetime) -> str:
    promise = f"Your request and this conversation are noted: {promise_in_words(shop, handoff, now)}"
    if handoff is not None and handoff.contact is None:
        return f"{promise} {HOW_TO_REACH}"
    return f"{promise} Meanwhile {shop.assistant_name}, the assistant, is here."


def promise_in_words(shop: Shop, handoff: Handoff | None, now: datetime) -> str:
    """How and by when a person gets in touch."""
    if handoff is None or handoff.due_at is None:
        return f"a person will get in touch, {shop.reply_time}."
    where = f" at {handoff.contact}" if handoff.contact else ""
    return f"a person will get in touch{where} by {moment_in_words(handoff.due_at, shop, now)}."


def closed_in_words(shop: Shop, now: datetime) -> str:
    """That nobody is there, and when somebody is."""
    opens = shop.desk.opens_at(shop.hours, now)
    again = f"; we are here again {moment_in_words(opens, shop, now)}" if opens else ""
    return f"Nobody of our team is here now{again}."


def place_in_words(place: Place | None) -> str:
    """Where in the line somebody is, and how long it will take, as far as that can be said."""
    if place is None:
        return "You are in line."
    where = "You are next in line" if place.position == 1 else f"You are number {place.position} in line"
    if not place.anybody_there:
        return (
            f"{where}. We are open, but nobody of our team is at the desk right now, so I cannot say how long it will "
            "take."
        )
    if place.is_expected:
        return f"{where}. Somebody of our team is free, and is being asked to come."
    if place.expected is None:
        return f"{where}. Our team is at the desk, but I cannot say yet how long it will take."
    minutes = max(round(place.expected.total_seconds() / 60), 1)
    return f"{where}. As fast as it goes now, that takes about {minutes} minute{'s' if minutes > 1 else ''}."


def moment_in_words(moment: datetime, shop: Shop, now: datetime) -> str:
    """A moment soon as people say it, in the shop's time zone: `today at 17:30`, `Tuesday at 07:00`."""
    local, today = moment.astimezone(shop.hours.zone), now.astimezone(shop.hours.zone).date()
    days = (local.date() - today).days
    day = {0: "today", 1: "tomorrow"}.get(days) or f"{local:%A}" + (f" {local.day} {local:%B}" if days > 6 else "")
    return f"{day} at {local:%H:%M}"
