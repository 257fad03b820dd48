"""Who may see which order."""

from __future__ import annotations

from enum import Enum

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId
from bot.core.orders import Order, proves_order
from bot.core.verification import LookupLimits
from bot.services.ids import new_id
from bot.services.ports import Clock, UnitOfWork, VerificationAttempt

ORDER_LOOKUP = "order_lookup"


class LookupRefusal(Enum):
    """Why a stranger is not shown an order. A wrong proof and a wrong number look the same, on purpose."""

    NO_MATCH = "no_match"
    TOO_MANY_ATTEMPTS = "too_many_attempts"


async def look_up_order(
    work: UnitOfWork,
    clock: Clock,
    *,
    conversation_id: ConversationId,
    number: str,
    proof: str,
    limits: LookupLimits,
) -> Order | LookupRefusal:
    """The order, if the typed e-mail address or postcode belongs to it; the attempt is recorded.

    Too many failed attempts, in this conversation or for this order, end in TOO_MANY_ATTEMPTS whatever the proof, which
    is not even looked at then.
    """
    now = clock.now()
    # Locked, so that guesses from many conversations at once are counted one after the other.
    order = await work.orders.by_number(number, lock=True)
    in_conversation = await work.verifications.failed_in_conversation(
        conversation_id, ORDER_LOOKUP, now - limits.conversation_window
    )
    for_order = await work.verifications.failed_for_subject(ORDER_LOOKUP, number, now - limits.order_window)
    if limits.is_reached(in_conversation, for_order):
        return LookupRefusal.TOO_MANY_ATTEMPTS
    proven = order is not None and proves_order(order, proof)
    await work.verifications.add(VerificationAttempt(new_id(), conversation_id, ORDER_LOOKUP, number, proven, now))
    return order if order is not None and proven else LookupRefusal.NO_MATCH


async def own_order(work: UnitOfWork, customer_id: CustomerId, number: str) -> Order | None:
    """The verified customer's order with that number; None when it is not theirs or there is none."""
    order = await work.orders.by_number(number)
    return order if order is not None and order.customer_id == customer_id else None
