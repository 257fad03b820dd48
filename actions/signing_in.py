"""An e-mail address or a code that comes by itself: an offer to sign in, or the code that was waited for."""

from __future__ import annotations

from rasa_sdk.events import EventType, FollowupAction

from actions import details
from actions.order_choice import bare_own_number
from actions.slots import LISTEN
from actions.task import Access, Question, Talk, Task, who
from actions.wording import CAPABILITIES, Button, payload
from bot.core.customers import normalise_email
from bot.core.wishes import SIGN_IN
from bot.services.verification import CodeRefusal, Verified, check_code

_WORDS_AT_MOST = 6


class SignIn(Task):
    """Proves who somebody is, and nothing more."""

    wish = SIGN_IN
    title = "signing in"
    access = Access.VERIFIED
    needs_order = False

    async def question(self, slot: str, talk: Talk) -> Question:
        raise AssertionError(f"signing in asks for no {slot} of its own")

    async def finish(self, talk: Talk) -> None:
        talk.say(f"You are signed in as {who(talk).email}. What can I do for you?", CAPABILITIES)


def picked_sign_in(talk: Talk) -> bool:
    """Whether the offer to sign in was accepted."""
    return bool(details.value(talk.tracker, "facet") == SIGN_IN)


async def answer_bare_identity(talk: Talk) -> list[EventType] | None:
    """Answer an address or a code that nobody had asked for; None when the message is neither, or names an order."""
    tracker = talk.tracker
    if details.intent_of(tracker) != "provide_details" or details.typed_order_number(tracker) is not None:
        return None
    email = details.value(tracker, "email")
    if email is None and "@" in details.text_of(tracker):
        talk.say("That e-mail address does not look complete. Please write it once more.")
        return [FollowupAction(LISTEN)]
    code = None if email else details.typed_code(tracker)
    if email is not None:
        _offer_to_sign_in(talk, str(email))
    elif code is None or len(details.text_of(tracker).split()) > _WORDS_AT_MOST:
        return None
    elif await bare_own_number(talk) is not None:
        return None
    else:
        await _try_code(talk, code)
    return [FollowupAction(LISTEN)]


def _offer_to_sign_in(talk: Talk, email: str) -> None:
    if talk.customer is not None:
        is_theirs = normalise_email(email) == normalise_email(talk.customer.email or "")
        already = f"You are signed in as {email} already." if is_theirs else "You are signed in already."
        talk.say(f"{already} What can I do for you?", CAPABILITIES)
        return
    accept: Button = {"title": "Sign in", "payload": payload("provide_details", email=email, facet=SIGN_IN)}
    talk.say(f"I can send a code of six digits to {email}. Would you like to sign in with that address?", [accept])


async def _try_code(talk: Talk, code: str) -> None:
    turn = talk.turn
    result = await check_code(turn.work, turn.clock, turn.conversation, code)
    look_up: Button = {"title": f"Find order {code}", "payload": payload("track_order", order_number=code)}
    match result:
        case Verified():
            turn.conversation, turn.customer = result.conversation, result.customer
            name = f", {result.customer.first_name}" if result.customer.first_name else ""
            talk.say(f"Thank you{name}! You are signed in now. What can I do for you?", CAPABILITIES)
        case CodeRefusal.WRONG:
            talk.say("That is not the code I sent. If it is the number of an order, I can look for that.", [look_up])
        case CodeRefusal.EXPIRED:
            how = "You are signed in already." if talk.customer else "To sign in, send me your e-mail address."
            talk.say(
                f"No code is waiting for an answer right now, so I cannot do anything with these digits. {how} "
                "If they are the number of an order, I can look for that.",
                [look_up],
            )
        case CodeRefusal.TOO_MANY:
            talk.say("That was one try too many. For a new code, send me your e-mail address.")
