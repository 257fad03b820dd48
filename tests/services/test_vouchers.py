"""Vouchers: one for each event, used as often as they say and not once more."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.core.loyalty import Effect, Offer
from bot.core.vouchers import RESERVED_FOR, UseState, VoucherKind
from bot.errors import KeyReused, VoucherRefused
from bot.services.ids import new_id
from bot.services.vouchers import (
    cancel_voucher,
    find_voucher,
    free_reservations,
    give_back_vouchers,
    issue_voucher,
    redeem_voucher,
    release_voucher,
    reserve_voucher,
    use_voucher,
    vouchers_of,
)
from tests.builders import a_shop, stored_customer
from tests.fakes import FakeClock
from tests.storage.databases import in_processes, open_database, run

COFFEE = Offer("free_coffee", "A free coffee", Effect(item="Any coffee"))
FIVE_OFF = Offer("five_off", "$5 off", Effect(amount_minor=500), minimum_minor=2_000)
TEN_PERCENT = Offer("ten_percent", "10% off", Effect(percent=10), stackable=True)
THREE_OFF = Offer("three_off", "$3 off", Effect(amount_minor=300), stackable=True)


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


@pytest.fixture
async def john(sql_db):
    return (await stored_customer(sql_db)).id


async def issue(db, clock, customer_id=None, offer=FIVE_OFF, *, key="k", **more):
    async with db.transaction() as work:
        return await issue_voucher(
            *(work, clock), kind=VoucherKind.REWARD, offer=offer, customer_id=customer_id, key=key, **more
        )


async def reserve(db, clock, code, key="order-1", total=3_000, customer_id=None):
    async with db.transaction() as work:
        return await reserve_voucher(work, clock, code, key=key, customer_id=customer_id, total_minor=total)


async def use(db, clock, code, key="order-1", total=3_000, customer_id=None):
    async with db.transaction() as work:
        return await use_voucher(work, clock, code, key=key, customer_id=customer_id, total_minor=total)


async def redeem(db, clock, code, key="order-1"):
    async with db.transaction() as work:
        return await redeem_voucher(work, clock, code, key=key)


async def release(db, clock, code, key="order-1"):
    async with db.transaction() as work:
        return await release_voucher(work, clock, code, key=key)


async def uses_of(db, code):
    async with db.reading() as work:
        return (await work.vouchers.get(code)).uses


async def refusal(attempt):
    with pytest.raises(VoucherRefused) as refused:
        await attempt
    return refused.value.reason


async def change(db, voucher, **changes):
    """The voucher with other terms, as a campaign of the shop has them."""
    changed = replace(voucher, code=changes.pop("code", "CHANGED"), key=f"{voucher.key}:changed", **changes)
    async with db.transaction() as work:
        assert await work.vouchers.add(changed)
    return changed


async def test_the_same_event_brings_the_same_voucher(sql_db, clock, maria):
    assert await issue(sql_db, clock, maria) == await issue(sql_db, clock, maria)


async def test_an_event_brings_one_kind_of_voucher_to_one_customer(sql_db, clock, maria, john):
    await issue(sql_db, clock, maria)

    with pytest.raises(KeyReused):
        await issue(sql_db, clock, john)
    with pytest.raises(KeyReused):
        await issue(sql_db, clock, maria, COFFEE)


async def test_the_same_event_many_times_at_once_brings_one_voucher(sql_db, clock, maria):
    issued = await asyncio.gather(*(issue(sql_db, clock, maria) for _ in range(10)))

    assert len(set(voucher.code for voucher in issued)) == 1


async def test_a_voucher_lasts_to_the_end_of_its_last_day_where_the_shop_is(sql_db, clock, maria):
    manila = ZoneInfo("Asia/Manila")

    voucher = await issue(sql_db, clock, maria, zone=manila)

    last_moment = (voucher.expires_at - timedelta(seconds=1)).astimezone(manila)
    assert last_moment.date() == clock.now().astimezone(manila).date() + timedelta(days=FIVE_OFF.valid_days)
    assert (last_moment.hour, last_moment.minute) == (23, 59)


async def test_a_voucher_is_found_however_its_code_is_typed(sql_db, clock, maria):
    voucher = await issue(sql_db, clock, maria)

    async with sql_db.reading() as work:
        assert await find_voucher(work, f"  {voucher.code.lower().replace('-', ' ')} ") == voucher
        assert await find_voucher(work, "SUKI-0000-0000-0000") is None


async def test_a_reserved_voucher_is_held_for_one_checkout(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    held = await reserve(sql_db, clock, code)

    assert (held.state, held.discount_minor) == (UseState.RESERVED, 500)
    assert await refusal(reserve(sql_db, clock, code, "order-2")) == "used_up"
    assert (await redeem(sql_db, clock, code)).state is UseState.REDEEMED
    assert await uses_of(sql_db, code) == 1


async def test_the_same_checkout_again_gets_the_same_answer(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    assert await reserve(sql_db, clock, code) == await reserve(sql_db, clock, code)
    redeemed = await redeem(sql_db, clock, code)
    clock.advance(hours=1)
    assert await redeem(sql_db, clock, code) == redeemed
    assert await reserve(sql_db, clock, code) == redeemed
    assert await use(sql_db, clock, code) == redeemed
    assert await uses_of(sql_db, code) == 1


async def test_a_checkout_has_one_total_and_one_customer(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code
    await reserve(sql_db, clock, code, total=3_000)

    with pytest.raises(KeyReused):
        await reserve(sql_db, clock, code, total=4_000)
    with pytest.raises(KeyReused):
        await reserve(sql_db, clock, code, customer_id=maria)


async def test_a_released_voucher_can_be_used_elsewhere_and_on_the_same_cart_again(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code
    first = await reserve(sql_db, clock, code)
    await release(sql_db, clock, code)
    assert (await release(sql_db, clock, code)).state is UseState.RELEASED
    assert await uses_of(sql_db, code) == 0

    again = await reserve(sql_db, clock, code, total=4_000)

    assert (again.id, again.total_minor, again.state) == (first.id, 4_000, UseState.RESERVED)
    await release(sql_db, clock, code)
    assert (await use(sql_db, clock, code, "order-2")).state is UseState.REDEEMED


async def test_a_redeemed_voucher_is_not_released(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code
    await use(sql_db, clock, code)

    assert await refusal(release(sql_db, clock, code)) == "redeemed"


async def test_an_order_that_came_to_nothing_gives_its_vouchers_back(sql_db, clock, maria):
    redeemed, held = [
        (await issue(sql_db, clock, maria, offer, key=offer.id)).code for offer in (TEN_PERCENT, THREE_OFF)
    ]
    await use(sql_db, clock, redeemed)
    await reserve(sql_db, clock, held)

    for _ in range(2):
        async with sql_db.transaction() as work:
            uses = await give_back_vouchers(work, clock, key="order-1")
        assert [one.state for one in uses] == [UseState.RELEASED] * 2

    assert [await uses_of(sql_db, code) for code in (redeemed, held)] == [0, 0]


async def test_a_reservation_ends_by_itself(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code
    await reserve(sql_db, clock, code)

    clock.advance(seconds=RESERVED_FOR.total_seconds() - 1)
    assert await refusal(reserve(sql_db, clock, code, "order-2")) == "used_up"
    clock.advance(seconds=1)

    assert await refusal(redeem(sql_db, clock, code)) == "reservation_over"
    assert (await use(sql_db, clock, code, "order-2")).state is UseState.REDEEMED
    assert await refusal(redeem(sql_db, clock, code)) == "reservation_over"
    assert await refusal(reserve(sql_db, clock, code)) == "used_up"


async def test_the_timer_frees_what_nobody_redeemed(sql_db, clock, maria):
    codes = [(await issue(sql_db, clock, maria, key=str(number))).code for number in range(3)]
    for number, code in enumerate(codes):
        await reserve(sql_db, clock, code, f"order-{number}")
    await redeem(sql_db, clock, codes[0], "order-0")
    clock.advance(seconds=RESERVED_FOR.total_seconds())

    assert await free_reservations(sql_db, clock, a_shop()) == 2
    assert await free_reservations(sql_db, clock, a_shop()) == 0
    assert [await uses_of(sql_db, code) for code in codes] == [1, 0, 0]


async def test_only_what_is_reserved_can_be_redeemed(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    assert await refusal(redeem(sql_db, clock, code)) == "not_reserved"
    await reserve(sql_db, clock, code)
    await release(sql_db, clock, code)
    assert await refusal(redeem(sql_db, clock, code)) == "reservation_over"
    assert await refusal(redeem(sql_db, clock, "NOSUCHCODE")) == "unknown"


async def test_a_reservation_outlives_the_end_of_the_voucher(sql_db, clock, maria):
    voucher = await issue(sql_db, clock, maria)
    clock.advance(seconds=(voucher.expires_at - clock.now()).total_seconds() - 60)
    await reserve(sql_db, clock, voucher.code)
    clock.advance(seconds=60)

    assert await refusal(reserve(sql_db, clock, voucher.code, "order-2")) == "expired"
    assert (await redeem(sql_db, clock, voucher.code)).state is UseState.REDEEMED


async def test_a_voucher_is_good_from_its_first_moment_to_before_its_last(sql_db, clock, maria):
    now = clock.now()
    voucher = await change(
        sql_db, await issue(sql_db, clock), starts_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2)
    )

    assert await refusal(reserve(sql_db, clock, voucher.code)) == "not_started"
    clock.advance(hours=1)
    await reserve(sql_db, clock, voucher.code)
    await release(sql_db, clock, voucher.code)
    clock.advance(hours=1)
    assert await refusal(reserve(sql_db, clock, voucher.code)) == "expired"


async def test_a_customers_voucher_is_for_them_or_for_whoever_holds_it_at_the_counter(sql_db, clock, maria, john):
    code = (await issue(sql_db, clock, maria)).code

    assert await refusal(reserve(sql_db, clock, code, customer_id=john)) == "not_yours"
    await reserve(sql_db, clock, code, customer_id=maria)
    await release(sql_db, clock, code)
    assert (await use(sql_db, clock, code, "counter-7", customer_id=None)).state is UseState.REDEEMED


async def test_each_customer_uses_a_coupon_as_often_as_it_allows(sql_db, clock, maria, john):
    coupon = await change(sql_db, await issue(sql_db, clock), use_limit=10, uses_per_customer=2)
    for number in range(2):
        await use(sql_db, clock, coupon.code, f"order-{number}", customer_id=maria)

    assert await refusal(use(sql_db, clock, coupon.code, "order-3", customer_id=maria)) == "used_by_you"
    await use(sql_db, clock, coupon.code, "order-4", customer_id=john)


async def test_a_total_below_the_minimum_is_refused(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    assert await refusal(reserve(sql_db, clock, code, total=1_999)) == "below_minimum"
    assert (await reserve(sql_db, clock, code, total=2_000)).discount_minor == 500


async def test_vouchers_that_allow_it_are_used_together_and_never_take_off_more_than_there_is(sql_db, clock, maria):
    ten, three, more = [
        (await issue(sql_db, clock, maria, offer, key=str(number))).code
        for number, offer in enumerate((TEN_PERCENT, THREE_OFF, THREE_OFF))
    ]

    discounts = [(await reserve(sql_db, clock, code, total=500)).discount_minor for code in (ten, three, more)]

    assert discounts == [50, 300, 150]


async def test_a_voucher_that_would_take_off_nothing_is_not_wasted(sql_db, clock, maria):
    first, second = [(await issue(sql_db, clock, maria, THREE_OFF, key=key)).code for key in "ab"]
    await reserve(sql_db, clock, first, total=300)

    assert await refusal(reserve(sql_db, clock, second, total=300)) == "nothing_left"
    assert await uses_of(sql_db, second) == 0


@pytest.mark.parametrize("alone_first", [True, False])
async def test_a_voucher_that_stands_alone_does_so(sql_db, clock, maria, alone_first):
    alone = (await issue(sql_db, clock, maria, FIVE_OFF, key="a")).code
    stackable = (await issue(sql_db, clock, maria, TEN_PERCENT, key="b")).code
    first, second = (alone, stackable) if alone_first else (stackable, alone)
    await reserve(sql_db, clock, first)

    assert await refusal(reserve(sql_db, clock, second)) == "not_stackable"
    await release(sql_db, clock, first)
    await reserve(sql_db, clock, second)


async def test_vouchers_that_stand_alone_do_so_when_both_come_at_once(sql_db, clock, maria):
    codes = [(await issue(sql_db, clock, maria, key=str(number))).code for number in range(5)]

    tried = await asyncio.gather(*(reserve(sql_db, clock, code) for code in codes), return_exceptions=True)

    assert sorted(type(one).__name__ for one in tried) == ["VoucherRefused"] * 4 + ["VoucherUse"]


async def test_an_item_is_taken_off_at_the_till(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria, COFFEE)).code

    assert (await use(sql_db, clock, code, total=0)).discount_minor == 0


async def test_a_voucher_is_cancelled_only_while_nobody_uses_it(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    async def cancel():
        async with sql_db.transaction() as work:
            return await cancel_voucher(work, clock, code)

    await reserve(sql_db, clock, code)
    assert await cancel() is False
    clock.advance(seconds=RESERVED_FOR.total_seconds())
    assert await cancel() is True
    assert await cancel() is False
    assert await refusal(use(sql_db, clock, code, "order-2")) == "cancelled"


async def test_a_customers_vouchers_are_those_that_can_be_used(sql_db, clock, maria):
    used, cancelled, good = [await issue(sql_db, clock, maria, key=key) for key in "abc"]
    await use(sql_db, clock, used.code)
    async with sql_db.transaction() as work:
        await cancel_voucher(work, clock, cancelled.code)
    await change(sql_db, good, expires_at=clock.now())

    async with sql_db.reading() as work:
        assert await vouchers_of(work, clock, maria) == [good]


@pytest.mark.parametrize(("key", "total"), [("", 100), ("k" * 201, 100), ("order-1", -1)])
async def test_a_checkout_needs_a_key_and_a_total(sql_db, clock, key, total):
    code = (await issue(sql_db, clock)).code

    assert await refusal(reserve(sql_db, clock, code, key, total)) == "bad_request"


async def test_of_fifty_uses_of_one_code_at_once_one_counts(sql_db, clock, maria):
    code = (await issue(sql_db, clock, maria)).code

    tried = await asyncio.gather(
        *(use(sql_db, clock, code, f"order-{number}") for number in range(50)), return_exceptions=True
    )

    assert [type(one) for one in tried if isinstance(one, Exception)] == [VoucherRefused] * 49
    assert await uses_of(sql_db, code) == 1


async def test_uses_of_a_coupon_at_once_stop_at_its_limit(sql_db, clock, maria):
    coupon = await change(sql_db, await issue(sql_db, clock), use_limit=7)

    tried = await asyncio.gather(
        *(use(sql_db, clock, coupon.code, f"order-{number}") for number in range(20)), return_exceptions=True
    )

    assert sum(not isinstance(one, Exception) for one in tried) == 7


async def test_one_customer_at_many_checkouts_at_once_uses_a_coupon_once(sql_db, clock, maria):
    coupon = await change(sql_db, await issue(sql_db, clock), use_limit=50, uses_per_customer=1)

    tried = await asyncio.gather(
        *(use(sql_db, clock, coupon.code, f"order-{number}", customer_id=maria) for number in range(10)),
        return_exceptions=True,
    )

    assert sum(not isinstance(one, Exception) for one in tried) == 1


async def test_one_checkout_sent_many_times_at_once_uses_a_coupon_once(sql_db, clock, maria):
    coupon = await change(sql_db, await issue(sql_db, clock), use_limit=50)

    uses = await asyncio.gather(*(use(sql_db, clock, coupon.code) for _ in range(10)))

    assert len(set(one.id for one in uses)) == 1
    assert await uses_of(sql_db, coupon.code) == 1


async def _use_in_process(url, code):
    """How often one process of several got to use the code."""
    db, clock = open_database(url), FakeClock()
    try:
        tried = await asyncio.gather(*(use(db, clock, code, new_id()) for _ in range(5)), return_exceptions=True)
        assert all(isinstance(one, VoucherRefused) for one in tried if isinstance(one, Exception)), tried
        return sum(not isinstance(one, Exception) for one in tried)
    finally:
        await db.close()


def test_of_uses_of_one_code_in_many_processes_one_counts(sql_url):
    async def prepare():
        db = open_database(sql_url)
        try:
            return (await issue(db, FakeClock())).code
        finally:
            await db.close()

    assert sorted(in_processes(4, _use_in_process, sql_url, run(prepare()))) == [0, 0, 0, 1]
