"""What the shop has decided about its desk: when people are there, how they get conversations, what is promised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from bot.core.opening_hours import OpeningHours


class Assignment(str, Enum):
    """How a conversation in the line reaches somebody: it is offered to the least busy, or whoever likes takes it."""

    OFFER = "offer"
    MANUAL = "manual"


@dataclass(frozen=True)
class DeskPolicy:
    """The desk's settings; times as lengths."""

    always_open: bool = False
    assignment: Assignment = Assignment.OFFER
    # So long an offer stands before the next one is asked.
    offer_time: timedelta = timedelta(seconds=30)
    # After so long in the line the customer is asked whether to go on waiting, and again after as long.
    ask_after: timedelta = timedelta(minutes=3)
    # After so long nobody comes any more, and a call-back is promised.
    give_up_after: timedelta = timedelta(minutes=30)
    # Who is gone for so long has left the conversation.
    agent_grace: timedelta = timedelta(seconds=60)
    customer_grace: timedelta = timedelta(minutes=30)
    call_back_within: timedelta = timedelta(hours=4)
    # Somebody who asks again within so long is offered to the same person first.
    same_agent_within: timedelta = timedelta(days=2)
    # Wishes that people see to, without the assistant trying first.
    for_people: frozenset[str] = frozenset()

    def is_open(self, hours: OpeningHours, at: datetime) -> bool:
        """Whether people answer then."""
        return self.always_open or hours.is_open(at)
