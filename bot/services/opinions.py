"""What customers think and say without being asked, and what it is about."""

from __future__ import annotations

from collections.abc import Mapping

from bot.core.feedback import BETWEEN_REVIEWS, Feedback, FeedbackId, FeedbackKind, request_key
from bot.core.requests import RequestKind, ServiceRequest
from bot.core.shop import Shop
from bot.core.themes import find_themes
from bot.services.earning import award_feedback_points
from bot.services.feedback_ports import Person
from bot.services.ids import new_id
from bot.services.ports import Clock, UnitOfWork

_KINDS: Mapping[RequestKind, FeedbackKind] = {
    RequestKind.COMPLAINT: FeedbackKind.COMPLAINT,
    RequestKind.REVIEW: FeedbackKind.REVIEW,
    RequestKind.FEEDBACK: FeedbackKind.COMMENT,
}


async def note_opinion(work: UnitOfWork, clock: Clock, shop: Shop, request: ServiceRequest) -> Feedback | None:
    """Keep a complaint, a review or an opinion as feedback, with its themes; None for any other request.

    Safe to repeat: a request is one piece of feedback. A review with stars earns what the shop gives for one, but of
    those that follow each other closely only the first.
    """
    kind = _KINDS.get(request.kind)
    if kind is None:
        return None
    feedback = Feedback(
        id=FeedbackId(new_id()),
        kind=kind,
        key=request_key(request.number),
        customer_id=request.customer_id,
        conversation_id=request.conversation_id,
        order_number=request.order_number,
        answered_at=request.created_at,
        score=request.rating if kind is FeedbackKind.REVIEW else None,
        text=request.text,
        request_number=request.number,
    )
    earns = await _is_rare(work, clock, feedback)
    if not await work.feedback.add(feedback):
        return await work.feedback.by_key(feedback.key)
    await note_themes(work, shop, feedback)
    if earns and request.customer_id is not None:
        await award_feedback_points(work, clock, shop, request.customer_id, kind.value, feedback.id)
    return feedback


async def _is_rare(work: UnitOfWork, clock: Clock, feedback: Feedback) -> bool:
    """Whether it is a customer's first review with stars for a while."""
    if feedback.score is None or feedback.customer_id is None:
        return False
    # So that two at the same moment are one after the other.
    await work.customers.lock(feedback.customer_id)
    reviewed_at = await work.feedback.reviewed_at(Person(feedback.customer_id))
    return reviewed_at is None or reviewed_at < clock.now() - BETWEEN_REVIEWS


async def note_themes(work: UnitOfWork, shop: Shop, feedback: Feedback) -> None:
    """Keep what the words are about, by the shop's own lists and ours. Safe to repeat, and after the words changed."""
    await work.feedback.set_themes(feedback.id, find_themes(feedback.text or "", shop.feedback.themes))
