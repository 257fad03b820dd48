"""Asking for a person."""

from __future__ import annotations

from bot.core.conversations import Author, Conversation, ConversationEvent, Message
from bot.core.handoffs import Handoff, HandoffId, HandoffReason
from bot.core.shop import Shop
from bot.services.ids import new_id
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork

TRANSCRIPT_MESSAGES = 100
_REASONS = {
    HandoffReason.ASKED: "The customer asked for a person.",
    HandoffReason.TURN_FAILED: "The assistant could not answer and apologised.",
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
    transcript = await work.messages.after(
        conversation.id, max(conversation.last_seq - TRANSCRIPT_MESSAGES, 0), TRANSCRIPT_MESSAGES
    )
    who = f"{customer.name} ({customer.external_id}, {customer.email})" if customer else "a visitor without a sign-in"
    body = [
        _REASONS[reason],
        "",
        f"Customer: {who}",
        f"Conversation: {conversation.id}, on {conversation.channel}",
        "",
        *(_line(message) for message in transcript),
    ]
    await queue_mail(
        work,
        clock,
        key=f"handoff:{handoff.id}",
        to=shop.contact_email,
        subject=f"[{shop.name}] {customer.name if customer else 'A visitor'} is waiting for a person",
        body="\n".join(body),
        reply_to=customer.email if customer else None,
    )
    return handoff


def _line(message: Message) -> str:
    name = {Author.CUSTOMER: "Customer", Author.SYSTEM: "System"}.get(
        message.author, message.author_name or message.author.value
    )
    return f"{message.at:%Y-%m-%d %H:%M} UTC  {name}: {message.text}"
