"""The page at which the shop's people work; what it shows it asks for itself, once somebody has signed in."""

from __future__ import annotations

from aiohttp import web

from bot.gateway.served import STATIC

routes = web.RouteTableDef()


@routes.get("/desk")
@routes.get("/desk/")
async def desk(_request: web.Request) -> web.FileResponse:
    """The desk: sign-in, conversations, and the pages of those who run it."""
    return web.FileResponse(STATIC / "desk" / "desk.html")
