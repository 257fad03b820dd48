"""What the repositories of addresses, refunds, returns, requests and codes promise, on every database."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bot.core.orders import OrderLine, OrderStatus
from bot.core.refunds import RefundReason, RefundStatus
from bot.core.requests import RequestKind
from bot.core.returns import ReturnStatus
from tests.builders import (
    NOW,
    a_code,
    a_refund,
    a_request,
    a_return,
    an_order,
    stored_conversation,
    stored_customer,
    stored_order,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def maria(db):
    return await stored_customer(db)


@pytest.fixture
async def order(db, maria):
    return await stored_order(db, customer_id=maria.id)


# Customers and orders


async def test_an_address_is_set_for_one_customer_alone(db, maria):
    other = await stored_customer(db, address="48 Salcedo Street")

    async with db.transaction() as work:
        assert await work.customers.set_address(maria.id, "José 12 ☕", NOW) == replace(maria, address="José 12 ☕")
        assert await work.customers.set_address("nobody", "7 Mango Avenue", NOW) is None

    async with db.reading() as work:
        assert await work.customers.get(maria.id) == replace(maria, address="José 12 ☕")
        assert await work.customers.get(other.id) == other


async def test_a_saved_order_keeps_its_lines(db, order):
    other = await stored_order(db, number="TC-2")
    changed = replace(order, status=OrderStatus.CANCELLED, cancelled_at=NOW, shipping_address="7 Mango Avenue")
    async with db.transaction() as work:
        await work.orders.save(replace(changed, lines=()))
        await work.orders.save(an_order(number="NOT-1"))

    async with db.reading() as work:
        assert await work.orders.by_number(order.number) == changed
        assert await work.orders.by_number("TC-2") == other
        assert await work.orders.by_number("NOT-1") is None


# Refunds


async def test_refunds_of_an_order_come_oldest_first(db, order):
    await stored_order(db, number="TC-2")
    late, early = a_refund(requested_at=NOW + MINUTE), a_refund(paid_at=NOW, reason=RefundReason.CANCELLED)
    async with db.transaction() as work:
        for refund in (late, early, a_refund(order_number="TC-2")):
            await work.refunds.add(refund)

    async with db.reading() as work:
        assert await work.refunds.of_order(order.number) == [early, late]
        assert await work.refunds.of_order("TC-99999") == []


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": RefundReason.CANCELLED},
        {"return_number": "R-1"},
        {"order_number": "TC-99999"},
        {"return_number": "R-99999"},
        {"amount_minor": 0},
        {"currency": "US"},
        {"status": RefundStatus.PAID},
    ],
    ids=repr,
)
async def test_a_cancellation_or_a_return_is_refunded_once_and_only_what_there_is(db, order, changes):
    async with db.transaction() as work:
        await work.returns.add(a_return(order, number="R-1"))
        await work.refunds.add(a_refund(reason=RefundReason.CANCELLED))
        await work.refunds.add(a_refund(reason=RefundReason.RETURNED, return_number="R-1"))

    with pytest.raises(IntegrityError):
        async with db.transaction() as work:
            await work.refunds.add(a_refund(**changes))

    async with db.transaction() as work:
        await work.refunds.add(a_refund())
        await work.refunds.add(a_refund())
        assert len(await work.refunds.of_order(order.number)) == 4


# Returns


async def test_returns_of_an_order_come_oldest_first_with_their_lines_in_order(db, maria, order):
    lines = tuple(OrderLine(sku, f"{sku} ☕", 2, 100) for sku in ("Z", "A", "M"))
    late = a_return(order, number="R-1", created_at=NOW + MINUTE, lines=lines, status=ReturnStatus.RECEIVED)
    early = a_return(order, number="R-2", lines=())
    other = await stored_order(db, number="TC-2", customer_id=maria.id)
    async with db.transaction() as work:
        added = [await work.returns.add(each) for each in (late, early, a_return(other, number="R-3"))]

    assert added == [True] * 3
    async with db.reading() as work:
        assert await work.returns.of_order(order.number) == [early, late]
        assert await work.returns.of_order("TC-99999") == []


async def test_a_return_number_is_given_once(db, order):
    first = a_return(order)
    async with db.transaction() as work:
        assert await work.returns.add(first) is True
        assert await work.returns.add(a_return(order, lines=(), reason="again")) is False

    async with db.reading() as work:
        assert await work.returns.of_order(order.number) == [first]


@pytest.mark.parametrize("changes", [{"order_number": "TC-99999"}, {"customer_id": "nobody"}], ids=repr)
async def test_a_return_is_of_an_order_by_a_customer(db, order, changes):
    with pytest.raises(IntegrityError):
        async with db.transaction() as work:
            await work.returns.add(a_return(order, **changes))


# Requests


async def test_the_open_requests_of_a_conversation_come_oldest_first(db, maria):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    whole = a_request(
        conversation,
        number="S-1",
        kind=RequestKind.REVIEW,
        customer_id=maria.id,
        order_number="TC-10002",
        contact="maria@example.com",
        rating=5,
        created_at=NOW + MINUTE,
    )
    plain = a_request(conversation, number="S-2")
    async with db.transaction() as work:
        for request in (
            whole,
            plain,
            a_request(conversation, number="S-3", closed_at=NOW),
            a_request(other, number="S-4"),
        ):
            assert await work.requests.add(request) is True
        assert await work.requests.add(a_request(other, number="S-1")) is False

    async with db.reading() as work:
        assert await work.requests.open_in(conversation.id) == [plain, whole]


# Codes


async def latest(db, conversation):
    async with db.transaction() as work:
        return await work.codes.lock_latest(conversation.id)


@pytest.mark.parametrize("later", [timedelta(), timedelta(microseconds=1), MINUTE, timedelta(days=1)])
async def test_a_new_code_ends_the_earlier_ones_of_its_conversation_alone(db, later):
    conversation, other = await stored_conversation(db), await stored_conversation(db)
    first, second, elsewhere = (
        a_code(conversation),
        a_code(conversation, created_at=NOW + later, expires_at=NOW + later + MINUTE),
        a_code(other),
    )
    async with db.transaction() as work:
        for code in (elsewhere, first, second):
            await work.codes.add(code)

    assert await latest(db, conversation) == second
    assert await latest(db, other) == elsewhere
    async with db.transaction() as work:
        await work.codes.save(replace(second, used_at=NOW + later, attempts=1))
    ended = await latest(db, conversation)
    assert ended == replace(first, expires_at=min(first.expires_at, second.created_at))


async def test_a_saved_code_keeps_its_tries_and_a_used_one_is_gone(db, maria):
    conversation = await stored_conversation(db)
    code = a_code(conversation, customer_id=maria.id)
    async with db.transaction() as work:
        await work.codes.add(code)
        await work.codes.save(replace(code, attempts=3))
        await work.codes.save(a_code(conversation))

    assert await latest(db, conversation) == replace(code, attempts=3)
    async with db.transaction() as work:
        await work.codes.save(replace(code, attempts=4, used_at=NOW))
    assert await latest(db, conversation) is None


async def test_codes_are_counted_by_conversation_and_by_address(db):
    one, two = await stored_conversation(db), await stored_conversation(db)
    async with db.transaction() as work:
        await work.codes.lock_address("maria@example.com")
        for code in (
            a_code(one, created_at=NOW - MINUTE),
            a_code(one),
            a_code(one, email="john@example.com", used_at=NOW),
            a_code(two),
        ):
            await work.codes.add(code)

    async with db.reading() as work:
        since = NOW - MINUTE
        assert await work.codes.sent_in_conversation(one.id, since) == 2
        assert await work.codes.sent_in_conversation(one.id, since - MINUTE) == 3
        assert await work.codes.sent_in_conversation(two.id, since) == 1
        assert await work.codes.sent_to_address("maria@example.com", since) == 2
        assert await work.codes.sent_to_address("nobody@example.com", since) == 0
