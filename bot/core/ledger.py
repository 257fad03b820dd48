"""The points ledger: entries that are never changed, and lots that are spent oldest expiry first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import NewType

from bot.core.customers import CustomerId

EntryId = NewType("EntryId", int)

MAX_POINTS = 1_000_000_000
MAX_KEY_CHARACTERS = 200
# The keys of the two sides of a transfer end in these, so that each leads to the other.
TRANSFER_OUT, TRANSFER_IN = ":out", ":in"
_NEVER = datetime.max.replace(tzinfo=timezone.utc)


class EntryKind(str, Enum):
    """What an entry stands for. Those in the first group bring points in, those in the second take them away."""

    ORDER = "order"
    REFERRAL = "referral"
    BIRTHDAY = "birthday"
    FEEDBACK = "feedback"
    SURPRISE = "surprise"
    GOODWILL = "goodwill"
    OPENING = "opening"  # a balance brought along from elsewhere
    RESTORE = "restore"  # a redemption undone

    REDEEM = "redeem"
    REFUND = "refund"  # an earning taken back
    EXPIRE = "expire"
    CORRECTION = "correction"

    TRANSFER = "transfer"  # to or from the account of the same person, found to be one


EARNINGS = frozenset(
    {
        *(EntryKind.ORDER, EntryKind.REFERRAL, EntryKind.BIRTHDAY, EntryKind.FEEDBACK),
        *(EntryKind.SURPRISE, EntryKind.GOODWILL, EntryKind.OPENING),
    }
)
# What counts toward a tier: what was bought, less what came back.
QUALIFYING = frozenset({EntryKind.ORDER, EntryKind.OPENING})


@dataclass(frozen=True)
class LedgerEntry:
    """One movement of points (signed). `key` names the event; the same event again is this entry.

    Points that came in are pending until `available_at` and gone from `expires_at` on. `reverses_id` is the entry that
    this one takes back: an earning, a redemption, or (of an expiry) the lot that ran out.
    """

    id: EntryId
    customer_id: CustomerId
    kind: EntryKind
    points: int
    key: str
    at: datetime
    available_at: datetime | None = None
    expires_at: datetime | None = None
    source: str | None = None
    reverses_id: EntryId | None = None

    def same_event(self, other: LedgerEntry) -> bool:
        """Whether both say the same, whenever they were written down."""
        return (self.customer_id, self.kind, self.points, self.source, self.reverses_id) == (
            *(other.customer_id, other.kind, other.points, other.source, other.reverses_id),
        )


@dataclass(frozen=True)
class Lot:
    """Points that came in with one entry, of which some are left."""

    id: EntryId
    remaining: int
    available_at: datetime
    expires_at: datetime | None = None

    def is_expired(self, at: datetime) -> bool:
        """Whether it is gone at that moment; at its very instant it is."""
        return self.expires_at is not None and self.expires_at <= at

    def is_pending(self, at: datetime) -> bool:
        """Whether it cannot be spent yet."""
        return self.available_at > at


@dataclass(frozen=True)
class Debt:
    """Points that were taken away though they were spent already; what comes in next pays for them."""

    id: EntryId
    remaining: int


@dataclass(frozen=True)
class Balance:
    """What an account holds at a moment. `available` is below zero after a refund of points that were spent."""

    available: int
    pending: int = 0

    @property
    def total(self) -> int:
        """The sum of the entries, less what has run out by now."""
        return self.available + self.pending


@dataclass(frozen=True)
class Allocation:
    """So many points of a lot, for a debit (or, negative, given back to the lot)."""

    lot_id: EntryId
    points: int


def spending_order(lots: Iterable[Lot]) -> list[Lot]:
    """Oldest expiry first; what never expires last; of equals, the one that came first."""
    return sorted(lots, key=lambda lot: (lot.expires_at or _NEVER, lot.id))


def balance_at(lots: Iterable[Lot], debts: Iterable[Debt], at: datetime) -> Balance:
    """What open lots and debts amount to at a moment."""
    here = [lot for lot in lots if not lot.is_expired(at)]
    pending = sum(lot.remaining for lot in here if lot.is_pending(at))
    owed = sum(debt.remaining for debt in debts)
    return Balance(sum(lot.remaining for lot in here) - pending - owed, pending)


def allocate(points: int, lots: Iterable[Lot]) -> list[Allocation]:
    """Take points from the lots in the order given, as far as they go."""
    taken = []
    for lot in lots:
        if points == 0:
            break
        part = min(points, lot.remaining)
        if part > 0:
            taken.append(Allocation(lot.id, part))
            points -= part
    return taken


def allocate_spending(points: int, lots: Iterable[Lot], at: datetime) -> list[Allocation]:
    """Take points to spend: only what is there and not expired at that moment."""
    return allocate(points, spending_order(lot for lot in lots if not lot.is_expired(at) and not lot.is_pending(at)))


def allocate_taking_back(points: int, lots: Iterable[Lot], at: datetime, own: EntryId | None) -> list[Allocation]:
    """Take points back: from the lot that they came with, then from what can be spent, then from what is pending."""
    here = [lot for lot in lots if not lot.is_expired(at)]
    return allocate(points, sorted(spending_order(here), key=lambda lot: (lot.id != own, lot.is_pending(at))))


def expiring(lots: Sequence[Lot], at: datetime) -> list[tuple[datetime, int]]:
    """What runs out when, soonest first: (moment, points) of everything that is left and ever expires."""
    moments: dict[datetime, int] = {}
    for lot in lots:
        if lot.expires_at is not None and not lot.is_expired(at):
            moments[lot.expires_at] = moments.get(lot.expires_at, 0) + lot.remaining
    return sorted(moments.items())
