"""How far somebody has come with the shop: from visitor to regular, and away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from bot.core.orders import OrderStatus

# What the reports count as a purchase, too: money came in, whatever came back of it later.
PAID_STATUSES = frozenset(OrderStatus) - {OrderStatus.PENDING, OrderStatus.CANCELLED}


class Stage(str, Enum):
    """Where somebody stands."""

    VISITOR = "visitor"  # nobody knows how to reach them
    LEAD = "lead"  # known, but nothing bought
    CUSTOMER = "customer"  # bought once
    REPEAT = "repeat"  # bought again
    LAPSED = "lapsed"  # bought, but not for a long time


@dataclass(frozen=True)
class PaidOrders:
    """How many orders somebody has paid, and when they placed the last of them."""

    number: int
    last_at: datetime | None = None


def stage(*, is_known: bool, paid_orders: int, last_paid_on: date | None, today: date, lapsed_days: int) -> Stage:
    """The stage that these facts make; days are the shop's.

    Lapsed from the day on that lies `lapsed_days` after the last paid order.
    """
    if paid_orders == 0 or last_paid_on is None:
        return Stage.LEAD if is_known else Stage.VISITOR
    if today >= last_paid_on + timedelta(days=lapsed_days):
        return Stage.LAPSED
    return Stage.CUSTOMER if paid_orders == 1 else Stage.REPEAT
