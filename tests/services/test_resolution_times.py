"""How long requests take until they are settled: of those that the shop has settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.handoffs import Step
from bot.core.measures import Window
from bot.services.desk_reports import desk_report
from bot.services.measures import take_measures
from tests.builders import stored_conversation
from tests.services.desk import ANA, add_agents, ask, open_always, step

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def settled(sql_db, clock, shop):
    """One request that Ana has settled after ten minutes."""
    shop = open_always(shop)
    await add_agents(sql_db, ANA)
    helped = await stored_conversation(sql_db)
    await ask(sql_db, clock, shop, helped)
    await step(sql_db, clock, shop, helped, Step.CLAIM, by=ANA)
    clock.advance(10 * MINUTE)
    await step(sql_db, clock, shop, helped, Step.RESOLVE, by=ANA)
    return shop


@pytest.mark.parametrize("went", [Step.CANCEL, Step.GIVE_UP])
async def test_a_request_from_which_the_customer_went_is_not_one_that_was_settled_fast(sql_db, clock, settled, went):
    left = await stored_conversation(sql_db)
    await ask(sql_db, clock, settled, left)
    clock.advance(seconds=5)
    await step(sql_db, clock, settled, left, went)

    assert await resolution_at_the_desk(sql_db, clock, settled) == (600, 1)
    assert await resolution_in_the_report(sql_db, clock, settled) == (600, 1)


async def test_a_request_whose_customer_was_gone_in_the_end_was_settled(sql_db, clock, settled):
    gone = await stored_conversation(sql_db)
    await ask(sql_db, clock, settled, gone)
    await step(sql_db, clock, settled, gone, Step.CLAIM, by=ANA)
    clock.advance(20 * MINUTE)
    await step(sql_db, clock, settled, gone, Step.GIVE_UP)

    assert await resolution_at_the_desk(sql_db, clock, settled) == (900, 2)
    assert await resolution_in_the_report(sql_db, clock, settled) == (900, 2)


def today(clock, shop) -> Window:
    day = clock.now().astimezone(shop.hours.zone).date()
    return Window(day, day, shop.hours.zone)


async def resolution_at_the_desk(db, clock, shop):
    figures = (await desk_report(db, shop, today(clock, shop), clock.now()))["totals"]["resolution"]
    return figures["median"], figures["count"]


async def resolution_in_the_report(db, clock, shop):
    measure = (await take_measures(db, shop, today(clock, shop), clock.now()))["resolution_median"]
    return measure.value, measure.denominator
