"""What the demo's crowd has said."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from bot.core.feedback import FeedbackKind, is_score
from bot.services.demo import DEMO_PEOPLE
from bot.services.demo_data import CROWD, load_demo
from bot.services.demo_feedback import demo_feedback
from bot.services.improvements import themes_between


@pytest.fixture
async def demo(sql_db, clock):
    await load_demo(sql_db, clock)
    async with sql_db.transaction() as work:
        numbers = [*(person.external_id for person in DEMO_PEOPLE), *(f"C-{2001 + index}" for index in range(CROWD))]
        people = [await work.customers.by_external_id(number) for number in numbers]
        orders = [order for person in people for order in await work.orders.of_customer(person.id)]
        if not await work.feedback.theme_counts(clock.now() - timedelta(days=400), clock.now()):
            await demo_feedback(work, people, orders, clock.now())
        said = {person.external_id: await work.feedback.of_customer(person.id) for person in people}
    return said, {order.number: order for order in orders}


async def test_there_is_enough_to_look_at(demo):
    said, _ = demo
    kinds = Counter(one.kind for found in said.values() for one in found)

    assert sum(kinds.values()) >= 60
    assert set(kinds) == set(FeedbackKind) - {FeedbackKind.CES}
    assert min(kinds.values()) >= 4


async def test_the_people_to_try_the_demo_as_were_never_asked(demo):
    said, _ = demo

    assert [said[person.external_id] for person in DEMO_PEOPLE] == [[], [], []]


async def test_nobody_was_asked_twice_and_every_answer_can_be_true(demo, clock):
    said, orders = demo
    for found in said.values():
        assert len(found) <= 1
        for one in found:
            moments = [moment for moment in (one.asked_at, one.answered_at) if moment is not None]
            assert moments == sorted(moments)
            assert clock.now() - timedelta(days=190) < moments[0] <= moments[-1] < clock.now()
            assert one.score is None or is_score(one.kind, one.score)
            if one.order_number is not None:
                order = orders[one.order_number]
                assert order.delivered_at < one.asked_at
                assert (order.customer_id, one.key) == (one.customer_id, f"csat:order:{order.number}")


async def test_the_themes_are_those_of_a_coffee_shop(demo, sql_db, clock):
    lines = await themes_between(sql_db, clock.now() - timedelta(days=200), clock.now())

    counts = {line.count.theme: line.count for line in lines}
    assert {"delivery", "packaging", "taste", "price", "service", "quality"} <= set(counts)
    assert counts["delivery"].low >= 2
