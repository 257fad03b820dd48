"""Customers, what they are known by, and what is noted about them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from bot.core.phones import normalise_phone

CustomerId = NewType("CustomerId", str)
IdentityId = NewType("IdentityId", str)

# Kinds of identities, beside the messaging channels, which go by their own names.
SHOP, EMAIL, PHONE = "shop", "email", "phone"
MAX_ADDRESS_CHARACTERS = 500
MAX_NOTE_CHARACTERS = 4_000
MAX_TAG_CHARACTERS = 40
# Customers from here have no number of the shop's, and nobody vouches for the address that they typed.
_UNVOUCHED = frozenset({"chat", "referral"})
_ERASED = "erased:"
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")


@dataclass(frozen=True)
class Customer:
    """A person who buys from the shop. `external_id` is the shop's own number for them."""

    id: CustomerId
    external_id: str
    name: str
    email: str | None
    created_at: datetime
    phone: str | None = None
    postcode: str | None = None
    birthday_month: int | None = None
    birthday_day: int | None = None
    address: str | None = None
    preferred_name: str | None = None
    language: str | None = None
    birthday_set_at: datetime | None = None
    source: str | None = None
    merged_into_id: CustomerId | None = None
    erased_at: datetime | None = None

    @property
    def first_name(self) -> str:
        """How to address them: as they prefer, else by the first word of the name."""
        if self.preferred_name:
            return self.preferred_name
        return self.name.split()[0] if self.name.strip() else ""


@dataclass(frozen=True)
class ChannelIdentity:
    """One account of a person on one channel: unique by channel and external id."""

    id: IdentityId
    channel: str
    external_id: str
    customer_id: CustomerId | None
    created_at: datetime


@dataclass(frozen=True)
class CustomerIdentity:
    """Something that a person is known by: an e-mail address, a telephone number, the shop's number, an account.

    `value` is in its normal form. Proven (`verified_at`), it belongs to one customer; claimed, to anybody who says so.
    `source` is who says so: shop, customer, or code (a one-time code that they gave back).
    """

    id: str
    customer_id: CustomerId
    kind: str
    value: str
    source: str
    created_at: datetime
    verified_at: datetime | None = None


@dataclass(frozen=True)
class Note:
    """What a person of the shop wrote down about a customer."""

    id: str
    customer_id: CustomerId
    author: str
    text: str
    created_at: datetime


@dataclass(frozen=True)
class Tag:
    """A word that sorts customers; small letters."""

    tag: str
    author: str
    created_at: datetime


@dataclass(frozen=True)
class UsedAddress:
    """Where parcels went, and when that was last said."""

    address: str
    used_at: datetime


def is_from_shop(customer: Customer) -> bool:
    """Whether the shop itself reported the customer, and not just somebody in a chat."""
    return customer.source not in _UNVOUCHED


def known_by(customer: Customer) -> list[tuple[str, str, bool]]:
    """What the customer's own record says that they are known by: (kind, value, whether somebody vouches for it).

    The shop vouches for its numbers and for the e-mail addresses it reports; telephones are shared, and only claimed.
    """
    is_vouched = is_from_shop(customer)
    found = [(SHOP, customer.external_id, True)] if is_vouched and customer.erased_at is None else []
    if customer.email:
        found.append((EMAIL, customer.email, is_vouched))
    if customer.phone and (phone := normalise_phone(customer.phone)):
        found.append((PHONE, phone, False))
    return found


def erased_external_id(external_id: str) -> str:
    """What is kept of the shop's number for somebody who was erased: enough to know that they were."""
    return _ERASED + hashlib.sha256(external_id.encode("utf-8", "replace")).hexdigest()


def normalise_tag(text: str) -> str | None:
    """A tag as it is kept: one line of small letters; None when it cannot be one."""
    tag = " ".join(text.lower().split())
    return tag if 0 < len(tag) <= MAX_TAG_CHARACTERS else None


def normalise_email(text: str) -> str:
    """An e-mail address as it is compared: trimmed, lower case."""
    return text.strip().lower()


def normalise_postcode(text: str) -> str:
    """A postcode as it is compared: upper case, letters and digits only."""
    return _NOT_ALPHANUMERIC.sub("", text.upper())


def normalise_address(text: str) -> str | None:
    """A postal address as it is kept: one line, without doubled spaces. None when it cannot be one.

    Where people live cannot be checked; without a letter, or longer than any label, it is no address.
    """
    lines = (" ".join(line.split()).strip(" ,") for line in text.splitlines())
    kept = ", ".join(line for line in lines if line)
    return kept if any(map(str.isalpha, kept)) and len(kept) <= MAX_ADDRESS_CHARACTERS else None
