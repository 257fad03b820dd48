"""Rewards for points, and coupons: what is paid for once is given once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.ledger import Balance, EntryKind
from bot.core.loyalty import Effect, Offer, Program, Reward
from bot.core.vouchers import UNLIMITED_USES, VoucherKind
from bot.errors import InsufficientPoints, KeyReused, LedgerRefused, VoucherRefused
from bot.services.coupons import end_coupon, issue_coupon
from bot.services.ledger import award_points, balance_of
from bot.services.rewards import redeem_reward, undo_reward
from bot.services.vouchers import reserve_voucher, use_voucher, vouchers_of
from tests.builders import a_shop, stored_customer
from tests.storage.databases import in_processes, open_database, run

COFFEE = Reward(Offer("free_coffee", "A free coffee", Effect(item="Any coffee")), 100)
MUG = Reward(Offer("mug", "A mug", Effect(item="Mug")), 250)
SHOP = a_shop(loyalty=Program("Suki Club", rewards=(COFFEE, MUG)))


@pytest.fixture
async def maria(sql_db, clock):
    return await with_points(sql_db, clock, 250)


async def with_points(db, clock, points):
    customer = await stored_customer(db)
    async with db.transaction() as work:
        await award_points(work, clock, customer.id, EntryKind.ORDER, points, key=f"order:{customer.id}")
    return customer.id


async def redeem(db, clock, customer_id, reward_id="free_coffee", *, key="r", shop=SHOP):
    async with db.transaction() as work:
        return await redeem_reward(work, clock, shop, customer_id, reward_id, key=key)


async def undo(db, clock, code, *, key="u"):
    async with db.transaction() as work:
        return await undo_reward(work, clock, code, key=key)


async def points_of(db, clock, customer_id):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return await balance_of(work, clock, customer_id)


async def coupon(db, clock, code="welcome-10", **terms):
    async with db.transaction() as work:
        return await issue_coupon(
            work, clock, code, **{"title": "10% off", "effect": Effect(percent=10), "use_limit": 5, **terms}
        )


async def test_a_reward_costs_its_points_and_is_a_voucher(sql_db, clock, maria):
    voucher = await redeem(sql_db, clock, maria)

    assert (voucher.kind, voucher.name, voucher.customer_id) == (VoucherKind.REWARD, "free_coffee", maria)
    assert await points_of(sql_db, clock, maria) == Balance(150)
    async with sql_db.reading() as work:
        assert await vouchers_of(work, clock, maria) == [voucher]


async def test_redeeming_twice_with_one_key_spends_once(sql_db, clock, maria):
    voucher = await redeem(sql_db, clock, maria)

    clock.advance(days=1)
    assert await redeem(sql_db, clock, maria) == voucher
    assert await redeem(sql_db, clock, maria, shop=a_shop()) == voucher  # the reward is gone, what was given is not
    assert await points_of(sql_db, clock, maria) == Balance(150)


async def test_a_key_stands_for_one_reward_of_one_customer(sql_db, clock, maria):
    await redeem(sql_db, clock, maria)

    with pytest.raises(KeyReused):
        await redeem(sql_db, clock, maria, "mug")
    with pytest.raises(KeyReused):
        await redeem(sql_db, clock, await with_points(sql_db, clock, 500))


async def test_without_enough_points_there_is_no_voucher(sql_db, clock, maria):
    await redeem(sql_db, clock, maria)

    with pytest.raises(InsufficientPoints):
        await redeem(sql_db, clock, maria, "mug", key="other")
    async with sql_db.reading() as work:
        assert len(await work.vouchers.of_customer(maria)) == 1


@pytest.mark.parametrize("shop", [SHOP, a_shop()])
async def test_what_the_shop_does_not_offer_is_not_to_be_had(sql_db, clock, maria, shop):
    with pytest.raises(LedgerRefused) as refused:
        await redeem(sql_db, clock, maria, "yacht", shop=shop)

    assert refused.value.reason == "no_reward"


async def test_an_unused_reward_can_be_given_back(sql_db, clock, maria):
    voucher = await redeem(sql_db, clock, maria)

    assert await undo(sql_db, clock, voucher.code) == await undo(sql_db, clock, voucher.code)

    assert await points_of(sql_db, clock, maria) == Balance(250)
    async with sql_db.transaction() as work:
        with pytest.raises(VoucherRefused) as refused:
            await use_voucher(work, clock, voucher.code, key="order-1", customer_id=maria, total_minor=0)
    assert refused.value.reason == "cancelled"


async def test_a_reward_in_use_is_not_given_back(sql_db, clock, maria):
    voucher = await redeem(sql_db, clock, maria)
    async with sql_db.transaction() as work:
        await reserve_voucher(work, clock, voucher.code, key="order-1", customer_id=maria, total_minor=0)

    with pytest.raises(VoucherRefused) as refused:
        await undo(sql_db, clock, voucher.code)

    assert refused.value.reason == "in_use"
    assert await points_of(sql_db, clock, maria) == Balance(150)


async def test_what_cost_no_points_gives_none_back(sql_db, clock):
    free = await coupon(sql_db, clock)

    for code in (free.code, "NOSUCHCODE"):
        with pytest.raises(VoucherRefused):
            await undo(sql_db, clock, code)


async def test_a_reward_used_and_given_back_at_once_is_one_of_both(sql_db, clock, maria):
    voucher = await redeem(sql_db, clock, maria)

    async def use():
        async with sql_db.transaction() as work:
            await use_voucher(work, clock, voucher.code, key="order-1", customer_id=maria, total_minor=0)

    tried = await asyncio.gather(use(), undo(sql_db, clock, voucher.code), return_exceptions=True)

    refused = [isinstance(one, VoucherRefused) for one in tried]
    assert sorted(refused) == [False, True]
    assert await points_of(sql_db, clock, maria) == Balance(150 if refused[1] else 250)


async def _redeem_in_process(url, clock, customer_id):
    """How many of five rewards one process of several got."""
    db = open_database(url)
    try:
        keys = [f"{index}" for index in range(5)]
        tried = await asyncio.gather(*(redeem(db, clock, customer_id, key=key) for key in keys), return_exceptions=True)
        assert all(isinstance(one, InsufficientPoints) for one in tried if isinstance(one, Exception)), tried
        return {one.code for one in tried if not isinstance(one, Exception)}
    finally:
        await db.close()


def test_many_processes_get_no_more_rewards_than_the_points_pay_for(sql_url, clock):
    async def prepare():
        db = open_database(sql_url)
        try:
            return await with_points(db, clock, 250)
        finally:
            await db.close()

    codes = set().union(*in_processes(4, _redeem_in_process, sql_url, clock, run(prepare())))

    assert len(codes) == 2


async def test_a_coupon_is_everybodys_and_keeps_its_terms(sql_db, clock, maria):
    terms = {"uses_per_customer": 1, "minimum_minor": 1_000, "stackable": True}

    added = await coupon(sql_db, clock, expires_at=clock.now() + timedelta(days=7), **terms)

    assert (added.code, added.customer_id, added.kind) == ("WELCOME10", None, VoucherKind.COUPON)
    async with sql_db.transaction() as work:
        used = await use_voucher(work, clock, "Welcome 10", key="order-1", customer_id=maria, total_minor=2_000)
    assert used.discount_minor == 200


async def test_the_same_coupon_again_is_the_same_and_with_other_terms_is_refused(sql_db, clock, maria):
    added = await coupon(sql_db, clock)
    async with sql_db.transaction() as work:
        await use_voucher(work, clock, added.code, key="order-1", customer_id=maria, total_minor=2_000)
    clock.advance(days=1)

    assert (await coupon(sql_db, clock)).uses == 1
    with pytest.raises(VoucherRefused) as refused:
        await coupon(sql_db, clock, effect=Effect(percent=20))
    assert refused.value.reason == "code_taken"


@pytest.mark.parametrize("code", ["", "--", "ab", "x" * 25, "SUKI-7K3P-4ACD-9EFG"])
async def test_a_coupons_code_is_short_and_no_voucher_of_ours(sql_db, clock, code):
    with pytest.raises(VoucherRefused) as refused:
        await coupon(sql_db, clock, code)

    assert refused.value.reason == "bad_code"


async def test_a_coupon_without_a_limit_is_used_as_often_as_people_like(sql_db, clock):
    assert (await coupon(sql_db, clock, use_limit=None)).use_limit == UNLIMITED_USES


async def test_a_campaign_can_be_ended_though_its_code_was_used(sql_db, clock, maria):
    added = await coupon(sql_db, clock)

    async def end(code):
        async with sql_db.transaction() as work:
            return await end_coupon(work, clock, code)

    async with sql_db.transaction() as work:
        await use_voucher(work, clock, added.code, key="order-1", customer_id=maria, total_minor=2_000)
    assert await end("welcome10") is True
    assert await end("welcome10") is False
    for code in ("NOSUCHCODE", (await redeem(sql_db, clock, maria)).code):
        with pytest.raises(VoucherRefused):
            await end(code)
