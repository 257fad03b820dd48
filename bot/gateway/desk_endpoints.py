"""The endpoints of the desk's API: each says who may use it, and nobody else gets through."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from aiohttp import web

from bot.core.agents import Agent, Role
from bot.core.conversations import ConversationId
from bot.core.shop import Shop
from bot.errors import BotError, ConversationNotFound
from bot.gateway import settings
from bot.gateway.api_requests import Model, read_body, read_query
from bot.gateway.database import database_answers
from bot.gateway.limits import RateLimit, client_address
from bot.gateway.responses import error_response
from bot.services.agents import hash_token, note_presence, signed_in_agent
from bot.services.ports import Clock, Database

COOKIE = "kasuki_desk"
CSRF_HEADER = "X-CSRF-Token"
API = "/desk/api"
# A whole office works behind one address, so whoever has signed in has a limit of their own: a busy desk asks some
# two times a second. Only who has not is counted by the address.
SESSION_AT_ONCE, SESSION_PER_SECOND = 200, 10.0
SESSION_LIMIT = web.AppKey("session_limit", RateLimit)
# What the ids of ours look like, in paths, bodies and frames.
ID = re.compile("[0-9A-Za-z_-]{1,64}")

SomeModel = TypeVar("SomeModel", bound=Model)
log = logging.getLogger(__name__)


class Right(Enum):
    """Who may use an endpoint."""

    ANYBODY = "anybody"
    # Also with a password that is still to be replaced.
    SIGNED_IN = "signed_in"
    AGENT = "agent"
    ADMIN = "admin"


class NotSignedIn(BotError):
    """Nobody is signed in here, or not any more."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("Sign in first.")


class Forbidden(BotError):
    """Somebody who may not do this."""

    code = "forbidden"


class MustChangePassword(BotError):
    """Somebody with a one-time password, who chooses their own before anything else."""

    code = "must_change_password"

    def __init__(self) -> None:
        super().__init__("Choose a password of your own first.")


@dataclass(frozen=True)
class Call:
    """A request at an endpoint: who asks, checked, and what they send. `token` is that of their session."""

    request: web.Request
    signed_in: Agent | None
    token: str

    @property
    def agent(self) -> Agent:
        """Who asks."""
        if self.signed_in is None:
            raise NotSignedIn
        return self.signed_in

    @property
    def db(self) -> Database:
        """The database."""
        return self.request.app[settings.DATABASE]

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.request.app[settings.CLOCK]

    @property
    def shop(self) -> Shop:
        """The shop's facts."""
        return self.request.app[settings.SETTINGS].shop

    @property
    def conversation_id(self) -> ConversationId:
        """The conversation that the path names."""
        return ConversationId(self.name("id"))

    def name(self, part: str) -> str:
        """A part of the path. Raises ConversationNotFound for what cannot be a name of ours."""
        value = self.request.match_info[part]
        if not ID.fullmatch(value):
            raise ConversationNotFound
        return value

    async def body(self, model: type[SomeModel]) -> SomeModel:
        """What was sent. Raises ReportRefused, with every fault."""
        return await read_body(self.request, model)

    def query(self, model: type[SomeModel]) -> SomeModel:
        """What stands behind the question mark."""
        return read_query(self.request, model)


Answer = Mapping[str, Any] | web.StreamResponse
Handler = Callable[[Call], Awaitable[Answer]]


class DeskEndpoints:
    """Endpoints of one topic."""

    def __init__(self) -> None:
        self.routes = web.RouteTableDef()

    def add(self, method: str, path: str, right: Right = Right.AGENT) -> Callable[[Handler], Handler]:
        """Let a function answer at a path below /desk/api; an object it returns is sent as JSON."""

        def decorate(handler: Handler) -> Handler:
            async def answer(request: web.Request) -> web.StreamResponse:
                # Refusals are answered here, so that none of them asks a browser for another kind of sign-in.
                try:
                    with database_answers():
                        call = await admitted(request, right)
                    if request.content_type == "application/json":
                        # Here, because the database has nothing to do with what is wrong with a body.
                        await request.read()
                    with database_answers():
                        found = await handler(call)
                except BotError as error:
                    request.app[settings.METRICS].refused(error.code)
                    response = error_response(error)
                    response.headers.pop("WWW-Authenticate", None)
                    return response
                return found if isinstance(found, web.StreamResponse) else web.json_response(found)

            self.routes.route(method, API + path)(answer)
            return handler

        return decorate


async def admitted(request: web.Request, right: Right) -> Call:
    """Who asks, if they may. Raises NotSignedIn, Forbidden, MustChangePassword or RateLimited."""
    token = "" if right is Right.ANYBODY else request.cookies.get(COOKIE, "")
    session, sessions = hash_token(token), request.app[SESSION_LIMIT]
    if token and sessions.knows(session):
        sessions.spend(session)
    else:
        request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    changes_something = request.method not in ("GET", "HEAD")
    if changes_something:
        check_own_origin(request)
    if right is Right.ANYBODY:
        return Call(request, None, "")
    db, clock = request.app[settings.DATABASE], request.app[settings.CLOCK]
    agent = await signed_in_agent(db, clock, token) if token else None
    if agent is None:
        sessions.forget(session)
        raise NotSignedIn
    if not sessions.knows(session):
        sessions.spend(session)
    if changes_something and not hmac.compare_digest(
        request.headers.get(CSRF_HEADER, "").encode("utf-8", "replace"), csrf_token(request.app, token).encode()
    ):
        raise Forbidden(f"The header {CSRF_HEADER} is missing, or of another session. Reload the page.")
    if agent.must_change_password and right is not Right.SIGNED_IN:
        raise MustChangePassword
    if right is Right.ADMIN and agent.role is not Role.ADMIN:
        raise Forbidden("Only admins may do this. Ask one of them.")
    await note_presence(db, clock, agent)
    return Call(request, agent, token)


def csrf_token(app: web.Application, token: str) -> str:
    """What a page of ours sends along and no other page knows: made from the session, so that it ends with it."""
    key = app[settings.SETTINGS].secret_key.encode()
    return hmac.new(key, b"desk-csrf:" + token.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def check_own_origin(request: web.Request) -> None:
    """Browsers say which page is asking. Raises Forbidden for a page that is not this desk."""
    origin = request.headers.get("Origin")
    own = request.app[settings.SETTINGS].public_url
    if origin is not None and origin != own and _host_of(origin) != request.host:
        request.app[settings.METRICS].refused("foreign_origin")
        raise Forbidden("This page may not use the desk.")


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:  # no address at all
        return None
