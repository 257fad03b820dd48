"""What customers get in the loyalty group of business.yml: for points, stamps, birthdays, friends and answers."""

from __future__ import annotations

from typing import Any

from pydantic import Field, StrictBool, root_validator, validator

from bot.core.loyalty import BirthdayTreat, Effect, Offer, PunchCard, ReferralRules, Reward, SurpriseRules
from bot.core.money import to_minor_units
from bot.loyalty_values import (
    Amount,
    Days,
    HowOften,
    Name,
    Percent,
    Points,
    PointsOrNone,
    Sku,
    SomeDays,
    Stamps,
    as_list,
)
from bot.yaml_files import Part

_LEAP_DAYS = {"02-28": (2, 28), "03-01": (3, 1)}


class OfferPart(Part):
    """What somebody gets, and the terms of using it."""

    title: str
    amount_off: Amount | None = None
    percent_off: Percent | None = None
    item: str | None = None
    valid_days: SomeDays = Field(Offer.valid_days)
    minimum: Amount = Field(Amount(0))
    stackable: StrictBool = False

    @validator("amount_off")
    def _amount_is_something(cls, value: Amount) -> Amount:
        if not value:
            raise ValueError("is nothing")
        return value

    @root_validator(skip_on_failure=True)
    def _it_is_one_thing(cls, values: dict[str, Any]) -> dict[str, Any]:
        if sum(values[name] is not None for name in ("amount_off", "percent_off", "item")) != 1:
            raise ValueError("must have one of amount_off, percent_off and item, and only one")
        return values

    def to_offer(self, name: str, currency: str) -> Offer:
        """As the rules work with it, under a name for the records."""
        return Offer(
            id=name,
            title=self.title,
            effect=Effect(
                amount_minor=None if self.amount_off is None else to_minor_units(self.amount_off, currency),
                percent=self.percent_off,
                item=self.item,
            ),
            valid_days=self.valid_days,
            minimum_minor=to_minor_units(self.minimum, currency),
            stackable=self.stackable,
        )


class RewardPart(OfferPart):
    """Something to have for points."""

    id: Name
    points: Points

    def to_reward(self, currency: str) -> Reward:
        """As the rules work with it."""
        return Reward(self.to_offer(self.id, currency), self.points)


class CardPart(Part):
    """A punch card, and what a full one is good for."""

    id: Name
    title: str
    products: list[Sku] = Field(min_items=1)
    stamps: Stamps
    reward: OfferPart

    @validator("products", pre=True)
    def _one_is_a_list(cls, value: object) -> object:
        return as_list(value)

    def to_card(self, currency: str) -> PunchCard:
        """As the rules work with it."""
        return PunchCard(
            self.id, self.title, tuple(self.products), self.stamps, self.reward.to_offer(self.id, currency)
        )


class BirthdayPart(OfferPart):
    """A treat once a year."""

    leap_day: str = "02-28"
    notice_days: Days = Field(BirthdayTreat.notice_days)

    @validator("leap_day")
    def _leap_day_is_near(cls, value: str) -> str:
        if value not in _LEAP_DAYS:
            raise ValueError(f"{value!r} is neither 02-28 nor 03-01")
        return value

    def to_treat(self, currency: str) -> BirthdayTreat:
        """As the rules work with it."""
        return BirthdayTreat(self.to_offer("birthday", currency), _LEAP_DAYS[self.leap_day], self.notice_days)


class ReferralPart(Part):
    """Points for bringing a friend, and for the friend."""

    referrer_points: Points
    referee_points: Points
    hold_days: Days = Field(ReferralRules.hold_days)
    minimum: Amount = Field(Amount(0))
    cap_per_year: HowOften = Field(ReferralRules.cap_per_year)

    def to_rules(self, currency: str) -> ReferralRules:
        """As the rules work with it."""
        minimum_minor = to_minor_units(self.minimum, currency)
        return ReferralRules(
            self.referrer_points, self.referee_points, self.hold_days, minimum_minor, self.cap_per_year
        )


class SurprisePart(Part):
    """Points out of the blue."""

    points: Points
    monthly_budget: PointsOrNone
    days_between: SomeDays = Field(SurpriseRules.days_between)

    def to_rules(self) -> SurpriseRules:
        """As the rules work with it."""
        return SurpriseRules(self.points, self.monthly_budget, self.days_between)


class GoodwillPart(Part):
    """How many points each role may give within 24 hours."""

    agent: PointsOrNone = Field(0)
    admin: PointsOrNone = Field(0)


class FeedbackPart(Part):
    """Points for an answer, by its kind."""

    csat: PointsOrNone = Field(0)
    nps: PointsOrNone = Field(0)
    ces: PointsOrNone = Field(0)
    review: PointsOrNone = Field(0)
