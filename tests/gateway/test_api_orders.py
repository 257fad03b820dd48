"""Orders over the shop API."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.ledger import EntryKind
from bot.services.ledger import redeem_points
from bot.services.orders import cancel_order
from bot.services.returns import request_return
from tests.gateway.api_client import LINE, MARIA, ORDER, Api, fields


@pytest.fixture
async def api(quiet_gateway):
    return Api(quiet_gateway)


async def customer_of(api, external_id="C-1"):
    async with api.gateway.store.reading() as work:
        return await work.customers.by_external_id(external_id)


async def test_an_order_is_made_once_and_the_same_report_gets_the_same_answer(api):
    status, made = await api.put_order(placed_at="2026-01-05T17:00:00+08:00", postcode="1200")
    assert (status, made["number"], made["status"]) == (201, "TC-1001", "paid")

    assert await api.put_order(placed_at="2026-01-05T17:00:00+08:00", postcode="1200") == (200, made)
    assert await api.get("/orders/TC-1001") == made
    assert made == {
        "number": "TC-1001",
        "status": "paid",
        "customer": {"external_id": "C-1", "name": "Maria Santos"},
        "placed_at": "2026-01-05T09:00:00+00:00",
        "currency": "USD",
        "total_minor": 2_900,
        "discount_minor": None,
        "delivery_minor": None,
        "lines": [LINE],
        "email": "maria@example.com",
        "postcode": "1200",
        "due_on": None,
        "paid_at": "2026-01-05T09:00:00+00:00",
        "shipped_at": None,
        "delivered_at": None,
        "cancelled_at": None,
        "carrier": None,
        "tracking_number": None,
        "shipping_address": None,
        "refunds": [],
        "returns": [],
        "ignored": [],
    }


@pytest.mark.parametrize("spelling", ["TC-1001", "tc1001", "1001", "TC 1001", "#1001"])
async def test_a_number_is_the_same_in_any_spelling(api, spelling):
    await api.put_order()

    status, order = await api.put_order(spelling, status="shipped")

    assert (status, order["number"]) == (200, "TC-1001")


async def test_a_number_that_customers_could_not_type_is_refused(api):
    for number in ("X", "order-with-words", "12", "☕1001", "A/1001"):
        status, problem = await api.put_order(number)
        assert (status, fields(problem)) == (422, ["number"])


async def test_an_order_can_be_reported_by_what_has_changed(api):
    await api.put_order()

    status, order = await api.call("PUT", "/orders/TC-1001", {"status": "shipped", "tracking_number": "T-1"})

    assert (status, order["status"], order["tracking_number"], order["lines"]) == (200, "shipped", "T-1", [LINE])


async def test_points_come_with_the_payment_and_go_with_refunds(api):
    await api.put_order(status="pending")
    assert await api.points() == (0, 0)

    await api.put_order(status="paid")
    earned = sum(await api.points())
    assert earned > 0

    half = {"id": "RF-1", "amount_minor": 1_450}
    for _ in range(2):
        await api.put_order(status="delivered", refunds=[half])
        assert sum(await api.points()) == earned // 2
    await api.put_order(status="refunded")
    assert await api.points() == (0, 0)


async def test_the_same_payment_twenty_times_at_once_earns_once(api):
    answers = await asyncio.gather(*(api.put_order() for _ in range(20)))

    assert sorted(status for status, _ in answers) == [200] * 19 + [201]
    assert all(order == answers[0][1] for _, order in answers)
    assert api.gateway.rows("SELECT count(*) FROM ledger_entries") == [(1,)]


async def test_a_late_report_says_what_was_ignored(api):
    await api.put_order(status="refunded")

    status, order = await api.put_order(status="delivered", tracking_number="T-1")

    assert (status, order["status"], order["ignored"]) == (200, "refunded", ["status", "tracking_number"])


async def test_what_contradicts_what_is_known_is_a_409(api):
    await api.put_order()

    status, problem = await api.put_order(lines=[{**LINE, "quantity": 3}], total_minor=4_350)

    assert (status, problem["code"]) == (409, "conflict")
    assert fields(problem) == ["lines", "total_minor"]


async def test_a_customer_who_is_not_known_needs_a_name(api):
    status, problem = await api.put_order(customer={"external_id": "C-9"})

    assert (status, fields(problem)) == (422, ["customer.name"])
    await api.put_customer("C-9")
    assert (await api.put_order(customer={"external_id": "C-9"}))[0] == 201


async def test_an_order_without_an_account_earns_for_nobody(api):
    status, order = await api.call(
        "PUT", "/orders/TC-1001", {"status": "paid", "total_minor": 500, "email": "Guest@Example.com"}
    )

    assert (status, order["customer"], order["email"]) == (201, None, "guest@example.com")
    assert api.gateway.rows("SELECT count(*) FROM ledger_entries") == [(0,)]


async def test_more_than_the_total_is_not_paid_back(api):
    status, problem = await api.put_order(
        refunds=[{"id": "RF-1", "amount_minor": 2_000}, {"id": "RF-2", "amount_minor": 901}]
    )

    assert (status, problem["errors"]) == (
        422,
        [{"field": "refunds", "detail": "come to 2901 together, more than the total of 2900"}],
    )
    assert (await api.call("GET", "/orders/TC-1001"))[0] == 404


async def test_what_was_promised_in_the_chat_is_there_to_read_and_to_settle(api):
    await api.put_order()
    maria = await customer_of(api)
    async with api.gateway.store.transaction() as work:
        await cancel_order(work, api.gateway.clock, api.gateway.shop, maria.id, "TC-1001")

    order = await api.get("/orders/TC-1001")
    (owed,) = order["refunds"]
    assert (order["status"], owed["id"], owed["status"]) == ("cancelled", None, "pending")

    amount = owed["amount_minor"]
    _, order = await api.put_order(status="cancelled", refunds=[{"id": "RF-1", "amount_minor": amount}])
    assert [(one["id"], one["status"], one["amount_minor"]) for one in order["refunds"]] == [("RF-1", "paid", amount)]


async def test_a_return_is_there_to_read_and_moves_on(api):
    await api.put_order(status="delivered")
    maria = await customer_of(api)
    async with api.gateway.store.transaction() as work:
        back = await request_return(work, api.gateway.clock, api.gateway.shop, maria.id, "TC-1001", None, "Too small.")

    (told,) = (await api.get("/orders/TC-1001"))["returns"]
    assert (told["number"], told["status"], told["amount_minor"]) == (back.number, "requested", 2_900)
    _, order = await api.put_order(status="delivered", returns=[{"number": back.number, "status": "received"}])
    assert order["returns"][0]["status"] == "received"


async def test_a_refund_of_points_that_were_spent_is_owed(api):
    await api.put_order()
    maria = await customer_of(api)
    api.gateway.clock.ahead += timedelta(days=60)
    available, _ = await api.points()
    async with api.gateway.store.transaction() as work:
        await redeem_points(work, api.gateway.clock, maria.id, available, key="r")

    await api.put_order(status="refunded")

    assert await api.points() == (-available, 0)
    entries = (await api.get("/customers/C-1/ledger"))["entries"]
    assert [one["kind"] for one in entries] == [EntryKind.REFUND, EntryKind.REDEEM, EntryKind.ORDER]


async def test_null_empties_what_can_be_empty_and_nothing_else(api):
    await api.put_order(carrier="LBC", postcode="1200")

    _, order = await api.put_order(
        **dict.fromkeys(("carrier", "total_minor", "placed_at", "currency", "paid_at", "lines", "refunds", "customer"))
    )

    assert (order["carrier"], order["postcode"], order["total_minor"]) == (None, "1200", 2_900)
    assert (order["lines"], order["customer"]["external_id"]) == ([LINE], MARIA["external_id"])
    assert order["ignored"] == []


async def test_500_lines_fit(api):
    lines = [{"sku": f"S{n}", "title": "T", "quantity": 1, "unit_price_minor": 1} for n in range(500)]

    status, order = await api.put_order(lines=lines, total_minor=500)

    assert (status, order["lines"]) == (201, lines)


async def test_the_largest_amounts_fit(api):
    line = {**LINE, "quantity": 1_000_000, "unit_price_minor": 10**12}

    status, order = await api.put_order(lines=[line], total_minor=10**12, delivery_minor=10**12)
    assert (status, fields(order)) == (422, ["total_minor"])
    status, order = await api.put_order(lines=[line], total_minor=10**12)
    assert (status, order["total_minor"], order["lines"]) == (201, 10**12, [line])
    assert ORDER["total_minor"] == 2_900
