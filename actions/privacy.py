"""The customer's own data: what is known, a copy of it, and having it erased."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from actions import details
from actions.loyalty import MY_POINTS
from actions.personal import OwnDataTask, PersonalTask
from actions.task import Question, Talk, who
from actions.treats import birthday_in_words
from actions.vouchers import points
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, payload
from bot.core.consents import MARKETING
from bot.core.customers import EMAIL
from bot.core.orders import Order
from bot.services.consents import may_contact
from bot.services.ledger import balance_of
from bot.services.privacy import Erasure, request_erasure, unfinished_with

EXPORT, ERASE, KNOW = "export", "erase", "know"


class PrivacyRequest(PersonalTask):
    """Says what is known, gives a copy of it, or goes on to erasing it."""

    wish = "privacy_request"
    title = "your data"

    def is_meant(self, talk: Talk) -> bool:
        return details.was_picked(talk.tracker) or _asked_for(details.text_of(talk.tracker)) is not None

    async def details(self, talk: Talk) -> list[str]:
        return ["confirmed"] if talk.slots["item"] == ERASE else []

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        return talk.slots["item"] == ERASE and await _cannot_erase(talk)

    async def take(self, talk: Talk) -> dict[str, Any]:
        picked, text = details.value(talk.tracker, "facet"), details.text_of(talk.tracker)
        if picked is not None:
            return {"item": str(picked)}
        if talk.slots["item"] == ERASE:
            return _copy_first(talk)
        if talk.slots["item"]:
            return {}
        if wants_both(text):
            return _copy_then_erase(talk)
        return {"item": _asked_for(text) or KNOW}

    async def question(self, slot: str, talk: Talk) -> Question:
        return await _erasure_question(talk)

    async def finish(self, talk: Talk) -> None:
        if talk.slots["item"] == EXPORT:
            _say_link(talk)
        elif talk.slots["item"] == ERASE:
            await _erase(talk)
        else:
            await _say_what_is_known(talk)


_ERASE = re.compile(r"\b(?:delete|erase|forget|forgotten|remove|wipe|clear|burahin|dl?eete)\b", re.IGNORECASE)
_EXPORT = re.compile(
    r"\b(?:copy|export|download|send me|access request|right of access|article 15|subject (?:access )?request"
    r"|data request|gdpr request|hand over)\b",
    re.IGNORECASE,
)
_KNOW = re.compile(
    r"\b(?:know (?:of|about) me|about me|have on me|hold|stored? about|keep on me|saved (?:about|under)"
    r"|see (?:\w+ ){0,3}(?:data|saved|info)|look at (?:\w+ ){0,2}data|tungkol sa akin"
    r"|my (?:personal )?(?:data|info)\W*$)",
    re.IGNORECASE,
)


def _asked_for(text: str) -> str | None:
    for asked, words in ((ERASE, _ERASE), (EXPORT, _EXPORT), (KNOW, _KNOW)):
        if words.search(text):
            return asked
    return None


def wants_both(text: str) -> bool:
    """Whether somebody wants a copy of their data, and to have them erased."""
    return _ERASE.search(text) is not None and _COPY.search(text) is not None


_COPY = re.compile(
    r"\b(?:copy|export|download|back ?up)\b|\bsend me (?:\w+ ){0,3}(?:data|info\w*|everything|all)\b", re.IGNORECASE
)


def _copy_then_erase(talk: Talk) -> dict[str, Any]:
    """The copy at once; erasing waits behind it, as whatever is wished for beside something else."""
    waiting = [one for one in talk.slots["waiting_wishes"] or [] if one["wish"] != DeleteAccount.wish]
    return {
        "wish": PrivacyRequest.wish,
        "item": EXPORT,
        "waiting_wishes": [{"wish": DeleteAccount.wish, "slots": {}}, *waiting],
    }


def _copy_first(talk: Talk) -> dict[str, Any]:
    """The copy that somebody wants before they say yes to erasing, which is then asked again."""
    text = details.text_of(talk.tracker)
    if talk.requested != "confirmed" or _EXPORT.search(text) is None:
        return {}
    _say_link(talk)
    # Kept, so that a "yes, but send me a copy first" is no yes yet.
    return {"details": text}


def _say_link(talk: Talk) -> None:
    turn = talk.turn
    link = turn.links.own_data(who(talk).id, turn.clock.now())
    talk.say(
        f"Here is everything that we keep about you, to read or to save: {link}\n"
        "The link works for an hour. Pass it on to nobody.",
    )


class DeleteAccount(OwnDataTask):
    """Erases what is known about the customer, once they are sure."""

    wish = "delete_account"
    title = "deleting your account"

    async def details(self, talk: Talk) -> list[str]:
        return ["confirmed"]

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        return await _cannot_erase(talk)

    async def take(self, talk: Talk) -> dict[str, Any]:
        if talk.requested is None and wants_both(details.text_of(talk.tracker)):
            return _copy_then_erase(talk)
        return _copy_first(talk)

    async def question(self, slot: str, talk: Talk) -> Question:
        return await _erasure_question(talk)

    async def finish(self, talk: Talk) -> None:
        await _erase(talk)


async def _cannot_erase(talk: Talk) -> bool:
    """Whether an order is still on its way; then that is said."""
    turn = talk.turn
    unfinished = await unfinished_with(turn.work, who(talk).id)
    if not unfinished.orders:
        return False  # what else is unfinished is passed on to a person with the wish
    talk.say(
        f"I can't erase your data while an order is open ({', '.join(unfinished.orders)}): without your address nobody "
        "could bring it to you. Please ask again once it has arrived, or let a person help you.",
        ({"title": "Send me my data", "payload": payload("privacy_request", facet=EXPORT)}, *TALK_TO_A_PERSON),
    )
    return True


async def _erasure_question(talk: Talk) -> Question:
    turn = talk.turn
    balance = await balance_of(turn.work, turn.clock, who(talk).id)
    lost = f" Your {points(balance.total)}, stamps and rewards are lost." if balance.total > 0 else ""
    return Question(
        "I would erase your name, your addresses, what you wrote to us, and your account with us; of past orders only "
        f"the figures stay.{lost} Nobody can bring that back. Shall I?",
        "So, shall I erase all of it, for good?",
        YES_OR_NO,
    )


async def _erase(talk: Talk) -> None:
    turn = talk.turn
    erasure = await request_erasure(turn.work, turn.clock, turn.shop, turn.conversation, who(talk))
    if isinstance(erasure, Erasure):
        talk.say(
            "Done: your data are erased. This chat does not know you any more, either. "
            "Thank you for having been with us!"
        )
    else:
        talk.say(
            f"I have passed that on under the number {erasure.number}. A person looks at it first, and then erases "
            f"your data; you hear from them {turn.shop.reply_time}.",
        )


async def _say_what_is_known(talk: Talk) -> None:
    lines = "\n".join([f"- {line}" async for line in _what_is_known(talk)])
    talk.say(
        f"This is what we know about you:\n{lines}",
        (
            {"title": "Send me all of it", "payload": payload("privacy_request", facet=EXPORT)},
            {"title": "Erase it", "payload": payload("privacy_request", facet=ERASE)},
            MY_POINTS,
        ),
    )


async def _what_is_known(talk: Talk) -> Any:
    turn, customer = talk.turn, who(talk)
    yield f"Name: {customer.name}" + (f" (we call you {customer.preferred_name})" if customer.preferred_name else "")
    for label, value in _facts(talk):
        if value:
            yield f"{label}: {value}"
    orders = await talk.orders()
    yield f"Orders: {len(orders)}" if orders else "Orders: none yet"
    if turn.shop.loyalty is not None:
        balance = await balance_of(turn.work, turn.clock, customer.id)
        yield f"Points: {points(balance.total)}"
    if customer.email:
        news = await may_contact(turn.work, channel=EMAIL, address=customer.email, purpose=MARKETING)
        yield f"News and offers by e-mail: {'yes' if news else 'no'}"
    yield "What we wrote to each other in this chat"


def _facts(talk: Talk) -> Iterator[tuple[str, str | None]]:
    customer = who(talk)
    yield "E-mail", customer.email
    yield "Telephone", customer.phone
    yield "Address", customer.address or customer.postcode
    if customer.birthday_month and customer.birthday_day:
        yield "Birthday", birthday_in_words(customer.birthday_month, customer.birthday_day)
