"""The website chat for networks that carry neither sockets nor streams: asking for what is new."""

from __future__ import annotations

from aiohttp import web

from bot.gateway import settings
from bot.gateway.chat import check_origin, seen_until, visitors_conversation
from bot.gateway.database import database_answers
from bot.gateway.limits import client_address

routes = web.RouteTableDef()


@routes.get("/chat/messages")
async def chat_news(request: web.Request) -> web.Response:
    """The messages after `after`, one page at most, and who speaks: the frames that socket and stream would bring."""
    check_origin(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    after = seen_until(request)
    conversation = await visitors_conversation(request)
    with database_answers(conversation.id):
        news = await request.app[settings.LIVE].news(conversation, after)
    return web.json_response({"frames": news})
