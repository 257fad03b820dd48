"""Customers by how recently, how often and for how much they buy (RFM), and the groups that follow from it.

Each customer gets a score from 1 to 5 for each of the three, by the place among all customers who ever bought: the
fifth with the lowest values gets 1, the fifth with the highest 5. Customers with equal values get equal scores, that of
the middle of their places, so the outcome depends neither on the order of the list nor on anybody's name.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum

SCORES = 5


class Segment(str, Enum):
    """A group of customers that deserves its own treatment."""

    CHAMPIONS = "champions"
    LOYAL = "loyal"
    PROMISING = "promising"
    NEW = "new"
    AT_RISK = "at_risk"
    LAPSED = "lapsed"


@dataclass(frozen=True)
class BuyingRecord:
    """What a customer has bought so far: the last day, the number of purchases, what they brought (minor units)."""

    customer_id: str
    last_on: date
    purchases: int
    net_minor: int


@dataclass(frozen=True)
class Standing:
    """A customer's three scores, 1 (lowest) to 5, and the group they belong to."""

    record: BuyingRecord
    recency: int
    frequency: int
    amount: int
    segment: Segment


@dataclass(frozen=True)
class Rule:
    """Who belongs to a group: the lowest score of each kind that will do, and whether one purchase or several."""

    segment: Segment
    recency: int = 1
    frequency: int = 1
    amount: int = 1
    bought_once: bool | None = None


# The first rule that fits decides. Scores are relative, so one purchase is told from several by the number itself.
RULES = (
    Rule(Segment.NEW, recency=4, bought_once=True),
    Rule(Segment.PROMISING, recency=3, bought_once=True),
    Rule(Segment.LAPSED, bought_once=True),
    Rule(Segment.CHAMPIONS, recency=4, frequency=4, amount=4),
    Rule(Segment.LOYAL, recency=3, frequency=3),
    Rule(Segment.PROMISING, recency=3),
    Rule(Segment.AT_RISK, frequency=3),
    Rule(Segment.LAPSED),
)

TITLES = {
    Segment.CHAMPIONS: "Champions",
    Segment.LOYAL: "Loyal",
    Segment.PROMISING: "Promising",
    Segment.NEW: "New",
    Segment.AT_RISK: "At risk",
    Segment.LAPSED: "Lapsed",
}
MEANINGS = {
    Segment.CHAMPIONS: "bought lately, often, and for more than most",
    Segment.LOYAL: "come back often, and have been here not too long ago",
    Segment.PROMISING: "have been here not too long ago, but seldom so far",
    Segment.NEW: "made their first purchase lately",
    Segment.AT_RISK: "used to come often, and have stayed away",
    Segment.LAPSED: "came seldom, and long ago",
}


def rank_customers(records: Sequence[BuyingRecord]) -> list[Standing]:
    """The scores and the group of each customer, in the order of the records."""
    recency = _scores([record.last_on.toordinal() for record in records])
    frequency = _scores([record.purchases for record in records])
    amount = _scores([record.net_minor for record in records])
    return [
        Standing(record, r, f, m, segment_of(r, f, m, bought_once=record.purchases == 1))
        for record, r, f, m in zip(records, recency, frequency, amount, strict=True)
    ]


def segment_of(recency: int, frequency: int, amount: int, *, bought_once: bool) -> Segment:
    """The group that these scores belong to: every combination belongs to one."""
    for rule in RULES:
        if (
            (recency >= rule.recency and frequency >= rule.frequency and amount >= rule.amount)
            and rule.bought_once in (None, bought_once)
        ):  # fmt: skip
            return rule.segment
    raise AssertionError("the last rule fits everybody")


def _scores(values: Sequence[int]) -> list[int]:
    """The fifth of the list in which each value stands, from 1; equal values stand in the middle of their places."""
    ordered = sorted(values)
    score = {}
    for value in set(values):
        # Twice the place, so that the middle of an even number of places is whole.
        twice_the_place = bisect_left(ordered, value) + bisect_right(ordered, value)
        score[value] = 1 + SCORES * twice_the_place // (2 * len(ordered))
    return [score[value] for value in values]
