"""Call-backs: how somebody is reached whom nobody could help at once, and how the shop hears of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.conversations import Conversation, clean_text
from bot.core.handoffs import Handoff, HandoffState
from bot.core.shop import Shop
from bot.services.handoff_words import reason_in_words
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, Hint, UnitOfWork
from bot.services.transcripts import conversation_lines, indented

MAX_CONTACT_CHARACTERS = 254
# Whoever asks for people again within so long, where they are reached by mail, asks for the same.
SAME_REQUEST = timedelta(minutes=30)
# Answers before the chat begins that say how somebody is reached, by the question's id.
_WAYS = ("email", "phone")


async def known_contact(work: UnitOfWork, conversation: Conversation, now: datetime) -> str | None:
    """How a customer can be reached: as the shop knows them if that is proven, else as they said before the chat."""
    customer_id = conversation.verified_customer(now)
    customer = await work.customers.get(customer_id) if customer_id else None
    if customer is not None and (customer.email or customer.phone):
        return customer.email or customer.phone
    said = conversation.visitor_details or {}
    return next((said[way][:MAX_CONTACT_CHARACTERS] for way in _WAYS if said.get(way)), None)


async def note_contact(work: UnitOfWork, conversation: Conversation, contact: str) -> Handoff | None:
    """Note how to reach somebody who is to be called back; the request, or None where none is open any more.

    Safe to repeat; the last one counts. The conversation must be locked.
    """
    handoff = await work.handoffs.lock_open(conversation.id)
    if handoff is None or handoff.state is not HandoffState.CALLBACK:
        return None
    handoff = replace(handoff, contact=clean_text(contact)[:MAX_CONTACT_CHARACTERS])
    await work.handoffs.save(handoff)
    work.hint(Hint("desk", conversation.id))
    return handoff


async def mail_the_shop(
    work: UnitOfWork, clock: Clock, shop: Shop, conversation: Conversation, handoff: Handoff
) -> None:
    """Tell the shop by mail that somebody is to be called back, with the conversation; once in a while at most."""
    customer_id = conversation.verified_customer(clock.now())
    customer = await work.customers.get(customer_id) if customer_id else None
    await queue_mail(
        work,
        clock,
        key=f"handoff:{handoff.id}:{int(clock.now().timestamp() // SAME_REQUEST.total_seconds())}",
        to=shop.contact_email,
        subject=f"[{shop.name}] {customer.name if customer else 'A visitor'} is waiting for a person",
        body="\n".join(
            [
                reason_in_words(handoff.reason),
                *_what_is_known(shop, handoff),
                "",
                *await conversation_lines(work, conversation, customer, shop.widget.questions),
            ]
        ),
        reply_to=customer.email if customer else None,
    )


def _what_is_known(shop: Shop, handoff: Handoff) -> list[str]:
    lines = [f"To be reached at: {indented(handoff.contact)}"] if handoff.contact else []
    if handoff.due_at is not None:
        lines.append(f"Promised by: {handoff.due_at.astimezone(shop.hours.zone):%A %d %B, %H:%M}")
    return [*lines, *(f"{name.capitalize()}: {indented(value)}" for name, value in handoff.summary.items())]
