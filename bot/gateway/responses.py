"""Errors as HTTP answers: problem details (RFC 9457) with our stable codes."""

from __future__ import annotations

from aiohttp import web

from bot.errors import BotError
from bot.gateway.limits import RateLimited

STATUS = {
    "bad_request": 400,
    "too_long": 413,
    "unauthorized": 401,
    "not_found": 404,
    "duplicate_client_id": 409,
    "unknown_choice": 422,
    "rate_limited": 429,
    "unavailable": 503,
    "turn_timeout": 504,
}


def problem(status: int, code: str, detail: str) -> web.Response:
    """An error answer that programs and people can read."""
    body = {"type": "about:blank", "status": status, "title": code.replace("_", " "), "code": code, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json")


def error_response(error: BotError) -> web.Response:
    """One of our own errors as an answer."""
    response = problem(STATUS.get(error.code, 400), error.code, error.message)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    if response.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
