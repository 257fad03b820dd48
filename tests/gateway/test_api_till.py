"""Vouchers and gift cards at the till, over the shop API."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.loyalty import Effect, Offer
from bot.core.vouchers import VoucherKind
from bot.services.vouchers import issue_voucher
from tests.gateway.api_client import Api, fields


@pytest.fixture
async def api(quiet_gateway):
    api = Api(quiet_gateway)
    await api.put_customer("C-1")
    await api.put_customer("C-2", name="John Reyes", email="john@example.com")
    return api


@pytest.fixture
async def code(api):
    """Maria's voucher: five dollars off twenty."""
    offer = Offer("five-off", "$5 off", Effect(amount_minor=500), minimum_minor=2_000)
    async with api.gateway.store.transaction() as work:
        maria = await work.customers.by_external_id("C-1")
        voucher = await issue_voucher(
            work, api.gateway.clock, kind=VoucherKind.GOODWILL, offer=offer, customer_id=maria.id, key="sorry"
        )
    return voucher.code


async def reserve(api, code, key="cart-1", total=2_900, customer="C-1"):
    body = {"key": key, "total_minor": total, "customer_external_id": customer}
    return await api.call("POST", f"/vouchers/{code}/reserve", body)


# Vouchers


async def test_a_voucher_says_what_it_is_worth_and_whose_it_is(api, code):
    voucher = await api.get(f"/vouchers/{code.lower().replace('-', '')}")

    assert voucher["effect"] == {"amount_minor": 500, "percent": None, "item": None}
    assert (voucher["code"], voucher["customer_external_id"], voucher["obstacle"]) == (code, "C-1", None)


async def test_a_voucher_is_held_used_and_then_over(api, code):
    status, held = await reserve(api, code)
    assert (status, held["state"], held["discount_minor"]) == (200, "reserved", 500)
    assert await reserve(api, code) == (200, held)

    for _ in range(2):
        status, used = await api.call("POST", f"/vouchers/{code}/redeem", {"key": "cart-1"})
        assert (status, used["state"], used["reserved_until"]) == (200, "redeemed", None)
    assert (await api.get(f"/vouchers/{code}"))["obstacle"] == "used_up"
    status, problem = await api.call("POST", f"/vouchers/{code}/release", {"key": "cart-1"})
    assert (status, problem["code"], problem["reason"]) == (409, "voucher_refused", "redeemed")


async def test_a_voucher_that_is_let_go_can_be_used_elsewhere(api, code):
    await reserve(api, code)
    status, problem = await reserve(api, code, key="cart-2")
    assert (status, problem["reason"]) == (409, "used_up")

    assert (await api.call("POST", f"/vouchers/{code}/release", {"key": "cart-1"}))[1]["state"] == "released"
    assert (await reserve(api, code, key="cart-2"))[0] == 200


async def test_an_order_that_comes_to_nothing_gives_its_vouchers_back(api, code):
    await reserve(api, code)
    await api.call("POST", f"/vouchers/{code}/redeem", {"key": "cart-1"})

    for _ in range(2):
        status, answer = await api.call("POST", "/vouchers/give-back", {"key": "cart-1"})
        assert (status, [use["state"] for use in answer["uses"]]) == (200, ["released"])
    assert (await api.get(f"/vouchers/{code}"))["obstacle"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"customer": "C-2"}, "not_yours"), ({"total": 1_999}, "below_minimum")],
    ids=str,
)
async def test_a_voucher_is_refused_with_a_reason(api, code, changes, reason):
    status, problem = await reserve(api, code, **changes)

    assert (status, problem["code"], problem["reason"]) == (409, "voucher_refused", reason)


async def test_a_checkout_whose_total_changed_uses_its_key_for_something_else(api, code):
    await reserve(api, code)

    assert (await reserve(api, code, total=3_000))[1]["code"] == "key_reused"


async def test_a_voucher_that_there_is_not_is_a_404(api):
    assert (await api.call("GET", "/vouchers/NO-SUCH"))[0] == 404
    assert (await reserve(api, "NO-SUCH"))[0] == 404
    assert (await api.call("POST", "/vouchers/NO-SUCH/redeem", {"key": "cart-1"}))[0] == 404


async def test_a_customer_that_there_is_not_is_named(api, code):
    status, problem = await reserve(api, code, customer="C-9")

    assert (status, fields(problem)) == (422, ["customer_external_id"])


async def test_of_twenty_checkouts_at_once_one_gets_the_voucher(api, code):
    answers = await asyncio.gather(*(reserve(api, code, key=f"cart-{n}") for n in range(20)))

    assert sorted(status for status, _ in answers) == [200] + [409] * 19


# Gift cards


@pytest.fixture
async def card(api):
    """A card with fifty dollars on it."""
    status, issued = await api.call("POST", "/gift-cards", {"key": "sale-1", "amount_minor": 5_000})
    assert status == 201
    return issued


def moved(key, amount, order="TC-1001"):
    return {"key": key, "amount_minor": amount, "order": order}


async def test_a_gift_card_tells_its_code_once(api, card):
    assert (card["balance_minor"], card["code"][-4:], card["currency"]) == (5_000, card["last_characters"], "USD")

    status, again = await api.call("POST", "/gift-cards", {"key": "sale-1", "amount_minor": 5_000})

    assert (status, again) == (200, {**card, "code": None})
    assert (await api.call("POST", "/gift-cards", {"key": "sale-1", "amount_minor": 5_001}))[1]["code"] == "key_reused"


async def test_a_gift_card_is_spent_and_paid_back_once_for_each_key(api, card):
    code = card["code"]
    for _ in range(2):
        status, left = await api.call("POST", f"/gift-cards/{code}/spend", moved("pay-1", 1_200))
        assert (status, left["balance_minor"]) == (200, 3_800)
    for _ in range(2):
        status, left = await api.call("POST", f"/gift-cards/{code}/refund", moved("back-1", 200))
        assert (status, left["balance_minor"]) == (200, 4_000)
    assert (await api.get(f"/gift-cards/{code}"))["balance_minor"] == 4_000


async def test_no_more_is_spent_than_there_is_nor_paid_back_than_was_spent(api, card):
    code = card["code"]

    status, problem = await api.call("POST", f"/gift-cards/{code}/spend", moved("pay-1", 5_001))
    assert (status, problem["reason"], problem["available_minor"]) == (409, "insufficient", 5_000)
    await api.call("POST", f"/gift-cards/{code}/spend", moved("pay-2", 1_000))
    status, problem = await api.call("POST", f"/gift-cards/{code}/refund", moved("back-1", 1_001))
    assert (status, problem["reason"], problem["available_minor"]) == (409, "not_spent", 1_000)


async def test_a_blocked_card_cannot_be_used_until_it_is_free_again(api, card):
    for blocked, status in ((True, 409), (True, 409), (False, 200)):
        answer = (await api.call("PUT", f"/gift-cards/{card['id']}/block", {"blocked": blocked}))[1]
        assert answer["obstacle"] == ("blocked" if blocked else None)
        assert (await api.call("POST", f"/gift-cards/{card['code']}/spend", moved("pay-1", 1)))[0] == status


async def test_a_gift_card_runs_out(api):
    soon = (api.gateway.clock.now() + timedelta(days=1)).isoformat()
    body = {"key": "sale-2", "amount_minor": 100, "expires_at": soon, "customer_external_id": "C-1"}
    _, issued = await api.call("POST", "/gift-cards", body)
    assert (issued["customer_external_id"], issued["obstacle"]) == ("C-1", None)
    api.gateway.clock.ahead += timedelta(days=2)

    assert (await api.get(f"/gift-cards/{issued['code']}"))["obstacle"] == "expired"


async def test_a_gift_card_that_there_is_not_is_a_404(api):
    assert (await api.call("GET", "/gift-cards/NO-SUCH"))[0] == 404
    assert (await api.call("POST", "/gift-cards/NO-SUCH/spend", moved("pay-1", 1)))[0] == 404
    assert (await api.call("PUT", "/gift-cards/NO-SUCH/block", {"blocked": True}))[0] == 404


async def test_a_gift_card_spent_twenty_times_at_once_is_spent_as_often_as_it_can_be(api, card):
    path = f"/gift-cards/{card['code']}/spend"

    answers = await asyncio.gather(*(api.call("POST", path, moved(f"pay-{n}", 1_000)) for n in range(20)))

    assert sorted(status for status, _ in answers) == [200] * 5 + [409] * 15
    assert (await api.get(f"/gift-cards/{card['code']}"))["balance_minor"] == 0
