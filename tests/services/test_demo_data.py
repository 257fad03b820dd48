"""The demo shop: people and orders that documentation and tests rely on."""

from collections import Counter
from datetime import timedelta

import pytest

from bot.core.customers import normalise_address
from bot.core.orders import (
    OrderStatus,
    ReturnTerms,
    can_change,
    normalise_order_number,
    proves_order,
    return_terms,
)
from bot.core.refunds import RefundReason, RefundStatus
from bot.core.returns import ReturnStatus
from bot.services.demo_data import CROWD, load_demo
from tests.builders import stored_customer
from tests.fakes import FakeDatabase, plain


async def people_and_orders(db):
    async with db.reading() as work:
        numbers = ["C-1001", "C-1002", "C-1003", *(f"C-{2001 + index}" for index in range(CROWD))]
        people = [await work.customers.by_external_id(number) for number in numbers]
        return people, {person.external_id: await work.orders.of_customer(person.id) for person in people}


@pytest.fixture
async def demo(fake_db, clock):
    await load_demo(fake_db, clock)
    return await people_and_orders(fake_db)


async def test_the_fixed_people_are_who_the_contract_says(demo):
    people, _ = demo

    assert [(p.external_id, p.name, p.email, p.postcode) for p in people[:3]] == [
        ("C-1001", "Maria Santos", "maria@example.com", "1200"),
        ("C-1002", "John Reyes", "john@example.com", "6000"),
        ("C-1003", "Aiko Tanaka", "aiko@example.com", "1605"),
    ]
    assert (people[2].birthday_month, people[2].birthday_day) == (2, 29)


async def test_the_fixed_orders_are_as_far_along_as_the_contract_says(demo, clock):
    _, orders = demo

    assert {order.number: order.status for person in ("C-1001", "C-1002", "C-1003") for order in orders[person]} == {
        "TC-10001": OrderStatus.DELIVERED,
        "TC-10002": OrderStatus.SHIPPED,
        "TC-10003": OrderStatus.PREPARING,
        "TC-10010": OrderStatus.DELIVERED,
        "TC-10011": OrderStatus.REFUNDED,
    }
    by_number = {order.number: order for found in orders.values() for order in found}
    assert by_number["TC-10002"].tracking_number
    assert by_number["TC-10002"].due_on > clock.now().date()
    assert by_number["TC-10010"].delivered_at == clock.now() - timedelta(days=3)
    assert all(order.currency == "USD" for order in by_number.values())


async def test_every_demo_order_can_be_found_and_proven(demo):
    people, orders = demo
    for person in people:
        for order in orders[person.external_id]:
            assert normalise_order_number(order.number.lower().replace("-", " "), "TC") == order.number
            assert proves_order(order, person.email)
            assert proves_order(order, person.postcode)
            assert order.total_minor == sum(line.quantity * line.unit_price_minor for line in order.lines) > 0


async def test_every_demo_order_has_a_history_that_can_be_true(demo, clock):
    _, orders = demo
    for order in (order for found in orders.values() for order in found):
        moments = [order.placed_at, order.shipped_at, order.delivered_at]
        happened = [moment for moment in moments if moment is not None]
        assert happened == sorted(happened)
        assert happened[-1] <= clock.now()
        assert (order.delivered_at is None) or (order.shipped_at is not None)
        assert (order.status is OrderStatus.SHIPPED) == (order.shipped_at is not None and order.delivered_at is None)


async def test_everybody_has_an_address_and_their_orders_went_there(demo):
    people, orders = demo
    for person in people:
        assert normalise_address(person.address) == person.address
        assert person.postcode in person.address
        assert {order.shipping_address for order in orders[person.external_id]} <= {person.address}


async def test_the_refunded_order_came_back_and_was_paid_back(db, clock):
    await load_demo(db, clock)

    async with db.reading() as work:
        order = await work.orders.by_number("TC-10011")
        (sent_back,) = await work.returns.of_order("TC-10011")
        (refund,) = await work.refunds.of_order("TC-10011")

    assert (sent_back.status, sent_back.lines) == (ReturnStatus.REFUNDED, order.lines)
    assert (refund.status, refund.reason) == (RefundStatus.PAID, RefundReason.RETURNED)
    assert refund.amount_minor == order.total_minor == sent_back.amount_minor
    assert refund.return_number == sent_back.number
    assert order.delivered_at < sent_back.created_at == refund.requested_at < refund.paid_at < clock.now()


async def test_what_the_demo_promises_can_be_done(demo, clock, shop):
    _, orders = demo
    by_number = {order.number: order for found in orders.values() for order in found}
    now = clock.now().astimezone(shop.hours.zone)

    assert can_change(by_number["TC-10003"])
    assert not can_change(by_number["TC-10002"])
    assert isinstance(return_terms(by_number["TC-10010"], shop.policies, now), ReturnTerms)


async def test_the_crowd_has_addresses_of_its_own(demo):
    people, _ = demo
    assert len(people) == CROWD + 3
    assert Counter(person.email for person in people).most_common(1)[0][1] == 1
    assert all(person.email.isascii() and " " not in person.email for person in people)


async def test_the_crowd_is_the_same_every_time(demo, clock):
    again = FakeDatabase()
    await load_demo(again, clock)

    people, orders = await people_and_orders(again)
    assert plain([*people, *orders.values()]) == plain([*demo[0], *demo[1].values()])


async def test_a_shop_with_customers_is_never_touched(db, clock):
    customer = await stored_customer(db)

    assert await load_demo(db, clock) == 0

    async with db.reading() as work:
        assert await work.customers.count() == 1
        assert await work.customers.by_external_id(customer.external_id) == customer
        assert await work.orders.by_number("TC-10001") is None


async def test_the_demo_loads_once_into_a_real_database(sql_db, clock):
    assert await load_demo(sql_db, clock) == CROWD + 3
    assert await load_demo(sql_db, clock) == 0

    people, orders = await people_and_orders(sql_db)
    assert len(people) == CROWD + 3
    assert sum(map(len, orders.values())) > CROWD
