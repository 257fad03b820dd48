"""What the repositories promise to reports of orders, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from bot.core.orders import OrderLine, OrderStatus
from bot.core.refunds import RefundStatus
from bot.core.returns import ReturnStatus
from tests.builders import NOW, a_refund, a_return, an_order, stored_customer, stored_order


async def test_an_order_that_is_added_many_times_at_once_is_added_once(sql_db):
    async def add(total):
        async with sql_db.transaction() as work:
            return await work.orders.add_unless_known(an_order(total_minor=total)), total

    added = await asyncio.gather(*(add(total) for total in range(8)))

    ((_, total),) = (one for one in added if one[0])
    async with sql_db.reading() as work:
        assert await work.orders.by_number("TC-10002") == an_order(total_minor=total)


async def test_lines_are_replaced_for_one_order_alone(sql_db):
    order, other = await stored_order(sql_db), await stored_order(sql_db, number="TC-2")
    changed = replace(order, lines=(OrderLine("BEANS", "Beans ☕", 3, 900), *order.lines))

    async with sql_db.transaction() as work:
        await work.orders.replace_lines(changed)

    async with sql_db.reading() as work:
        assert await work.orders.by_number(order.number) == changed
        assert await work.orders.by_number("TC-2") == other


async def test_discount_and_delivery_are_kept(sql_db):
    order = await stored_order(sql_db, discount_minor=10**12, delivery_minor=0)

    async with sql_db.reading() as work:
        assert await work.orders.by_number(order.number) == order


async def test_a_refund_is_saved_and_forgotten(sql_db):
    await stored_order(sql_db)
    one, other = a_refund(), a_refund(external_id="RF-2", paid_at=NOW)
    async with sql_db.transaction() as work:
        await work.refunds.add(one)
        await work.refunds.add(other)
    paid = replace(one, status=RefundStatus.PAID, paid_at=NOW, external_id="RF-1", amount_minor=5)

    async with sql_db.transaction() as work:
        await work.refunds.save(paid)
        await work.refunds.remove(other.id)

    async with sql_db.reading() as work:
        assert await work.refunds.of_order("TC-10002") == [paid]


async def test_the_shops_own_number_of_a_refund_is_there_once_in_an_order(sql_db):
    await stored_order(sql_db)
    await stored_order(sql_db, number="TC-2")
    async with sql_db.transaction() as work:
        await work.refunds.add(a_refund(external_id="RF-1"))
        await work.refunds.add(a_refund(external_id="RF-1", order_number="TC-2"))
        await work.refunds.add(a_refund())
        await work.refunds.add(a_refund())

    with pytest.raises(IntegrityError):
        async with sql_db.transaction() as work:
            await work.refunds.add(a_refund(external_id="RF-1"))


async def test_a_return_moves_on_by_itself(sql_db):
    maria = await stored_customer(sql_db)
    order = await stored_order(sql_db, customer_id=maria.id, status=OrderStatus.DELIVERED)
    one, other = a_return(order), a_return(order, number="R-2")
    async with sql_db.transaction() as work:
        await work.returns.add(one)
        await work.returns.add(other)

    async with sql_db.transaction() as work:
        await work.returns.set_status("R-2", ReturnStatus.RECEIVED)

    async with sql_db.reading() as work:
        assert set(await work.returns.of_order(order.number)) == {one, replace(other, status=ReturnStatus.RECEIVED)}
