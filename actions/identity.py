"""Proving who somebody is, in the middle of what they wanted: by a code sent to their e-mail address."""

from __future__ import annotations

import re
from typing import Any

from actions import details
from actions.task import Question, Talk
from actions.wording import TALK_TO_A_PERSON, Button, payload
from bot.core.channels import WEB
from bot.core.customers import normalise_email
from bot.services.verification import CodeRefusal, CodeSending, Verified, check_code, may_send_code, send_code

NEW_CODE: Button = {"title": "Send a new code", "payload": payload("provide_details", new_code="yes")}
OTHER_EMAIL: Button = {"title": "Use another address", "payload": payload("provide_details", new_code="other")}
_ASKS_AGAIN = re.compile(
    r"\b(?:resend|again|did (?:you|u) (?:\w+ )?send|where is (?:it|the code)"
    r"|(?:new|another|no|any) code|nothing (?:came|here|yet|arrived)"
    r"|(?:did ?n.?o?t|have ?n.?o?t|not|never) (?:\w+ )?(?:get|got|gotten|receive|received|come|came|arrive|arrived))\b",
    re.IGNORECASE,
)


def questions_about_identity(slot: str, talk: Talk) -> Question | None:
    """How the e-mail address and the code are asked for; None for any other slot."""
    if slot == "email":
        # Elsewhere there is no site to sign in to.
        signed_in = " (If you sign in to your account on this site, I need none.)"
        return Question(
            "First I have to be sure that it is you. Which e-mail address do you use with us? I will send a code there."
            + (signed_in if talk.turn.conversation.channel == WEB else ""),
            "So, which e-mail address do you use with us?",
        )
    if slot == "code":
        return Question(
            f"If {talk.slots['email']} belongs to one of our customers, a code of six digits is on its way there now. "
            "Please type it here within ten minutes.",
            f"Please type the six digits that I sent to {talk.slots['email']}.",
            (NEW_CODE, OTHER_EMAIL),
        )
    return None


async def take_identity(talk: Talk) -> dict[str, Any] | None:
    """What the message says about who this is: the changed slots, empty when it says nothing.

    None when there were too many attempts: the task ends, and the customer has been told.
    """
    if talk.requested == "code" and talk.slots.get("email"):
        changed = await _take_code(talk)
        if changed is None or changed:
            return changed
    email = details.value(talk.tracker, "email")
    is_new = email is not None and normalise_email(str(email)) != normalise_email(talk.slots["email"] or "")
    return await _send(talk, str(email)) if is_new else {}


async def _take_code(talk: Talk) -> dict[str, Any] | None:
    wanted = details.value(talk.tracker, "new_code")
    if wanted == "other":
        return {"email": None}
    code = details.typed_code(talk.tracker)
    if code is None:
        again = wanted is not None or _ASKS_AGAIN.search(details.text_of(talk.tracker)) is not None
        return await _send_again(talk) if again else {}
    turn = talk.turn
    result = await check_code(turn.work, turn.clock, turn.conversation, code)
    match result:
        case Verified():
            turn.conversation, turn.customer = result.conversation, result.customer
            talk.say(f"Thank you, {result.customer.first_name}!" if result.customer.first_name else "Thank you!")
            return {"email": None, "code": None, "order_proof": None}
        case CodeRefusal.WRONG:
            talk.say("That is not the code I sent.")
            return {"code": None}
        case CodeRefusal.EXPIRED:
            talk.say("That code is no longer valid.")
            return await _send_again(talk)
    talk.say("That was one try too many.")
    return await _send_again(talk)


async def can_prove_identity(talk: Talk) -> bool:
    """Whether a code may still be sent in this conversation; if not, the customer is told what else there is."""
    turn = talk.turn
    allowed = await may_send_code(turn.work, turn.clock, turn.conversation)
    if not allowed:
        talk.say(_NO_MORE_CODES, TALK_TO_A_PERSON)
    return allowed


_NO_MORE_CODES = (
    "I have sent as many codes as I may for now. Sign in to your account on this site, or let a person help you."
)


async def _send_again(talk: Talk) -> dict[str, Any] | None:
    sent = await _send(talk, talk.slots["email"])
    if sent is not None:
        talk.say("I have sent a new code. The old one does not work any more; please look into the spam folder, too.")
    return sent


async def _send(talk: Talk, email: str) -> dict[str, Any] | None:
    turn = talk.turn
    sending = await send_code(turn.work, turn.clock, turn.shop, turn.conversation, email)
    if sending is CodeSending.TOO_MANY:
        talk.say(_NO_MORE_CODES, TALK_TO_A_PERSON)
        return None
    return {"email": email, "code": None}
