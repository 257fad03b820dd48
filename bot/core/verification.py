"""How often somebody may try to prove that an order is theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class LookupLimits:
    """Failed attempts allowed, for one conversation and for one order (whoever asks), and the windows they count in."""

    per_conversation: int = 5
    conversation_window: timedelta = timedelta(minutes=15)
    per_order: int = 10
    order_window: timedelta = timedelta(hours=1)

    def is_reached(self, failed_in_conversation: int, failed_for_order: int) -> bool:
        """Whether no further attempt may be made now."""
        return failed_in_conversation >= self.per_conversation or failed_for_order >= self.per_order
