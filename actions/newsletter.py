"""Mails that are wanted, or not."""

from __future__ import annotations

import re

from actions import details
from actions.personal import OwnDataTask
from actions.task import Question, Talk, who
from actions.wording import TALK_TO_A_PERSON, YES_OR_NO
from bot.core.consents import MARKETING
from bot.core.customers import EMAIL
from bot.core.orders import Order
from bot.services.consents import may_contact, record_consent


class _NewsletterTask(OwnDataTask):
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
