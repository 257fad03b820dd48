"""The bodies of the shop API: what is sent, and what is answered."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import ConstrainedInt, ConstrainedList, Field

from bot.core.orders import OrderStatus
from bot.core.refunds import RefundReason
from bot.core.returns import ReturnStatus
from bot.gateway.api_requests import Model
from bot.gateway.api_values import (
    Address,
    Amount,
    Count,
    Currency,
    Day,
    Email,
    Identifier,
    Language,
    Moment,
    Phone,
    PositiveAmount,
    Postcode,
    ShortIdentifier,
    ShortWords,
    Words,
)

MAX_LINES, MAX_REFUNDS, MAX_RETURNS = 500, 100, 50
STATUSES = "pending → paid → preparing → shipped → delivered → cancelled → returned → refunded"


class _Month(ConstrainedInt):
    strict, ge, le = True, 1, 12


class _DayOfMonth(ConstrainedInt):
    strict, ge, le = True, 1, 31


class _PageSize(ConstrainedInt):
    ge, le = 1, 200


class _EntryNumber(ConstrainedInt):
    ge, le = 1, 2**62


class Birthday(Model):
    """A day of the year; nobody needs to know how old somebody is."""

    month: _Month
    day: _DayOfMonth


class CustomerBody(Model):
    """A customer as the shop knows them. What is left out stays as it is; null empties what can be empty."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "name": "Maria Santos",
        "email": "maria@example.com",
        "postcode": "1200",
        "language": "en",
        "birthday": {"month": 2, "day": 29},
    }

    name: Words | None = Field(description="Needed for a customer who is not known yet.")
    email: Email | None
    phone: Phone | None
    postcode: Postcode | None
    address: Address | None = Field(description="Where their parcels go.")
    preferred_name: Words | None = Field(description="How they like to be called.")
    language: Language | None
    birthday: Birthday | None


class CustomerRef(Model):
    """Whose order it is. With a name, somebody who is not known yet becomes a customer."""

    external_id: Identifier = Field(description="The shop's own number for them.")
    name: Words | None
    email: Email | None


class Line(Model):
    """One product in an order."""

    sku: ShortIdentifier
    title: Words
    quantity: Count
    unit_price_minor: Amount = Field(description="The price of one, before any discount.")


class _Lines(ConstrainedList):
    item_type, max_items = Line, MAX_LINES
    __args__ = (Line,)


class RefundBody(Model):
    """Money that was paid back. The same `id` again is the same refund."""

    id: ShortIdentifier = Field(description="The shop's own id for this refund, unique within the order.")
    amount_minor: PositiveAmount
    reason: RefundReason | None
    return_number: ShortIdentifier | None = Field(description="The return (R-482915) that it is for.")
    paid_at: Moment | None = Field(description="When it was paid; now, if left out.")


class _Refunds(ConstrainedList):
    item_type, max_items = RefundBody, MAX_REFUNDS
    __args__ = (RefundBody,)


class ReturnBody(Model):
    """How far along a return is that the customer has registered in the chat."""

    number: ShortIdentifier
    status: ReturnStatus


class _Returns(ConstrainedList):
    item_type, max_items = ReturnBody, MAX_RETURNS
    __args__ = (ReturnBody,)


class OrderBody(Model):
    """An order as the shop knows it. What is left out stays as it is; null empties what can be empty."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "status": "paid",
        "customer": {"external_id": "C-1001", "name": "Maria Santos", "email": "maria@example.com"},
        "placed_at": "2026-01-05T17:00:00+08:00",
        "currency": "USD",
        "total_minor": 3100,
        "delivery_minor": 200,
        "discount_minor": 0,
        "lines": [{"sku": "MUG", "title": "Mug", "quantity": 2, "unit_price_minor": 1450}],
        "email": "maria@example.com",
        "postcode": "1200",
    }

    status: OrderStatus = Field(description=f"Only ever moves forward, steps may be left out: {STATUSES}.")
    customer: CustomerRef | None = Field(description="Nobody: an order without an account.")
    placed_at: Moment | None = Field(description="When it was ordered; now, if left out of an order that is new.")
    currency: Currency | None = Field(description="The shop's currency.")
    total_minor: Amount = Field(
        None, description="What the customer pays in all. Needed for an order that is new, and whenever lines change."
    )
    discount_minor: Amount | None = Field(description="What was taken off the prices of the lines.")
    delivery_minor: Amount | None = Field(
        description="What was charged beyond the goods: their delivery, taxes that are not in the prices."
    )
    lines: _Lines = Field(None, description="All that was ordered. Can change until the order is paid.")
    email: Email | None = Field(description="Of the order; the customer's own, if left out of an order that is new.")
    postcode: Postcode | None = Field(description="With it, or the e-mail address, a stranger proves the order.")
    due_on: Day | None = Field(description="When it should arrive.")
    paid_at: Moment | None = Field(
        description="When it was paid: taken once. Every status after `pending`, but for `cancelled`, says that it is."
    )
    shipped_at: Moment | None
    delivered_at: Moment | None
    cancelled_at: Moment | None
    carrier: ShortWords | None
    tracking_number: ShortWords | None
    shipping_address: Address | None
    refunds: _Refunds = Field(None, description="What was paid back so far, or just now.")
    returns: _Returns = Field(None, description="What became of returns.")


class LedgerQuery(Model):
    """Which entries."""

    before: _EntryNumber | None = Field(description="Entries before this one: `next_before` of the page before.")
    limit: _PageSize = Field(50, description="How many entries at most.")
