"""What measuring needs from the database: numbers over a window, and the bare facts behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.durations import Span
from bot.core.measures import Window
from bot.core.visits import Visit


@dataclass(frozen=True)
class Sales:
    """Orders of a window, what was sold less what was given back, and orders in other currencies, not counted."""

    orders: int
    net_minor: int
    in_other_currencies: int


@dataclass(frozen=True)
class CustomerCounts:
    """How many customers there were, by what they bought and when.

    `bought`, `bought_again` and `bought_first` are about the window: any order, two or more, the first one ever.
    `at_start` bought in the days before the window; `kept` are those of them who bought in as many days before its end.
    `ever` bought before its end, and brought `net_minor_ever`.
    """

    bought: int
    bought_again: int
    bought_first: int
    at_start: int
    kept: int
    ever: int
    net_minor_ever: int


@dataclass(frozen=True)
class Surveys:
    """Answers of a window (the number for each score of each kind); questions asked in it, and how many got answers."""

    scores: Mapping[str, Mapping[int, int]]
    asked: int
    asked_and_answered: int


@dataclass(frozen=True)
class HandoffTimes:
    """The hand-offs of a window: how many, from the request to a person's first reply, from the request to the end."""

    requested: int
    until_reply: list[Span]
    until_closed: list[Span]


@dataclass(frozen=True)
class PointsFlow:
    """Points that moved in a window, and what all customers hold at its end."""

    issued: int
    spent: int
    expired: int
    taken_back: int
    outstanding: int


@dataclass(frozen=True)
class Purchase:
    """One order that counts: whose, when, and what it brought less what was given back for it, in minor units."""

    customer_id: str | None
    placed_at: datetime
    net_minor: int


@dataclass(frozen=True)
class Credit:
    """Money that a credit note gave back without saying for which order: to whom, when, and how much (minor units)."""

    customer_id: str | None
    issued_at: datetime
    amount_minor: int


class MeasureRepository(Protocol):
    """Reads only. An order counts in its own currency, unless it is unpaid or was cancelled.

    What a credit note gave back is taken off its order; if it names none, off the days in which it was issued, and off
    what its customer brought.
    """

    async def sales(self, window: Window, currency: str) -> Sales: ...
    async def customers(self, window: Window, currency: str, activity_days: int) -> CustomerCounts:
        """The shop's customers; orders of nobody in particular are left out."""
        ...

    async def surveys(self, window: Window) -> Surveys: ...
    async def visits(self, window: Window) -> list[Visit]:
        """The visits that began in the window and that the assistant answered."""
        ...

    async def judged_answers(self, window: Window) -> tuple[int, int]:
        """Of the assistant's answers in the window: how many customers found helpful, and how many they judged."""
        ...

    async def handoffs(self, window: Window) -> HandoffTimes: ...
    async def points(self, window: Window, now: datetime) -> PointsFlow:
        """What has run out counts as expired, whether or not the ledger has noted it by now."""
        ...

    async def purchases(self, before: datetime, currency: str) -> list[Purchase]:
        """Every order before a moment that counts, oldest first."""
        ...

    async def credits(self, before: datetime, currency: str) -> list[Credit]:
        """Every credit note before a moment that names no order, oldest first."""
        ...

    async def customer_numbers(self) -> dict[str, str]:
        """The shop's own number of each customer, by id."""
        ...
