"""Asking for a person."""

from __future__ import annotations

from bot.core.conversations import Conversation, ConversationEvent
from bot.core.handoffs import Handoff, HandoffId, HandoffReason
from bot.core.shop import Shop
from bot.services.ids import new_id
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork
from bot.services.transcripts import conversation_lines

_REASONS = {
    HandoffReason.ASKED: "The customer asked for a person.",
    HandoffReason.TURN_FAILED: "The assistant could not answer and apologised.",
    HandoffReason.MISUNDERSTOOD: "The assistant did not understand the customer, several times in a row.",
    HandoffReason.COMPLAINT: "The customer has a complaint.",
    HandoffReason.REPORT_PROBLEM: "The customer reports a problem with an order.",
    HandoffReason.CALLBACK: "The customer would like to be called back.",
    HandoffReason.ABUSE: "The conversation turned abusive, and the assistant stepped back.",
    HandoffReason.ACCOUNT: "The customer needs help with their account.",
}


async def request_handoff(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, reason: HandoffReason
) -> Handoff:
    """Record that a person is wanted, and send the conversation to the shop's mailbox.

    Safe to repeat: while a request is open it is returned, and nobody is asked twice.
    """
    open_request = await work.handoffs.open_for(conversation.id)
    if open_request is not None:
        return open_request
    now = clock.now()
    handoff = Handoff(HandoffId(new_id()), conversation.id, reason, now)
    await work.handoffs.add(handoff)
    await work.conversations.add_event(
        ConversationEvent(conversation.id, "handoff_requested", now, {"reason": reason.value})
    )
    customer_id = conversation.verified_customer(now)
    customer = await work.customers.get(customer_id) if customer_id else None
    await queue_mail(
        work,
        clock,
        key=f"handoff:{handoff.id}",
        to=shop.contact_email,
        subject=f"[{shop.name}] {customer.name if customer else 'A visitor'} is waiting for a person",
        body="\n".join(
            [
                _REASONS[reason],
                "",
                *await conversation_lines(work, conversation, customer, shop.widget.questions),
            ]
        ),
        reply_to=customer.email if customer else None,
    )
    return handoff
