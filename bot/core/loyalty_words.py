"""The loyalty programme in words, for answers."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from math import lcm

from bot.core.loyalty import BirthdayTreat, EarningRules, Multiplier, Program, PunchCard, ReferralRules, Tier, TierRules
from bot.core.money import money_in_words, to_minor_units


def program_facts(program: Program, currency: str) -> dict[str, str]:
    """What answers may say about the programme, by name; what the shop does not have is left out."""
    facts = {
        "loyalty.name": program.name,
        "loyalty.rewards": _listed(f"{reward.offer.title} ({points(reward.points)})" for reward in program.rewards),
        "loyalty.punch_cards": _listed(map(_card, program.punch_cards)),
    }
    if program.earning:
        facts |= _earning_facts(program.earning, currency)
    if program.tiers.tiers:
        facts |= _tier_facts(program.tiers)
    if program.birthday:
        facts |= _birthday_facts(program.birthday)
    if program.referral:
        facts |= _referral_facts(program.referral, currency)
    for kind, number in program.feedback.points.items():
        facts[f"loyalty.feedback_{kind}"] = points(number)
    return {name: text for name, text in facts.items() if text}


def points(number: int) -> str:
    """`1 point`, `1,250 points`."""
    return f"{number:,} {'point' if abs(number) == 1 else 'points'}"


def _earning_facts(rules: EarningRules, currency: str) -> dict[str, str]:
    # Whole points for whole units of the currency: 5 points for every $1.00, rather than 1 for every $0.20.
    minor = lcm(rules.points_per_minor.denominator, to_minor_units(Decimal(1), currency))
    number = int(rules.points_per_minor * minor)
    minimum = f", from {money_in_words(rules.minimum_minor, currency)} on" if rules.minimum_minor else ""
    days = rules.hold_days
    return {
        "loyalty.earning": f"{points(number)} for every {money_in_words(minor, currency)} that you pay{minimum}",
        "loyalty.extra": "; ".join(one.title for one in rules.multipliers if one.title and _is_lasting(one)),
        "loyalty.available": f"{_days(days)} after you pay" if days else "as soon as you pay",
        "loyalty.validity": "for ever" if rules.months is None else f"for {_months(rules.months)}",
    }


def _tier_facts(rules: TierRules) -> dict[str, str]:
    return {
        "loyalty.tiers": _listed(map(_tier, rules.tiers)),
        "loyalty.perks": " ".join(f"{tier.title}: {tier.perks}" for tier in rules.tiers if tier.perks),
        "loyalty.tier_days": str(rules.window_days),
        "loyalty.tier_grace_days": str(rules.grace_days),
    }


def _birthday_facts(treat: BirthdayTreat) -> dict[str, str]:
    return {
        "loyalty.birthday": treat.offer.title,
        "loyalty.birthday_days": str(treat.offer.valid_days),
        "loyalty.birthday_notice_days": str(treat.notice_days),
    }


def _referral_facts(rules: ReferralRules, currency: str) -> dict[str, str]:
    minimum = f" of {money_in_words(rules.minimum_minor, currency)} or more" if rules.minimum_minor else ""
    return {
        "loyalty.referrer": points(rules.referrer_points),
        "loyalty.referee": points(rules.referee_points),
        "loyalty.referral_order": f"a first order{minimum}",
        "loyalty.referral_days": str(rules.hold_days),
    }


def _is_lasting(multiplier: Multiplier) -> bool:
    # What is said is made up once, and a campaign would still be told of after its end.
    return multiplier.first_day is None and multiplier.last_day is None


def _card(card: PunchCard) -> str:
    return f"{card.title}: {card.stamps} {'stamp' if card.stamps == 1 else 'stamps'}, then {card.offer.title}"


def _tier(tier: Tier) -> str:
    return f"{tier.title} from {points(tier.points)}" if tier.points else f"{tier.title} from the start"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _months(number: int) -> str:
    return "1 month" if number == 1 else f"{number} months"


def _listed(texts: Iterable[str]) -> str:
    *most, last = [*texts] or [""]
    return f"{', '.join(most)} and {last}" if most else last
