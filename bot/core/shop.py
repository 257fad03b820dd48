"""What the assistant knows about the shop itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.core.desk import DeskPolicy
from bot.core.feedback import FeedbackPolicy
from bot.core.loyalty import Program
from bot.core.opening_hours import OpeningHours
from bot.core.verification import LookupLimits
from bot.core.widget import WidgetLook


@dataclass(frozen=True)
class Policies:
    """What the shop has decided about orders; money in minor units of its currency, days whole."""

    cancellation_fee_minor: int = 0
    returns_days: int = 30
    refund_days: int = 5
    delivery_fee_minor: int = 0
    free_delivery_from_minor: int | None = None
    delivery_days: str = "2 to 5"
    invoice_link_hours: int = 24


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
    policies: Policies = field(default_factory=Policies)
    links: Mapping[str, str] = field(default_factory=dict)
    loyalty: Program | None = None
    # Whose telephone numbers are written without their country (two letters).
    country: str | None = None
    # Who has not ordered for so long has lapsed.
    lapsed_days: int = 180
    # For how long what is in files that people sent is kept.
    files_keep_days: int = 365
    # Whether a person decides about every request to be erased.
    erasure_needs_approval: bool = True
    feedback: FeedbackPolicy = field(default_factory=FeedbackPolicy)
    desk: DeskPolicy = field(default_factory=DeskPolicy)
    widget: WidgetLook = field(default_factory=WidgetLook)
