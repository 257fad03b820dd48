"""What customers ask the shop's people to do or to know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId

REQUEST_PREFIX = "S"
MAX_OPEN_REQUESTS = 20
MAX_REQUEST_CHARACTERS = 4_000


class RequestKind(str, Enum):
    """What a request is about."""

    CHANGE_ORDER = "change_order"
    REPORT_PROBLEM = "report_problem"
    COMPLAINT = "complaint"
    FEEDBACK = "feedback"
    REVIEW = "review"
    CALLBACK = "callback"
    ACCOUNT = "account"
    PRIVACY = "privacy"
    OTHER = "other"


@dataclass(frozen=True)
class ServiceRequest:
    """Something for the shop's people, under a number that the customer can name (S-482915).

    `contact` is how the customer wants to be reached, as typed: a claim. `rating` is 1 to 5 stars.
    """

    number: str
    kind: RequestKind
    conversation_id: ConversationId
    text: str
    created_at: datetime
    customer_id: CustomerId | None = None
    order_number: str | None = None
    contact: str | None = None
    rating: int | None = None
    closed_at: datetime | None = None
