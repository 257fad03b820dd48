"""Errors as HTTP answers: problem details (RFC 9457) with our stable codes."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.errors import BotError, ReportRefused
from bot.gateway.limits import RateLimited

STATUS = {
    "bad_request": 400,
    "too_long": 413,
    "unauthorized": 401,
    "forbidden": 403,
    "must_change_password": 403,
    "not_found": 404,
    "request_entity_too_large": 413,
    "unsupported_media_type": 415,
    "file_too_large": 413,
    "file_refused": 422,
    "too_slow": 408,
    "gone": 410,
    "invalid": 422,
    "conflict": 409,
    "key_reused": 409,
    "insufficient_points": 409,
    "ledger_refused": 422,
    "stamps_refused": 422,
    "voucher_refused": 409,
    "gift_card_refused": 409,
    "internal_error": 500,
    "duplicate_client_id": 409,
    "unknown_choice": 422,
    "rate_limited": 429,
    "unavailable": 503,
    "turn_timeout": 504,
}


def problem(status: int, code: str, detail: str, **more: Any) -> web.Response:
    """An error answer that programs and people can read."""
    body = {"type": "about:blank", "status": status, "title": code.replace("_", " "), "code": code, "detail": detail}
    body |= more
    return web.json_response(body, status=status, content_type="application/problem+json")


def error_response(error: BotError) -> web.Response:
    """One of our own errors as an answer."""
    more: dict[str, Any] = {}
    if isinstance(error, ReportRefused):
        more["errors"] = [{"field": field, "detail": detail} for field, detail in error.faults]
    # What some errors know besides: why, in a stable word, and how much there is.
    for name in ("reason", "available", "available_minor"):
        if (value := getattr(error, name, None)) is not None:
            more[name] = value
    response = problem(STATUS.get(error.code, 400), error.code, error.message, **more)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    if response.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
