"""How orders, money and days are put into words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop

CAPABILITIES = (
    {"title": "Where is my order?", "payload": "/track_order"},
    {"title": "Opening hours", "payload": "/opening_hours"},
    {"title": "Talk to a person", "payload": "/contact_human_agent"},
)
TALK_TO_A_PERSON = ({"title": "Talk to a person", "payload": "/contact_human_agent"},)


def money(amount_minor: int, currency: str) -> str:
    """An amount in minor units as people write it, `$12.50`."""
    digits = get_currency_precision(currency)
    return str(format_currency(Decimal(amount_minor).scaleb(-digits), currency, locale="en_US"))


def day(moment: datetime | date, shop: Shop) -> str:
    """A day as people say it, in the shop's time zone: `Thursday 21 May`."""
    local = moment.astimezone(shop.hours.zone) if isinstance(moment, datetime) else moment
    return f"{local:%A} {local.day} {local:%B}"


def order_status(order: Order, shop: Shop, today: date, *, verified: bool) -> str:
    """Where an order stands. The tracking number leads to an address, so only a verified customer gets it."""
    number = order.number
    match order.status:
        case OrderStatus.PENDING:
            return f"Order {number} is waiting for its payment. We start preparing it as soon as that has arrived."
        case OrderStatus.PAID:
            return f"Order {number} is paid, and we will start preparing it soon."
        case OrderStatus.PREPARING:
            return f"Order {number} is being prepared.{_arrival(order, shop, today)}"
        case OrderStatus.SHIPPED:
            left = f" It left us on {day(order.shipped_at, shop)}" if order.shipped_at else ""
            carrier = f" with {order.carrier}" if left and order.carrier else ""
            tracking = (
                f" Your tracking number is {order.tracking_number}." if verified and order.tracking_number else ""
            )
            sent = f"{left}{carrier}." if left else ""
            return f"Order {number} is on its way.{sent}{_arrival(order, shop, today)}{tracking}"
        case OrderStatus.DELIVERED:
            when = f" on {day(order.delivered_at, shop)}" if order.delivered_at else ""
            return f"Order {number} was delivered{when}."
        case OrderStatus.CANCELLED:
            return f"Order {number} was cancelled."
        case OrderStatus.RETURNED:
            return f"Order {number} came back to us as a return."
        case OrderStatus.REFUNDED:
            return f"Order {number} was refunded."


def order_line(order: Order, shop: Shop) -> str:
    """An order in one line of a list."""
    status = {OrderStatus.PREPARING: "being prepared", OrderStatus.SHIPPED: "on its way"}.get(
        order.status, order.status.value
    )
    return (
        f"{order.number}: {status}, placed on {day(order.placed_at, shop)}, {money(order.total_minor, order.currency)}"
    )


def _arrival(order: Order, shop: Shop, today: date) -> str:
    if order.due_on is None:
        return ""
    if order.due_on < today:
        return f" It was due on {day(order.due_on, shop)}, so it is late; I'm sorry about that."
    return f" It should arrive by {day(order.due_on, shop)}."
