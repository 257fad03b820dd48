"""The widget's files, and the demo shop that shows it."""

from __future__ import annotations

import re

from aiohttp import web

from bot.core.conversations import clean_text
from bot.core.customers import normalise_email
from bot.gateway import settings
from bot.gateway.database import database_answers
from bot.gateway.embedding import EMBEDDING
from bot.gateway.frames import BadFrame, parse_json
from bot.gateway.limits import client_address
from bot.gateway.served import STATIC, served_file
from bot.gateway.tokens import issue_identity_token
from bot.services.demo import DEMO_PEOPLE

_SIMPLE = re.compile(r"[A-Za-z0-9-]{1,35}")

routes = web.RouteTableDef()


@routes.get("/widget.js")
async def widget(request: web.Request) -> web.Response:
    """The embed script; any page may load it, only the shop's pages can use it."""
    response = request.app[EMBEDDING].script.answer(request)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


@routes.get("/chat/frame")
async def frame(request: web.Request) -> web.FileResponse:
    """The chat panel, in an iframe."""
    language = request.query.get("lang", "")
    ahead = f"/chat/config?lang={language if _SIMPLE.fullmatch(language) else ''}"
    # The panel asks for it as soon as its scripts have come: fetched beside them, it costs no round trip.
    headers = {"Link": f"<{ahead}>; rel=preload; as=fetch; crossorigin"}
    return web.FileResponse(STATIC / "frame.html", headers=headers)


@routes.get(r"/static/{name:(?:desk/)?[\w-]+\.(?:js|css)}")
async def script_or_style(request: web.Request) -> web.Response:
    """A script or style sheet: a tenth of its size on the way, and nothing at all where the browser has it."""
    served = served_file(request.match_info["name"])
    if served is None:
        raise web.HTTPNotFound(text="There is no such file.")
    return served.answer(request)


@routes.get("/chat/config")
async def config(request: web.Request) -> web.Response:
    """What the panel looks like and its sentences, in the language that `lang` names."""
    panel = request.app[EMBEDDING].panel(request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
    return panel.answer(request, "Accept-Language")


@routes.get("/chat/avatar")
async def avatar(request: web.Request) -> web.Response:
    """The assistant's picture, if the shop has given it one."""
    picture = request.app[settings.SETTINGS].shop.widget.avatar
    if picture is None:
        raise web.HTTPNotFound(text="The assistant has no picture of its own.")
    headers = {
        # A drawing (SVG) could hold a script, which runs where it is opened by itself.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        # Its address changes with it.
        "Cache-Control": "public, max-age=604800, immutable" if "v" in request.query else "no-cache",
    }
    return web.Response(body=picture.content, content_type=picture.media_type, headers=headers)


@routes.get("/")
async def demo_shop(request: web.Request) -> web.StreamResponse:
    """The demo shop; a real shop has its own website and needs none here."""
    if not request.app[settings.SETTINGS].demo:
        raise web.HTTPNotFound(text="There is no page here. The chat is embedded in the shop's own website.")
    return web.FileResponse(STATIC / "demo.html")


@routes.get("/demo/info")
async def demo_info(request: web.Request) -> web.Response:
    """What the demo page shows about the shop and the people to try it as."""
    _demo_only(request)
    shop = request.app[settings.SETTINGS].shop
    hours = [{"days": days, "hours": times} for days, times in shop.hours.describe_week()]
    people = [{"name": person.name, "email": person.email, "about": person.about} for person in DEMO_PEOPLE]
    return web.json_response(
        {"shop": {"name": shop.name, "assistant": shop.assistant_name, "hours": hours}, "people": people}
    )


@routes.post("/demo/identity")
async def demo_identity(request: web.Request) -> web.Response:
    """Sign in as one of the demo customers, as a shop's own server would do it."""
    _demo_only(request)
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    body = parse_json(await request.read())
    email = body.get("email") if isinstance(body, dict) else None
    if not isinstance(email, str):
        raise BadFrame("Send a JSON object with email.")
    with database_answers():
        async with request.app[settings.DATABASE].reading() as work:
            customer = await work.customers.by_email(normalise_email(clean_text(email[:254])))
    if customer is None:
        raise web.HTTPNotFound(text="There is no demo customer with this e-mail address.")
    now = request.app[settings.CLOCK].now()
    token = issue_identity_token(
        customer.external_id, customer.email, customer.name, request.app[settings.SETTINGS].identity_secret, now
    )
    return web.json_response({"token": token, "customer": {"name": customer.name}})


def _demo_only(request: web.Request) -> None:
    if not request.app[settings.SETTINGS].demo:
        raise web.HTTPNotFound(text="This exists in demo mode only.")
