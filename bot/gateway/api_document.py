"""The OpenAPI document of the shop API, made from the endpoints and from the models that their bodies are read with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic.schema import schema

from bot.gateway.api_answers import Problem
from bot.gateway.api_endpoints import Endpoint
from bot.gateway.api_requests import Model
from bot.gateway.responses import STATUS

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
INTRODUCTION = """\
What a shop's own systems tell the assistant, and ask it.

Money is in whole minor units of the shop's currency: $12.50 is `1250`. Times are RFC 3339 with an offset. Bodies are
strict: a field that is not known is refused by its name, and every fault is listed at once. Everything is safe to
repeat: a PUT by itself, a POST by its `key`; so a request that got no answer is simply sent again. Nothing is slowed
down for whoever has the key."""
# Beside what an endpoint may refuse by its own rules.
ALWAYS = ("unauthorized", "rate_limited", "internal_error", "unavailable")
WITH_BODY = ("bad_request", "request_entity_too_large", "unsupported_media_type")
PATH_PARTS = {
    "external_id": "The shop's own number for the customer.",
    "number": "The order's number, in any spelling: TC-10002, tc10002; a bare number gets the shop's prefix.",
    "code": "The code of the voucher or gift card, in any spelling.",
    "card_id": "The gift card's `id`.",
}
MEANINGS = {
    400: "The body is not JSON.",
    401: "The key is missing or wrong.",
    404: "There is nothing under this name.",
    409: "It contradicts what is known; nothing was changed.",
    413: "The body is larger than 64 KiB.",
    415: "The body does not say that it is JSON.",
    422: "Something in the request is wrong; `errors` names every fault. Nothing was changed.",
    429: "Too many wrong keys from one address; wait for as many seconds as `Retry-After` says.",
    500: "A fault on this side; nothing was changed.",
    503: "The database does not answer; nothing was changed. Send the same again.",
}


def openapi_document(endpoints: Iterable[Endpoint], shop_name: str) -> dict[str, Any]:
    """The whole document, in OpenAPI 3.1."""
    endpoints = list(endpoints)
    models: set[type[Model]] = {Problem}
    for one in endpoints:
        models |= {model for model in (one.body, one.answer) if model is not None}
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    definitions = schema(sorted(models, key=lambda model: model.__name__), ref_template=REF)["definitions"]
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{shop_name}: shop API", "version": VERSION, "description": INTRODUCTION},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "responses": {
                str(status): _content(meaning, "Problem", "application/problem+json")
                for status, meaning in MEANINGS.items()
            },
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "The shop's `API_KEY`."}},
        },
    }


def _operation(one: Endpoint) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": one.handle.__name__,
        "summary": one.summary,
        "description": re.sub(r"(?<!\n)\n(?!\n)", " ", one.description),
        "parameters": [*map(_path_parameter, re.findall(r"{(\w+)}", one.path)), *_query_parameters(one)],
        "responses": _responses(one),
    }
    if one.body is not None:
        content = {"schema": {"$ref": REF.format(model=one.body.__name__)}}
        if one.body.EXAMPLE is not None:
            content["example"] = one.body.EXAMPLE
        said["requestBody"] = {"required": True, "content": {"application/json": content}}
    return said


def _path_parameter(name: str) -> dict[str, Any]:
    schema_of_it = {"type": "string", "minLength": 1, "maxLength": 200}
    return {"name": name, "in": "path", "required": True, "description": PATH_PARTS[name], "schema": schema_of_it}


def _query_parameters(one: Endpoint) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    described = one.query.schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in described.get("required", ()),
            "description": part.get("description", ""),
            "schema": {key: value for key, value in part.items() if key != "description"},
        }
        for name, part in described["properties"].items()
    ]


def _responses(one: Endpoint) -> dict[str, Any]:
    answer = one.answer.__name__ if one.answer else None
    responses = {"200": _content("Done, or as it was before.", answer)}
    if one.creates:
        responses["201"] = _content("It was not known before.", answer)
    codes = {*ALWAYS, *(WITH_BODY if one.body else ()), *one.refusals}
    for status in sorted({STATUS[code] for code in codes}):
        responses[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return responses


def _content(description: str, model: str | None, content_type: str = "application/json") -> dict[str, Any]:
    described = {"$ref": REF.format(model=model)} if model else {"type": "object"}
    return {"description": description, "content": {content_type: {"schema": described}}}
