"""How orders, money and days are put into words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from bot.core.conversations import Card
from bot.core.money import money_in_words as money
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop

Button = dict[str, str]

ITEMS_SHOWN = 3
ITEM_CHARACTERS = 60

CAPABILITIES: tuple[Button, ...] = (
    {"title": "Where is my order?", "payload": "/track_order"},
    {"title": "Send something back", "payload": "/return_item"},
    {"title": "Opening hours", "payload": "/opening_hours"},
    {"title": "Talk to a person", "payload": "/contact_human_agent"},
)
YES_OR_NO: tuple[Button, ...] = ({"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"})
TALK_TO_A_PERSON: tuple[Button, ...] = ({"title": "Talk to a person", "payload": "/contact_human_agent"},)


def payload(intent: str, **entities: str) -> str:
    """What a choice stands for, as Rasa writes it: `/intent{"entity": "value"}`."""
    return f"/{intent}{json.dumps(entities)}" if entities else f"/{intent}"


def beside(cards: Sequence[Card]) -> dict[str, Any]:
    """The cards as what goes with a text that is said; plain values, as an action server sends them on."""
    return {"cards": [asdict(card) for card in cards]} if cards else {}


def day(moment: datetime | date, shop: Shop) -> str:
    """A day as people say it, in the shop's time zone: `Thursday 21 May`."""
    local = moment.astimezone(shop.hours.zone) if isinstance(moment, datetime) else moment
    return f"{local:%A} {local.day} {local:%B}"


def order_status(order: Order, shop: Shop, today: date, *, verified: bool) -> str:
    """Where an order stands: in a line, and below it what else there is to know.

    The tracking number leads to an address, so only a verified customer gets it.
    """
    number = order.number
    match order.status:
        case OrderStatus.PENDING:
            return f"Order {number} is waiting for its payment. We start preparing it as soon as that has arrived."
        case OrderStatus.PAID:
            return f"Order {number} is paid, and we will start preparing it soon."
        case OrderStatus.PREPARING:
            return _lines(f"Order {number} is being prepared.", order, shop, today)
        case OrderStatus.SHIPPED:
            left = f"It left us on {day(order.shipped_at, shop)}" if order.shipped_at else ""
            carrier = f" with {order.carrier}" if left and order.carrier else ""
            tracking = f"Your tracking number is {order.tracking_number}." if order.tracking_number else ""
            more = (f"{left}{carrier}." if left else "", tracking if verified else "")
            return _lines(f"Order {number} is on its way.", order, shop, today, *more)
        case OrderStatus.DELIVERED:
            when = f" on {day(order.delivered_at, shop)}" if order.delivered_at else ""
            return f"Order {number} was delivered{when}."
        case OrderStatus.CANCELLED:
            return f"Order {number} was cancelled."
        case OrderStatus.RETURNED:
            return f"Order {number} came back to us as a return."
        case OrderStatus.REFUNDED:
            return f"Order {number} was refunded."


def _lines(status: str, order: Order, shop: Shop, today: date, *more: str) -> str:
    """The status with an excuse where the order is late, and in a second line what a card shows as well."""
    details = list(filter(None, more))
    if order.due_on is not None and order.due_on < today:
        status = f"{status} It was due on {day(order.due_on, shop)}, so it is late; I'm sorry about that."
    elif order.due_on is not None:
        details.insert(1 if len(more) else 0, f"It should arrive by {day(order.due_on, shop)}.")
    return "\n".join(filter(None, (status, " ".join(details))))


def order_line(order: Order, shop: Shop) -> str:
    """An order in one line of a list."""
    status = {OrderStatus.PREPARING: "being prepared", OrderStatus.SHIPPED: "on its way"}.get(
        order.status, order.status.value
    )
    return (
        f"{order.number}: {status}, placed on {day(order.placed_at, shop)}, {money(order.total_minor, order.currency)}"
    )


def order_contents(order: Order, shop: Shop) -> str:
    """What was ordered, when, and for how much; for a verified customer."""
    items = items_in_words(order)
    placed, total = day(order.placed_at, shop), money(order.total_minor, order.currency)
    contents = f"In it: {items}. " if items else ""
    return f"{contents}It was placed on {placed} and came to {total}."


def items_in_words(order: Order) -> str:
    """What is in an order, in short; nothing where the shop has not said."""
    shown = [f"{line.quantity} × {_shortened(line.title)}" for line in order.lines[:ITEMS_SHOWN]]
    more = len(order.lines) - len(shown)
    return "; ".join(shown) + (f" and {more} more" if more else "")


def _shortened(title: str) -> str:
    title = " ".join(title.split())
    return title if len(title) <= ITEM_CHARACTERS else f"{title[: ITEM_CHARACTERS - 1].rstrip()}…"
