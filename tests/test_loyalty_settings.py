"""The loyalty group of the business file: what the rules get of it, its faults, and its facts in words."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

from bot.business import load_business
from bot.core.loyalty import (
    BirthdayTreat,
    EarningRules,
    Effect,
    FeedbackPoints,
    Multiplier,
    Offer,
    Program,
    PunchCard,
    ReferralRules,
    Reward,
    SurpriseRules,
    Tier,
    TierRules,
)
from bot.errors import ConfigError
from tests.test_business import BUSINESS

ROOT = Path(__file__).parents[1]
WHOLE = """
loyalty:
  name: Regulars
  earning:
    points: 3
    per: 2
    minimum: 5.50
    excluded: GIFT-*
    hold_days: 14
    months: never
    multipliers:
      - {factor: 1.5, products: [BEAN-*, MUG], tiers: gold, title: more on beans}
      - {factor: 2, segments: Wholesale, first_day: 2026-12-01, last_day: 2026-12-24}
  tiers:
    window_days: 180
    grace_days: 0
    levels:
      - {id: silver, title: Silver, points: 100}
      - {id: gold, title: Gold, points: 500, perks: "You come first."}
  rewards:
    - {id: five, title: €5 off, points: 50, amount_off: 5, minimum: 20, valid_days: 30, stackable: true}
    - {id: tenth, title: A tenth off, points: 80, percent_off: 10}
    - {id: mug, title: A mug, points: 200, item: any mug}
  punch_cards:
    - {id: cups, title: Cups, products: CUP-*, stamps: 9, reward: {title: A free cup, item: any cup}}
  birthday: {title: Cake, item: a slice of cake, leap_day: 03-01, notice_days: 7}
  referral: {referrer_points: 100, referee_points: 50, hold_days: 7, minimum: 10, cap_per_year: 3}
  surprise: {points: 20, monthly_budget: 200, days_between: 90}
  goodwill: {agent: 100, admin: 500}
  feedback: {csat: 5, review: 15}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "business.yml"


def load(file: Path, loyalty: str, currency: str = "EUR"):
    file.write_text(BUSINESS.replace("EUR", currency) + loyalty)
    return load_business(file)


def faults(file: Path, loyalty: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, loyalty)
    return [fault.removeprefix(f"{file}: ") for fault in caught.value.faults]


def group(text: str) -> str:
    return f"loyalty:\n  name: Regulars\n  {text}\n"


@pytest.mark.parametrize("loyalty", ["", "loyalty:\n"])
def test_a_shop_without_the_group_has_no_programme(file, loyalty):
    business = load(file, loyalty)

    assert business.to_shop().loyalty is None
    assert [name for name in business.facts() if name.startswith("loyalty")] == []


def test_everything_but_the_name_may_be_left_out(file):
    business = load(file, "loyalty: {name: Regulars}\n")

    assert business.to_shop().loyalty == Program("Regulars")
    assert {name: text for name, text in business.facts().items() if name.startswith("loyalty")} == {
        "loyalty.name": "Regulars"
    }


def test_the_rules_get_the_whole_programme_with_amounts_in_minor_units(file):
    assert load(file, WHOLE).to_shop().loyalty == Program(
        name="Regulars",
        earning=EarningRules(
            points_per_minor=Fraction(3, 200),
            minimum_minor=550,
            excluded=("GIFT-*",),
            multipliers=(
                Multiplier(Fraction(3, 2), products=("BEAN-*", "MUG"), tiers=("gold",), title="more on beans"),
                Multiplier(
                    Fraction(2), segments=("wholesale",), first_day=date(2026, 12, 1), last_day=date(2026, 12, 24)
                ),
            ),
            hold_days=14,
            months=None,
        ),
        tiers=TierRules((Tier("silver", "Silver", 100), Tier("gold", "Gold", 500, "You come first.")), 180, 0),
        rewards=(
            Reward(Offer("five", "€5 off", Effect(amount_minor=500), 30, 2_000, stackable=True), 50),
            Reward(Offer("tenth", "A tenth off", Effect(percent=10)), 80),
            Reward(Offer("mug", "A mug", Effect(item="any mug")), 200),
        ),
        punch_cards=(PunchCard("cups", "Cups", ("CUP-*",), 9, Offer("cups", "A free cup", Effect(item="any cup"))),),
        birthday=BirthdayTreat(Offer("birthday", "Cake", Effect(item="a slice of cake")), (3, 1), 7),
        referral=ReferralRules(100, 50, 7, 1_000, 3),
        surprise=SurpriseRules(20, 200, 90),
        goodwill_limits={"agent": 100, "admin": 500},
        feedback=FeedbackPoints({"csat": 5, "review": 15}),
    )


@pytest.mark.parametrize(("currency", "per_minor"), [("JPY", Fraction(1)), ("USD", Fraction(1, 100))])
def test_points_are_for_the_smallest_unit_of_the_currency(file, currency, per_minor):
    rules = load(file, group("earning: {points: 1}"), currency).to_shop().loyalty.earning

    assert rules == EarningRules(points_per_minor=per_minor, minimum_minor=0, hold_days=0, months=12)


# Faults


def test_every_fault_of_values_is_named_with_its_place(file):
    assert faults(
        file,
        """
loyalty:
  name: 5
  earning:
    points: 0
    per: 0
    minimum: free
    excluded: [G*IFT]
    hold_days: 1.5
    months: 0
    multipliers:
      - {products: MUG}
      - {factor: 1, first_day: soon, last_day: 2027-02-30}
      - {factor: 2, first_day: 2027-01-02, last_day: 2027-01-01}
  tiers: {window_days: 0, levels: []}
  rewards:
    - {id: Free Cup, title: A cup, points: -5, item: a cup}
    - {id: two, title: Two, points: 5, item: a cup, amount_off: 2}
    - {id: none, title: None at all, points: 5}
    - {id: nothing, title: Nothing, points: 5, amount_off: 0}
    - {id: more, title: More, points: 5, percent_off: 101, stackable: maybe}
  punch_cards: [{id: cups, title: Cups, products: [], stamps: 9}]
  birthday: {title: Cake, item: cake, leap_day: 02-29}
  referral: {referrer_points: many, referee_points: 5}
  goodwill: {agents: 5}
""",
    ) == [
        "loyalty.name: is not text: put it in quotes",
        "loyalty.earning.points: ensure this value is greater than or equal to 1",
        "loyalty.earning.per: is nothing: points are for an amount such as 1",
        "loyalty.earning.minimum: 'free' is not an amount such as 2.50",
        "loyalty.earning.excluded.0: 'G*IFT' is not a product's number such as MUG-1, or a beginning such as MUG-*",
        "loyalty.earning.multipliers.0.factor: is missing",
        "loyalty.earning.multipliers.1.factor: 1 is not a number above 1, up to 100, such as 2 or 1.5",
        "loyalty.earning.multipliers.1.first_day: 'soon' is not a date such as 2027-12-25",
        "loyalty.earning.multipliers.1.last_day: '2027-02-30' is not a date such as 2027-12-25",
        "loyalty.earning.multipliers.2.last_day: 2027-01-01 is before the first day",
        "loyalty.earning.hold_days: is not a whole number",
        "loyalty.earning.months: ensure this value is greater than or equal to 1",
        "loyalty.tiers.window_days: ensure this value is greater than or equal to 1",
        "loyalty.tiers.levels: is empty",
        "loyalty.rewards.0.id: 'Free Cup' is not a name of small letters, digits and dashes, such as free-cup",
        "loyalty.rewards.0.points: ensure this value is greater than or equal to 1",
        "loyalty.rewards.1: must have one of amount_off, percent_off and item, and only one",
        "loyalty.rewards.2: must have one of amount_off, percent_off and item, and only one",
        "loyalty.rewards.3.amount_off: is nothing",
        "loyalty.rewards.4.percent_off: ensure this value is less than or equal to 100",
        "loyalty.rewards.4.stackable: is not true or false",
        "loyalty.punch_cards.0.products: is empty",
        "loyalty.punch_cards.0.reward: is missing",
        "loyalty.birthday.leap_day: '02-29' is neither 02-28 nor 03-01",
        "loyalty.referral.referrer_points: is not a whole number",
        "loyalty.goodwill.agents: is not a setting; did you mean agent?",
    ]


def test_a_fraction_of_the_smallest_coin_is_a_fault_wherever_it_stands(file):
    assert faults(
        file,
        group(
            "earning: {points: 1, per: 0.001, minimum: 2.505}\n"
            "  rewards: [{id: five, title: Five, points: 1, amount_off: 5}, "
            "{id: half, title: Half, points: 1, amount_off: 0.505, minimum: 1.234}]"
        ),
    ) == [
        "loyalty.earning.per: 0.001 has more decimals than EUR has (2)",
        "loyalty.earning.minimum: 2.505 has more decimals than EUR has (2)",
        "loyalty.rewards.1.amount_off: 0.505 has more decimals than EUR has (2)",
        "loyalty.rewards.1.minimum: 1.234 has more decimals than EUR has (2)",
    ]


@pytest.mark.parametrize(
    ("levels", "fault"),
    [
        ("{id: a, title: A, points: 0}, {id: a, title: A, points: 5}", "a: more than one with this id"),
        (
            "{id: a, title: A, points: 5}, {id: b, title: B, points: 5}",
            "each level needs more points than the one before it",
        ),
    ],
)
def test_levels_have_their_own_names_and_need_more_and_more_points(file, levels, fault):
    assert faults(file, group(f"tiers: {{levels: [{levels}]}}")) == [f"loyalty.tiers.levels: {fault}"]


def test_no_two_rewards_and_no_two_cards_have_one_name(file):
    card = "{id: c, title: C, products: [A], stamps: 9, reward: {title: T, item: I}}"
    reward = "{id: r, title: R, points: 5, item: I}"

    assert faults(file, group(f"rewards: [{reward}, {reward}]\n  punch_cards: [{card}, {card}]")) == [
        "loyalty.rewards: r: more than one with this id",
        "loyalty.punch_cards: c: more than one with this id",
    ]


@pytest.mark.parametrize(("levels", "known"), [("", "none"), ("tiers: {levels: [{id: a, title: A, points: 1}]}", "a")])
def test_a_multiplier_for_a_level_that_there_is_not_is_a_fault(file, levels, known):
    text = group(f"earning: {{points: 1, multipliers: [{{factor: 2, tiers: [gold]}}]}}\n  {levels}")

    assert faults(file, text) == [f"loyalty.earning.multipliers.0.tiers: 'gold' is not a level (there are: {known})"]


# Facts


def test_the_programme_in_words(file):
    facts = {name: text for name, text in load(file, WHOLE).facts().items() if name.startswith("loyalty.")}

    assert facts == {
        "loyalty.name": "Regulars",
        "loyalty.earning": "3 points for every €2.00 that you pay, from €5.50 on",
        "loyalty.extra": "more on beans",
        "loyalty.available": "14 days after you pay",
        "loyalty.validity": "for ever",
        "loyalty.tiers": "Silver from 100 points and Gold from 500 points",
        "loyalty.perks": "Gold: You come first.",
        "loyalty.tier_days": "180",
        "loyalty.tier_grace_days": "0",
        "loyalty.rewards": "€5 off (50 points), A tenth off (80 points) and A mug (200 points)",
        "loyalty.punch_cards": "Cups: 9 stamps, then A free cup",
        "loyalty.birthday": "Cake",
        "loyalty.birthday_days": "90",
        "loyalty.birthday_notice_days": "7",
        "loyalty.referrer": "100 points",
        "loyalty.referee": "50 points",
        "loyalty.referral_order": "a first order of €10.00 or more",
        "loyalty.referral_days": "7",
        "loyalty.feedback_csat": "5 points",
        "loyalty.feedback_review": "15 points",
    }


@pytest.mark.parametrize(
    ("earning", "words"),
    [
        ("points: 1", "1 point for every €1.00 that you pay"),
        ("points: 5", "5 points for every €1.00 that you pay"),
        ("points: 1, per: 50", "1 point for every €50.00 that you pay"),
        ("points: 1, per: 2.50", "2 points for every €5.00 that you pay"),
    ],
)
def test_points_are_named_for_whole_units_of_the_currency(file, earning, words):
    assert load(file, group(f"earning: {{{earning}}}")).facts()["loyalty.earning"] == words


def test_a_campaign_with_dates_is_no_fact_because_it_passes(file):
    campaign = "{factor: 2, title: double points, last_day: 2026-12-24}"

    assert "loyalty.extra" not in load(file, group(f"earning: {{points: 1, multipliers: [{campaign}]}}")).facts()


def test_the_demo_shop_has_every_part_of_a_programme():
    program = load_business(ROOT / "business.yml").to_shop().loyalty

    assert [tier.id for tier in program.tiers.tiers] == ["bronze", "silver", "gold"]
    assert program.punch_card("cups").stamps == 9
    assert {*vars(program)} == {name for name, value in vars(program).items() if value}
    assert set(program.goodwill_limits) == {"agent", "admin"}
    effects = [reward.offer.effect for reward in program.rewards]
    assert any(e.amount_minor for e in effects) and any(e.percent for e in effects) and any(e.item for e in effects)
