"""Orders: what they hold, who may see them, and how far along they are."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from bot.core.customers import CustomerId, normalise_email, normalise_postcode

MAX_ORDER_NUMBER_CHARACTERS = 32
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015#_]+")
_ORDER_NUMBER = re.compile(r"([A-Z]{0,4})([0-9]{4,12})")


class OrderStatus(str, Enum):
    """How far along an order is."""

    PENDING = "pending"
    PAID = "paid"
    PREPARING = "preparing"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


OPEN_STATUSES = frozenset({OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.SHIPPED})


@dataclass(frozen=True)
class OrderLine:
    """One product in an order; money in minor units (cents)."""

    sku: str
    title: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True)
class Order:
    """An order as the shop knows it; money in minor units (cents) of the shop's currency."""

    number: str
    customer_id: CustomerId | None
    status: OrderStatus
    placed_at: datetime
    total_minor: int
    currency: str
    email: str | None = None
    postcode: str | None = None
    lines: tuple[OrderLine, ...] = ()
    due_on: date | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    carrier: str | None = None
    tracking_number: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether the customer is still waiting for something."""
        return self.status in OPEN_STATUSES


def normalise_order_number(text: str, prefix: str) -> str | None:
    """An order number as it is kept (`TC-10002`), whatever its spacing, case and dashes; None when it is not one.

    A number is up to four letters and 4 to 12 digits; a bare one gets the shop's prefix, if the shop has one.
    """
    if len(text) > 4 * MAX_ORDER_NUMBER_CHARACTERS:
        return None
    compact = _SEPARATORS.sub("", text.strip().upper())
    if not compact.isascii() or not compact.isalnum() or len(compact) > MAX_ORDER_NUMBER_CHARACTERS:
        return None
    match = _ORDER_NUMBER.fullmatch(compact)
    if match is None:
        return None
    letters, digits = match.group(1) or prefix, match.group(2)
    return f"{letters}-{digits}" if letters else digits


def proves_order(order: Order, proof: str) -> bool:
    """Whether a typed e-mail address or postcode belongs to the order. Takes the same time for right and wrong."""
    if "@" in proof:
        expected, given = normalise_email(order.email or ""), normalise_email(proof)
    else:
        expected, given = normalise_postcode(order.postcode or ""), normalise_postcode(proof)
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))
