"""The way from the website into a messaging app: links that lead there, with what connects the account or without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import notice_page
from bot.gateway.limits import client_address
from bot.services.account_links import is_good_link

routes = web.RouteTableDef()


class Doorway(Protocol):
    """The shop's account on one messaging channel, as others find it."""

    def address(self, token: str | None) -> str | None:
        """Where a conversation with it begins, the token brought along; None while that is not known."""
        ...


DOORWAYS: web.AppKey[Mapping[str, Doorway]] = web.AppKey("doorways", Mapping[str, Doorway])


@routes.get("/connect/{channel}")
@routes.get("/connect/{channel}/{token}")
async def connect(request: web.Request) -> web.StreamResponse:
    """On to the messaging app. Opening this uses nothing up: only the app brings the token back to us."""
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    channel, token = request.match_info["channel"], request.match_info.get("token")
    doorway = request.app[DOORWAYS].get(channel)
    if doorway is None:
        return notice_page(request, 404, "We are not there", "Please write to us in the chat on our website.")
    if token is not None:
        try:
            with database_answers():
                async with request.app[settings.DATABASE].reading() as work:
                    is_good = await is_good_link(work, request.app[settings.CLOCK], channel, token)
        except Unavailable:
            return notice_page(request, 503, "One moment, please", "Please load this page again in a minute.")
        if not is_good:
            text = "Each link works once, for a quarter of an hour. Ask in the chat on our website for a new one."
            return notice_page(request, 410, "This link is over", text)
    address = doorway.address(token)
    if address is None:
        return notice_page(request, 503, "One moment, please", "The app cannot be reached. Try it again in a minute.")
    headers = {"Location": address, "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow, noarchive"}
    return web.Response(status=302, headers=headers)
