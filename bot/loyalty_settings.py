"""The loyalty group in business.yml: each of its parts checked by itself, then how they fit together."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from pydantic import Field, ValidationError, root_validator, validator
from pydantic.error_wrappers import ErrorWrapper

from bot.core.loyalty import EarningRules, FeedbackPoints, Multiplier, Program, Tier, TierRules
from bot.core.money import to_minor_units
from bot.loyalty_offers import (
    BirthdayPart,
    CardPart,
    FeedbackPart,
    GoodwillPart,
    ReferralPart,
    RewardPart,
    SurprisePart,
)
from bot.loyalty_values import (
    Amount,
    Days,
    Factor,
    Months,
    Name,
    Points,
    PointsOrNone,
    Sku,
    SomeDays,
    as_list,
    check_unique,
)
from bot.yaml_files import Part


class MultiplierPart(Part):
    """More points for some purchases."""

    factor: Factor
    title: str | None = None
    products: list[Sku] = Field(default_factory=list)
    tiers: list[Name] = Field(default_factory=list)
    segments: list[str] = Field(default_factory=list)
    first_day: date | None = None
    last_day: date | None = None

    @validator("products", "tiers", "segments", pre=True)
    def _one_is_a_list(cls, value: object) -> object:
        return as_list(value)

    @validator("first_day", "last_day", pre=True)
    def _days_are_dates(cls, value: object) -> date:
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(f"{value!r} is not a date such as 2027-12-25") from None

    @validator("last_day")
    def _the_last_is_not_before_the_first(cls, value: date, values: dict[str, Any]) -> date:
        if (first := values.get("first_day")) and value < first:
            raise ValueError(f"{value} is before the first day")
        return value

    def to_multiplier(self) -> Multiplier:
        """As the rules work with it."""
        return Multiplier(
            Fraction(self.factor),
            tuple(self.products),
            tuple(self.tiers),
            tuple(segment.lower() for segment in self.segments),
            self.first_day,
            self.last_day,
            self.title or "",
        )


class EarningPart(Part):
    """How orders earn."""

    points: Points
    per: Amount = Field(Amount(1))
    minimum: Amount = Field(Amount(0))
    excluded: list[Sku] = Field(default_factory=list)
    multipliers: list[MultiplierPart] = Field(default_factory=list)
    hold_days: Days = Field(0)
    months: Months | None = Field(12)

    @validator("per")
    def _per_is_something(cls, value: Amount) -> Amount:
        if not value:
            raise ValueError("is nothing: points are for an amount such as 1")
        return value

    @validator("excluded", pre=True)
    def _one_is_a_list(cls, value: object) -> object:
        return as_list(value)

    @validator("months", pre=True)
    def _points_may_last(cls, value: object) -> object:
        return None if value == "never" else value

    def to_rules(self, currency: str) -> EarningRules:
        """As the rules work with it."""
        return EarningRules(
            points_per_minor=Fraction(self.points, to_minor_units(self.per, currency)),
            minimum_minor=to_minor_units(self.minimum, currency),
            excluded=tuple(self.excluded),
            multipliers=tuple(part.to_multiplier() for part in self.multipliers),
            hold_days=self.hold_days,
            months=self.months,
        )


class LevelPart(Part):
    """A level."""

    id: Name
    title: str
    points: PointsOrNone
    perks: str | None = None


class TiersPart(Part):
    """The levels, lowest first."""

    window_days: SomeDays = Field(TierRules.window_days)
    grace_days: Days = Field(TierRules.grace_days)
    levels: list[LevelPart] = Field(min_items=1)

    @validator("levels")
    def _each_is_higher(cls, value: list[LevelPart]) -> list[LevelPart]:
        check_unique(value)
        if any(one.points >= two.points for one, two in pairwise(value)):
            raise ValueError("each level needs more points than the one before it")
        return value

    def to_rules(self) -> TierRules:
        """As the rules work with it."""
        levels = (Tier(part.id, part.title, part.points, part.perks or "") for part in self.levels)
        return TierRules(tuple(levels), self.window_days, self.grace_days)


class Loyalty(Part):
    """The whole programme; what is left out the shop does not have."""

    name: str
    earning: EarningPart | None = None
    tiers: TiersPart | None = None
    rewards: list[RewardPart] = Field(default_factory=list)
    punch_cards: list[CardPart] = Field(default_factory=list)
    birthday: BirthdayPart | None = None
    referral: ReferralPart | None = None
    surprise: SurprisePart | None = None
    goodwill: GoodwillPart | None = None
    feedback: FeedbackPart | None = None

    @validator("rewards", "punch_cards")
    def _names_are_used_once(cls, value: list[Any]) -> list[Any]:
        check_unique(value)
        return value

    @root_validator(skip_on_failure=True)
    def _tiers_that_earn_more_exist(cls, values: dict[str, Any]) -> dict[str, Any]:
        tiers: TiersPart | None = values["tiers"]
        earning: EarningPart | None = values["earning"]
        known = [level.id for level in tiers.levels] if tiers else []
        faults = [
            ErrorWrapper(
                ValueError(f"{name!r} is not a level (there are: {', '.join(known) or 'none'})"),
                loc=("earning", "multipliers", number, "tiers"),
            )
            for number, part in enumerate(earning.multipliers if earning else [])
            for name in part.tiers
            if name not in known
        ]
        if faults:
            raise ValidationError(faults, Loyalty)
        return values

    def to_program(self, currency: str) -> Program:
        """As the rules work with it, amounts in minor units."""
        feedback = self.feedback.dict() if self.feedback else {}
        return Program(
            name=self.name,
            earning=self.earning.to_rules(currency) if self.earning else None,
            tiers=self.tiers.to_rules() if self.tiers else TierRules(),
            rewards=tuple(part.to_reward(currency) for part in self.rewards),
            punch_cards=tuple(part.to_card(currency) for part in self.punch_cards),
            birthday=self.birthday.to_treat(currency) if self.birthday else None,
            referral=self.referral.to_rules(currency) if self.referral else None,
            surprise=self.surprise.to_rules() if self.surprise else None,
            goodwill_limits=self.goodwill.dict() if self.goodwill else {},
            feedback=FeedbackPoints({kind: points for kind, points in feedback.items() if points}),
        )
