"""Credit notes: money that a shop's books gave back, often without saying for which order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.customers import CustomerId
from bot.core.orders import OrderLine


@dataclass(frozen=True)
class CreditNote:
    """A credit note as the shop's books have it; amounts in minor units, not negative."""

    number: str
    customer_id: CustomerId | None
    total_minor: int
    currency: str
    issued_at: datetime
    order_number: str | None = None
    lines: tuple[OrderLine, ...] = ()
