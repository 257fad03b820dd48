"""Everything that is kept about a customer, as a file to save, for whoever holds a link that the assistant signed."""

from __future__ import annotations

import json

from aiohttp import web

from bot.core.customers import CustomerId
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import notice_page
from bot.gateway.files import DOWNLOAD_SECONDS, TURN_SECONDS
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, ExpiredToken, read_own_data_token
from bot.gateway.transfers import Pace, Transfers, send_in_pieces
from bot.services.privacy import hand_out

HEADERS = {
    "Content-Disposition": 'attachment; filename="my-data.json"',
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

COPIES_AT_ONCE = 4
COPIES_OF_ONE = 1
COPIES = web.AppKey("copies", Transfers)

routes = web.RouteTableDef()


@routes.get("/my-data/{token}")
async def own_data(request: web.Request) -> web.StreamResponse:
    """The file behind a link; a page that says what to do where the link is over, false, or of nobody any more."""
    address = client_address(request)
    request.app[settings.ADDRESS_LIMIT].spend(address)
    # A copy may be large, and is in memory until it is read.
    async with request.app[COPIES].in_turn(address, COPIES_AT_ONCE, COPIES_OF_ONE, TURN_SECONDS):
        return await _hand_out(request)


async def _hand_out(request: web.Request) -> web.StreamResponse:
    config, clock = request.app[settings.SETTINGS], request.app[settings.CLOCK]
    try:
        customer_id = CustomerId(read_own_data_token(request.match_info["token"], config.secret_key))
        with database_answers():
            data = await hand_out(request.app[settings.DATABASE], clock, customer_id, actor="customer")
    except ExpiredToken:
        return notice_page(request, 410, "This link has run out", "Ask in the chat for a new one: it lasts an hour.")
    except BadToken:
        data = None
    except Unavailable:
        return notice_page(request, 503, "One moment, please", "Please load this page again in a minute.")
    if data is None:
        return notice_page(request, 404, "There is nothing here", "Perhaps the link was cut off on its way.")
    response = web.StreamResponse(headers=HEADERS)
    response.content_type, response.charset = "application/json", "utf-8"
    content = json.dumps(data, indent=2, ensure_ascii=False).encode()
    return await send_in_pieces(request, response, content, Pace(DOWNLOAD_SECONDS))
