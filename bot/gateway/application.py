"""The gateway put together: routes, middlewares, and what starts and stops with them."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator, Mapping

from aiohttp import WSCloseCode, web
from aiohttp.typedefs import Handler

from bot.errors import BotError
from bot.gateway import (
    api,
    channels,
    chat,
    connect,
    demo_mail,
    desk_conversations,
    desk_customers,
    desk_endpoints,
    desk_files,
    desk_live,
    desk_pages,
    desk_people,
    desk_reports,
    desk_sign_in,
    desk_socket,
    desk_teaching,
    feedback,
    files,
    health,
    invoices,
    own_data,
    pages,
    polling,
    rest,
    settings,
    unsubscribe,
    vouchers,
)
from bot.gateway.connections import OpenConnections, allow_many_connections, patience
from bot.gateway.embedding import EMBEDDING, Embedding
from bot.gateway.limits import RateLimit
from bot.gateway.live import LiveConversations
from bot.gateway.responses import error_response, problem
from bot.gateway.served import STATIC
from bot.gateway.transfers import Transfers
from bot.metrics import GatewayMetrics
from bot.services.ports import Clock, Database
from bot.services.wrong_passwords import WrongPasswords

MAX_BODY_BYTES = 64 * 1024
MESSAGES_AT_ONCE, MESSAGES_PER_SECOND = 20, 1.0
TYPING_AT_ONCE, TYPING_PER_SECOND = 2, 0.5
GOODBYE_SECONDS = 3.0
REQUESTS_AT_ONCE, REQUESTS_PER_SECOND = 300, 30.0
# A whole office behind one address may begin to chat at once; whoever fills the database meets a wall.
NEW_CHATS_AT_ONCE, NEW_CHATS_PER_SECOND = 120, 1 / 3

log = logging.getLogger(__name__)


def create_gateway(
    config: settings.GatewaySettings, db: Database, clock: Clock, webhooks: Mapping[str, channels.Webhook] | None = None
) -> web.Application:
    """The web application. Give its LiveConversations (under LIVE) the hints that arrive.

    `webhooks` are those of the messaging channels that are set up, by the channel's name.
    """
    app = web.Application(middlewares=[add_security_headers, answer_errors], client_max_size=MAX_BODY_BYTES)
    app[settings.SETTINGS] = config
    app[settings.DATABASE] = db
    app[settings.CLOCK] = clock
    app[settings.LIVE] = LiveConversations(db, clock)
    app[settings.METRICS] = GatewayMetrics()
    app[EMBEDDING] = Embedding(config.shop)
    app[settings.MESSAGE_LIMIT] = RateLimit(MESSAGES_AT_ONCE, MESSAGES_PER_SECOND)
    app[settings.ADDRESS_LIMIT] = RateLimit(REQUESTS_AT_ONCE, REQUESTS_PER_SECOND)
    hub = desk_live.DeskHub(db, clock)
    app[desk_live.DESK] = hub
    app[settings.LIVE].listeners.append(hub.receive_hint)
    app[desk_sign_in.SIGN_IN_LIMIT] = RateLimit(desk_sign_in.SIGN_INS_AT_ONCE, desk_sign_in.SIGN_INS_PER_SECOND)
    app[desk_sign_in.WRONG_PASSWORDS] = WrongPasswords()
    app[desk_endpoints.SESSION_LIMIT] = RateLimit(desk_endpoints.SESSION_AT_ONCE, desk_endpoints.SESSION_PER_SECOND)
    app[desk_socket.TYPING_LIMIT] = RateLimit(TYPING_AT_ONCE, TYPING_PER_SECOND)
    app[settings.NEW_CHAT_LIMIT] = RateLimit(NEW_CHATS_AT_ONCE, NEW_CHATS_PER_SECOND)
    app[settings.CONNECTIONS] = OpenConnections()
    app[settings.SOCKETS] = {}
    files.prepare(app)
    desk_files.prepare(app)
    app[own_data.COPIES] = Transfers()
    app[channels.WEBHOOKS] = webhooks or {}
    app[connect.DOORWAYS] = {}
    for module in (
        chat,
        connect,
        polling,
        files,
        rest,
        channels,
        api,
        pages,
        demo_mail,
        invoices,
        own_data,
        unsubscribe,
        vouchers,
        feedback,
        health,
    ):
        app.add_routes(module.routes)
    for topic in (
        desk_sign_in,
        desk_conversations,
        desk_files,
        desk_customers,
        desk_teaching,
        desk_people,
        desk_reports,
    ):
        app.add_routes(topic.endpoints.routes)
    app.add_routes(desk_socket.routes)
    app.add_routes(desk_pages.routes)
    app.router.add_static("/static/", STATIC, append_version=True)
    app.cleanup_ctx.append(_poll)
    app.on_shutdown.append(_say_goodbye)
    return app


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Our own errors as problem details; anything else as a 500 that tells the log, and only the log, what happened."""
    try:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise web.HTTPUnsupportedMediaType(text="Send the body as it is, without packing it.")
        return await handler(request)
    except BotError as error:
        request.app[settings.METRICS].refused(error.code)
        return error_response(error)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        response = problem(error.status, error.reason.lower().replace(" ", "_"), error.text or error.reason)
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    except web.RequestPayloadError:
        return problem(400, "bad_request", "The body cannot be read: it is cut off.")
    except (asyncio.CancelledError, ConnectionError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            # Of a file that was asked for: no name that long is a file's.
            return problem(404, "not_found", "There is nothing here.")
        # The route and not the path, which may be the secret part of a link.
        resource = request.match_info.route.resource
        log.exception("a request failed: %s %s", request.method, resource.canonical if resource else "no route")
        return problem(500, "internal_error", "Something went wrong on our side. Please try again.")


@web.middleware
async def add_security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What browsers may do with our pages: nothing but show them, and the panel only inside the shop's."""
    response = await handler(request)
    if response.prepared:
        return response
    headers = response.headers
    embedding = "'none'"
    if request.path == "/chat/frame":
        embedding = " ".join(["'self'", *sorted(request.app[settings.SETTINGS].allowed_origins)])
    headers.setdefault(
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
        f"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {embedding}",
    )
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
    # Always asked for again, answered with "not modified": a new version is there at once.
    headers.setdefault("Cache-Control", "no-cache" if isinstance(response, web.FileResponse) else "no-store")
    return response


def gateway_runner(app: web.Application, shutdown_seconds: float) -> web.AppRunner:
    """What serves the gateway. A body is never unpacked: a small one could take a hundred megabytes, or a second."""
    allow_many_connections()
    return web.AppRunner(app, access_log=None, shutdown_timeout=shutdown_seconds, auto_decompress=False)


async def _poll(app: web.Application) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(app[settings.LIVE].poll()), asyncio.create_task(app[desk_live.DESK].run())]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _say_goodbye(app: web.Application) -> None:
    app[settings.LIVE].close()
    # A copy: each leaves the others while it is closed.
    sockets = [*app[settings.SOCKETS].items()]
    await asyncio.gather(*(_take_leave(socket, request) for socket, request in sockets), return_exceptions=True)


async def _take_leave(socket: web.WebSocketResponse, request: web.Request) -> None:
    with patience(request, GOODBYE_SECONDS):
        await socket.close(code=WSCloseCode.GOING_AWAY, message=b"the server is restarting")
