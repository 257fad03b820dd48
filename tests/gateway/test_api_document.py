"""The API's document is a valid one, and says what the API does."""

from __future__ import annotations

import itertools
import json
import re
import shlex
from pathlib import Path

import pytest
from openapi_spec_validator import openapi_v31_spec_validator

from bot.core.ledger import EntryKind
from bot.core.loyalty import Effect, Offer
from bot.core.vouchers import VoucherKind
from bot.gateway.api import all_endpoints, routes
from bot.gateway.api_document import ALWAYS, WITH_BODY
from bot.gateway.responses import STATUS
from bot.services.ledger import award_points
from bot.services.vouchers import issue_voucher
from tests.gateway.api_client import Api, document, documented, validator
from tests.gateway.conftest import API_KEY

ROOT = Path(__file__).parents[2]
ENDPOINTS = all_endpoints()
OPERATIONS = [
    (method, path, operation) for path, found in document()["paths"].items() for method, operation in found.items()
]


def test_it_is_valid_openapi():
    assert [error.message for error in openapi_v31_spec_validator.iter_errors(document())] == []


async def test_it_is_served(quiet_gateway):
    served = await Api(quiet_gateway).get("/openapi.json")

    assert served["info"]["title"].startswith(quiet_gateway.shop.name)
    assert served["paths"] == json.loads(json.dumps(document()["paths"]))


async def test_every_route_of_the_api_is_in_it_and_every_one_in_it_is_a_route(quiet_gateway):
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in quiet_gateway.app.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }

    assert served == {(method, path) for method, path, _ in OPERATIONS}
    assert len(served) == len(routes)


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does():
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["description"].endswith(".") for _, _, operation in OPERATIONS)


def test_every_refusal_is_one_that_has_a_status():
    assert {code for one in ENDPOINTS for code in one.refusals} <= STATUS.keys()


@pytest.mark.parametrize(
    "model", dict.fromkeys(one.body for one in ENDPOINTS if one.body), ids=lambda one: one.__name__
)
def test_every_body_has_an_example_that_is_taken(model):
    assert model.EXAMPLE is not None
    assert model.parse_obj(model.EXAMPLE)
    validator({"$ref": f"#/components/schemas/{model.__name__}"}).validate(model.EXAMPLE)


def test_nothing_is_described_that_nobody_uses():
    text = json.dumps(document())
    described = {f"#/components/schemas/{name}" for name in document()["components"]["schemas"]}
    described |= {f"#/components/responses/{name}" for name in document()["components"]["responses"]}

    assert described == set(re.findall(r'"\$ref": "([^"]+)"', text))


def test_the_page_for_developers_has_every_endpoint():
    page = (ROOT / "docs" / "api.md").read_text()

    assert [f"{m} {p}" for m, p, _ in OPERATIONS if f"`{m.upper()} {p}`" not in page] == []


def test_every_code_that_the_page_explains_has_its_status():
    page = (ROOT / "docs" / "api.md").read_text()
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", page, re.M)
    explained = {code: int(status) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}

    assert {code: STATUS[code] for code in explained} == explained
    assert {code for one in ENDPOINTS for code in (*one.refusals, *ALWAYS, *WITH_BODY)} == explained.keys()


# The examples for copying


def examples() -> list[list[str]]:
    """The words of every curl command on the page."""
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "api.md").read_text(), re.M | re.S)
    commands = re.findall(r"^curl (?:.|\n(?! *curl|\w+=))*", "\n".join(blocks), re.M)
    return [shlex.split(command) for command in commands]


async def test_every_example_on_the_page_works_as_it_stands(quiet_gateway):
    api, variables = Api(quiet_gateway), {"KASUKI": quiet_gateway.url, "API_KEY": API_KEY}
    await api.put_customer("C-1001")
    async with quiet_gateway.store.transaction() as work:
        maria = await work.customers.by_external_id("C-1001")
        await award_points(work, quiet_gateway.clock, maria.id, EntryKind.GOODWILL, 500, key="k")
        offer = Offer("five-off", "$5 off", Effect(amount_minor=500))
        voucher = await issue_voucher(
            work, quiet_gateway.clock, kind=VoucherKind.GOODWILL, offer=offer, customer_id=maria.id, key="v"
        )
    variables["CODE"] = voucher.code

    called = set()
    for words in examples():
        words = [re.sub(r"\$(\w+)", lambda found: variables[found[1]], word) for word in words]
        options = dict(itertools.pairwise(words))
        (url,) = (word for word in words if word.startswith("http"))
        headers = dict(word.split(": ") for word in words if ": " in word and not word.lstrip().startswith("{"))
        method, body = options.get("-X", "GET"), options.get("-d")
        async with quiet_gateway.session.request(
            method, url, headers=headers, data=body.encode() if body else None
        ) as response:
            answer = await response.json(content_type=None)
            assert response.status in (200, 201), (words, answer)
        if "last_characters" in answer and answer.get("code"):
            variables["CARD"] = answer["code"]
        called.add(documented(method, url.removeprefix(quiet_gateway.url))["operationId"])

    not_shown = {operation["operationId"] for _, _, operation in OPERATIONS} - called
    assert not_shown == {"get_customer", "put_block"}
