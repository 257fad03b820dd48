"""What the shop API answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field, StrictInt

from bot.core.ledger import EntryKind
from bot.core.orders import OrderStatus
from bot.core.refunds import RefundReason, RefundStatus
from bot.core.returns import ReturnStatus
from bot.gateway.api_requests import Answer, Model


class Points(Answer):
    """What an account holds at this moment."""

    available: StrictInt = Field(description="To be spent now; below zero after a refund of points that were spent.")
    pending: StrictInt = Field(description="Earned, and not to be spent yet.")


class BirthdayAnswer(Answer):
    """A day of the year."""

    month: StrictInt
    day: StrictInt


class CustomerAnswer(Answer):
    """A customer as they are known here."""

    external_id: str
    name: str
    preferred_name: str | None
    email: str | None
    phone: str | None
    postcode: str | None
    address: str | None
    language: str | None
    birthday: BirthdayAnswer | None
    created_at: datetime
    points: Points
    ignored: list[str] = Field(description="The fields of this request that changed nothing, because of a rule.")


class OrderCustomer(Answer):
    """Whose order it is."""

    external_id: str
    name: str


class LineAnswer(Answer):
    """One product in an order."""

    sku: str
    title: str
    quantity: StrictInt
    unit_price_minor: StrictInt


class RefundAnswer(Answer):
    """Money that was paid back, or is owed."""

    id: str | None = Field(description="The shop's own id; null while the shop has not reported it.")
    amount_minor: StrictInt
    reason: RefundReason
    status: RefundStatus = Field(description="Pending: a customer was promised it in the chat, and the shop owes it.")
    return_number: str | None
    requested_at: datetime = Field(description="When it was heard of here.")
    paid_at: datetime | None


class ReturnAnswer(Answer):
    """Goods that a customer sends back."""

    number: str
    status: ReturnStatus
    reason: str
    created_at: datetime
    amount_minor: StrictInt
    lines: list[LineAnswer]


class OrderAnswer(Answer):
    """An order as it is known here."""

    number: str
    status: OrderStatus
    customer: OrderCustomer | None
    placed_at: datetime
    currency: str
    total_minor: StrictInt
    discount_minor: StrictInt | None
    delivery_minor: StrictInt | None
    lines: list[LineAnswer]
    email: str | None
    postcode: str | None
    due_on: date | None
    paid_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    cancelled_at: datetime | None
    carrier: str | None
    tracking_number: str | None
    shipping_address: str | None
    refunds: list[RefundAnswer]
    returns: list[ReturnAnswer]
    ignored: list[str] = Field(
        description="The fields of this request that changed nothing: a late status and what came with it, a time of "
        "payment that is known already, or personal data of a customer whose data were erased."
    )


class ExpiringPoints(Answer):
    """Points that run out."""

    at: datetime
    points: StrictInt


class EntryAnswer(Answer):
    """One movement of points. It never changes."""

    id: StrictInt
    kind: EntryKind
    points: StrictInt = Field(description="More than zero came in, less than zero went out.")
    at: datetime
    available_at: datetime | None
    expires_at: datetime | None
    source: str | None = Field(description="What it was for: an order's number, a reward's name.")
    reverses_id: StrictInt | None = Field(description="The entry that this one takes back.")


class LedgerAnswer(Answer):
    """A page of a customer's points, newest first, and what they come to."""

    external_id: str
    balance: Points
    expiring: list[ExpiringPoints] = Field(description="What runs out when, soonest first.")
    entries: list[EntryAnswer]
    next_before: StrictInt | None = Field(description="For the next page; null on the last one.")


class FieldProblem(Answer):
    """What is wrong with one field."""

    field: str
    detail: str


class Problem(Answer):
    """Why nothing was done (RFC 9457)."""

    type: str
    status: StrictInt
    title: str
    code: str = Field(description="Stable: programs may rely on it.")
    detail: str = Field(description="For people.")
    errors: list[FieldProblem] = Field([], description="Every fault, where a request has some.")
    reason: str = Field("", description="Why, in a stable word, where a code has several reasons.")
    available: StrictInt = Field(0, description="The points that there are, where they are too few.")
    available_minor: StrictInt = Field(0, description="The money that there is, where it is too little.")

    class Config(Answer.Config):
        @staticmethod
        def schema_extra(schema: dict[str, Any], model: type[Model]) -> None:
            """As for every model; but what has a default stands only where there is something to say."""
            Model.Config.schema_extra(schema, model)
            schema["required"] = [name for name, field in model.__fields__.items() if field.required]
            for part in schema["properties"].values():
                part.pop("default", None)
