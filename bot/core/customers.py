"""Customers and the identities under which channels know them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

CustomerId = NewType("CustomerId", str)
IdentityId = NewType("IdentityId", str)

# Kinds of identities, beside the messaging channels, which go by their own names.
SHOP, EMAIL, PHONE = "shop", "email", "phone"
MAX_ADDRESS_CHARACTERS = 500
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
