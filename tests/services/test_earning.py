"""Orders earn once, and lose with what comes back; answers earn once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.customers import Tag
from bot.core.ledger import Balance, EntryKind
from bot.core.loyalty import EarningRules, FeedbackPoints, Multiplier, Program, Tier, TierRules
from bot.core.orders import OrderLine, OrderStatus
from bot.core.refunds import RefundId
from bot.services.earning import award_feedback_points, settle_order
from bot.services.ids import new_id
from bot.services.ledger import balance_of, expire_all_points, redeem_points, transfer_points
from bot.services.merges import merge_customers, undo_merge
from bot.services.orders import cancel_order
from tests.builders import NOW, a_refund, a_shop, stored_customer, stored_order
from tests.services.merging import merged

EARNING = EarningRules(points_per_minor=Fraction(1, 100))
TIERS = TierRules((Tier("bronze", "Bronze", 0), Tier("gold", "Gold", 100)))
DAY = timedelta(days=1)


def shop_with(earning: EarningRules | None = EARNING, **changes):
    return a_shop(loyalty=Program("Suki card", earning=earning, **changes))


@pytest.fixture
def shop():
    return shop_with()


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


async def ordered(db, customer, total_minor=2_900, **changes):
    """A paid order of so much."""
    return await stored_order(
        db,
        **{
            "number": f"TC-{new_id()[:8].upper()}",
            "customer_id": customer,
            "status": OrderStatus.PAID,
            "total_minor": total_minor,
            "lines": (OrderLine("MUG", "Mug", 1, total_minor),),
            "paid_at": NOW,
            **changes,
        },
    )


async def settle(db, clock, shop, order, *refunds, **changes):
    """Save the order as it is now, and what was paid back, and settle it."""
    order = replace(order, **changes)
    async with db.transaction() as work:
        await work.orders.save(order)
        for refund in refunds:
            await work.refunds.add(refund)
        await settle_order(work, clock, shop, order)
    return order


def refund_of(order, amount_minor, **changes):
    return a_refund(order_number=order.number, amount_minor=amount_minor, **changes)


async def entries_of(db, customer):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return list(reversed(await work.ledger.page(customer, before=None, limit=100)))


async def movements(db, customer):
    return [(entry.kind.value, entry.points) for entry in await entries_of(db, customer)]


async def balance(db, clock, customer):
    async with db.reading() as work:
        assert await work.ledger.faults() == []
        return await balance_of(work, clock, customer)


# Earning


async def test_a_paid_order_earns_once_however_often_it_is_settled(sql_db, clock, shop, maria):
    order = await ordered(sql_db, maria)
    for status in (OrderStatus.PAID, OrderStatus.PAID, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        await settle(sql_db, clock, shop, order, status=status)

    (entry,) = await entries_of(sql_db, maria)
    assert (entry.kind, entry.points, entry.key, entry.source) == (
        *(EntryKind.ORDER, 29, f"order:{order.number}:paid", order.number),
    )
    assert entry.expires_at == datetime(2027, 1, 5, 9, tzinfo=timezone.utc)


@pytest.mark.parametrize("status", ["pending", "cancelled", "returned", "refunded"])
async def test_an_order_that_is_not_paid_for_and_kept_earns_nothing(sql_db, clock, shop, maria, status):
    await settle(sql_db, clock, shop, await ordered(sql_db, maria), status=OrderStatus(status))

    assert await entries_of(sql_db, maria) == []


async def test_a_guest_earns_nothing(sql_db, clock, shop):
    await settle(sql_db, clock, shop, await ordered(sql_db, None))

    async with sql_db.reading() as work:
        assert await work.ledger.given_since(EntryKind.ORDER, NOW - DAY) == 0


async def test_a_shop_without_a_programme_gives_no_points(sql_db, clock, maria):
    order = await ordered(sql_db, maria)
    await settle(sql_db, clock, a_shop(), order)
    await settle(sql_db, clock, shop_with(None), order)

    assert await entries_of(sql_db, maria) == []


async def test_what_an_order_is_too_small_for_leaves_no_trace(sql_db, clock, maria):
    order = await ordered(sql_db, maria, 499)
    await settle(sql_db, clock, shop_with(replace(EARNING, minimum_minor=500)), order)

    assert await entries_of(sql_db, maria) == []


async def test_delivery_earns_nothing(sql_db, clock, shop, maria):
    order = await ordered(sql_db, maria, 2_000)
    await settle(sql_db, clock, shop, order, total_minor=2_450, delivery_minor=450)

    assert await balance(sql_db, clock, maria) == Balance(20)


async def test_points_are_pending_until_the_hold_is_over_and_last_from_then_on(sql_db, clock, maria):
    held = shop_with(replace(EARNING, hold_days=14, months=1))
    await settle(sql_db, clock, held, await ordered(sql_db, maria, paid_at=NOW - 4 * DAY))

    assert await balance(sql_db, clock, maria) == Balance(0, 29)
    clock.advance(days=10)
    assert await balance(sql_db, clock, maria) == Balance(29)
    (entry,) = await entries_of(sql_db, maria)
    assert entry.expires_at == datetime(2026, 2, 15, 9, tzinfo=timezone.utc)


async def test_an_order_from_so_long_ago_that_its_points_are_gone_earns_nothing(sql_db, clock, shop, maria):
    await settle(sql_db, clock, shop, await ordered(sql_db, maria, placed_at=NOW - 366 * DAY, paid_at=None))

    assert await entries_of(sql_db, maria) == []


async def test_an_order_counts_on_its_day_in_the_shops_time_zone(sql_db, clock, maria):
    # 17:00 in UTC is one in the morning of the next day in Manila.
    campaign = replace(EARNING, multipliers=(Multiplier(Fraction(2), first_day=datetime(2026, 1, 5).date()),))  # noqa: DTZ001
    for hour in (15, 17):
        paid_at = datetime(2026, 1, 4, hour, tzinfo=timezone.utc)
        await settle(sql_db, clock, shop_with(campaign), await ordered(sql_db, maria, 1_000, paid_at=paid_at))

    assert [points for _, points in await movements(sql_db, maria)] == [10, 20]


async def test_the_level_before_an_order_decides_what_it_earns(sql_db, clock, maria):
    gold = shop_with(replace(EARNING, multipliers=(Multiplier(Fraction(2), tiers=("gold",)),)), tiers=TIERS)
    for _ in range(3):
        await settle(sql_db, clock, gold, await ordered(sql_db, maria, 5_000))

    assert [points for _, points in await movements(sql_db, maria)] == [50, 50, 100]


async def test_an_order_of_the_past_earns_by_the_level_of_then(sql_db, clock, maria):
    gold = shop_with(replace(EARNING, multipliers=(Multiplier(Fraction(2), tiers=("gold",)),)), tiers=TIERS)
    for paid_at in (NOW - 5 * DAY, NOW - 20 * DAY):
        await settle(sql_db, clock, gold, await ordered(sql_db, maria, 10_000, paid_at=paid_at))

    assert [points for _, points in await movements(sql_db, maria)] == [100, 100]


async def test_a_customer_with_a_tag_earns_what_its_segment_does(sql_db, clock, maria):
    wholesale = shop_with(replace(EARNING, multipliers=(Multiplier(Fraction(2), segments=("wholesale",)),)))
    await settle(sql_db, clock, wholesale, await ordered(sql_db, maria, 1_000))
    async with sql_db.transaction() as work:
        await work.notes.add_tag(maria, Tag("wholesale", "agent@example.com", NOW))
    await settle(sql_db, clock, wholesale, await ordered(sql_db, maria, 1_000))

    assert [points for _, points in await movements(sql_db, maria)] == [10, 20]


async def test_whoever_turned_out_to_be_somebody_else_earns_for_that_one(sql_db, clock, shop, maria):
    double = (await stored_customer(sql_db)).id
    await merged(sql_db, double, maria)
    await settle(sql_db, clock, shop, await ordered(sql_db, double))

    assert await balance(sql_db, clock, maria) == Balance(29)
    assert await entries_of(sql_db, double) == []


async def test_whoever_was_erased_earns_nothing(sql_db, clock, shop):
    erased = (await stored_customer(sql_db, erased_at=NOW)).id
    await settle(sql_db, clock, shop, await ordered(sql_db, erased))

    assert await entries_of(sql_db, erased) == []


async def test_an_order_that_is_settled_twice_at_once_earns_once(sql_db, clock, shop, maria):
    order = await ordered(sql_db, maria)

    async def at_once():
        async with sql_db.transaction() as work:
            await settle_order(work, clock, shop, await work.orders.by_number(order.number, lock=True))

    await asyncio.gather(*(at_once() for _ in range(5)))

    assert await movements(sql_db, maria) == [("order", 29)]


async def test_orders_at_once_are_weighed_one_after_the_other(sql_db, clock, maria):
    gold = shop_with(replace(EARNING, multipliers=(Multiplier(Fraction(2), tiers=("gold",)),)), tiers=TIERS)
    orders = [await ordered(sql_db, maria, 10_000) for _ in range(5)]

    await asyncio.gather(*(settle(sql_db, clock, gold, order) for order in orders))

    assert [points for _, points in await movements(sql_db, maria)] == [100, 200, 200, 200, 200]


# Taking back


async def test_a_cancelled_order_gives_its_points_back_in_the_same_transaction(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, status=OrderStatus.PREPARING))
    async with sql_db.transaction() as work:
        await cancel_order(work, clock, shop, maria, order.number)
        assert await balance_of(work, clock, maria) == Balance(0)

    assert await movements(sql_db, maria) == [("order", 29), ("refund", -29)]


async def test_a_cancellation_fee_keeps_no_points(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    await settle(sql_db, clock, shop, order, refund_of(order, 2_600), status=OrderStatus.CANCELLED)

    assert await balance(sql_db, clock, maria) == Balance(0)
    keys = [entry.key for entry in await entries_of(sql_db, maria)]
    assert keys[0] == f"order:{order.number}:paid" and keys[2] == f"order:{order.number}:taken_back"


@pytest.mark.parametrize("status", ["cancelled", "refunded", "returned"])
async def test_without_a_refund_the_status_takes_everything_back_once(sql_db, clock, shop, maria, status):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    for _ in range(3):
        await settle(sql_db, clock, shop, order, status=OrderStatus(status))

    assert await movements(sql_db, maria) == [("order", 29), ("refund", -29)]


async def test_each_refund_takes_its_share_once(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    first, second = refund_of(order, 1_000), refund_of(order, 550, requested_at=NOW + DAY)
    await settle(sql_db, clock, shop, order, first)
    for refunds in ((second,), (), ()):
        await settle(sql_db, clock, shop, order, *refunds)

    assert await movements(sql_db, maria) == [("order", 30), ("refund", -10), ("refund", -6)]
    assert [entry.key for entry in await entries_of(sql_db, maria)][1:] == [f"refund:{first.id}", f"refund:{second.id}"]


async def test_of_a_returned_order_the_refunds_say_how_much_came_back(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    await settle(sql_db, clock, shop, order, refund_of(order, 1_000), status=OrderStatus.RETURNED)

    assert await balance(sql_db, clock, maria) == Balance(20)


async def test_a_refund_that_is_heard_of_late_takes_nothing_twice(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.REFUNDED)
    await settle(sql_db, clock, shop, order, refund_of(order, 2_900))

    assert await movements(sql_db, maria) == [("order", 29), ("refund", -29)]


async def test_a_refund_that_turned_out_larger_takes_the_rest(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    refund = refund_of(order, 1_000)
    await settle(sql_db, clock, shop, order, refund)
    async with sql_db.transaction() as work:
        await work.refunds.save(replace(refund, amount_minor=1_500))
    for _ in range(2):
        await settle(sql_db, clock, shop, order)

    assert await movements(sql_db, maria) == [("order", 30), ("refund", -10), ("refund", -5)]


async def test_a_refund_that_turned_out_larger_after_a_merge_takes_the_rest_each_time(sql_db, clock, shop, maria):
    double = (await stored_customer(sql_db)).id
    order = await settle(sql_db, clock, shop, await ordered(sql_db, double, 3_000))
    merge_id = await merged(sql_db, double, maria)
    async with sql_db.transaction() as work:
        await transfer_points(work, clock, double, maria, merge_id=merge_id)
    refund = refund_of(order, 1_000)
    await settle(sql_db, clock, shop, order, refund)

    for amount_minor, left in ((1_500, 15), (1_600, 14), (3_000, 0)):
        async with sql_db.transaction() as work:
            await work.refunds.save(replace(refund, amount_minor=amount_minor))
        for _ in range(2):
            await settle(sql_db, clock, shop, order)
        assert await balance(sql_db, clock, maria) == Balance(left)


async def test_an_order_that_is_known_only_since_part_of_it_came_back_nets_out(sql_db, clock, shop, maria):
    order = await ordered(sql_db, maria, 3_000, status=OrderStatus.DELIVERED)
    await settle(sql_db, clock, shop, order, refund_of(order, 1_000))

    assert await movements(sql_db, maria) == [("order", 30), ("refund", -10)]


async def test_points_that_were_spent_are_owed_after_the_refund(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, maria, 20, key="mug")
    await settle(sql_db, clock, shop, order, refund_of(order, 2_900))
    assert await balance(sql_db, clock, maria) == Balance(-20)

    await settle(sql_db, clock, shop, await ordered(sql_db, maria, 5_000))
    assert await balance(sql_db, clock, maria) == Balance(30)


async def test_points_that_ran_out_are_not_taken_back_as_well(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    clock.advance(days=366)
    assert await expire_all_points(sql_db, clock) == 29
    for _ in range(2):
        await settle(sql_db, clock, shop, order, status=OrderStatus.REFUNDED)

    assert await balance(sql_db, clock, maria) == Balance(0)


async def test_points_that_moved_with_a_merge_are_taken_back_where_they_are(sql_db, clock, shop, maria):
    double = (await stored_customer(sql_db)).id
    order = await settle(sql_db, clock, shop, await ordered(sql_db, double, 3_000))
    merge_id = await merged(sql_db, double, maria)
    async with sql_db.transaction() as work:
        await transfer_points(work, clock, double, maria, merge_id=merge_id)
    refunds = [refund_of(order, 1_000), refund_of(order, 2_000, requested_at=NOW + DAY)]
    for refund, left in zip(refunds, (20, 0), strict=True):
        await settle(sql_db, clock, shop, order, refund)
        await settle(sql_db, clock, shop, order)
        assert await balance(sql_db, clock, maria) == Balance(left)


async def test_a_changed_programme_changes_nothing_that_was_earned(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria))
    richer = shop_with(replace(EARNING, points_per_minor=Fraction(1)))
    await settle(sql_db, clock, richer, order)
    assert await balance(sql_db, clock, maria) == Balance(29)

    await settle(sql_db, clock, shop_with(None), order, refund_of(order, 2_900))
    assert await balance(sql_db, clock, maria) == Balance(0)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    total=st.integers(100, 100_000),
    parts=st.lists(st.integers(1, 40_000), max_size=4),
    order_of_events=st.randoms(use_true_random=False),
)
async def test_refunds_never_take_more_than_was_earned_and_a_full_one_everything(
    sql_db, clock, shop, maria, total, parts, order_of_events
):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, total))
    refunds, left = [], total
    for number, part in enumerate([*parts, total]):
        if amount := min(part, left):
            refunds.append(refund_of(order, amount, id=RefundId(new_id()), requested_at=NOW + number * DAY))
            left -= amount
    # As they are heard of, not as they happened.
    order_of_events.shuffle(refunds)

    async def kept():
        async with sql_db.reading() as work:
            earning = await work.ledger.by_key(f"order:{order.number}:paid")
            reversals = await work.ledger.reversals_of(earning.id)
            return earning.points + sum(reversal.points for reversal in reversals)

    known = total // 100
    for refund in refunds:
        await settle(sql_db, clock, shop, order, refund)
        assert 0 <= await kept() <= known
        known = await kept()
    assert known == 0


# What came back is heard of in any order


async def test_a_return_that_turns_out_to_be_of_a_part_leaves_the_rest_of_the_points(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
    refunds = [refund_of(order, 1_000), refund_of(order, 2_000, requested_at=NOW + DAY)]
    for refund, left in zip(refunds, (20, 0), strict=True):
        for more in ((refund,), ()):
            await settle(sql_db, clock, shop, order, *more)
            assert await balance(sql_db, clock, maria) == Balance(left)

    assert [points for _, points in await movements(sql_db, maria)] == [30, -30, 20, -20]


async def test_what_is_given_again_has_the_dates_it_had_and_counts_on_its_day(sql_db, clock, maria):
    held = shop_with(replace(EARNING, hold_days=14), tiers=TIERS)
    order = await settle(sql_db, clock, held, await ordered(sql_db, maria, 15_000))
    clock.advance(days=3)
    order = await settle(sql_db, clock, held, order, status=OrderStatus.RETURNED)
    await settle(sql_db, clock, held, order, refund_of(order, 5_000))

    first, _, again = await entries_of(sql_db, maria)
    assert (again.available_at, again.expires_at) == (first.available_at, first.expires_at)
    assert await balance(sql_db, clock, maria) == Balance(0, 100)
    clock.advance(days=12)
    async with sql_db.reading() as work:
        by_day = await work.ledger.earned_by_day(maria, NOW, clock.now())
    assert by_day == {(NOW + 14 * DAY).date(): 100}


async def test_points_that_would_have_run_out_meanwhile_are_not_given_again(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
    clock.advance(days=366)
    await settle(sql_db, clock, shop, order, refund_of(order, 1_000))

    assert await movements(sql_db, maria) == [("order", 30), ("refund", -30)]


async def test_what_was_spent_in_time_is_not_owed_for_what_was_kept(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    async with sql_db.transaction() as work:
        await redeem_points(work, clock, maria, 25, key="mug")
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
    assert await balance(sql_db, clock, maria) == Balance(-25)
    clock.advance(days=366)
    for more in ((refund_of(order, 1_000),), (), ()):
        await settle(sql_db, clock, shop, order, *more)

    # Of the five that were left, none: they would have run out. Ten came back, of which those five were some.
    assert await balance(sql_db, clock, maria) == Balance(-5)


async def test_points_are_given_again_to_whom_the_customer_turned_out_to_be(sql_db, clock, shop, maria):
    double = (await stored_customer(sql_db)).id
    order = await settle(sql_db, clock, shop, await ordered(sql_db, double, 3_000))
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
    async with sql_db.transaction() as work:
        merge = await merge_customers(work, clock, maria, double, reason="same", author="ana")
    await settle(sql_db, clock, shop, order, refund_of(order, 1_000))
    assert await balance(sql_db, clock, maria) == Balance(20)

    async with sql_db.transaction() as work:
        await undo_merge(work, clock, merge.id, author="ana")
    assert await balance(sql_db, clock, maria) == Balance(0)
    assert await balance(sql_db, clock, double) == Balance(20)


async def test_nothing_is_given_again_to_whoever_was_erased(sql_db, clock, shop, maria):
    order = await settle(sql_db, clock, shop, await ordered(sql_db, maria, 3_000))
    order = await settle(sql_db, clock, shop, order, status=OrderStatus.RETURNED)
    async with sql_db.transaction() as work:
        await work.customers.save(replace(await work.customers.get(maria), erased_at=NOW), NOW)
    await settle(sql_db, clock, shop, order, refund_of(order, 1_000))

    assert await balance(sql_db, clock, maria) == Balance(0)


PAID, RETURNED = "paid", "returned"


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    total=st.integers(200, 100_000),
    share=st.integers(1, 99),
    is_all_back=st.booleans(),
    spent=st.integers(0, 100),
    reports=st.permutations([PAID, RETURNED, 0, 1]),
    repeated=st.lists(st.integers(0, 3), max_size=3),
)
async def test_the_reports_of_a_return_end_in_the_same_points_in_any_order(
    sql_db, clock, shop, total, share, is_all_back, spent, reports, repeated
):
    maria = (await stored_customer(sql_db)).id
    part = max(total * share // 100, 1)
    amounts = [part, total - part] if is_all_back else [part]
    reports = [one for one in reports if one in (PAID, RETURNED) or one < len(amounts)]
    order = await ordered(sql_db, maria, total)
    refunds = [refund_of(order, amount, id=RefundId(new_id())) for amount in amounts]
    earned, known = 0, OrderStatus.PENDING
    for report in [*reports, *(reports[number % len(reports)] for number in repeated)]:
        is_new = report not in (PAID, RETURNED) and refunds[report].id not in {
            r.id for r in await refunds_of(sql_db, order)
        }
        # What money came back of was paid; a report that is behind changes nothing.
        known = OrderStatus.RETURNED if RETURNED in (report, known.value) else OrderStatus.PAID
        await settle(sql_db, clock, shop, order, *([refunds[report]] if is_new else []), status=known)
        if not earned and (earned := (await balance(sql_db, clock, maria)).available):
            async with sql_db.transaction() as work:
                spent = min(spent, earned)
                if spent:
                    await redeem_points(work, clock, maria, spent, key=f"mug:{order.number}")

    spent = spent if earned else 0
    kept = (total // 100) * (total - sum(amounts)) // total
    assert await balance(sql_db, clock, maria) == Balance(kept - spent)


async def refunds_of(db, order):
    async with db.reading() as work:
        return await work.refunds.of_order(order.number)


# Answers


@pytest.fixture
def curious():
    return shop_with(feedback=FeedbackPoints({"csat": 5, "review": 15}))


async def answer(db, clock, shop, customer, kind="csat", feedback_id="f1"):
    async with db.transaction() as work:
        return await award_feedback_points(work, clock, shop, customer, kind, feedback_id)


async def test_an_answer_earns_once(sql_db, clock, curious, maria):
    assert [await answer(sql_db, clock, curious, maria) for _ in range(2)] == [5, 5]
    assert await answer(sql_db, clock, curious, maria, "review", "f2") == 15

    entries = await entries_of(sql_db, maria)
    assert [(entry.kind, entry.points, entry.key) for entry in entries] == [
        (EntryKind.FEEDBACK, 5, "feedback:f1"),
        (EntryKind.FEEDBACK, 15, "feedback:f2"),
    ]
    assert {entry.expires_at for entry in entries} == {datetime(2027, 1, 5, 9, tzinfo=timezone.utc)}


async def test_an_answer_of_a_kind_that_earns_nothing_gives_no_points(sql_db, clock, shop, curious, maria):
    assert await answer(sql_db, clock, curious, maria, "nps") == 0
    assert await answer(sql_db, clock, shop, maria) == 0
    assert await answer(sql_db, clock, a_shop(), maria) == 0
    assert await entries_of(sql_db, maria) == []


async def test_the_answer_of_somebody_who_was_erased_earns_nothing(sql_db, clock, curious):
    erased = (await stored_customer(sql_db, erased_at=NOW)).id

    assert await answer(sql_db, clock, curious, erased) == 0


async def test_an_answer_that_is_given_again_after_a_merge_earns_nothing_more(sql_db, clock, curious, maria):
    double = (await stored_customer(sql_db)).id
    await answer(sql_db, clock, curious, double)
    await merged(sql_db, double, maria)

    assert await answer(sql_db, clock, curious, double) == 5
    assert await entries_of(sql_db, maria) == []
