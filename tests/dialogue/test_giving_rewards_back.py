"""A reward goes back while nobody has used it: once, and with the points that it cost."""

from __future__ import annotations

import re

import pytest

from bot.services.ledger import balance_of
from bot.services.vouchers import release_voucher, reserve_voucher, use_voucher


async def points(db, clock) -> int:
    async with db.reading() as work:
        maria = await work.customers.by_external_id("C-1001")
        return (await balance_of(work, clock, maria.id)).available


@pytest.fixture
async def talk(talk_as):
    return await talk_as("C-1001")


@pytest.fixture
async def code(talk) -> str:
    """The code of the mug that Maria has just taken for 250 of her 420 points."""
    await talk.say("redeem points for the parol mug")
    return re.search("SUKI-[0-9A-Z-]+", await talk.text("yes"))[0]


async def test_a_reserved_reward_is_not_given_back(talk, code, demo_db, clock) -> None:
    async with demo_db.transaction() as work:
        await reserve_voucher(work, clock, code, key="cart-1", customer_id=None, total_minor=5_000)

    assert "no reward of yours that could be given back" in await talk.text("cancel the reward I just redeemed")
    assert await points(demo_db, clock) == 170


async def test_a_released_reward_is_given_back(talk, code, demo_db, clock) -> None:
    async with demo_db.transaction() as work:
        await reserve_voucher(work, clock, code, key="cart-1", customer_id=None, total_minor=5_000)
    async with demo_db.transaction() as work:
        await release_voucher(work, clock, code, key="cart-1")

    await talk.say("cancel the reward I just redeemed")
    await talk.say("yes")

    assert await points(demo_db, clock) == 420


async def test_a_reward_used_between_the_question_and_the_yes_stays_used(talk, code, demo_db, clock) -> None:
    await talk.say("cancel the reward I just redeemed")
    async with demo_db.transaction() as work:
        await use_voucher(work, clock, code, key="till-1", customer_id=None, total_minor=5_000)

    assert "no longer works" not in await talk.text("yes")
    assert await points(demo_db, clock) == 170


async def test_a_yes_that_scrolled_away_gives_nothing_back_again(talk, code, demo_db, clock) -> None:
    await talk.say("cancel the reward I just redeemed")
    await talk.say("[Yes]")
    await talk.say("[Yes]")

    assert await points(demo_db, clock) == 420


async def test_another_customers_code_is_not_given_back(talk, code, talk_as, demo_db, clock) -> None:
    john = await talk_as("C-1002")

    answer = await john.text(f"cancel the voucher {code}")

    assert "points back" not in answer
    assert await points(demo_db, clock) == 170
