"""The shop API: everything under /api/v1/, for the shop's own systems."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.gateway import api_customers, api_gift_cards, api_loyalty, api_orders, api_vouchers
from bot.gateway.api_document import openapi_document
from bot.gateway.api_endpoints import Call, Endpoints

endpoints = Endpoints()
TOPICS = (api_customers, api_orders, api_loyalty, api_vouchers, api_gift_cards)


@endpoints.add("GET", "/api/v1/openapi.json", "Read this document")
async def get_openapi(call: Call) -> dict[str, Any]:
    """What this API takes and answers, for people and for programs."""
    return openapi_document(all_endpoints(), call.shop.name)


def all_endpoints() -> Endpoints:
    """Every endpoint of the API."""
    return Endpoints([*(one for topic in TOPICS for one in topic.endpoints), *endpoints])


routes: list[web.RouteDef] = all_endpoints().routes()
