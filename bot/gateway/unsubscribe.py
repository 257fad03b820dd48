"""Saying no to mails: by a button on a page, or with one click in a mail program (RFC 8058)."""

from __future__ import annotations

from aiohttp import web

from bot.core.consents import FEEDBACK, LOYALTY, MARKETING, Consent
from bot.core.customers import EMAIL
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import html_page
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, read_unsubscribe_token
from bot.services.consents import UNSUBSCRIBED, record_hashed_consent

_MAILS = {
    MARKETING: "news and offers",
    FEEDBACK: "questions about how you liked it",
    LOYALTY: "mails about treats and points",
}

routes = web.RouteTableDef()


@routes.get("/unsubscribe/{token}")
async def ask_to_unsubscribe(request: web.Request) -> web.Response:
    """The page behind a link in a mail. It changes nothing: programs that check mails open every link."""
    try:
        _, purpose = _read(request)
    except BadToken:
        return _not_found(request)
    text = f"You will get no more {_mails(purpose)} from {_shop_name(request)} at the address this was sent to."
    return _page(request, 200, "No more of these mails?", text, asks=True)


@routes.post("/unsubscribe/{token}")
async def unsubscribe(request: web.Request) -> web.Response:
    """No more mails of this kind, whatever is posted and whoever posts it: the link is the proof. Safe to repeat."""
    try:
        address_hash, purpose = _read(request)
    except BadToken:
        return _not_found(request)
    now = request.app[settings.CLOCK].now()
    try:
        with database_answers():
            async with request.app[settings.DATABASE].transaction() as work:
                consent = Consent(EMAIL, address_hash, purpose, False, UNSUBSCRIBED, "link", now)
                await record_hashed_consent(work, consent)
    except Unavailable:
        text = "We could not note this right now. Please try again in a minute."
        return _page(request, 503, "One moment, please", text, asks=True)
    text = f"You get no more {_mails(purpose)} from {_shop_name(request)}. Mails about your orders still reach you."
    return _page(request, 200, "Done", text)


def _read(request: web.Request) -> tuple[str, str]:
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    return read_unsubscribe_token(request.match_info["token"], request.app[settings.SETTINGS].secret_key)


def _mails(purpose: str) -> str:
    return _MAILS.get(purpose, "mails of this kind")


def _shop_name(request: web.Request) -> str:
    return request.app[settings.SETTINGS].shop.name


def _not_found(request: web.Request) -> web.Response:
    text = "This link is not whole: perhaps it was cut off on its way. Open it from the mail once more, or write to us."
    return _page(request, 404, "This link does not work", text)


def _page(request: web.Request, status: int, title: str, text: str, *, asks: bool = False) -> web.Response:
    shop = request.app[settings.SETTINGS].shop
    return html_page("unsubscribe.html", status, has_form=asks, shop=shop, title=title, text=text, asks=asks)
