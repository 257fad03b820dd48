"""Who may see which order, and what they may have done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from bot.core.conversations import ConversationId, clean_text
from bot.core.customers import Customer, CustomerId, normalise_address
from bot.core.invoices import Invoice
from bot.core.money import money_in_words
from bot.core.orders import (
    CancellationTerms,
    CannotCancel,
    Order,
    OrderStatus,
    can_change_address,
    cancellation_terms,
    other_forms,
    proves_order,
)
from bot.core.refunds import Refund, RefundId, RefundReason, RefundStatus
from bot.core.shop import Shop
from bot.core.verification import LookupLimits
from bot.errors import CustomerNotFound, OrderActionRefused
from bot.services.earning import settle_order
from bot.services.ids import new_id
from bot.services.notices import line_texts, notify_of_order
from bot.services.ports import Clock, UnitOfWork, VerificationAttempt

ORDER_LOOKUP = "order_lookup"


class LookupRefusal(Enum):
    """Why a stranger is not shown an order. A wrong proof and a wrong number look the same, on purpose."""

    NO_MATCH = "no_match"
    TOO_MANY_ATTEMPTS = "too_many_attempts"


async def kept_number(work: UnitOfWork, number: str, prefix: str) -> str:
    """How an order's number is kept: as given, unless an order has only one of its other forms."""
    for form in (number, *other_forms(number, prefix)):
        if await work.orders.by_number(form) is not None:
            return form
    return number


async def look_up_order(
    work: UnitOfWork,
    clock: Clock,
    *,
    conversation_id: ConversationId,
    number: str,
    proof: str,
    limits: LookupLimits,
    other_forms: Sequence[str] = (),
) -> Order | LookupRefusal:
    """The order, if the typed e-mail address or postcode belongs to it; the attempt is recorded.

    `other_forms` are further ways in which the same number may be kept; all of them together are one attempt. Too many
    failed attempts, in this conversation or for this order, end in TOO_MANY_ATTEMPTS whatever the proof, which is not
    even looked at then.
    """
    now = clock.now()
    # Locked, so that guesses from many conversations at once are counted one after the other.
    found = [await work.orders.by_number(form, lock=True) for form in (number, *other_forms)]
    in_conversation = await work.verifications.failed_in_conversation(
        conversation_id, ORDER_LOOKUP, now - limits.conversation_window
    )
    for_order = await work.verifications.failed_for_subject(ORDER_LOOKUP, number, now - limits.order_window)
    if limits.is_reached(in_conversation, for_order):
        return LookupRefusal.TOO_MANY_ATTEMPTS
    proven = [order for order in found if order is not None and proves_order(order, proof)]
    attempt = VerificationAttempt(new_id(), conversation_id, ORDER_LOOKUP, number, bool(proven), now)
    await work.verifications.add(attempt)
    return proven[0] if proven else LookupRefusal.NO_MATCH


async def own_order(work: UnitOfWork, customer_id: CustomerId, number: str) -> Order | None:
    """The verified customer's order with that number; None when it is not theirs or there is none."""
    order = await work.orders.by_number(number)
    return order if order is not None and order.customer_id == customer_id else None


async def lock_own_order(work: UnitOfWork, customer_id: CustomerId, number: str) -> Order:
    """The customer's order, which nobody else changes until this unit of work ends.

    Raises OrderActionRefused (not_yours) when it is not theirs or there is none: the two look the same, on purpose.
    """
    order = await work.orders.by_number(number, lock=True)
    if order is None or order.customer_id != customer_id:
        raise OrderActionRefused("not_yours")
    return order


@dataclass(frozen=True)
class Cancellation:
    """A cancelled order, and what it costs and brings back in minor units. No refund where nothing was paid."""

    order: Order
    fee_minor: int
    refund_minor: int
    refund: Refund | None


async def cancel_order(
    work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, number: str
) -> Cancellation:
    """Cancel the verified customer's order, owe them what is left of their money, take back what the order earned, and
    tell them and the shop.

    Raises OrderActionRefused, changing nothing, when the order is not theirs (not_yours) or too far along (its status);
    so one that is cancelled already is refused (cancelled), and is refunded once however often this is called.
    """
    order = await lock_own_order(work, customer_id, number)
    terms = cancellation_terms(order, shop.policies)
    if isinstance(terms, CannotCancel):
        raise OrderActionRefused(terms.reason)
    now = clock.now()
    cancelled = replace(order, status=OrderStatus.CANCELLED, cancelled_at=now)
    await work.orders.save(cancelled)
    refund = None
    if terms.refund_minor:
        refund = Refund(
            id=RefundId(new_id()),
            order_number=order.number,
            amount_minor=terms.refund_minor,
            currency=order.currency,
            reason=RefundReason.CANCELLED,
            status=RefundStatus.PENDING,
            requested_at=now,
        )
        await work.refunds.add(refund)
    await settle_order(work, clock, shop, cancelled)
    money = _money_lines(order, terms, shop)
    await notify_of_order(
        work,
        clock,
        shop,
        cancelled,
        await work.customers.get(customer_id),
        key=f"cancelled:{order.number}",
        subject=f"Order {order.number} is cancelled",
        to_shop=[
            f"The customer cancelled order {order.number} in the chat. It was {order.status.value}: do not send it.",
            *money,
            "",
            *line_texts(order.lines, order.currency),
        ],
        to_customer=[f"Order {order.number} is cancelled, as you asked in our chat.", *money],
    )
    return Cancellation(cancelled, terms.fee_minor, terms.refund_minor, refund)


def _money_lines(order: Order, terms: CancellationTerms, shop: Shop) -> list[str]:
    if order.status is OrderStatus.PENDING:
        return ["Nothing was paid, so nothing has to be paid back."]
    fee = f" after a cancellation fee of {money_in_words(terms.fee_minor, order.currency)}" if terms.fee_minor else ""
    if not terms.refund_minor:
        return [f"Nothing is paid back{fee}."]
    amount = money_in_words(terms.refund_minor, order.currency)
    return [f"To be paid back{fee}: {amount}, within {shop.policies.refund_days} days."]


async def change_shipping_address(
    work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, number: str, address: str
) -> Order:
    """Send the verified customer's order somewhere else, and tell them and the shop.

    The order's postcode stays: it was typed when ordering and is what proves the order. Raises OrderActionRefused,
    changing nothing, when the order is not theirs (not_yours), has left (its status), or the text is no address
    (bad_address). Safe to repeat: the address that it has already changes nothing and mails nobody.
    """
    order = await lock_own_order(work, customer_id, number)
    if not can_change_address(order):
        raise OrderActionRefused(order.status.value)
    kept = _address(address)
    if kept == order.shipping_address:
        return order
    changed = replace(order, shipping_address=kept)
    await work.orders.save(changed)
    before = order.shipping_address or "none"
    await notify_of_order(
        work,
        clock,
        shop,
        changed,
        await work.customers.get(customer_id),
        key=f"address:{new_id()}",
        subject=f"Order {order.number} goes to another address",
        to_shop=[
            f"The customer changed the shipping address of order {order.number} in the chat.",
            "",
            f"New address: {kept}",
            f"Address before: {before}",
        ],
        to_customer=[f"Order {order.number} now goes to this address, as you asked in our chat:", "", kept],
    )
    return changed


async def set_default_address(work: UnitOfWork, clock: Clock, customer_id: CustomerId, address: str) -> Customer:
    """Note where the verified customer's parcels go. Orders that are placed already keep their address.

    Safe to repeat. Raises OrderActionRefused (bad_address) or CustomerNotFound, changing nothing.
    """
    customer = await work.customers.set_address(customer_id, _address(address), clock.now())
    if customer is None:
        raise CustomerNotFound
    return customer


def _address(text: str) -> str:
    kept = normalise_address(clean_text(text))
    if kept is None:
        raise OrderActionRefused("bad_address")
    return kept


async def refunds_of(work: UnitOfWork, number: str) -> list[Refund]:
    """The order's refunds, oldest first; for those who may see the order."""
    return await work.refunds.of_order(number)


async def invoice_of(work: UnitOfWork, number: str) -> Invoice | None:
    """The order's invoice, for those who may see the order; None when there is no such order."""
    order = await work.orders.by_number(number)
    if order is None:
        return None
    customer = await work.customers.get(order.customer_id) if order.customer_id else None
    return Invoice(order, customer.name if customer else None, tuple(await work.refunds.of_order(number)))
