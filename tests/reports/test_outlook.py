"""Each customer's standing and prospects, and what is said where the data are too few for them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.segments import Segment
from bot.reports.outlook import Outlook, look_ahead
from bot.services.measure_ports import Credit, Purchase
from tests.reports.made_up import WINDOW, made_up_purchases


def outlook(purchases: list[Purchase], credits: Sequence[Credit] = (), **terms) -> Outlook:
    terms = {"months": 12, "margin": 0.4, "monthly_discount": 0.01, **terms}
    return look_ahead(purchases, credits, {"id-0": "C-1000"}, WINDOW, **terms)


def test_every_customer_has_a_standing_and_prospects():
    purchases = made_up_purchases()
    found = outlook(purchases)

    assert len(found.prospects) == len({one.customer_id for one in purchases})
    # Under the shop's own number, where there is one.
    names = {one.number for one in found.prospects}
    assert "C-1000" in names and "id-0" not in names and "id-1" in names
    for one in found.prospects:
        assert 0 < one.active <= 1 and one.purchases > 0 and one.value_minor > 0
    for one in found.prospects:
        mine = [bought for bought in purchases if bought.customer_id == one.standing.record.customer_id]
        assert one.standing.record.net_minor == sum(bought.net_minor for bought in mine)
        days = {bought.placed_at.astimezone(WINDOW.zone).date() for bought in mine}
        assert (one.standing.record.purchases, one.standing.record.last_on) == (len(days), max(days))


def test_what_was_given_back_is_taken_off_the_record_and_off_what_is_to_come():
    purchases = made_up_purchases()
    regular = statistics.mode(one.customer_id for one in purchases)
    mine = [one for one in purchases if one.customer_id == regular]
    brought, at = sum(one.net_minor for one in mine), mine[-1].placed_at
    before = outlook(purchases)
    half = outlook(purchases, [Credit(regular, at, brought // 2), Credit(None, at, 5_000), Credit("unknown", at, 7)])
    more = outlook(purchases, [Credit(regular, at, brought + 100)])

    found = {one.number: one for one in half.prospects}
    rest = next(one for one in more.prospects if one.number == regular)
    assert [one.standing.record.net_minor for one in (found[regular], rest)] == [brought - brought // 2, -100]
    was = next(one for one in before.prospects if one.number == regular)
    assert was.value_minor > found[regular].value_minor > rest.value_minor
    for one in before.prospects:
        if one.number != regular:
            assert one.standing.record == found[one.number].standing.record


def test_the_measures_are_the_sums_over_the_customers():
    found = outlook(made_up_purchases())
    measures = {measure.definition.key: measure for measure in found.measures}
    people = len(found.prospects)

    assert measures["active_customers"].value == pytest.approx(sum(one.active for one in found.prospects) / people)
    assert measures["coming_purchases"].value == pytest.approx(sum(one.purchases for one in found.prospects))
    assert measures["coming_value"].numerator == pytest.approx(sum(one.value_minor for one in found.prospects))
    assert measures["coming_value"].denominator == people
    assert measures["spend"].value > 0
    assert {remark.partition(":")[0] for remark in found.remarks} >= {"Buying", "Spending"}


def test_the_groups_hold_every_customer_once():
    found = outlook(made_up_purchases())
    groups = found.by_segment(WINDOW.last_day)

    assert [group.segment for group in groups] == list(Segment)
    counted = Counter(one.standing.segment for one in found.prospects)
    assert {group.segment: group.customers for group in groups if group.customers} == counted
    assert sum(group.net_minor for group in groups) == sum(one.standing.record.net_minor for one in found.prospects)
    champions = next(group for group in groups if group.segment is Segment.CHAMPIONS)
    lapsed = next(group for group in groups if group.segment is Segment.LAPSED)
    assert champions.mean_value_minor > lapsed.mean_value_minor
    assert champions.median_days_ago < lapsed.median_days_ago


def test_too_few_customers_have_a_standing_and_no_prospects():
    found = outlook(made_up_purchases(customers=20))

    assert len(found.prospects) == 20
    assert {(one.active, one.purchases, one.value_minor) for one in found.prospects} == {(None, None, None)}
    assert [measure.value for measure in found.measures] == [None] * 4
    assert "Too few customers" in found.remarks[0] and "Too few repeat buyers" in found.remarks[1]


def test_without_customers_there_is_nobody():
    found = outlook([replace(one, customer_id=None) for one in made_up_purchases(customers=20)])

    assert list(found.prospects) == []
    assert {group.customers for group in found.by_segment(WINDOW.last_day)} == {0}
    assert {(group.median_days_ago, group.mean_value_minor) for group in found.by_segment(WINDOW.last_day)} == {
        (None, None)
    }


def test_amounts_without_a_mean_leave_purchases_and_take_the_values():
    # Everything was refunded: there is no amount to go by.
    found = outlook([replace(one, net_minor=0) for one in made_up_purchases()])
    values = {measure.definition.key: measure.value for measure in found.measures}

    assert values["coming_purchases"] > 0
    assert (values["spend"], values["coming_value"]) == (None, None)
    assert all(one.purchases is not None and one.value_minor is None for one in found.prospects)


def test_it_is_said_when_those_who_buy_often_spend_more():
    often = Counter(one.customer_id for one in made_up_purchases())
    purchases = [replace(one, net_minor=one.net_minor + 3_000 * often[one.customer_id]) for one in made_up_purchases()]

    assert any("also spend more" in remark for remark in outlook(purchases).remarks)
    assert not any("also spend more" in remark for remark in outlook(made_up_purchases()).remarks)


def test_it_is_said_when_nobody_seems_to_leave():
    regular = [
        Purchase(f"id-{number}", WINDOW.starts_at + timedelta(days=day), 1_000 + number)
        for number in range(150)
        for day in range(number % 7, 170, 5 + number % 20)
    ]

    found = outlook(sorted(regular, key=lambda one: one.placed_at))

    assert any("Nobody seems to stop" in remark for remark in found.remarks)
    assert all(one.active > 0.9 for one in found.prospects)
