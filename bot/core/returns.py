"""Goods that customers send back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.core.customers import CustomerId
from bot.core.orders import Order, OrderLine

RETURN_PREFIX = "R"


class ReturnStatus(str, Enum):
    """How far along a return is."""

    REQUESTED = "requested"
    RECEIVED = "received"
    REFUNDED = "refunded"
    REFUSED = "refused"


@dataclass(frozen=True)
class Return:
    """Lines of one order that the customer sends back, under a number to write on the parcel (R-482915)."""

    number: str
    order_number: str
    customer_id: CustomerId
    status: ReturnStatus
    reason: str
    created_at: datetime
    lines: tuple[OrderLine, ...] = ()

    @property
    def amount_minor(self) -> int:
        """What its lines cost."""
        return sum(line.quantity * line.unit_price_minor for line in self.lines)


def returnable_lines(order: Order, returns: Iterable[Return]) -> tuple[OrderLine, ...]:
    """The order's lines that are in no return yet. Those of a return that the shop refused are not tried again."""
    gone = {line.sku for known in returns for line in known.lines}
    return tuple(line for line in order.lines if line.sku not in gone)
