"""What the assistant knows about the shop itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.core.opening_hours import OpeningHours
from bot.core.verification import LookupLimits


@dataclass(frozen=True)
class Shop:
    """The shop's facts, as its owner wrote them in business.yml."""

    name: str
    assistant_name: str
    currency: str
    hours: OpeningHours
    order_prefix: str
    contact_email: str
    contact_phone: str | None = None
    address: str | None = None
    reply_time: str = "within one working day"
    lookup_limits: LookupLimits = field(default_factory=LookupLimits)
