"""Invoices as pages to print, for whoever holds a link that the assistant signed."""

from __future__ import annotations

from datetime import date, datetime

from aiohttp import web

from bot.core.money import money_in_words
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import html_page, notice_page
from bot.gateway.limits import client_address
from bot.gateway.tokens import BadToken, ExpiredToken, read_invoice_token
from bot.services.orders import invoice_of

routes = web.RouteTableDef()


@routes.get("/invoices/{token}")
async def invoice_page(request: web.Request) -> web.Response:
    """The invoice behind a link; a page that says what to do where the link is over, false, or of no order."""
    config = request.app[settings.SETTINGS]
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    try:
        number = read_invoice_token(request.match_info["token"], config.secret_key)
    except ExpiredToken:
        return _ask_again(request, 410, "This link has run out", "Invoice links work for a while only.")
    except BadToken:
        return _not_found(request)
    try:
        with database_answers():
            async with request.app[settings.DATABASE].reading() as work:
                invoice = await invoice_of(work, number)
    except Unavailable:
        text = "The invoice cannot be read right now. Please load this page again in a minute."
        return notice_page(request, 503, "One moment, please", text)
    if invoice is None:
        return _not_found(request)
    order, shop = invoice.order, config.shop

    def money(amount_minor: int) -> str:
        return money_in_words(amount_minor, order.currency)

    def day(moment: datetime) -> str:
        return _day(moment.astimezone(shop.hours.zone).date())

    return html_page("invoice.html", shop=shop, invoice=invoice, order=order, money=money, day=day)


def _not_found(request: web.Request) -> web.Response:
    return _ask_again(request, 404, "There is no invoice here", "Perhaps the link was cut off on its way.")


def _ask_again(request: web.Request, status: int, title: str, text: str) -> web.Response:
    assistant = request.app[settings.SETTINGS].shop.assistant_name
    text = f"{text} Ask {assistant} in the chat for your invoice, and you get a new link."
    return notice_page(request, status, title, text)


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
