"""Orders: what they hold, who may see them, how far along they are, and what may still be done with them."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from bot.core.customers import CustomerId, normalise_email, normalise_postcode
from bot.core.shop import Policies

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
# A status only ever moves to the right; steps may be left out.
PROGRESS = (
    *(OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.SHIPPED, OrderStatus.DELIVERED),
    *(OrderStatus.CANCELLED, OrderStatus.RETURNED, OrderStatus.REFUNDED),
)
# Still in the house: what is in the box and where it goes can be changed.
CHANGEABLE_STATUSES = frozenset({OrderStatus.PENDING, OrderStatus.PAID, OrderStatus.PREPARING})


@dataclass(frozen=True)
class OrderLine:
    """One product in an order; money in minor units (cents)."""

    sku: str
    title: str
    quantity: int
    unit_price_minor: int


@dataclass(frozen=True)
class Order:
    """An order as the shop knows it; money in minor units (cents) of the shop's currency.

    The discount, and what was charged beyond the goods (their delivery), are known only where the shop says so.
    """

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
    shipping_address: str | None = None
    cancelled_at: datetime | None = None
    paid_at: datetime | None = None
    discount_minor: int | None = None
    delivery_minor: int | None = None

    @property
    def goods_minor(self) -> int:
        """What its lines cost together, before any discount."""
        return sum(line.quantity * line.unit_price_minor for line in self.lines)

    @property
    def paid_for_goods_minor(self) -> int:
        """The total without delivery. Where only the total is known: no more than the goods cost."""
        if self.delivery_minor is not None:
            return max(self.total_minor - self.delivery_minor, 0)
        return min(self.total_minor, self.goods_minor) if self.lines else self.total_minor

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


def other_forms(number: str, prefix: str) -> tuple[str, ...]:
    """How a number, as normalise_order_number gives it, may be kept instead: orders from elsewhere keep theirs.

    Without the shop's prefix, which a bare number was given (`536365`), or with no dash (`C536379`).
    """
    letters, dash, digits = number.rpartition("-")
    if not dash:
        return ()
    return (digits, f"{letters}{digits}") if letters == prefix else (f"{letters}{digits}",)


def proves_order(order: Order, proof: str) -> bool:
    """Whether a typed e-mail address or postcode belongs to the order. Takes the same time for right and wrong."""
    if "@" in proof:
        expected, given = normalise_email(order.email or ""), normalise_email(proof)
    else:
        expected, given = normalise_postcode(order.postcode or ""), normalise_postcode(proof)
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace"))


@dataclass(frozen=True)
class CancellationTerms:
    """What cancelling costs and what comes back, in minor units."""

    fee_minor: int
    refund_minor: int


@dataclass(frozen=True)
class CannotCancel:
    """`reason` is the status that stands in the way: shipped, delivered, cancelled, returned or refunded."""

    reason: str


@dataclass(frozen=True)
class ReturnTerms:
    """The order may be sent back, up to and including the last day (in the shop's time zone)."""

    last_day: date


@dataclass(frozen=True)
class CannotReturn:
    """`reason` is not_delivered_yet, too_late, cancelled, already_returned or refunded."""

    reason: str


def can_change(order: Order) -> bool:
    """Whether what was ordered may still be changed, or cancelled."""
    return order.status in CHANGEABLE_STATUSES


def can_change_address(order: Order) -> bool:
    """Whether the order may still be sent somewhere else."""
    return order.status in CHANGEABLE_STATUSES


def cancellation_terms(order: Order, policies: Policies) -> CancellationTerms | CannotCancel:
    """What cancelling the order now would mean. The fee is never more than was paid, so a pending order costs none."""
    if not can_change(order):
        return CannotCancel(order.status.value)
    if order.status is OrderStatus.PENDING:
        return CancellationTerms(fee_minor=0, refund_minor=0)
    fee_minor = min(policies.cancellation_fee_minor, order.total_minor)
    return CancellationTerms(fee_minor, order.total_minor - fee_minor)


def return_terms(order: Order, policies: Policies, now: datetime) -> ReturnTerms | CannotReturn:
    """Whether the order may be sent back. `now` is in the shop's time zone, in which its days are counted."""
    if order.is_open:
        return CannotReturn("not_delivered_yet")
    if order.status is OrderStatus.RETURNED:
        return CannotReturn("already_returned")
    if order.status is not OrderStatus.DELIVERED:
        return CannotReturn(order.status.value)
    # Where nobody noted the delivery, the customer gets the benefit of the doubt.
    moments = [order.delivered_at] if order.delivered_at else [order.shipped_at, order.placed_at]
    days = [moment.astimezone(now.tzinfo).date() for moment in moments if moment is not None]
    if order.delivered_at is None and order.due_on is not None:
        days.append(order.due_on)
    last_day = max(days) + timedelta(days=policies.returns_days)
    return ReturnTerms(last_day) if now.date() <= last_day else CannotReturn("too_late")
