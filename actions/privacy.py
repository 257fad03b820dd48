"""The customer's own data: what is known, a copy of it, having it erased, and mails that are wanted or not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from actions import details
from actions.loyalty import MY_POINTS, points
from actions.personal import PersonalTask, is_near_an_answer
from actions.task import Question, Talk, who
from actions.treats import birthday_in_words
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO, payload
from bot.core.consents import MARKETING
from bot.core.customers import EMAIL
from bot.core.orders import Order
from bot.services.consents import may_contact, record_consent
from bot.services.ledger import balance_of
from bot.services.privacy import Erasure, request_erasure

EXPORT, ERASE, KNOW = "export", "erase", "know"


class _OwnDataTask(PersonalTask):
    """Something that even a stranger wants done, unless they ask how it goes."""

    def is_meant(self, talk: Talk) -> bool:
        is_question = _HOW.search(details.text_of(talk.tracker)) is not None
        return details.was_picked(talk.tracker) or not (is_question and is_near_an_answer(talk))


_HOW = re.compile(r"^\W*(?:how|what|can i|when|will|does|do i|do you)\b", re.IGNORECASE)


class _NewsletterTask(_OwnDataTask):
    """Says yes or no to the newsletter, for the verified customer's address."""

    granted: bool

    async def details(self, talk: Talk) -> list[str]:
        return ["confirmed"]

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        email = who(talk).email
        if email is None:
            talk.say("I know no e-mail address of yours, so there is nothing to change.", TALK_TO_A_PERSON)
            return True
        if await may_contact(talk.turn.work, channel=EMAIL, address=email, purpose=MARKETING) is self.granted:
            already = "gets our newsletter already" if self.granted else "does not get our newsletter"
            talk.say(f"{email} {already}, so there is nothing to change.")
            return True
        return False

    async def question(self, slot: str, talk: Talk) -> Question:
        text = self.wording(str(who(talk).email))
        return Question(f"{text} Is that right?", text, YES_OR_NO)

    def wording(self, email: str) -> str:
        """What is agreed to or refused; kept as proof."""
        raise NotImplementedError

    async def finish(self, talk: Talk) -> None:
        turn, email = talk.turn, str(who(talk).email)
        await record_consent(
            turn.work,
            turn.clock,
            channel=EMAIL,
            address=email,
            purpose=MARKETING,
            granted=self.granted,
            wording=self.wording(email),
            source="chat",
        )
        talk.say(self.done(email))

    def done(self, email: str) -> str:
        """What is said when it is done."""
        raise NotImplementedError


class Unsubscribe(_NewsletterTask):
    """No more advertising."""

    wish = "unsubscribe"
    title = "leaving the newsletter"
    granted = False

    def wording(self, email: str) -> str:
        return f"We send no more news and offers to {email}."

    def done(self, email: str) -> str:
        return f"Done: no more news and offers to {email}. What concerns your own orders still comes."


class NewsletterSubscription(_NewsletterTask):
    """News and offers, please."""

    wish = "newsletter_subscription"
    title = "the newsletter"
    granted = True

    def is_meant(self, talk: Talk) -> bool:
        wants_it = _WANTS_IT.search(details.text_of(talk.tracker)) is not None
        return details.was_picked(talk.tracker) or (wants_it and super().is_meant(talk))

    def wording(self, email: str) -> str:
        return f"We send our news and offers to {email}, until you say no."

    def done(self, email: str) -> str:
        return f"Welcome aboard! Our next news comes to {email}. Every mail has a link to leave again."


_WANTS_IT = re.compile(
    r"\b(?:subscribe|sign me|sign up|join|add me|put me|want|like|get|receive|send me)\b", re.IGNORECASE
)


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
        picked = details.value(talk.tracker, "facet")
        if picked is not None:
            return {"item": str(picked)}
        return {} if talk.slots["item"] else {"item": _asked_for(details.text_of(talk.tracker)) or KNOW}

    async def question(self, slot: str, talk: Talk) -> Question:
        return await _erasure_question(talk)

    async def finish(self, talk: Talk) -> None:
        if talk.slots["item"] == EXPORT:
            turn = talk.turn
            link = turn.links.own_data(who(talk).id, turn.clock.now())
            talk.say(
                f"Here is everything that we keep about you, to read or to save: {link}\n"
                "The link works for an hour. Pass it on to nobody.",
            )
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


class DeleteAccount(_OwnDataTask):
    """Erases what is known about the customer, once they are sure."""

    wish = "delete_account"
    title = "deleting your account"

    async def details(self, talk: Talk) -> list[str]:
        return ["confirmed"]

    async def obstacle(self, talk: Talk, order: Order | None) -> bool:
        return await _cannot_erase(talk)

    async def question(self, slot: str, talk: Talk) -> Question:
        return await _erasure_question(talk)

    async def finish(self, talk: Talk) -> None:
        await _erase(talk)


async def _cannot_erase(talk: Talk) -> bool:
    """Whether an order is still on its way; then that is said."""
    waiting = [order.number for order in await talk.orders() if order.is_open]
    if not waiting:
        return False
    talk.say(
        f"I can't erase your data while an order is open ({', '.join(waiting)}): without your address nobody could "
        "bring it to you. Please ask again once it has arrived, or let a person help you.",
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
