"""Everything that is kept about a customer, as a file to save, for whoever holds a link that the assistant signed."""

from __future__ import annotations

import json

from aiohttp import web

from bot.core.customers import CustomerId
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import notice_page
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, ExpiredToken, read_own_data_token
from bot.services.privacy import hand_out

HEADERS = {
    "Content-Disposition": 'attachment; filename="my-data.json"',
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

routes = web.RouteTableDef()


@routes.get("/my-data/{token}")
async def own_data(request: web.Request) -> web.Response:
    """The file behind a link; a page that says what to do where the link is over, false, or of nobody any more."""
    config, clock = request.app[settings.SETTINGS], request.app[settings.CLOCK]
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
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
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return web.Response(text=text, content_type="application/json", headers=HEADERS)
