"""What stands in the way of erasing somebody's data, and what is left of them afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.customers import CustomerId

# What stands where their words stood.
ERASED_TEXT = "[erased]"


@dataclass(frozen=True)
class Erasure:
    """Somebody's data are erased, and since when."""

    customer_id: CustomerId
    at: datetime


@dataclass(frozen=True)
class Unfinished:
    """What is still going on between a customer and the shop, by number: it needs an address, or an account."""

    orders: Sequence[str] = ()
    returns: Sequence[str] = ()
    refunds: Sequence[str] = ()

    def in_words(self) -> str:
        """What it is, as a part of a sentence; empty when there is nothing."""
        parts = [
            f"{what} ({', '.join(numbers)})"
            for what, numbers in (
                ("an order is open", self.orders),
                ("something is on its way back", self.returns),
                ("money has to be paid back for an order", self.refunds),
            )
            if numbers
        ]
        return " and ".join(parts)
