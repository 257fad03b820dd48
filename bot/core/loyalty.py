"""The loyalty programme as the shop decided it: how points are earned, tiers, cards, treats, and their worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Effect:
    """What a reward is worth: an amount off (minor units), a percentage off, or an item for nothing.

    Exactly one of the three is set.
    """

    amount_minor: int | None = None
    percent: int | None = None
    item: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As it is kept with a voucher."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def discount_minor(self, total_minor: int) -> int:
        """What it takes off a total, rounded down; never more than the total. An item is taken off at the till: 0."""
        if self.amount_minor is not None:
            return min(self.amount_minor, total_minor)
        return total_minor * (self.percent or 0) // 100


@dataclass(frozen=True)
class Offer:
    """A voucher that somebody can get: its name in business.yml, title, effect, and the terms of using it."""

    id: str
    title: str
    effect: Effect
    valid_days: int = 90
    minimum_minor: int = 0
    stackable: bool = False


@dataclass(frozen=True)
class Reward:
    """An offer for points."""

    offer: Offer
    points: int


@dataclass(frozen=True)
class Multiplier:
    """More points for some purchases; every condition that is set must hold. Dates are the shop's, both included.

    `products` are SKUs, or their beginnings when they end in *. `title` is what customers are told of it, if anything.
    """

    factor: Fraction
    products: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    title: str = ""


@dataclass(frozen=True)
class EarningRules:
    """How orders earn: points per minor unit of what was paid for goods, rounded down once, after discounts.

    What is excluded earns nothing, and does not count toward the minimum. Of several multipliers that fit a line the
    largest counts. Points are pending for `hold_days` after the payment, and last for `months` after that (None: for
    ever).
    """

    points_per_minor: Fraction
    minimum_minor: int = 0
    excluded: tuple[str, ...] = ()
    multipliers: tuple[Multiplier, ...] = ()
    hold_days: int = 0
    months: int | None = 12


@dataclass(frozen=True)
class Tier:
    """A level, reached with so many points earned by purchases within the window."""

    id: str
    title: str
    points: int
    perks: str = ""


@dataclass(frozen=True)
class TierRules:
    """The levels, lowest first. One that was reached is kept for `grace_days` after the points for it have aged."""

    tiers: tuple[Tier, ...] = ()
    window_days: int = 365
    grace_days: int = 30


@dataclass(frozen=True)
class PunchCard:
    """So many stamps (one for each unit of these products), and the next one is free."""

    id: str
    title: str
    products: tuple[str, ...]
    stamps: int
    offer: Offer


@dataclass(frozen=True)
class BirthdayTreat:
    """A treat once a year. Whoever is born on 29 February gets it on `leap_day` (month, day) in other years."""

    offer: Offer
    leap_day: tuple[int, int] = (2, 28)
    # A birthday entered less than this many days ahead counts from next year.
    notice_days: int = 30


@dataclass(frozen=True)
class ReferralRules:
    """Points for both, after the friend's first paid order of at least so much, and a hold."""

    referrer_points: int
    referee_points: int
    hold_days: int = 14
    minimum_minor: int = 0
    # How many friends a year bring points.
    cap_per_year: int = 12


@dataclass(frozen=True)
class SurpriseRules:
    """Points out of the blue: at most so many a month for all together, and one surprise a customer in so many days."""

    points: int
    monthly_budget: int
    days_between: int = 180


@dataclass(frozen=True)
class FeedbackPoints:
    """What an answer earns, by kind of feedback (csat, nps, ces, review); once per question."""

    points: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Program:
    """The whole programme; what the shop does not have is None or empty."""

    name: str
    earning: EarningRules | None = None
    tiers: TierRules = field(default_factory=TierRules)
    rewards: tuple[Reward, ...] = ()
    punch_cards: tuple[PunchCard, ...] = ()
    birthday: BirthdayTreat | None = None
    referral: ReferralRules | None = None
    surprise: SurpriseRules | None = None
    # Points that a role may give by its own decision within 24 hours.
    goodwill_limits: Mapping[str, int] = field(default_factory=dict)
    feedback: FeedbackPoints = field(default_factory=FeedbackPoints)

    def reward(self, reward_id: str) -> Reward | None:
        """The reward of that name."""
        return next((reward for reward in self.rewards if reward.offer.id == reward_id), None)

    def punch_card(self, card_id: str) -> PunchCard | None:
        """The punch card of that name."""
        return next((card for card in self.punch_cards if card.id == card_id), None)


def matches(sku: str, patterns: tuple[str, ...]) -> bool:
    """Whether a product is among the SKUs, or begins like one that ends in *."""
    return any(sku.startswith(one[:-1]) if one.endswith("*") else sku == one for one in patterns)
