"""Two customers who turn out to be one: what speaks for it, which record stays, and what becomes of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from bot.core.customers import Customer, CustomerId

# What the record that stays takes over from the other one, where it has nothing itself.
FILLED = ("email", "phone", "postcode", "address", "preferred_name", "language")
BIRTHDAY = ("birthday_month", "birthday_day", "birthday_set_at")


class MergeState(str, Enum):
    """What became of the idea that two customers are one."""

    PROPOSED = "proposed"
    DONE = "done"
    UNDONE = "undone"
    DISMISSED = "dismissed"


@dataclass(frozen=True)
class Merge:
    """Two customers who are one, or may be. `snapshot` is what was moved and changed, so that it can be put back."""

    id: str
    kept_id: CustomerId
    merged_id: CustomerId
    state: MergeState
    reason: str
    author: str
    created_at: datetime
    snapshot: Mapping[str, Any] | None = None
    done_at: datetime | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Lookalikes:
    """Two customers, and what makes them look like one: same email, same phone, same name and postcode."""

    one_id: CustomerId
    other_id: CustomerId
    reason: str


def kept_first(one: Customer, other: Customer) -> tuple[Customer, Customer]:
    """Which of two records stays, and which goes into it: the one that was there first stays."""
    first, second = sorted((one, other), key=lambda customer: (customer.created_at, customer.id))
    return first, second


def filled_fields(kept: Customer, merged: Customer) -> dict[str, Any]:
    """What the record that stays takes over: only what it has not, and a birthday whole."""
    fields = {name: getattr(merged, name) for name in FILLED if getattr(kept, name) is None}
    if kept.birthday_month is None:
        fields.update({name: getattr(merged, name) for name in BIRTHDAY})
    return {name: value for name, value in fields.items() if value is not None}


def restored_fields(kept: Customer, filled: Mapping[str, Any]) -> dict[str, Any]:
    """What was taken over and goes again: only what nobody has changed since."""
    return {name: None for name, value in filled.items() if getattr(kept, name) == value}
