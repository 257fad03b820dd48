"""Asking customers how it was: never twice about the same thing, not too often, and never somebody who is angry."""

from __future__ import annotations

from datetime import timedelta

from bot.core.consents import FEEDBACK
from bot.core.conversations import Conversation, Owner
from bot.core.customers import EMAIL, Customer
from bot.core.feedback import (
    ANGRY_FOR,
    OPEN_TROUBLE_FOR,
    Feedback,
    FeedbackId,
    FeedbackKind,
    Question,
    Standing,
    Survey,
    WhyNot,
    conversation_key,
    order_key,
    quarter_key,
    question_of,
    survey_to_ask,
    why_not_to_ask,
)
from bot.core.orders import Order
from bot.core.sentiment import is_angry
from bot.core.shop import Shop
from bot.services.consents import may_contact
from bot.services.feedback_ports import Person
from bot.services.ids import new_id
from bot.services.ports import Clock, UnitOfWork

# So many of somebody's last messages are looked at for anger.
WORDS_LOOKED_AT = 5
# For so long a question in the chat waits for its answer.
QUESTION_WAITS_FOR = timedelta(days=1)
_IN_CHAT = (Survey.CSAT, Survey.NPS, Survey.CES)
_SURVEY_KINDS = {Survey.CSAT: FeedbackKind.CSAT, Survey.NPS: FeedbackKind.NPS, Survey.CES: FeedbackKind.CES}


async def next_question(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, customer: Customer | None
) -> Question | None:
    """What to ask now that the conversation is resolved, or None; what is returned counts as asked.

    The surveys that the shop has switched on alternate. `customer` must be proven, or None: who is not known is asked
    as seldom as somebody in this conversation may be. The conversation must be locked.
    """
    if conversation.owner is not Owner.BOT:
        return None
    offered = {one for one in _IN_CHAT if one in shop.feedback.surveys}
    quarter = None
    if customer is not None:
        quarter = quarter_key(customer.id, clock.now().astimezone(shop.hours.zone).date())
        if await work.feedback.by_key(quarter) is not None:
            quarter = None
    if quarter is None:
        # Whether somebody would recommend the shop is a question to those it knows, and one a quarter.
        offered.discard(Survey.NPS)
    asked = await work.feedback.times_asked(_person(customer, conversation))
    times = {survey: asked.get(kind, 0) for survey, kind in _SURVEY_KINDS.items()}
    survey = survey_to_ask(times, offered)
    if survey is None:
        return None
    key = quarter if survey is Survey.NPS and quarter else None
    key = key or conversation_key(_SURVEY_KINDS[survey], conversation.id, times[survey] + 1)
    return await ask(work, clock, shop, survey, key=key, customer=customer, conversation=conversation)


async def ask(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    survey: Survey,
    *,
    key: str,
    customer: Customer | None,
    conversation: Conversation | None = None,
    order: Order | None = None,
) -> Question | None:
    """Note a question as asked and return it; None, noting nothing, where it may not be asked (any more).

    Never twice under one key, whoever else tries at the same time.
    """
    if customer is not None:
        # So that two questions at the same moment, in two places, are not both the first one for long.
        customer = await work.customers.lock(customer.id)
    if await why_not(work, clock, shop, survey, customer, conversation) is not None:
        return None
    feedback = Feedback(
        id=FeedbackId(new_id()),
        kind=_SURVEY_KINDS.get(survey, FeedbackKind.CSAT),
        key=key,
        customer_id=customer.id if customer else None,
        conversation_id=conversation.id if conversation else None,
        order_number=order.number if order else None,
        asked_at=clock.now(),
    )
    return question_of(feedback, shop.name) if await work.feedback.add(feedback) else None


async def ask_about_order(
    work: UnitOfWork, clock: Clock, shop: Shop, order: Order, customer: Customer
) -> Question | None:
    """The question about a delivered order, once; None where it was asked, or may not be."""
    return await ask(work, clock, shop, Survey.ORDER, key=order_key(order.number), customer=customer, order=order)


async def why_not(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    survey: Survey,
    customer: Customer | None,
    conversation: Conversation | None = None,
) -> WhyNot | None:
    """What stands in the way of asking somebody now; None when nothing does."""
    # The rules that cost nothing first: most surveys of most shops are off.
    if (reason := why_not_to_ask(survey, Standing(), shop.feedback, clock.now())) is not None:
        return reason
    standing = await _standing(work, clock, customer, conversation)
    return why_not_to_ask(survey, standing, shop.feedback, clock.now())


async def waiting_question(work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation) -> Question | None:
    """What was asked in the conversation within the last day, and has neither been answered nor declined."""
    feedback = await work.feedback.waiting_in(conversation.id, clock.now() - QUESTION_WAITS_FOR)
    return question_of(feedback, shop.name) if feedback else None


async def _standing(
    work: UnitOfWork, clock: Clock, customer: Customer | None, conversation: Conversation | None
) -> Standing:
    now, person = clock.now(), _person(customer, conversation)
    words = await work.feedback.last_words(person, now - ANGRY_FOR, WORDS_LOOKED_AT)
    return Standing(
        is_erased=customer is not None and customer.erased_at is not None,
        has_withdrawn=customer is not None
        and customer.email is not None
        and not await may_contact(work, channel=EMAIL, address=customer.email, purpose=FEEDBACK),
        asked_at=await work.feedback.asked_at(person),
        unhappy_at=await work.feedback.unhappy_at(person),
        has_open_trouble=await work.feedback.has_open_trouble(person, now - OPEN_TROUBLE_FOR),
        is_angry=any(map(is_angry, words)),
    )


def _person(customer: Customer | None, conversation: Conversation | None) -> Person:
    """Whose standing counts: also whose proof has run out in a conversation is left in peace."""
    known = conversation.customer_id if conversation else None
    return Person(customer.id if customer else known, conversation.id if conversation else None)
