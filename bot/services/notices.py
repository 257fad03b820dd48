"""Mails about an order: the shop learns what to do, the customer what was done in their name."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.customers import Customer
from bot.core.money import money_in_words
from bot.core.orders import Order, OrderLine
from bot.core.shop import Shop
from bot.services.outbox import queue_mail
from bot.services.ports import Clock, UnitOfWork


async def notify_of_order(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    order: Order,
    customer: Customer | None,
    *,
    key: str,
    subject: str,
    to_shop: Sequence[str],
    to_customer: Sequence[str],
) -> None:
    """Queue one mail to the shop and, where there is an address, one to the customer. The same key queues them once."""
    address = order.email or (customer.email if customer else None)
    who = f"{customer.name} ({customer.external_id}, {customer.email})" if customer else "unknown"
    await queue_mail(
        work,
        clock,
        key=f"{key}:shop",
        to=shop.contact_email,
        subject=f"[{shop.name}] {subject}",
        body="\n".join([*to_shop, "", f"Customer: {who}", f"Order: {order.number}"]),
        reply_to=address,
    )
    if address is None:
        return
    greeting = f"Hello {customer.first_name}," if customer and customer.first_name else "Hello,"
    # Whoever got into a customer's account must not be able to act unnoticed.
    warning = f"Was this not you? Please write to us at once: {shop.contact_email}"
    await queue_mail(
        work,
        clock,
        key=f"{key}:customer",
        to=address,
        subject=f"[{shop.name}] {subject}",
        body="\n".join([greeting, "", *to_customer, "", warning, "", shop.name]),
        reply_to=shop.contact_email,
    )


def line_texts(lines: Sequence[OrderLine], currency: str) -> list[str]:
    """Lines of an order as a mail lists them."""
    return [
        f"- {line.quantity} × {line.title}, {money_in_words(line.unit_price_minor, currency)} each" for line in lines
    ]
