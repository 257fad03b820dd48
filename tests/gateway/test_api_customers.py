"""Customers and their points over the shop API."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.ledger import EntryKind
from bot.services.ledger import award_points, redeem_points
from tests.builders import stored_customer
from tests.gateway.api_client import CUSTOMER, Api, fields

ALL = {
    **CUSTOMER,
    "phone": "+63 917 123 4567",
    "postcode": "1200",
    "address": "48 Salcedo Street, Makati",
    "preferred_name": "Ria",
    "language": "fil",
    "birthday": {"month": 2, "day": 29},
}


@pytest.fixture
async def api(quiet_gateway):
    return Api(quiet_gateway)


async def test_a_customer_is_made_once_and_the_same_report_gets_the_same_answer(api):
    status, made = await api.put_customer(**ALL)

    assert status == 201
    assert {name: made[name] for name in ALL} == ALL
    assert (made["points"], made["ignored"]) == ({"available": 0, "pending": 0}, [])
    assert await api.put_customer(**ALL) == (200, made)
    assert await api.get("/customers/C-1") == made


async def test_what_is_left_out_stays_and_null_empties_it(api):
    await api.put_customer(**ALL)

    status, customer = await api.call("PUT", "/customers/C-1", {"phone": None, "birthday": None, "name": None})

    assert (status, customer["phone"], customer["birthday"]) == (200, None, None)
    assert (customer["name"], customer["address"]) == (ALL["name"], ALL["address"])


async def test_an_address_is_compared_in_small_letters(api):
    _, customer = await api.put_customer(email=" Maria@Example.COM ")

    assert customer["email"] == "maria@example.com"


@pytest.mark.parametrize("external_id", ["C 1", "a/b", "José ☕", "%2F", "C-1?x=1#y", "x" * 200])
async def test_the_shops_own_number_may_be_anything_that_fits(api, external_id):
    status, customer = await api.put_customer(external_id)

    assert (status, customer["external_id"]) == (201, external_id)


async def test_a_number_that_does_not_fit_is_refused(api):
    for external_id in ("x" * 201, "a\nb", "a\0"):
        status, problem = await api.put_customer(external_id)
        assert (status, fields(problem)) == (422, ["external_id"])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"birthday": {"month": 2, "day": 30}}, "birthday"),
        ({"birthday": {"month": 13, "day": 1}}, "birthday.month"),
        ({"birthday": {"month": 2, "day": 29, "year": 1990}}, "birthday.year"),
        ({"birthday": "1990-02-28"}, "birthday"),
        ({"language": "English, please"}, "language"),
        ({"source": "api"}, "source"),
        ({"name": None}, "name"),
    ],
    ids=str,
)
async def test_what_is_wrong_is_said_and_nothing_kept(api, changes, field):
    status, problem = await api.put_customer(**changes)

    assert (status, fields(problem)) == (422, [field])
    assert (await api.call("GET", "/customers/C-1"))[0] == 404


async def test_somebody_who_was_erased_is_not_there_and_does_not_come_back(api):
    await stored_customer(api.gateway.store, external_id="C-1", erased_at=api.gateway.clock.now())

    for path in ("/customers/C-1", "/customers/C-1/ledger"):
        assert (await api.call("GET", path))[0] == 404
    assert (await api.put_customer())[0] == 409


async def test_a_merged_number_leads_to_whom_it_was_merged_into(api):
    kept = await stored_customer(api.gateway.store, external_id="C-2", name="Maria")
    await stored_customer(api.gateway.store, external_id="C-1", merged_into_id=kept.id)

    assert (await api.get("/customers/C-1"))["external_id"] == "C-2"
    status, customer = await api.put_customer(postcode="1200")
    assert (status, customer["name"], customer["postcode"]) == (200, "Maria", "1200")
    assert customer["ignored"] == ["email", "name"]


# Points


@pytest.fixture
async def maria(api):
    await api.put_customer()
    async with api.gateway.store.reading() as work:
        return await work.customers.by_external_id("C-1")


async def test_the_ledger_says_what_there_is_and_when_it_runs_out(api, maria):
    clock = api.gateway.clock
    soon = clock.now() + timedelta(days=30)
    async with api.gateway.store.transaction() as work:
        await award_points(work, clock, maria.id, EntryKind.GOODWILL, 100, key="a", source="sorry", expires_at=soon)
        await award_points(work, clock, maria.id, EntryKind.ORDER, 50, key="b", available_at=soon)
        await redeem_points(work, clock, maria.id, 30, key="c")

    ledger = await api.get("/customers/C-1/ledger")

    assert (ledger["external_id"], ledger["balance"]) == ("C-1", {"available": 70, "pending": 50})
    assert [one["points"] for one in ledger["expiring"]] == [70]
    assert [(one["kind"], one["points"], one["source"]) for one in ledger["entries"]] == [
        ("redeem", -30, None),
        ("order", 50, None),
        ("goodwill", 100, "sorry"),
    ]
    assert ledger["next_before"] is None
    assert (await api.get("/customers/C-1"))["points"] == ledger["balance"]


async def test_the_ledger_is_read_page_by_page_without_a_gap(api, maria):
    clock = api.gateway.clock
    async with api.gateway.store.transaction() as work:
        for number in range(7):
            await award_points(work, clock, maria.id, EntryKind.GOODWILL, number + 1, key=f"k{number}")

    seen, before = [], ""
    while True:
        page = await api.get(f"/customers/C-1/ledger?limit=3{before}")
        assert len(page["entries"]) <= 3
        seen += [one["points"] for one in page["entries"]]
        if page["next_before"] is None:
            break
        before = f"&before={page['next_before']}"
        async with api.gateway.store.transaction() as work:
            await award_points(work, clock, maria.id, EntryKind.GOODWILL, 100, key=f"later {before}")
    assert seen == [7, 6, 5, 4, 3, 2, 1]


async def test_the_ledger_of_nobody_is_a_404(api):
    assert (await api.call("GET", "/customers/C-9/ledger"))[0] == 404
