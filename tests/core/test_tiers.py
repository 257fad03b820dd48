"""Levels: reached by what was bought, kept for a while, and never lost by spending."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.loyalty import Tier, TierRules
from bot.core.tiers import TierStanding, first_day_that_counts, standing_at

BRONZE, SILVER, GOLD = Tier("bronze", "Bronze", 0), Tier("silver", "Silver", 300), Tier("gold", "Gold", 1_000)
RULES = TierRules((BRONZE, SILVER, GOLD), window_days=365, grace_days=30)
NOW = datetime(2026, 6, 15, 9, 0, tzinfo=timezone.utc)


def ago(days: int) -> date:
    return (NOW - timedelta(days=days)).date()


def standing(earned: dict[int, int], rules: TierRules = RULES, now: datetime = NOW) -> TierStanding:
    """By points earned so many days before NOW."""
    return standing_at(rules, {ago(days): points for days, points in earned.items()}, now)


def midnight_in(days: int) -> datetime:
    return datetime.combine(ago(-days), datetime.min.time(), timezone.utc)


def test_who_has_earned_nothing_is_on_the_level_that_needs_nothing():
    assert standing({}) == TierStanding(BRONZE, 0, SILVER, 300, None)


def test_a_level_is_reached_with_exactly_its_points():
    assert standing({10: 299}).tier is BRONZE
    assert standing({10: 200, 3: 100}).tier is SILVER
    assert standing({0: 1_000}) == TierStanding(GOLD, 1_000, None, 0, midnight_in(365 + 30))


def test_what_is_missing_is_counted_from_what_was_earned_in_the_window():
    found = standing({364: 120, 10: 340})

    assert (found.tier, found.earned, found.next_tier, found.missing) == (SILVER, 460, GOLD, 540)


def test_points_count_until_the_window_has_passed_and_then_for_the_grace_period():
    assert standing({364: 300}).until == midnight_in(31)
    assert standing({365: 300}).earned == 0
    assert standing({365 + 29: 300}) == TierStanding(SILVER, 0, GOLD, 1_000, midnight_in(1))
    assert standing({365 + 30: 300}).tier is BRONZE


def test_without_a_grace_period_the_level_ends_with_the_window():
    rules = TierRules(RULES.tiers, window_days=30, grace_days=0)

    assert standing({29: 300}, rules) == TierStanding(SILVER, 300, GOLD, 700, midnight_in(1))
    assert standing({30: 300}, rules).tier is BRONZE


def test_a_level_that_was_reached_in_the_grace_period_only_is_kept():
    # Silver for ten days, by points that had almost aged and some more.
    found = standing({370: 200, 15: 150})

    assert (found.tier, found.earned, found.missing) == (SILVER, 150, 850)
    assert found.until == midnight_in(25)


def test_points_of_later_days_do_not_count_yet():
    assert standing({-1: 5_000}) == standing({})


def test_below_the_lowest_level_there_is_none():
    rules = TierRules((SILVER, GOLD))

    assert standing({1: 299}, rules) == TierStanding(None, 299, SILVER, 1, None)


def test_a_shop_without_levels_has_no_standings():
    assert standing({1: 500}, TierRules()) == TierStanding(None, 500, None, 0, None)


def test_days_are_counted_in_utc():
    manila = timezone(timedelta(hours=8))
    # The sixth there, and still the fifth in UTC.
    now = datetime(2026, 1, 6, 3, 0, tzinfo=manila)

    assert standing_at(RULES, {date(2026, 1, 5): 300}, now).tier is SILVER
    assert standing_at(RULES, {date(2026, 1, 6): 300}, now).tier is BRONZE


EARNED = st.dictionaries(st.integers(0, 450), st.integers(1, 900), max_size=12)
SHORT = TierRules(RULES.tiers, window_days=60, grace_days=20)


@pytest.mark.parametrize("rules", [RULES, SHORT])
@given(earned=EARNED)
def test_a_level_is_the_best_of_the_grace_period(rules, earned):
    def sum_until(day: int) -> int:
        return sum(points for days, points in earned.items() if day <= days < day + rules.window_days)

    best = max(sum_until(day) for day in range(rules.grace_days + 1))
    found = standing(earned, rules)

    assert found.tier == [tier for tier in rules.tiers if tier.points <= best][-1]
    assert found.earned == sum_until(0)


@given(earned=EARNED)
def test_a_level_is_kept_until_its_last_moment_and_lost_then(earned):
    found = standing(earned, SHORT)
    if found.until is not None:
        before = standing(earned, SHORT, now=found.until - timedelta(microseconds=1))
        after = standing(earned, SHORT, now=found.until)

        assert before.tier.points >= found.tier.points > after.tier.points


@given(earned=EARNED)
def test_nothing_from_before_the_first_day_that_counts_changes_anything(earned):
    first = first_day_that_counts(RULES, NOW)
    counting = {days: points for days, points in earned.items() if ago(days) >= first}

    assert standing(earned) == standing(counting)
