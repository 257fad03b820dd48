"""How the shop API is put together: endpoints declared once, for the router and for the document alike."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.core.shop import Shop
from bot.errors import BotError, GiftCardRefused, VoucherRefused
from bot.gateway import settings
from bot.gateway.api_requests import Answer, Model, NotFound, read_body, read_query
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.rest import check_api_key
from bot.gateway.tokens import BadToken
from bot.services.ports import Clock, Database
from bot.services.retries import again_if_lost


class NothingSaved(BotError):
    """The database is away; sending the same again is right."""

    code = "unavailable"

    def __init__(self) -> None:
        super().__init__("The database did not answer, and nothing was saved. Send the same again in a moment.")


class WrongKey(BotError):
    """Whoever asks is not the shop."""

    code = "unauthorized"

    def __init__(self) -> None:
        super().__init__("Send the shop's API key, with the header Authorization: Bearer API_KEY.")


@dataclass(frozen=True)
class Call:
    """A checked request: the body and the query are of the endpoint's own models."""

    request: web.Request
    body: Any = None
    query: Any = None

    @property
    def db(self) -> Database:
        """Where everything is kept."""
        return self.request.app[settings.DATABASE]

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.request.app[settings.CLOCK]

    @property
    def shop(self) -> Shop:
        """Whose API it is."""
        return self.request.app[settings.SETTINGS].shop

    def path(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]


@dataclass(frozen=True)
class Created:
    """An answer about something that was not there before."""

    answer: Answer


Handle = Callable[[Call], Awaitable[Answer | Created | dict[str, Any]]]


@dataclass(frozen=True)
class Endpoint:
    """One method of one path: what it takes, what it answers, and how it may refuse (codes of errors)."""

    method: str
    path: str
    summary: str
    handle: Handle
    answer: type[Answer] | None = None
    body: type[Model] | None = None
    query: type[Model] | None = None
    creates: bool = False
    refusals: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What it promises, in its handler's own words."""
        return inspect.getdoc(self.handle) or ""

    async def respond(self, request: web.Request) -> web.Response:
        """Check the key, then the body, then do it."""
        try:
            check_api_key(request)
        except BadToken as error:
            raise WrongKey from error
        query = read_query(request, self.query) if self.query else None
        body = await read_body(request, self.body) if self.body else None
        try:
            with database_answers():
                # Everything that a shop can ask for is safe to repeat.
                answer = await again_if_lost(partial(self.handle, Call(request, body, query)))
        except Unavailable as error:
            raise NothingSaved from error
        except (VoucherRefused, GiftCardRefused) as error:
            if error.reason == "unknown":
                raise NotFound(error.message) from error
            raise
        status = 200
        if isinstance(answer, Created):
            status, answer = 201, answer.answer
        if isinstance(answer, Answer):
            return web.Response(text=answer.json(), status=status, content_type="application/json")
        return web.json_response(answer, status=status)


class Endpoints(list[Endpoint]):
    """Endpoints of one topic."""

    def add(self, method: str, path: str, summary: str, **more: Any) -> Callable[[Handle], Handle]:
        """Declare the function below as the handler of an endpoint."""

        def declare(handle: Handle) -> Handle:
            self.append(Endpoint(method, path, summary, handle, **more))
            return handle

        return declare

    def routes(self) -> list[web.RouteDef]:
        """As the router takes them."""
        return [web.route(one.method, one.path, one.respond) for one in self]
