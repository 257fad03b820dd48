"""Referrals: who may be brought by whom, and what the codes look like that friends pass on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from bot.core.customers import EMAIL, PHONE, CustomerId, normalise_email, normalise_postcode
from bot.core.earning import EARNING_STATUSES
from bot.core.loyalty import ReferralRules
from bot.core.orders import Order, OrderStatus
from bot.core.phones import normalise_phone
from bot.core.refunds import Refund
from bot.core.vouchers import bare_code, grouped, random_characters

# 24 to the power of 8 is about 1.1e11. A code is no secret, but nobody is to hit another one's by a typing error.
CODE_CHARACTERS = 8
CAP_WINDOW = timedelta(days=365)
# The two sides of a referral, as the keys of their points name them.
REFERRER, REFEREE = "referrer", "referee"
_LINK_PARAMETER = "ref"


@dataclass(frozen=True)
class Referral:
    """A customer (the referee) who was brought by another one (the referrer).

    `order_number` is the friend's first paid order, and `due_at` the end of the hold after it. It ends with a reward or
    with `refused`, the reason why there is none.
    """

    referee_id: CustomerId
    referrer_id: CustomerId
    joined_at: datetime
    order_number: str | None = None
    due_at: datetime | None = None
    rewarded_at: datetime | None = None
    refused: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether there may still be a reward."""
        return self.rewarded_at is None and self.refused is None


def new_referral_code() -> str:
    """A code to pass on to friends: KX4P-7M3R. There is a letter and a digit in it, so that it does not look like a
    word or a number."""
    while True:
        characters = random_characters(CODE_CHARACTERS)
        if not characters.isalpha() and not characters.isdigit():
            return grouped(characters)


def normalise_referral_code(typed: str) -> str:
    """What somebody typed ("kx4p 7m3r") as codes are kept."""
    return grouped(bare_code(typed))


def referral_link(page: str, code: str) -> str:
    """The shop's page with the code of whoever passes it on."""
    split = urlsplit(page)
    query = [(name, value) for name, value in parse_qsl(split.query, keep_blank_values=True) if name != _LINK_PARAMETER]
    return urlunsplit(split._replace(query=urlencode([*query, (_LINK_PARAMETER, code)])))


@dataclass(frozen=True)
class Household:
    """What tells whether two customers are one, or live together: names, addresses, and ways to reach them.

    `contacts` are (kind, value) pairs, each in its normal form.
    """

    name: str = ""
    postcodes: frozenset[str] = field(default_factory=frozenset)
    addresses: frozenset[str] = field(default_factory=frozenset)
    contacts: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def household(
    name: str, postcodes: Iterable[str | None], addresses: Iterable[str | None], contacts: Iterable[tuple[str, str]]
) -> Household:
    """A household in the form in which it is compared."""
    return Household(
        " ".join(_words(name)),
        frozenset(normalise_postcode(one) for one in postcodes if one) - {""},
        frozenset(found for one in addresses if one and (found := _address(one))),
        frozenset((kind, _contact(kind, value)) for kind, value in contacts),
    )


def is_same_person(one: Household, other: Household) -> bool:
    """Whether both are reached under one address or number."""
    return bool(one.contacts & other.contacts)


def shared_home(one: Household, other: Household, *, shop_address: str | None = None) -> str | None:
    """Why two customers count as one household: same_address, or same_name (in one postcode); None when they do not.

    Two who collect their orders from the shop do not live there.
    """
    if one.addresses & other.addresses - {_address(shop_address or "")}:
        return "same_address"
    if one.name and one.name == other.name and one.postcodes & other.postcodes:
        return "same_name"
    return None


def counts_for_referral(order: Order, refunds: Iterable[Refund], rules: ReferralRules | None) -> bool:
    """Whether the friend's order is paid for, and what they kept of it is worth a reward."""
    refunded = sum(refund.amount_minor for refund in refunds)
    kept = order.total_minor - refunded
    minimum = rules.minimum_minor if rules else 0
    # Of an order that came back, the refund says how much of it did.
    is_paid = order.status in EARNING_STATUSES or (order.status is OrderStatus.RETURNED and refunded > 0)
    return is_paid and kept > 0 and kept >= minimum


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character if character.isalnum() else " " for character in folded).split()


def _address(text: str) -> str:
    """An address without its punctuation; empty when it names no house (no number, or nothing but one)."""
    words = _words(text)
    return " ".join(words) if len(words) > 1 and any(map(str.isdigit, "".join(words))) else ""


def _contact(kind: str, value: str) -> str:
    if kind == EMAIL:
        # What follows a plus sign is delivered to the same person.
        local, at, domain = normalise_email(value).partition("@")
        return local.partition("+")[0] + at + domain
    return (normalise_phone(value) or value) if kind == PHONE else value
