"""What the shop has decided about its desk: when people are there, how they get conversations, what is promised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from enum import Enum

from bot.core.opening_hours import Interval, OpeningHours

# However short a shop's hours are.
OPENINGS_LOOKED_AT = 400


# How urgent a request is: who lost their agent in the middle of it has waited already.
NORMAL, URGENT, FIRST = 0, 1, 2


class Assignment(str, Enum):
    """How a conversation in the line reaches somebody: it is offered to the least busy, or whoever likes takes it."""

    OFFER = "offer"
    MANUAL = "manual"


class Signal(str, Enum):
    """What a person may be called for without having been asked for."""

    MISUNDERSTOOD = "misunderstood"  # twice in a row
    ANGER = "anger"  # or a threat
    LOW_RATING = "low_rating"


@dataclass(frozen=True)
class DeskPolicy:
    """The desk's settings; times as lengths."""

    always_open: bool = False
    assignment: Assignment = Assignment.OFFER
    # So long an offer stands before the next one is asked.
    offer_time: timedelta = timedelta(seconds=30)
    # After so long in the line the customer is asked whether to go on waiting, and again as long after their answer.
    ask_after: timedelta = timedelta(minutes=3)
    # After so long nobody comes any more, and a call-back is promised; and who has a conversation and is silent for so
    # long while the customer waits for an answer does not have it any more.
    give_up_after: timedelta = timedelta(minutes=30)
    # Who is gone for so long has left the conversation.
    agent_grace: timedelta = timedelta(seconds=60)
    customer_grace: timedelta = timedelta(minutes=30)
    # Within so long, of the time when people answer, somebody gets in touch.
    call_back_within: timedelta = timedelta(hours=4)
    # Somebody who asks again within so long is offered to the same person first.
    same_agent_within: timedelta = timedelta(days=2)
    # Wishes that people see to, without the assistant trying first.
    for_people: frozenset[str] = frozenset()
    call_for: frozenset[Signal] = frozenset(Signal)
    # Wishes, and signals, that go before the others.
    urgent: frozenset[str] = frozenset({Signal.ANGER.value, Signal.LOW_RATING.value})

    def is_open(self, hours: OpeningHours, at: datetime) -> bool:
        """Whether people answer then."""
        return self.always_open or hours.is_open(at)

    def own_hours(self, hours: OpeningHours) -> OpeningHours:
        """The hours in which people answer: the shop's, or all there are."""
        always = ((Interval.parse("00:00-24:00"),),) * 7
        return replace(hours, weekly=always, holidays={}) if self.always_open else hours

    def opens_at(self, hours: OpeningHours, at: datetime) -> datetime | None:
        """When people answer next; None while they do, and where they never do."""
        return None if self.is_open(hours, at) else hours.next_opening(at)

    def due_at(self, hours: OpeningHours, at: datetime) -> datetime:
        """By when somebody will have been in touch who asked for it at that moment; only open hours count."""
        # In UTC, because Python adds to and subtracts from the times of other zones by their clocks.
        at = at.astimezone(timezone.utc)
        left, moment = self.call_back_within, None if self.always_open else at
        if moment is not None and not hours.is_open(moment):
            moment = hours.next_opening(moment)
        for _ in range(OPENINGS_LOOKED_AT):
            closes = hours.closes_at(moment) if moment is not None else None
            if moment is None or closes is None or closes - moment >= left:
                break
            left -= closes - moment
            moment = hours.next_opening(moment)
        return (moment or at) + left

    def priority(self, *about: str | None) -> int:
        """How urgent something is that is about these wishes and signals."""
        return URGENT if self.urgent.intersection(filter(None, about)) else NORMAL
