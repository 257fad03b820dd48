"""A shop's own system, which also holds every answer against the document of the API."""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import quote

from jsonschema import Draft202012Validator

from bot.gateway.api import all_endpoints
from bot.gateway.api_document import openapi_document
from tests.gateway.conftest import API_KEY, Gateway

CUSTOMER = {"name": "Maria Santos", "email": "maria@example.com"}
MARIA = {"external_id": "C-1", **CUSTOMER}
LINE = {"sku": "MUG", "title": "Mug", "quantity": 2, "unit_price_minor": 1_450}
ORDER = {"status": "paid", "customer": MARIA, "total_minor": 2_900, "lines": [LINE]}


@functools.cache
def document() -> dict[str, Any]:
    return openapi_document(all_endpoints(), "Corner Shop")


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """A validator for a schema of the document."""
    return Draft202012Validator({**schema, "components": document()["components"]})


def documented(method: str, path: str) -> dict[str, Any] | None:
    """What the document says about a method of a path."""
    for template, operations in document()["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if method.lower() in operations and re.fullmatch(pattern, path.partition("?")[0]):
            found: dict[str, Any] = operations[method.lower()]
            return found
    return None


def check_answer(method: str, path: str, status: int, body: Any, content_type: str) -> None:
    """That the document promises such an answer."""
    operation = documented(method, path)
    if operation is None:
        return
    response = operation["responses"][str(status)]
    if "$ref" in response:
        response = document()["components"]["responses"][response["$ref"].rpartition("/")[2]]
    validator(response["content"][content_type]["schema"]).validate(body)


class Api:
    """The API as a shop's system calls it."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway

    async def call(
        self, method: str, path: str, body: Any = None, *, key: str | None = API_KEY, **options: Any
    ) -> tuple[int, Any]:
        """Status and body of the answer."""
        headers = {**({"Authorization": f"Bearer {key}"} if key is not None else {}), **options.pop("headers", {})}
        sent = {"data": body} if isinstance(body, bytes) else {} if body is None else {"json": body}
        if isinstance(body, bytes):
            headers.setdefault("Content-Type", "application/json")
        url = f"{self.gateway.url}/api/v1{path}"
        async with self.gateway.session.request(method, url, headers=headers, **sent, **options) as response:
            answer = await response.json(content_type=None)
            assert response.content_type == ("application/json" if response.ok else "application/problem+json")
            check_answer(method, f"/api/v1{path}", response.status, answer, response.content_type)
            return response.status, answer

    async def put_order(self, number: str = "TC-1001", **changes: Any) -> tuple[int, Any]:
        return await self.call("PUT", f"/orders/{quote(number, safe='')}", {**ORDER, **changes})

    async def put_customer(self, external_id: str = "C-1", **changes: Any) -> tuple[int, Any]:
        return await self.call("PUT", f"/customers/{quote(external_id, safe='')}", {**CUSTOMER, **changes})

    async def get(self, path: str, **options: Any) -> Any:
        """What is there; it must be."""
        status, answer = await self.call("GET", path, **options)
        assert status == 200, answer
        return answer

    async def points(self, external_id: str = "C-1") -> tuple[int, int]:
        """Available and pending."""
        balance = (await self.get(f"/customers/{external_id}/ledger"))["balance"]
        return balance["available"], balance["pending"]


def fields(answer: dict[str, Any]) -> list[str]:
    """The fields that a problem names."""
    return [one["field"] for one in answer["errors"]]
