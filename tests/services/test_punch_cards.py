"""Punch cards: every stamp once, every full card one voucher, and both taken back with what was bought."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from bot.core.loyalty import Effect, Offer, Program, PunchCard
from bot.core.orders import OrderLine, OrderStatus
from bot.core.punch_cards import StampKind
from bot.core.returns import ReturnStatus
from bot.errors import CustomerNotFound, KeyReused, StampsRefused
from bot.services.ids import new_id
from bot.services.punch_cards import add_stamps, cards_of, stamp_order, transfer_stamps, undo_transfer_stamps
from bot.services.vouchers import give_back_vouchers, use_voucher
from bot.storage import tables
from tests.builders import a_refund, a_return, a_shop, stored_customer, stored_order
from tests.services.merging import merged, parted

CARD = PunchCard("coffee", "Coffee card", ("LATTE",), 9, Offer("free-coffee", "A coffee", Effect(item="LATTE"), 60))
TEA = PunchCard("tea", "Tea card", ("TEA",), 5, Offer("free-tea", "A tea", Effect(item="TEA")))


@pytest.fixture
def shop():
    return a_shop(loyalty=Program("Suki Club", punch_cards=(CARD, TEA)))


@pytest.fixture
async def maria(sql_db):
    return (await stored_customer(sql_db)).id


@pytest.fixture
async def double(sql_db):
    """Somebody who will turn out to be Maria, too."""
    return (await stored_customer(sql_db)).id


async def bought(db, customer, units, *, sku="LATTE", **changes):
    lines = (OrderLine(sku, "A drink", units, 400),)
    number = f"TC-{new_id()[:8].upper()}"
    return await stored_order(
        db,
        **{
            "number": number,
            "customer_id": customer,
            "status": OrderStatus.PAID,
            "lines": lines,
            "total_minor": units * 400,
            **changes,
        },
    )


async def stamp(db, clock, shop, order, **changes):
    """Save the order as it is now, and stamp it."""
    order = replace(order, **changes)
    async with db.transaction() as work:
        await work.orders.save(order)
        await stamp_order(work, clock, shop, order)
    return order


async def cancel(db, clock, shop, order):
    return await stamp(db, clock, shop, order, status=OrderStatus.CANCELLED)


async def standing(db, shop, customer, card=CARD):
    async with db.reading() as work:
        found = {one.card.id: one for one in await cards_of(work, shop, customer)}
    return found[card.id].stamps, len(found[card.id].vouchers)


async def vouchers(db, customer):
    async with db.reading() as work:
        return await work.vouchers.of_customer(customer)


async def use(db, clock, voucher):
    async with db.transaction() as work:
        await use_voucher(work, clock, voucher.code, key=new_id(), customer_id=None, total_minor=400)


async def by_hand(db, clock, shop, customer, units, *, key=None, **more):
    async with db.transaction() as work:
        return await add_stamps(
            work, clock, shop, customer, CARD.id, units, key=key or new_id(), source="counter", **more
        )


async def test_the_standing_shows_every_card_of_the_shop(sql_db, clock, shop, maria):
    assert await standing(sql_db, shop, maria) == (0, 0)
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 7))

    assert await standing(sql_db, shop, maria) == (7, 0)
    assert await standing(sql_db, shop, maria, TEA) == (0, 0)


async def test_a_shop_without_cards_stamps_nothing(sql_db, clock, maria):
    await stamp(sql_db, clock, a_shop(), await bought(sql_db, maria, 7))

    async with sql_db.reading() as work:
        assert await cards_of(work, a_shop(), maria) == []
        assert await work.stamps.balances(maria) == {}


async def test_the_ninth_stamp_gives_one_voucher(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 8))
    assert await standing(sql_db, shop, maria) == (8, 0)

    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 1))

    assert await standing(sql_db, shop, maria) == (0, 1)
    (voucher,) = await vouchers(sql_db, maria)
    assert (voucher.title, voucher.effect, voucher.kind.value) == ("A coffee", Effect(item="LATTE"), "punch_card")


async def test_what_is_over_carries_on_to_the_next_card(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 12))
    assert await standing(sql_db, shop, maria) == (3, 1)

    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 25))
    assert await standing(sql_db, shop, maria) == (1, 4)


async def test_an_order_that_is_not_paid_yet_is_stamped_when_it_is(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3, status=OrderStatus.PENDING))
    assert await standing(sql_db, shop, maria) == (0, 0)

    for status in (OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        order = await stamp(sql_db, clock, shop, order, status=status)
        assert await standing(sql_db, shop, maria) == (3, 0)


async def test_the_same_order_stamped_five_times_at_once_gives_its_stamps_once(sql_db, clock, shop, maria):
    order = await bought(sql_db, maria, 12)

    await asyncio.gather(*(stamp(sql_db, clock, shop, order) for _ in range(5)))

    assert await standing(sql_db, shop, maria) == (3, 1)


async def test_many_orders_at_once_give_one_voucher_for_each_full_card(sql_db, clock, shop, maria):
    orders = [await bought(sql_db, maria, 4) for _ in range(10)]

    await asyncio.gather(*(stamp(sql_db, clock, shop, order) for order in orders))

    assert await standing(sql_db, shop, maria) == (4, 4)


async def test_a_cancelled_order_takes_its_stamps_back_once(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 2))
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))

    for _ in range(2):
        await cancel(sql_db, clock, shop, order)
        assert await standing(sql_db, shop, maria) == (2, 0)


async def test_an_order_cancelled_five_times_at_once_takes_its_stamps_back_once(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 8))
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))

    await asyncio.gather(*(cancel(sql_db, clock, shop, order) for _ in range(5)))

    assert await standing(sql_db, shop, maria) == (8, 0)


async def test_a_cancelled_order_that_is_good_again_is_stamped_again(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))
    await cancel(sql_db, clock, shop, order)

    await stamp(sql_db, clock, shop, order)

    assert await standing(sql_db, shop, maria) == (3, 0)


async def test_a_card_that_is_not_full_any_more_takes_its_unused_voucher_back(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 6))
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 5))
    assert await standing(sql_db, shop, maria) == (2, 1)

    await cancel(sql_db, clock, shop, order)

    assert await standing(sql_db, shop, maria) == (6, 0)
    assert [voucher.cancelled_at for voucher in await vouchers(sql_db, maria)] == [clock.now()]
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))
    assert await standing(sql_db, shop, maria) == (0, 1)


async def test_a_refund_that_leaves_the_card_full_leaves_the_voucher(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 10))
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 1))

    await cancel(sql_db, clock, shop, order)

    assert await standing(sql_db, shop, maria) == (1, 1)


async def test_of_several_vouchers_the_newest_is_taken_back(sql_db, clock, shop, maria):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    clock.advance(days=1)
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    newest, oldest = await vouchers(sql_db, maria)

    await cancel(sql_db, clock, shop, order)

    kept = {voucher.code: voucher.cancelled_at is None for voucher in await vouchers(sql_db, maria)}
    assert kept == {newest.code: False, oldest.code: True}


async def test_a_voucher_that_was_used_stays_and_what_is_missing_is_worked_off(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    await use(sql_db, clock, (await vouchers(sql_db, maria))[0])

    await cancel(sql_db, clock, shop, order)
    assert await standing(sql_db, shop, maria) == (-9, 0)

    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    assert await standing(sql_db, shop, maria) == (0, 0)
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    assert await standing(sql_db, shop, maria) == (0, 1)


async def test_a_voucher_that_comes_back_unused_pays_for_what_is_missing(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    async with sql_db.transaction() as work:
        (voucher,) = await work.vouchers.of_customer(maria)
        await use_voucher(work, clock, voucher.code, key="TC-1", customer_id=maria, total_minor=400)
    await cancel(sql_db, clock, shop, order)
    async with sql_db.transaction() as work:
        await give_back_vouchers(work, clock, key="TC-1")

    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 2))

    assert await standing(sql_db, shop, maria) == (2, 0)


async def test_a_voucher_that_ran_out_is_not_given_back_as_stamps(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 9))
    clock.advance(days=100)

    await cancel(sql_db, clock, shop, order)

    assert (await standing(sql_db, shop, maria))[0] == -9


async def test_a_return_takes_back_the_stamps_of_what_was_sent_back(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 5, status=OrderStatus.DELIVERED))
    sent_back = a_return(order, lines=(replace(order.lines[0], quantity=2),), status=ReturnStatus.RECEIVED)
    async with sql_db.transaction() as work:
        await work.returns.add(sent_back)
    await stamp(sql_db, clock, shop, order)
    assert await standing(sql_db, shop, maria) == (5, 0)

    async with sql_db.transaction() as work:
        refund = a_refund(order_number=order.number, amount_minor=800, return_number=sent_back.number)
        await work.refunds.add(refund)
    for _ in range(2):
        await stamp(sql_db, clock, shop, order)
        assert await standing(sql_db, shop, maria) == (3, 0)
    await stamp(sql_db, clock, shop, order, status=OrderStatus.REFUNDED)
    assert await standing(sql_db, shop, maria) == (0, 0)


async def test_stamps_are_taken_back_from_a_card_that_the_shop_gave_up(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 10))

    await cancel(sql_db, clock, a_shop(), order)

    assert await standing(sql_db, shop, maria) == (0, 0)
    assert [voucher.cancelled_at for voucher in await vouchers(sql_db, maria)] == [clock.now()]


async def test_a_stamp_by_hand_counts_once_for_its_key(sql_db, clock, shop, maria):
    for _ in range(2):
        assert (await by_hand(sql_db, clock, shop, maria, 2, key="till-1")).stamps == 2
    full = await by_hand(sql_db, clock, shop, maria, 7, key="till-2")

    assert (full.stamps, len(full.vouchers)) == (0, 1)
    with pytest.raises(KeyReused):
        await by_hand(sql_db, clock, shop, maria, 3, key="till-1")
    assert await standing(sql_db, shop, maria) == (0, 1)


async def test_the_same_stamp_by_hand_five_times_at_once_counts_once(sql_db, clock, shop, maria):
    await asyncio.gather(*(by_hand(sql_db, clock, shop, maria, 2, key="till-1") for _ in range(5)))

    assert await standing(sql_db, shop, maria) == (2, 0)


async def test_one_key_for_two_customers_at_once_is_refused_to_one(sql_db, clock, shop, maria, double):
    answers = await asyncio.gather(
        *(by_hand(sql_db, clock, shop, customer, 2, key="till-1") for customer in (maria, double)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["CardStanding", "KeyReused"]
    assert sum([(await standing(sql_db, shop, customer))[0] for customer in (maria, double)]) == 2


async def test_a_card_of_paper_is_brought_along(sql_db, clock, shop, maria):
    assert (await by_hand(sql_db, clock, shop, maria, 7, kind=StampKind.OPENING)).stamps == 7


async def test_who_was_erased_gets_no_stamps_any_more_and_loses_what_comes_back(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))
    c = tables.customers.c
    async with sql_db.transaction() as work:
        erased = update(tables.customers).where(c.id == maria).values(erased_at=clock.now())
        await work.stamps._connection.execute(erased)

    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 4))
    with pytest.raises(CustomerNotFound):
        await by_hand(sql_db, clock, shop, maria, 1)
    assert await standing(sql_db, shop, maria) == (3, 0)
    await cancel(sql_db, clock, shop, order)
    assert await standing(sql_db, shop, maria) == (0, 0)


async def test_an_order_that_holds_something_else_now_has_other_stamps(sql_db, clock, shop, maria):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))
    async with sql_db.transaction() as work:
        order = replace(order, lines=(OrderLine("TEA", "A drink", 2, 400), OrderLine("LATTE", "A drink", 1, 400)))
        await work.orders.replace_lines(order)
        await stamp_order(work, clock, shop, order)

    assert await standing(sql_db, shop, maria) == (1, 0)
    assert await standing(sql_db, shop, maria, TEA) == (2, 0)


@pytest.mark.parametrize("units", [0, -1, 101])
async def test_no_stamps_or_too_many_by_hand_are_refused(sql_db, clock, shop, maria, units):
    with pytest.raises(StampsRefused, match="from 1 to 100"):
        await by_hand(sql_db, clock, shop, maria, units)


async def test_stamps_for_nobody_on_no_card_or_without_a_key_are_refused(sql_db, clock, shop, maria):
    with pytest.raises(CustomerNotFound):
        await by_hand(sql_db, clock, shop, "nobody", 1)
    with pytest.raises(StampsRefused, match="no such punch card"):
        await by_hand(sql_db, clock, a_shop(), maria, 1)
    with pytest.raises(StampsRefused, match="no such punch card"):
        await by_hand(sql_db, clock, shop, maria, 1, kind=StampKind.VOIDED)
    with pytest.raises(StampsRefused, match="A key"):
        await by_hand(sql_db, clock, shop, maria, 1, key="k" * 181)
    assert await standing(sql_db, shop, maria) == (0, 0)


@pytest.mark.parametrize("statement", ["UPDATE stamps SET stamps = 9", "DELETE FROM stamps"])
async def test_the_database_refuses_to_change_stamps(sql_db, clock, shop, maria, statement):
    await stamp(sql_db, clock, shop, await bought(sql_db, maria, 3))

    with pytest.raises(DBAPIError, match="append-only"):
        async with sql_db.transaction() as work:
            await work.stamps._connection.execute(text(statement))
    assert await standing(sql_db, shop, maria) == (3, 0)


# Two customers who are one


async def join(db, clock, shop, from_id, to_id):
    merge_id = await merged(db, from_id, to_id)
    async with db.transaction() as work:
        await transfer_stamps(work, clock, from_id, to_id, merge_id=merge_id, shop=shop)
    return merge_id


async def part(db, clock, shop, from_id, to_id, merge_id):
    await parted(db, merge_id, from_id)
    async with db.transaction() as work:
        return await undo_transfer_stamps(work, clock, from_id, to_id, merge_id=merge_id, shop=shop)


async def give_vouchers(db, from_id, to_id):
    async with db.transaction() as work:
        given = update(tables.vouchers).where(tables.vouchers.c.customer_id == from_id)
        await work.vouchers._connection.execute(given.values(customer_id=to_id))


async def test_the_cards_of_two_customers_become_one_and_two_again(sql_db, clock, shop, maria, double):
    await by_hand(sql_db, clock, shop, maria, 3)
    await by_hand(sql_db, clock, shop, double, 4)

    merge_id = await join(sql_db, clock, shop, double, maria)
    assert await standing(sql_db, shop, maria) == (7, 0)
    assert await standing(sql_db, shop, double) == (0, 0)
    async with sql_db.transaction() as work:
        assert await transfer_stamps(work, clock, double, maria, merge_id=merge_id) == 0

    for came_back in (4, 0):
        assert await part(sql_db, clock, shop, double, maria, merge_id) == came_back
        assert await standing(sql_db, shop, maria) == (3, 0)
        assert await standing(sql_db, shop, double) == (4, 0)


async def test_a_card_that_two_filled_together_becomes_a_voucher_and_stamps_again(sql_db, clock, shop, maria, double):
    await by_hand(sql_db, clock, shop, maria, 6)
    await by_hand(sql_db, clock, shop, double, 5)

    merge_id = await join(sql_db, clock, shop, double, maria)
    assert await standing(sql_db, shop, maria) == (2, 1)

    await part(sql_db, clock, shop, double, maria, merge_id)
    assert await standing(sql_db, shop, maria) == (6, 0)
    assert await standing(sql_db, shop, double) == (5, 0)


async def test_without_the_shop_a_card_that_two_filled_becomes_a_voucher_with_the_next_stamp(
    sql_db, clock, shop, maria, double
):
    await by_hand(sql_db, clock, shop, maria, 6)
    await by_hand(sql_db, clock, shop, double, 5)

    await join(sql_db, clock, None, double, maria)
    assert await standing(sql_db, shop, maria) == (11, 0)

    await by_hand(sql_db, clock, shop, maria, 1)
    assert await standing(sql_db, shop, maria) == (3, 1)


async def test_an_order_of_before_the_merge_is_taken_back_from_the_card_that_has_its_stamps(
    sql_db, clock, shop, maria, double
):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, double, 4))
    await by_hand(sql_db, clock, shop, maria, 3)
    merge_id = await join(sql_db, clock, shop, double, maria)

    await cancel(sql_db, clock, shop, replace(order, customer_id=maria))
    assert await standing(sql_db, shop, maria) == (3, 0)

    assert await part(sql_db, clock, shop, double, maria, merge_id) == 0
    assert await standing(sql_db, shop, maria) == (3, 0)
    assert await standing(sql_db, shop, double) == (0, 0)


async def test_an_order_of_whoever_was_merged_fills_the_card_of_who_they_are_now(sql_db, clock, shop, maria, double):
    third = (await stored_customer(sql_db)).id
    first_merge = await join(sql_db, clock, shop, third, double)
    second_merge = await join(sql_db, clock, shop, double, maria)

    order = await stamp(sql_db, clock, shop, await bought(sql_db, third, 10))
    assert await standing(sql_db, shop, maria) == (1, 1)
    await stamp(sql_db, clock, shop, order)
    assert await standing(sql_db, shop, maria) == (1, 1)

    await part(sql_db, clock, shop, third, double, first_merge)
    assert await standing(sql_db, shop, maria) == (0, 0)
    assert await standing(sql_db, shop, third) == (1, 1)
    assert await part(sql_db, clock, shop, double, maria, second_merge) == 0


async def test_the_voucher_of_whoever_was_merged_is_taken_back_with_their_order(sql_db, clock, shop, maria, double):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, double, 9))
    merge_id = await merged(sql_db, double, maria)
    await give_vouchers(sql_db, double, maria)
    async with sql_db.transaction() as work:
        await transfer_stamps(work, clock, double, maria, merge_id=merge_id)
    assert await standing(sql_db, shop, maria) == (0, 1)

    await cancel(sql_db, clock, shop, replace(order, customer_id=maria))

    assert await standing(sql_db, shop, maria) == (0, 0)


async def test_what_is_missing_moves_with_its_owner(sql_db, clock, shop, maria, double):
    order = await stamp(sql_db, clock, shop, await bought(sql_db, double, 9))
    await use(sql_db, clock, (await vouchers(sql_db, double))[0])
    await cancel(sql_db, clock, shop, order)
    await by_hand(sql_db, clock, shop, maria, 8)

    merge_id = await join(sql_db, clock, shop, double, maria)
    assert await standing(sql_db, shop, maria) == (-1, 0)
    assert await part(sql_db, clock, shop, double, maria, merge_id) == -9
    assert await standing(sql_db, shop, maria) == (8, 0)
    assert await standing(sql_db, shop, double) == (-9, 0)
