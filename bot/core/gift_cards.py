"""Gift cards: money on a code, of which only a hash is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.core.customers import CustomerId
from bot.core.vouchers import bare_code, grouped, random_characters

CARD_PREFIX = "GIFT"
# 24 to the power of 16 is about 1.2e22: a plain hash of such a code cannot be turned round by trying.
CARD_CHARACTERS = 16
LAST_CHARACTERS = 4
MAX_AMOUNT_MINOR = 10**12


class GiftCardEntryKind(str, Enum):
    """What moves a card's value. The first three add to it, the others take from it."""

    ISSUE = "issue"
    TOP_UP = "top_up"
    REFUND = "refund"

    SPEND = "spend"
    EXPIRE = "expire"


@dataclass(frozen=True)
class GiftCard:
    """A card as it is kept: without its code. It can be used until `expires_at` (exclusive), unless it is blocked."""

    id: str
    code_hash: str
    last_characters: str
    currency: str
    customer_id: CustomerId | None
    created_at: datetime
    expires_at: datetime | None = None
    blocked_at: datetime | None = None

    def obstacle(self, at: datetime) -> str | None:
        """Why it cannot be used at that moment: blocked or expired; None when it can."""
        if self.blocked_at is not None:
            return "blocked"
        return "expired" if self.expires_at is not None and at >= self.expires_at else None


@dataclass(frozen=True)
class GiftCardEntry:
    """One movement of a card's value (signed, in minor units). `key` names the event, `source` an order's number."""

    card_id: str
    kind: GiftCardEntryKind
    amount_minor: int
    key: str
    at: datetime
    source: str | None = None

    def same_event(self, other: GiftCardEntry) -> bool:
        """Whether both say the same, whenever they were written down."""
        return (self.card_id, self.kind, self.amount_minor, self.source) == (
            *(other.card_id, other.kind, other.amount_minor, other.source),
        )


@dataclass(frozen=True)
class GiftCardStanding:
    """A card and what is on it: the sum of its entries."""

    card: GiftCard
    balance_minor: int

    def spendable_minor(self, at: datetime) -> int:
        """What can be spent of it at that moment."""
        return 0 if self.card.obstacle(at) else self.balance_minor


def new_card_code() -> str:
    """A code that nobody can guess: GIFT-7K3P-XXXX-XXXX-XXXX."""
    return grouped(CARD_PREFIX + random_characters(CARD_CHARACTERS))


def hash_card_code(typed: str) -> str:
    """The form in which a code is kept and found, however it was typed: SHA-256 of its letters and digits."""
    return hashlib.sha256(bare_code(typed).encode()).hexdigest()


def last_characters(typed: str) -> str:
    """What may be shown of a code."""
    return bare_code(typed)[-LAST_CHARACTERS:]
