"""Answers: kept once, with what they are about; a low one goes to a person, a very good one is worth another word."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.core.conversations import Conversation, clean_text
from bot.core.customers import EMAIL, Customer
from bot.core.feedback import (
    BETWEEN_REVIEWS,
    MAX_FEEDBACK_CHARACTERS,
    SCALES,
    Feedback,
    FeedbackId,
    FeedbackKind,
    Invitation,
    is_score,
    question_of,
)
from bot.core.requests import RequestKind
from bot.core.shop import Shop
from bot.errors import FeedbackRefused
from bot.services.conversations import channel_conversation
from bot.services.earning import award_feedback_points
from bot.services.feedback_ports import Person
from bot.services.ids import new_id
from bot.services.opinions import note_themes
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork
from bot.services.requests import add_request
from bot.services.transcripts import indented


@dataclass(frozen=True)
class Answered:
    """An answer as it is kept now. `is_new` says whether this time something was added to it or changed.

    `reply` is what to say, `invitation` what else to ask of somebody who is very happy, `points` what it earned.
    """

    feedback: Feedback
    is_new: bool
    reply: str
    invitation: Invitation | None = None
    points: int = 0


async def open_question(work: UnitOfWork, feedback_id: FeedbackId) -> Feedback | None:
    """What was asked, if it can be answered still, or was; None for a customer who was erased."""
    feedback = await work.feedback.get(feedback_id)
    if feedback is None or feedback.asked_at is None or await _is_erased(work, feedback):
        return None
    return feedback


async def record_answer(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    feedback_id: FeedbackId,
    *,
    score: int | None = None,
    text: str | None = None,
) -> Answered:
    """Keep what somebody answers: a score, words, or both; what is left out stays as it was.

    Safe to repeat: the same answer again changes nothing. Within an hour a score, and words, may still be changed;
    after that the first answer stands, to which only what is missing can be added. A low score opens one request to
    the shop's people, whatever happens to the score later; an answer earns points once.

    Raises FeedbackRefused for a question that there is not, a score that is not on its scale, no answer at all, or a
    customer who was erased.
    """
    feedback = await work.feedback.get(feedback_id, lock=True)
    if feedback is None or feedback.asked_at is None:
        raise FeedbackRefused("unknown")
    if await _is_erased(work, feedback):
        raise FeedbackRefused("over")
    customer = await _customer(work, feedback)
    answered = _with_answer(clock, feedback, score, text)
    if answered == feedback:
        return await _answered(work, clock, shop, feedback, is_new=False)
    if answered.is_low and answered.request_number is None:
        answered = await _call_a_person(work, clock, shop, answered, customer)
    elif answered.request_number is not None:
        await _pass_on(work, clock, shop, answered)
    await work.feedback.save(answered)
    if answered.text != feedback.text:
        await note_themes(work, shop, answered)
    return await _answered(work, clock, shop, answered, is_new=True)


async def decline_question(work: UnitOfWork, clock: Clock, feedback_id: FeedbackId) -> None:
    """Note that somebody does not want to answer. Safe to repeat; an answer that was given stays."""
    feedback = await work.feedback.get(feedback_id, lock=True)
    if feedback is not None and feedback.answered_at is None and feedback.declined_at is None:
        await work.feedback.save(replace(feedback, declined_at=clock.now()))


async def _customer(work: UnitOfWork, feedback: Feedback) -> Customer | None:
    return await work.customers.get(feedback.customer_id) if feedback.customer_id else None


async def _is_erased(work: UnitOfWork, feedback: Feedback) -> bool:
    customer = await _customer(work, feedback)
    return customer is not None and customer.erased_at is not None


def _with_answer(clock: Clock, feedback: Feedback, score: int | None, text: str | None) -> Feedback:
    """The feedback with what is said now, as far as it may still be said."""
    words = clean_text(text)[:MAX_FEEDBACK_CHARACTERS].strip() if text else ""
    if score is not None and not is_score(feedback.kind, score):
        raise FeedbackRefused("bad_score")
    if score is None and not words:
        raise FeedbackRefused("no_answer")
    now = clock.now()
    may_change = feedback.may_change(now)
    return replace(
        feedback,
        score=score if score is not None and (may_change or feedback.score is None) else feedback.score,
        text=words if words and (may_change or feedback.text is None) else feedback.text,
        answered_at=feedback.answered_at or now,
        declined_at=None,
    )


async def _call_a_person(
    work: UnitOfWork, clock: Clock, shop: Shop, feedback: Feedback, customer: Customer | None
) -> Feedback:
    """Have the shop's people see to a low score; the feedback with the number of the request."""
    conversation = await _conversation(work, clock, feedback, customer)
    if conversation is None:
        return feedback
    rating = feedback.score if feedback.kind in (FeedbackKind.CSAT, FeedbackKind.REVIEW) else None
    request = await add_request(
        work,
        clock,
        shop,
        conversation,
        customer,
        RequestKind.FEEDBACK,
        _in_words(feedback, shop),
        order_number=feedback.order_number,
        rating=rating,
    )
    return replace(feedback, request_number=request.number)


async def _conversation(
    work: UnitOfWork, clock: Clock, feedback: Feedback, customer: Customer | None
) -> Conversation | None:
    """Where it was said: the conversation, or else the customer's exchange by e-mail."""
    if feedback.conversation_id is not None:
        return await work.conversations.get(feedback.conversation_id)
    if customer is None:
        return None
    conversation = await channel_conversation(work, clock, channel=EMAIL, external_id=customer.id)
    if conversation.customer_id is None:
        conversation = replace(conversation, customer_id=customer.id)
        await work.conversations.save(conversation)
    return conversation


async def _pass_on(work: UnitOfWork, clock: Clock, shop: Shop, feedback: Feedback) -> None:
    """Tell whoever sees to the request what was added to it, or changed."""
    await queue_mail(
        work,
        clock,
        key=f"feedback:{feedback.id}:{new_id()}",
        to=shop.contact_email,
        subject=f"[{shop.name}] More about {feedback.request_number}",
        body=f"The customer says more about {feedback.request_number}:\n\n    {indented(_in_words(feedback, shop))}",
    )


def _in_words(feedback: Feedback, shop: Shop) -> str:
    """An answer as the shop's people read it: the score, what was asked, and the words."""
    lines = [question_of(feedback, shop.name).text]
    if feedback.score is not None and (scale := SCALES.get(feedback.kind)) is not None:
        meaning = f"{scale.least} is “{scale.least_means}”, {scale.most} is “{scale.most_means}”"
        lines.append(f"Answer: {feedback.score} ({meaning})")
    return "\n".join([*lines, *([feedback.text] if feedback.text else [])])


async def _answered(work: UnitOfWork, clock: Clock, shop: Shop, feedback: Feedback, *, is_new: bool) -> Answered:
    points = 0
    if feedback.score is not None and feedback.customer_id is not None:
        points = await award_feedback_points(work, clock, shop, feedback.customer_id, feedback.kind.value, feedback.id)
    return Answered(feedback, is_new, _reply(feedback, is_new), await _invitation(work, clock, shop, feedback), points)


def _reply(feedback: Feedback, is_new: bool) -> str:
    # Asked once: who says no more to it has heard the question.
    if feedback.is_low and feedback.text is None and is_new:
        return (
            "Thank you for being frank. We're sorry that we let you down, and somebody from our team will look into "
            "it. What can we do to put it right?"
        )
    if feedback.is_low:
        return "Thank you for being frank. We're sorry that we let you down; somebody from our team will look into it."
    if feedback.is_promoter:
        return "Thank you, you make our day!"
    return "Thank you! What you tell us helps us to get better."


async def _invitation(work: UnitOfWork, clock: Clock, shop: Shop, feedback: Feedback) -> Invitation | None:
    """What somebody who is very happy may be asked for: friends where that is rewarded, else a review now and then."""
    if not feedback.is_promoter:
        return None
    brings_friends = shop.loyalty is not None and shop.loyalty.referral is not None and feedback.customer_id is not None
    if feedback.kind is FeedbackKind.NPS and brings_friends:
        return Invitation.REFERRAL
    person = Person(feedback.customer_id, feedback.conversation_id)
    reviewed_at = await work.feedback.reviewed_at(person)
    if reviewed_at is None or reviewed_at < clock.now() - BETWEEN_REVIEWS:
        return Invitation.REVIEW
    return Invitation.REFERRAL if brings_friends else None
