"""Who may be written to about what. A consent belongs to an address, so that it outlives whoever it belonged to."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.core.customers import EMAIL, PHONE, normalise_email
from bot.core.phones import normalise_phone

MARKETING, FEEDBACK, SERVICE, LOYALTY = "marketing", "feedback", "service", "loyalty"
# Where nobody has said anything: answers to what customers themselves began, and what the programme that they are in
# has for them, yes; advertising, no.
ALLOWED_UNLESS_REFUSED = frozenset({FEEDBACK, SERVICE, LOYALTY})
# What others say about a person: good for a first yes, never against the person's own no.
HEARSAY = frozenset({"import", "api", "shop"})


@dataclass(frozen=True)
class Consent:
    """What was said about one address on one channel (email, phone, telegram …), for one purpose.

    `wording` is what was agreed to or refused, as it was shown; `source` is where: chat, link, agent, import, api …
    """

    channel: str
    address_hash: str
    purpose: str
    granted: bool
    wording: str
    source: str
    at: datetime


def hash_address(channel: str, address: str) -> str:
    """What is kept of an address, so that it is recognised and cannot be written to: SHA-256 of its normal form."""
    if channel == EMAIL:
        address = normalise_email(address)
    elif channel == PHONE:
        address = normalise_phone(address) or address
    return hashlib.sha256(address.strip().encode("utf-8", "replace")).hexdigest()


def is_allowed(purpose: str, said: Sequence[Consent]) -> bool:
    """Whether an address may be used for the purpose, after all that was said about that, oldest first.

    The last word counts, but an import or a shop's system cannot take back a no.
    """
    allowed = purpose in ALLOWED_UNLESS_REFUSED
    refused = False
    for consent in said:
        if not consent.granted or consent.source not in HEARSAY or not refused:
            allowed, refused = consent.granted, not consent.granted
    return allowed


def is_repetition(consent: Consent, said: Sequence[Consent]) -> bool:
    """Whether that was said already, oldest first: by whom spoke last, or by the same import or system before."""
    by_hearsay = consent.source in HEARSAY
    last = next((one for one in reversed(said) if not by_hearsay or one.source == consent.source), None)
    return last is not None and (last.granted, last.wording, last.source) == (
        *(consent.granted, consent.wording, consent.source),
    )
