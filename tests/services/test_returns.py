"""Sending goods back: what may go, under which number, and who is told."""

import asyncio
import re
from datetime import timedelta

import pytest

from bot.core.orders import OrderLine, OrderStatus
from bot.core.returns import Return, ReturnStatus
from bot.errors import OrderActionRefused
from bot.services import ids
from bot.services.returns import request_return, returns_of
from tests.builders import NOW, a_return, a_shop, stored_customer, stored_order
from tests.services.mails import sent_mails

MUG, BEANS = OrderLine("MUG", "Mug", 2, 1_450), OrderLine("BEANS", "Beans", 1, 1_200)
SHOP = a_shop(address="12 Mabini Street, Makati 1200")


@pytest.fixture
async def maria(db):
    return await stored_customer(db, external_id="C-1", email="maria@example.com")


@pytest.fixture
async def order(db, maria):
    return await stored_order(
        db,
        customer_id=maria.id,
        status=OrderStatus.DELIVERED,
        delivered_at=NOW - timedelta(days=3),
        lines=(MUG, BEANS),
        total_minor=4_100,
    )


async def send_back(db, clock, customer, skus=None, reason="Too small.", number="TC-10002"):
    async with db.transaction() as work:
        return await request_return(work, clock, SHOP, customer.id, number, skus, reason)


async def kept(db, number="TC-10002"):
    async with db.reading() as work:
        return await returns_of(work, number)


async def refusal(db, clock, customer, *args, **options):
    with pytest.raises(OrderActionRefused) as refused:
        await send_back(db, clock, customer, *args, **options)
    return refused.value.reason


async def test_a_return_of_everything_has_a_number_and_all_lines(db, clock, maria, order):
    requested = await send_back(db, clock, maria)

    assert re.fullmatch(r"R-[1-9][0-9]{5}", requested.number)
    assert requested == Return(
        requested.number, order.number, maria.id, ReturnStatus.REQUESTED, "Too small.", NOW, (MUG, BEANS)
    )
    assert await kept(db) == [requested]
    async with db.reading() as work:
        assert await work.orders.by_number(order.number) == order


async def test_shop_and_customer_are_told_of_a_return(db, clock, maria, order):
    requested = await send_back(db, clock, maria, ["MUG"], "It is chipped.\nTotal: $1,000")

    to_customer, to_shop = await sent_mails(db, clock)
    assert to_customer.to == "maria@example.com"
    assert to_customer.subject == to_shop.subject == f"[Corner Shop] Return {requested.number} of order TC-10002"
    # Delivered on the 2nd; the shop takes things back for 30 days.
    assert "Send it by Sunday 1 February 2026 to: 12 Mabini Street, Makati 1200" in to_customer.body
    assert "we pay $29.00 back within 5 days" in to_customer.body
    assert "- 2 × Mug, $14.50 each" in to_customer.body
    assert "Beans" not in to_customer.body
    assert f"goods worth $29.00 under the number {requested.number}" in to_shop.body
    assert "Reason: It is chipped.\n    Total: $1,000" in to_shop.body


async def test_the_rest_can_follow_later_and_nothing_goes_twice(db, clock, maria, order):
    first = await send_back(db, clock, maria, ["BEANS"])
    await sent_mails(db, clock)

    assert await refusal(db, clock, maria, ["BEANS"]) == "already_returned"
    assert await refusal(db, clock, maria, ["MUG", "BEANS"]) == "already_returned"
    assert await kept(db) == [first]
    assert await sent_mails(db, clock) == []

    clock.advance(minutes=1)
    rest = await send_back(db, clock, maria)
    assert rest.lines == (MUG,)
    assert await refusal(db, clock, maria) == "already_returned"
    assert await kept(db) == [first, rest]


@pytest.mark.parametrize("skus", [["GRINDER"], ["MUG", "GRINDER"], [""], ["mug"]])
async def test_what_was_not_ordered_cannot_be_sent_back(db, clock, maria, order, skus):
    assert await refusal(db, clock, maria, skus) == "not_in_order"
    assert await kept(db) == []


async def test_choosing_nothing_sends_nothing_back(db, clock, maria, order):
    assert await refusal(db, clock, maria, []) == "not_in_order"
    assert await kept(db) == []


async def test_somebody_elses_order_and_no_order_look_the_same(db, clock, maria, order):
    john = await stored_customer(db)

    assert await refusal(db, clock, john) == "not_yours"
    assert await refusal(db, clock, john, number="TC-99999") == "not_yours"
    assert await kept(db) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": OrderStatus.SHIPPED}, "not_delivered_yet"),
        ({"status": OrderStatus.CANCELLED}, "cancelled"),
        ({"status": OrderStatus.RETURNED}, "already_returned"),
        ({"status": OrderStatus.REFUNDED}, "refunded"),
        ({"status": OrderStatus.DELIVERED, "delivered_at": NOW - timedelta(days=31)}, "too_late"),
    ],
)
async def test_the_rules_are_looked_at_again_when_it_is_done(db, clock, maria, changes, reason):
    await stored_order(db, customer_id=maria.id, **changes)

    assert await refusal(db, clock, maria) == reason
    assert await kept(db) == []
    assert await sent_mails(db, clock) == []


async def test_the_last_day_is_one_of_the_shops_days(db, clock, maria, order):
    # 30 days after 2 January, at two minutes before midnight in Manila, which is 16:00 in UTC.
    clock.advance(NOW.replace(month=2, day=1, hour=15, minute=58) - clock.now())
    await send_back(db, clock, maria, ["MUG"])
    clock.advance(minutes=2)

    assert await refusal(db, clock, maria, ["BEANS"]) == "too_late"


async def test_a_number_that_is_taken_is_not_given_twice(db, clock, maria, order, monkeypatch):
    numbers = iter(["R-111111", "R-111111", "R-222222"])
    monkeypatch.setattr(ids, "new_number", lambda prefix: next(numbers))

    first = await send_back(db, clock, maria, ["MUG"])
    second = await send_back(db, clock, maria, ["BEANS"])

    assert (first.number, second.number) == ("R-111111", "R-222222")
    assert await kept(db) == [first, second]


async def test_numbers_that_are_all_taken_end_the_turn_and_not_the_return(db, clock, maria, order, monkeypatch):
    monkeypatch.setattr(ids, "new_number", lambda prefix: "R-111111")
    first = await send_back(db, clock, maria, ["MUG"])

    with pytest.raises(RuntimeError):
        await send_back(db, clock, maria, ["BEANS"])

    assert await kept(db) == [first]


async def test_of_many_requests_at_once_for_one_line_one_is_taken(db, clock, maria, order):
    ended = await asyncio.gather(*(send_back(db, clock, maria, ["MUG"]) for _ in range(5)), return_exceptions=True)

    (requested,) = [result for result in ended if isinstance(result, Return)]
    assert [result.reason for result in ended if isinstance(result, OrderActionRefused)] == ["already_returned"] * 4
    assert await kept(db) == [requested]
    assert len(await sent_mails(db, clock)) == 2


async def test_a_return_that_the_shop_refused_is_not_asked_for_again(db, clock, maria, order):
    async with db.transaction() as work:
        await work.returns.add(a_return(order, status=ReturnStatus.REFUSED))

    assert await refusal(db, clock, maria) == "already_returned"
