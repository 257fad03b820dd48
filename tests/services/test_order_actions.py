"""Cancelling orders and sending them elsewhere: for their owner, while it can be done, and once."""

import asyncio
from dataclasses import replace

import pytest

from bot.core.orders import OrderStatus
from bot.core.refunds import RefundReason, RefundStatus
from bot.core.shop import Policies
from bot.errors import CustomerNotFound, OrderActionRefused
from bot.services.orders import (
    cancel_order,
    change_shipping_address,
    invoice_of,
    refunds_of,
    set_default_address,
)
from tests.builders import NOW, a_refund, a_shop, stored_customer, stored_order
from tests.services.mails import sent_mails

ADDRESS = "7 Mango Avenue, Cebu City 6000"
SHOP = a_shop(policies=Policies(cancellation_fee_minor=300))


@pytest.fixture
async def maria(db):
    return await stored_customer(db, external_id="C-1", email="maria@example.com")


async def own_order(db, customer, **changes):
    return await stored_order(db, customer_id=customer.id, **{"status": OrderStatus.PREPARING, **changes})


async def cancel(db, clock, customer, number="TC-10002", shop=SHOP):
    async with db.transaction() as work:
        return await cancel_order(work, clock, shop, customer.id, number)


async def move(db, clock, customer, address=ADDRESS, number="TC-10002"):
    async with db.transaction() as work:
        return await change_shipping_address(work, clock, SHOP, customer.id, number, address)


async def kept(db, number="TC-10002"):
    async with db.reading() as work:
        return await work.orders.by_number(number), await refunds_of(work, number)


# Cancelling


async def test_a_cancelled_order_is_marked_and_what_is_left_is_owed(db, clock, maria):
    order = await own_order(db, maria, shipping_address=ADDRESS)

    done = await cancel(db, clock, maria)

    expected = replace(order, status=OrderStatus.CANCELLED, cancelled_at=NOW)
    assert (done.order, done.fee_minor, done.refund_minor) == (expected, 300, 2_600)
    assert await kept(db) == (expected, [done.refund])
    assert (done.refund.reason, done.refund.status) == (RefundReason.CANCELLED, RefundStatus.PENDING)
    assert (done.refund.amount_minor, done.refund.currency, done.refund.requested_at) == (2_600, "USD", NOW)
    assert (done.refund.return_number, done.refund.paid_at) == (None, None)


async def test_shop_and_customer_are_told_of_a_cancellation(db, clock, maria):
    await own_order(db, maria, email="gift@example.com")

    await cancel(db, clock, maria)

    to_customer, to_shop = await sent_mails(db, clock)
    assert (to_customer.to, to_customer.reply_to) == ("gift@example.com", "team@corner.example")
    assert to_customer.subject == to_shop.subject == "[Corner Shop] Order TC-10002 is cancelled"
    assert "Hello Maria," in to_customer.body
    assert "after a cancellation fee of $3.00: $26.00, within 5 days" in to_customer.body
    assert "Was this not you?" in to_customer.body
    assert (to_shop.to, to_shop.reply_to) == ("team@corner.example", "gift@example.com")
    assert "preparing: do not send it" in to_shop.body
    assert "- 2 × Mug, $14.50 each" in to_shop.body
    assert "Maria Santos (C-1, maria@example.com)" in to_shop.body


async def test_an_order_that_was_not_paid_is_cancelled_without_a_fee_or_a_refund(db, clock, maria):
    await own_order(db, maria, status=OrderStatus.PENDING)

    done = await cancel(db, clock, maria)

    assert (done.fee_minor, done.refund_minor, done.refund) == (0, 0, None)
    order, refunds = await kept(db)
    assert (order.status, refunds) == (OrderStatus.CANCELLED, [])
    assert "Nothing was paid" in (await sent_mails(db, clock))[0].body


async def test_an_order_worth_less_than_the_fee_brings_nothing_back(db, clock, maria):
    await own_order(db, maria, total_minor=200)

    done = await cancel(db, clock, maria)

    assert (done.fee_minor, done.refund_minor, done.refund) == (200, 0, None)
    assert "Nothing is paid back after a cancellation fee of $2.00." in (await sent_mails(db, clock))[0].body


async def test_an_order_without_an_address_of_its_own_is_confirmed_to_its_customer(db, clock, maria):
    await own_order(db, maria, email=None)

    await cancel(db, clock, maria)

    assert [mail.to for mail in await sent_mails(db, clock)] == ["maria@example.com", "team@corner.example"]


async def test_where_nobody_has_an_address_the_shop_is_told_alone(db, clock):
    nameless = await stored_customer(db, email=None)
    await own_order(db, nameless, email=None)

    await cancel(db, clock, nameless)

    assert [mail.to for mail in await sent_mails(db, clock)] == ["team@corner.example"]


async def test_cancelling_again_is_refused_and_changes_nothing(db, clock, maria):
    await own_order(db, maria)
    await cancel(db, clock, maria)
    await sent_mails(db, clock)
    before = await kept(db)
    clock.advance(hours=1)

    with pytest.raises(OrderActionRefused) as refusal:
        await cancel(db, clock, maria)

    assert refusal.value.reason == "cancelled"
    assert await kept(db) == before
    assert await sent_mails(db, clock) == []


@pytest.mark.parametrize("status", ["shipped", "delivered", "returned", "refunded"])
async def test_an_order_that_is_too_far_along_is_left_as_it_is(db, clock, maria, status):
    order = await own_order(db, maria, status=OrderStatus(status))

    for refused in (cancel(db, clock, maria), move(db, clock, maria)):
        with pytest.raises(OrderActionRefused) as refusal:
            await refused
        assert refusal.value.reason == status

    assert await kept(db) == (order, [])
    assert await sent_mails(db, clock) == []


async def test_somebody_elses_order_and_no_order_look_the_same_and_are_left_alone(db, clock, maria):
    john = await stored_customer(db)
    orders = [await own_order(db, maria), await stored_order(db, number="TC-3", status=OrderStatus.PAID)]

    for number in ("TC-10002", "TC-3", "TC-99999", ""):
        for refused in (cancel(db, clock, john, number), move(db, clock, john, number=number)):
            with pytest.raises(OrderActionRefused) as refusal:
                await refused
            assert refusal.value.reason == "not_yours"

    assert [await kept(db, order.number) for order in orders] == [(order, []) for order in orders]
    assert await sent_mails(db, clock) == []


async def test_of_many_cancellations_at_once_one_wins_and_one_refund_is_owed(db, clock, maria):
    await own_order(db, maria)

    ended = await asyncio.gather(*(cancel(db, clock, maria) for _ in range(6)), return_exceptions=True)

    refused = [result.reason for result in ended if isinstance(result, OrderActionRefused)]
    (done,) = [result for result in ended if not isinstance(result, BaseException)]
    assert refused == ["cancelled"] * 5
    assert (await kept(db))[1] == [done.refund]
    assert len(await sent_mails(db, clock)) == 2


async def test_a_turn_that_fails_after_cancelling_has_cancelled_nothing(db, clock, maria):
    order = await own_order(db, maria)

    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            await cancel_order(work, clock, SHOP, maria.id, order.number)
            raise RuntimeError

    assert await kept(db) == (order, [])
    assert await sent_mails(db, clock) == []


# Addresses


async def test_an_order_goes_to_the_new_address_and_its_proof_stays(db, clock, maria):
    order = await own_order(db, maria, shipping_address="48 Salcedo Street")

    moved = await move(db, clock, maria, f" {ADDRESS.replace(', ', chr(10))} \x00")

    assert moved.shipping_address.startswith(ADDRESS)
    assert (await kept(db))[0] == moved == replace(order, shipping_address=moved.shipping_address)
    to_customer, to_shop = await sent_mails(db, clock)
    assert ADDRESS in to_customer.body
    assert "Was this not you?" in to_customer.body
    assert "Address before: 48 Salcedo Street" in to_shop.body
    assert "48 Salcedo" not in to_customer.body


async def test_the_address_that_an_order_has_already_changes_nothing(db, clock, maria):
    await own_order(db, maria)
    moved = await move(db, clock, maria)
    await sent_mails(db, clock)

    assert await move(db, clock, maria, f"  {ADDRESS}") == moved
    assert await sent_mails(db, clock) == []


async def test_moving_an_order_there_and_back_tells_of_both(db, clock, maria):
    await own_order(db, maria)

    for address in (ADDRESS, "48 Salcedo Street", ADDRESS):
        await move(db, clock, maria, address)

    assert len(await sent_mails(db, clock)) == 6


@pytest.mark.parametrize("address", ["", "  \n ", "12345", "\x00", "a" * 501])
async def test_what_is_no_address_is_not_taken_for_one(db, clock, maria, address):
    order = await own_order(db, maria)

    with pytest.raises(OrderActionRefused) as refusal:
        await move(db, clock, maria, address)
    with pytest.raises(OrderActionRefused):
        async with db.transaction() as work:
            await set_default_address(work, clock, maria.id, address)

    assert refusal.value.reason == "bad_address"
    assert await kept(db) == (order, [])
    async with db.reading() as work:
        assert await work.customers.get(maria.id) == maria


async def test_an_address_is_changed_or_the_order_cancelled_first_but_never_both_ways(sql_db, clock):
    maria = await stored_customer(sql_db)
    await own_order(sql_db, maria)

    ended = await asyncio.gather(
        cancel(sql_db, clock, maria), *(move(sql_db, clock, maria) for _ in range(4)), return_exceptions=True
    )

    order, refunds = await kept(sql_db)
    assert (order.status, len(refunds)) == (OrderStatus.CANCELLED, 1)
    moved = [result for result in ended[1:] if not isinstance(result, BaseException)]
    assert (order.shipping_address is not None) == bool(moved)
    assert {result.reason for result in ended[1:] if isinstance(result, OrderActionRefused)} <= {"cancelled"}


async def test_a_default_address_is_noted_for_later_orders_only(db, clock, maria):
    order = await own_order(db, maria)

    async with db.transaction() as work:
        changed = await set_default_address(work, clock, maria.id, f" {ADDRESS}\n")

    async with db.reading() as work:
        assert await work.customers.get(maria.id) == changed == replace(maria, address=ADDRESS)
    assert await kept(db) == (order, [])


async def test_nobody_has_no_address(db, clock):
    with pytest.raises(CustomerNotFound):
        async with db.transaction() as work:
            await set_default_address(work, clock, "nobody", ADDRESS)


# Invoices


async def test_an_invoice_names_the_buyer_and_what_was_paid_back(db, maria):
    order = await own_order(db, maria)
    refund = a_refund()
    async with db.transaction() as work:
        await work.refunds.add(refund)

    async with db.reading() as work:
        invoice = await invoice_of(work, order.number)
        assert await invoice_of(work, "TC-99999") is None

    assert (invoice.order, invoice.buyer, invoice.refunds) == (order, "Maria Santos", (refund,))


async def test_the_invoice_of_a_guest_names_nobody(db):
    await stored_order(db)

    async with db.reading() as work:
        assert (await invoice_of(work, "TC-10002")).buyer is None
