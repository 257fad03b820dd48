"""The shop API at its door: who may come in, and what is said to what cannot be read."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import ReportRefused, TransactionLost
from bot.gateway import application
from bot.gateway.api import all_endpoints
from bot.gateway.api_requests import NotJson, _json, _parsed
from bot.gateway.api_schemas import OrderBody
from tests.gateway.api_client import CUSTOMER, MARIA, ORDER, Api, fields, validator
from tests.gateway.conftest import API_KEY, broken_database
from tests.gateway.hostile import HOSTILE

NUMBER = "/orders/TC-1001"


@pytest.fixture
async def api(quiet_gateway):
    return Api(quiet_gateway)


# Keys


@pytest.mark.parametrize("key", [None, "", "wrong", API_KEY.upper(), f"{API_KEY}x"])
async def test_without_the_key_nothing_is_told_and_nothing_taken(api, key):
    for method, path, body in [
        ("PUT", NUMBER, ORDER),
        ("PUT", NUMBER, b"{oops"),
        ("PUT", "/customers/C-1", CUSTOMER),
        ("GET", "/customers/C-1", None),
        ("GET", "/customers/C-1/ledger", None),
        ("GET", "/openapi.json", None),
    ]:
        status, problem = await api.call(method, path, body, key=key)
        assert (status, problem["code"]) == (401, "unauthorized")
    assert api.gateway.rows("SELECT count(*) FROM customers") == [(0,)]


async def test_guessing_keys_is_slowed_down_and_the_right_key_is_not(start_gateway, monkeypatch):
    monkeypatch.setattr(application, "REQUESTS_AT_ONCE", 3)
    monkeypatch.setattr(application, "REQUESTS_PER_SECOND", 0.1)
    api = Api(await start_gateway(answering=False))

    statuses = [(await api.call("GET", NUMBER, key=f"guess {number}"))[0] for number in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    for _ in range(5):
        assert (await api.put_order())[0] in (200, 201)


# Bodies that cannot be read


@pytest.mark.parametrize(
    "body",
    [b"", b"{oops", b"\xff\xfe", b"[]", b"null", b'"hi"', b"[" * 60_000, b'{"status":"paid"', b"1" * 5_000],
    ids=lambda body: repr(body[:20]),
)
async def test_what_is_no_json_object_is_a_400(api, body):
    status, problem = await api.call("PUT", NUMBER, body)

    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
async def test_what_does_not_say_that_it_is_json_is_a_415(api, content_type):
    status, problem = await api.call("PUT", NUMBER, json.dumps(ORDER).encode(), headers={"Content-Type": content_type})

    assert (status, problem["code"]) == (415, "unsupported_media_type")


async def test_json_says_in_which_letters_it_is_written(api):
    body = json.dumps(ORDER).encode()

    assert (await api.call("PUT", NUMBER, body, headers={"Content-Type": "application/json; charset=utf-8"}))[0] == 201


async def test_an_oversized_body_is_a_413(api):
    body = json.dumps({**ORDER, "carrier": "x" * application.MAX_BODY_BYTES}).encode()

    assert (await api.call("PUT", NUMBER, body))[0] == 413


async def test_a_method_that_a_path_does_not_have_is_a_405(api):
    async with api.gateway.session.patch(f"{api.gateway.url}/api/v1{NUMBER}") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD,PUT")
        assert (await response.json(content_type=None))["code"] == "method_not_allowed"


async def test_a_path_that_there_is_not_is_a_404(api):
    assert (await api.call("GET", "/nothing"))[0] == 404
    assert (await api.call("GET", NUMBER))[0] == 404
    assert (await api.call("GET", "/orders/nothing"))[0] == 404


# Fields


async def test_every_fault_is_named_with_its_field(api):
    status, problem = await api.put_order(
        status="lost",
        total_minor=12.5,
        currency="dollars",
        placed_at="yesterday",
        due_on="2026-02-30",
        email="maria",
        lines=[{"sku": "MUG", "quantity": True, "unit_price_minor": -1}],
        refunds=[{"id": "RF-1", "amount_minor": 0}],
        tracking="T-1",
    )

    assert (status, problem["code"]) == (422, "invalid")
    assert {one["field"]: one["detail"] for one in problem["errors"]} == {
        "status": "must be one of pending, paid, preparing, shipped, delivered, cancelled, returned, refunded",
        "total_minor": "must be a whole number",
        "currency": "must look like ^[A-Z]{3}$",
        "placed_at": "must be a date and time with its offset, such as 2026-01-31T16:20:00+08:00",
        "due_on": "must be a date, such as 2026-01-31",
        "email": "must be an e-mail address",
        "lines[0].title": "is missing",
        "lines[0].quantity": "must be a whole number",
        "lines[0].unit_price_minor": "must be 0 or more",
        "refunds[0].amount_minor": "must be 1 or more",
        "tracking": "is not known; did you mean tracking_number?",
    }


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"status": None}, "status"),
        ({"total_minor": "2900"}, "total_minor"),
        ({"total_minor": True}, "total_minor"),
        ({"total_minor": 10**13}, "total_minor"),
        ({"total_minor": -1}, "total_minor"),
        ({"placed_at": 1_700_000_000}, "placed_at"),
        ({"placed_at": "2026-01-05T10:00:00"}, "placed_at"),
        ({"placed_at": "2026-13-05T10:00:00Z"}, "placed_at"),
        ({"placed_at": "0001-01-01T00:00:00+14:00"}, "placed_at"),
        ({"customer": {"external_id": "C\n1"}}, "customer.external_id"),
        ({"customer": {"external_id": ""}}, "customer.external_id"),
        ({"customer": "C-1"}, "customer"),
        ({"customer": {**MARIA, "name": "x" * 201}}, "customer.name"),
        ({"lines": {"sku": "MUG"}}, "lines"),
        ({"lines": [ORDER["lines"][0]] * 501}, "lines"),
        ({"lines": ["MUG"]}, "lines[0]"),
        ({"email": "a b@example.com"}, "email"),
        ({"shipping_address": "123"}, "shipping_address"),
        ({"postcode": ""}, "postcode"),
        ({"postcode": " "}, "postcode"),
        ({"carrier": "x" * 81}, "carrier"),
        ({"refunds": [{"id": "RF-1", "amount_minor": 1, "reason": "bored"}]}, "refunds[0].reason"),
    ],
    ids=str,
)
async def test_what_is_wrong_with_one_field_is_said_of_that_field(api, changes, field):
    status, problem = await api.call("PUT", NUMBER, json.dumps({**ORDER, **changes}).encode())

    assert status == 422, problem
    assert fields(problem) == [field]


async def test_a_field_that_is_there_twice_is_refused(api):
    status, problem = await api.call("PUT", NUMBER, b'{"status": "paid", "total_minor": 1, "status": "refunded"}')

    assert (status, fields(problem)) == (422, ["status"])


async def test_texts_are_kept_as_people_wrote_them_and_only_made_storable(api):
    title = "  Kape't\0 Tinapay \u2615 "

    status, order = await api.put_order(lines=[{**ORDER["lines"][0], "title": title}])

    assert (status, order["lines"][0]["title"]) == (201, "Kape't\ufffd Tinapay \u2615")


async def test_the_query_is_as_strict(api):
    await api.put_customer()

    for query, field in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("before=-1", "before"),
        (f"before={2**63}", "before"),
        ("page=2", "page"),
        ("limit=1&limit=2", "limit"),
    ]:
        status, problem = await api.call("GET", f"/customers/C-1/ledger?{query}")
        assert (status, fields(problem)) == (422, [field])


@pytest.mark.parametrize("strings", [HOSTILE], ids=["our own"])
async def test_every_string_is_taken_or_refused_wherever_it_stands(api, strings):
    for text in strings:
        person = {"name": text, "email": text, "preferred_name": text, "address": text, "language": text}
        for path, body in [
            (NUMBER, {**ORDER, "customer": {"external_id": text, "name": text, "email": text}, "postcode": text}),
            (NUMBER, {**ORDER, "refunds": [{"id": text, "amount_minor": 1, "return_number": text}]}),
            (NUMBER, {**ORDER, text: text}),
            ("/customers/C-2", person),
        ]:
            status, answer = await api.call("PUT", path, json.dumps(body).encode())
            assert status in (200, 201, 409, 422) or (status == 413 and len(text) > 1_000), (ascii(text), answer)


# Anything at all

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
FULL_ORDER: dict[str, Any] = {
    **ORDER,
    "placed_at": "2026-01-05T10:00:00Z",
    "due_on": "2026-01-31",
    "discount_minor": 0,
    "delivery_minor": 0,
    "carrier": "LBC",
    "refunds": [{"id": "RF-1", "amount_minor": 100, "reason": "problem"}],
    "returns": [],
}


@st.composite
def damaged(draw: st.DrawFn, whole: dict[str, Any]) -> Any:
    """A good body with something else in some of its places."""
    body = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        place, key = body, draw(st.sampled_from([*body, "other"]))
        while draw(st.booleans()):
            inside = place.get(key) if isinstance(place, dict) else place[key]
            if not isinstance(inside, dict | list) or not inside:
                break
            place, key = inside, draw(st.sampled_from([*inside] if isinstance(inside, dict) else [*range(len(inside))]))
        place[key] = draw(ANYTHING)
    return body


BODIES = {one.body: one.body.EXAMPLE for one in all_endpoints() if one.body} | {OrderBody: FULL_ORDER}


@pytest.mark.parametrize("model", BODIES, ids=lambda model: model.__name__)
@given(data=st.data())
def test_whatever_is_sent_is_read_or_refused_in_words(model, data):
    content = data.draw(damaged(BODIES[model]) | ANYTHING)
    try:
        _parsed(model, _json(json.dumps(content).encode()))
    except (ReportRefused, NotJson) as error:
        assert error.message
    else:
        # What is taken is what the document promises to take.
        validator({"$ref": f"#/components/schemas/{model.__name__}"}).validate(content)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=damaged(FULL_ORDER), number=st.sampled_from(["TC-1001", "TC-1002", "x"]))
async def test_whatever_is_sent_is_never_a_fault_of_ours(api, content, number):
    status, answer = await api.call("PUT", f"/orders/{number}", json.dumps(content).encode())

    assert status in (200, 201, 400, 409, 422), answer


# The database


async def test_a_database_that_is_away_is_a_503_and_the_same_again_is_right(api):
    api.gateway.db.error = broken_database()
    status, problem = await api.put_order()
    assert (status, problem["code"]) == (503, "unavailable")

    api.gateway.db.error = None
    assert (await api.put_order())[0] == 201


async def test_a_commit_that_fails_leaves_nothing(api):
    api.gateway.db.commit_error = broken_database()

    assert (await api.put_order())[0] == 503
    assert api.gateway.rows("SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM customers)") == [(0, 0)]


def losing(monkeypatch, gateway, times):
    """Let so many transactions come to nothing because of another one; returns a list that grows by each that began."""
    begun, transaction = [], gateway.db.transaction

    @contextlib.asynccontextmanager
    async def losing_transaction(**options):
        async with transaction(**options) as work:
            yield work
            begun.append(1)
            if len(begun) <= times:
                raise TransactionLost

    monkeypatch.setattr(gateway.db, "transaction", losing_transaction)
    return begun


async def test_a_report_that_is_in_anothers_way_is_tried_again(api, monkeypatch):
    begun = losing(monkeypatch, api.gateway, 2)

    assert (await api.put_order())[0] == 201
    assert len(begun) == 3
    assert await api.points() == (29, 0)


async def test_a_report_that_stays_in_anothers_way_is_to_be_sent_again(api, monkeypatch):
    begun = losing(monkeypatch, api.gateway, 9)

    status, problem = await api.put_order()

    assert (status, problem["code"], len(begun)) == (503, "unavailable", 3)
