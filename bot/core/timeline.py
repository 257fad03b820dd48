"""A customer's timeline: everything that happened between them and the shop, in one order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# Of two things of one moment, the one that is named later here is shown first.
KINDS = (
    *("order", "refund", "return", "conversation", "handoff", "request", "feedback"),
    *("ledger", "voucher", "stamp", "consent", "note"),
)


@dataclass(frozen=True)
class TimelineEntry:
    """One thing that happened. `id` is that of its record (an order's number, a note's id); `detail` is data only."""

    at: datetime
    kind: str
    id: str
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """Where it stands: what comes after it is asked for with this."""
        return Place(self.at, self.kind, self.id)


@dataclass(frozen=True)
class Place:
    """A place in a timeline, which stays where it is however many entries come on top."""

    at: datetime
    kind: str
    id: str
