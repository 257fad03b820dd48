"""Where messaging platforms tell what has happened: the webhook of each channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.limits import client_address

MAX_UPDATE_BYTES = 2**20

routes = web.RouteTableDef()


class Webhook(Protocol):
    """One platform's way of telling."""

    def is_genuine(self, headers: Mapping[str, str]) -> bool:
        """Whether a request with these headers comes from the platform."""
        ...

    async def receive(self, body: bytes) -> None:
        """Take it in; whatever is raised makes the platform tell it again."""
        ...


WEBHOOKS: web.AppKey[Mapping[str, Webhook]] = web.AppKey("webhooks", Mapping[str, Webhook])


@routes.post("/channels/{channel}/webhook")
async def webhook(request: web.Request) -> web.Response:
    """Take in what a platform tells, and only then say so: 503 makes it tell it again."""
    channel = request.app[WEBHOOKS].get(request.match_info["channel"])
    if channel is None:
        raise web.HTTPNotFound(text="This channel is not set up here.")
    if not channel.is_genuine(request.headers):
        # Counted, so that the secret cannot be guessed at speed; the platform, which has it, is not slowed down.
        request.app[settings.ADDRESS_LIMIT].spend(f"webhook {client_address(request)}")
        raise web.HTTPUnauthorized(text="The platform's secret is missing or wrong.")
    body = await _read(request)
    try:
        with database_answers():
            await channel.receive(body)
    except Unavailable:
        raise web.HTTPServiceUnavailable(text="Not taken in; tell it again.") from None
    return web.Response(text="ok")


async def _read(request: web.Request) -> bytes:
    """The body, which comes from the platform itself and may be longer than what others may send.

    Of one that is longer than any update the beginning is enough to see that it is none.
    """
    body = bytearray()
    async for part in request.content.iter_chunked(2**16):
        body += part[: MAX_UPDATE_BYTES - len(body)]
    return bytes(body)
