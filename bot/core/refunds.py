"""Money that goes back to customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NewType

RefundId = NewType("RefundId", str)


class RefundReason(str, Enum):
    """What a refund is for."""

    CANCELLED = "cancelled"
    RETURNED = "returned"
    PROBLEM = "problem"


class RefundStatus(str, Enum):
    """How far along a refund is."""

    PENDING = "pending"
    PAID = "paid"


@dataclass(frozen=True)
class Refund:
    """Money owed back for an order, in minor units. A cancellation is refunded once, a return too.

    `external_id` is the shop's own name for it, once the shop has reported it.
    """

    id: RefundId
    order_number: str
    amount_minor: int
    currency: str
    reason: RefundReason
    status: RefundStatus
    requested_at: datetime
    return_number: str | None = None
    paid_at: datetime | None = None
    external_id: str | None = None
