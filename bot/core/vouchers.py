"""Vouchers: codes that are worth something at the till, whose they are, and when and how often they can be used."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import Enum

from bot.core.customers import CustomerId
from bot.core.ledger import EntryId
from bot.core.loyalty import Effect

# Without what looks alike in print or by hand (0 O, 1 I L, 2 Z, 5 S, 8 B, U next to V): 24 characters.
CODE_ALPHABET = "34679ACDEFGHJKMNPQRTVWXY"
CODE_PREFIX = "SUKI"
# 24 to the power of 12 is about 3.7e16: out of reach for guessing at a till or over the web.
CODE_CHARACTERS = 12
# Of a shop's own codes.
MIN_CODE_CHARACTERS, MAX_CODE_CHARACTERS = 3, 24
UNLIMITED_USES = 2**31 - 1
# How long a checkout may hold on to a voucher without redeeming it.
RESERVED_FOR = timedelta(minutes=30)

_GROUP = 4
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


class VoucherKind(str, Enum):
    """What a voucher was given for."""

    REWARD = "reward"
    PUNCH_CARD = "punch_card"
    BIRTHDAY = "birthday"
    REFERRAL = "referral"
    SURPRISE = "surprise"
    GOODWILL = "goodwill"
    COUPON = "coupon"


@dataclass(frozen=True)
class Voucher:
    """A code that can be used `use_limit` times, from `starts_at` until `expires_at` (exclusive).

    `customer_id` None: of everybody who knows the code. `uses` counts reservations and redemptions together. `key` is
    the event that it was made for, and `entry_id` the redemption of points that paid for it.
    """

    code: str
    kind: VoucherKind
    customer_id: CustomerId | None
    name: str
    title: str
    effect: Effect
    key: str
    created_at: datetime
    minimum_minor: int = 0
    stackable: bool = False
    use_limit: int = 1
    uses: int = 0
    uses_per_customer: int | None = None
    entry_id: EntryId | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    cancelled_at: datetime | None = None

    def obstacle(self, at: datetime) -> str | None:
        """Why nobody can use it at that moment: cancelled, not_started, expired or used_up; None when they can."""
        if self.cancelled_at is not None:
            return "cancelled"
        if self.starts_at is not None and at < self.starts_at:
            return "not_started"
        if self.expires_at is not None and at >= self.expires_at:
            return "expired"
        return "used_up" if self.uses >= self.use_limit else None


class UseState(str, Enum):
    """How far a use has come. What is released does not count as a use."""

    RESERVED = "reserved"
    REDEEMED = "redeemed"
    RELEASED = "released"


@dataclass(frozen=True)
class VoucherUse:
    """A voucher on a checkout or order of the shop (`key`), whose total before all vouchers is `total_minor`.

    A reservation ends by itself at `reserved_until`.
    """

    id: str
    code: str
    key: str
    customer_id: CustomerId | None
    state: UseState
    total_minor: int
    discount_minor: int
    reserved_at: datetime
    reserved_until: datetime | None = None
    ended_at: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether it counts no longer: released, or reserved and not redeemed in time."""
        if self.state is UseState.RESERVED:
            return self.reserved_until is not None and self.reserved_until <= at
        return self.state is UseState.RELEASED


def new_voucher_code() -> str:
    """A code that nobody can guess: SUKI-7K3P-XXXX-XXXX."""
    return grouped(CODE_PREFIX + random_characters(CODE_CHARACTERS))


def random_characters(count: int) -> str:
    """So many characters of the alphabet, from a source that nobody can predict."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(count))


def grouped(characters: str) -> str:
    """Four at a time, as codes are shown."""
    return "-".join(characters[start : start + _GROUP] for start in range(0, len(characters), _GROUP))


def bare_code(typed: str) -> str:
    """The letters and digits of what somebody typed, in capitals."""
    return _NOT_ALPHANUMERIC.sub("", unicodedata.normalize("NFKC", typed).upper())


def normalise_voucher_code(typed: str) -> str:
    """What somebody typed ("suki 7k3p …", "welcome-10") as codes are kept: ours in groups, a shop's own without."""
    bare = bare_code(typed)
    return grouped(bare) if looks_like_ours(bare) else bare


def looks_like_ours(bare: str) -> bool:
    """Whether letters and digits could be a code that we made, as opposed to one that a shop thought of."""
    return bare.startswith(CODE_PREFIX) and len(bare) == len(CODE_PREFIX) + CODE_CHARACTERS


def end_of_validity(now: datetime, days: int, zone: tzinfo | None = None) -> datetime:
    """When something ends that is good for so many days: with a zone, the end of the last day there."""
    if zone is None:
        return now + timedelta(days=days)
    last_day = now.astimezone(zone).date() + timedelta(days=days)
    midnight = datetime.combine(last_day + timedelta(days=1), datetime.min.time(), zone)
    return midnight.astimezone(now.tzinfo)


def discount_beside(voucher: Voucher, taken_minor: int, total_minor: int) -> int:
    """What a voucher takes off a total beside others that take off so much already.

    It counts from the total before vouchers, and takes no more than is left. An item is taken off at the till: 0.
    """
    return max(min(voucher.effect.discount_minor(total_minor), total_minor - taken_minor), 0)


def stack_obstacle(voucher: Voucher, others: Sequence[Voucher], taken_minor: int, total_minor: int) -> str | None:
    """Why a voucher cannot be used on a total beside others that take off so much already; None when it can.

    not_stackable (one that stands alone is not the only one), below_minimum, or nothing_left (to be taken off).
    """
    if others and not all(one.stackable for one in (voucher, *others)):
        return "not_stackable"
    if total_minor < voucher.minimum_minor:
        return "below_minimum"
    if voucher.effect.item is None and discount_beside(voucher, taken_minor, total_minor) == 0:
        return "nothing_left"
    return None
