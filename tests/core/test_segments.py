"""Customers by recency, frequency and amount: scores by rank, equal for equals, and a group for everybody."""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.segments import MEANINGS, RULES, TITLES, BuyingRecord, Segment, rank_customers, segment_of

TODAY = date(2026, 11, 2)


def a_record(name: str = "C", *, days_ago: int = 10, purchases: int = 3, net_minor: int = 5_000) -> BuyingRecord:
    return BuyingRecord(name, TODAY - timedelta(days=days_ago), purchases, net_minor)


def scores(records: list[BuyingRecord]) -> list[tuple[int, int, int]]:
    return [(standing.recency, standing.frequency, standing.amount) for standing in rank_customers(records)]


def test_a_fifth_of_the_customers_gets_each_score():
    records = [a_record(days_ago=number, purchases=number + 1, net_minor=number * 100) for number in range(100)]

    found = scores(records)

    for kind in range(3):
        assert Counter(row[kind] for row in found) == dict.fromkeys((1, 2, 3, 4, 5), 20)
    # The one who came last scores highest on recency, and here lowest on the others.
    assert found[0] == (5, 1, 1)
    assert found[99] == (1, 5, 5)


def test_equal_customers_get_equal_scores_that_of_the_middle_of_their_places():
    # Places 0 to 5 of 10 are shared by those who bought once: their middle is in the second fifth.
    records = [a_record(purchases=1)] * 6 + [a_record(purchases=2)] * 2 + [a_record(purchases=9)] * 2

    assert [frequency for _, frequency, _ in scores(records)] == [2] * 6 + [4] * 2 + [5] * 2


def test_customers_who_are_all_alike_are_all_in_the_middle():
    assert scores([a_record()] * 7) == [(3, 3, 3)] * 7
    assert scores([a_record()]) == [(3, 3, 3)]
    assert rank_customers([]) == []


records = st.lists(
    st.builds(
        a_record, days_ago=st.integers(0, 9), purchases=st.integers(1, 6), net_minor=st.integers(-500, 3_000)
    ),
    min_size=1,
    max_size=40,
)  # fmt: skip


@given(records, st.randoms(use_true_random=False))
def test_the_order_of_the_list_changes_nobodys_scores(customers, chance):
    named = [BuyingRecord(str(number), *list(vars(one).values())[1:]) for number, one in enumerate(customers)]
    shuffled = named.copy()
    chance.shuffle(shuffled)

    as_listed = {standing.record.customer_id: standing for standing in rank_customers(named)}
    as_shuffled = {standing.record.customer_id: standing for standing in rank_customers(shuffled)}

    assert as_listed == as_shuffled


@given(records)
def test_more_never_scores_less(customers):
    standings = rank_customers(customers)

    for one, other in itertools.combinations(standings, 2):
        for kind, score in (("last_on", "recency"), ("purchases", "frequency"), ("net_minor", "amount")):
            values = getattr(one.record, kind), getattr(other.record, kind)
            of_one, of_other = getattr(one, score), getattr(other, score)
            assert (of_one - of_other) * ((values[0] > values[1]) - (values[0] < values[1])) >= 0
            assert 1 <= of_one <= 5
            if values[0] == values[1]:
                assert of_one == of_other


@pytest.mark.parametrize(
    ("recency", "frequency", "amount", "bought_once", "segment"),
    [
        (5, 5, 5, False, Segment.CHAMPIONS),
        (5, 5, 3, False, Segment.LOYAL),
        (3, 4, 5, False, Segment.LOYAL),
        (4, 2, 5, False, Segment.PROMISING),
        (5, 3, 5, True, Segment.NEW),
        (3, 3, 3, True, Segment.PROMISING),
        (2, 3, 5, True, Segment.LAPSED),
        (2, 4, 5, False, Segment.AT_RISK),
        (1, 3, 1, False, Segment.AT_RISK),
        (2, 2, 5, False, Segment.LAPSED),
    ],
)
def test_scores_lead_to_a_group(recency, frequency, amount, bought_once, segment):
    assert segment_of(recency, frequency, amount, bought_once=bought_once) is segment


def test_every_combination_has_a_group_and_every_rule_some_combination():
    every = itertools.product(range(1, 6), range(1, 6), range(1, 6), (True, False))

    found = Counter(segment_of(r, f, m, bought_once=once) for r, f, m, once in every)

    assert set(found) == {rule.segment for rule in RULES} == set(Segment) == set(TITLES) == set(MEANINGS)
    assert sum(found.values()) == 250


def test_twenty_thousand_customers_are_ranked_within_a_second():
    draw = random.Random(1)
    customers = [
        a_record(days_ago=draw.randrange(900), purchases=draw.randrange(1, 60), net_minor=draw.randrange(10**7))
        for _ in range(20_000)
    ]

    began = time.process_time()
    rank_customers(customers)

    assert time.process_time() - began < 1
