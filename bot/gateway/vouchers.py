"""Vouchers as pages to show at the counter, and their codes as pictures to scan, for whoever holds a signed link."""

from __future__ import annotations

import functools
import io
from datetime import datetime

import segno
from aiohttp import web

from bot.core.shop import Shop
from bot.core.voucher_words import Standing, last_moment, says_worth, standing_of, terms_in_words, worth_in_words
from bot.core.vouchers import Voucher, VoucherUse
from bot.gateway import settings
from bot.gateway.database import Unavailable, database_answers
from bot.gateway.documents import html_page, notice_page
from bot.gateway.limits import client_address
from bot.gateway.links import VOUCHER_IMAGE
from bot.gateway.tokens import BadToken, read_voucher_token
from bot.services.vouchers import find_voucher, last_use_of

# White on all sides, as wide as the standard asks for; large enough to be sharp on any phone.
QUIET_MODULES = 4
PIXELS_PER_MODULE = 20

routes = web.RouteTableDef()


@routes.get("/rewards/{token}")
async def voucher_page(request: web.Request) -> web.Response:
    """The voucher behind a link: its code large and to scan, how it stands, and its terms. Nothing says whose it is."""
    try:
        code = _read(request)
    except BadToken:
        return _not_found(request)
    clock = request.app[settings.CLOCK]
    try:
        with database_answers():
            async with request.app[settings.DATABASE].reading() as work:
                voucher = await find_voucher(work, code)
                last_use = await last_use_of(work, clock, voucher) if voucher else None
    except Unavailable:
        text = "The voucher cannot be read right now. Please load this page again in a minute."
        return notice_page(request, 503, "One moment, please", text)
    if voucher is None:
        return _not_found(request)
    shop, now = request.app[settings.SETTINGS].shop, clock.now()
    standing = standing_of(voucher, last_use, now)
    effect = voucher.effect
    return html_page(
        "voucher.html",
        has_pictures=True,
        shop=shop,
        voucher=voucher,
        image=f"/rewards/{request.match_info['token']}/{VOUCHER_IMAGE}",
        standing=standing.value,
        is_over=standing.is_over,
        is_ready=standing is Standing.READY,
        worth=None if says_worth(voucher.title, effect, shop.currency) else worth_in_words(effect, shop.currency),
        terms=terms_in_words(voucher, shop.currency),
        dates=_dates(voucher, standing, last_use, shop),
    )


@routes.get(f"/rewards/{{token}}/{VOUCHER_IMAGE}")
async def voucher_image(request: web.Request) -> web.Response:
    """The code alone as a QR picture, for our own pages and for messaging apps that fetch it."""
    try:
        code = _read(request)
    except BadToken:
        raise web.HTTPNotFound(text="There is no picture here.") from None
    return web.Response(
        body=qr_image(code),
        content_type="image/png",
        headers={
            # The link is the secret, and what it shows never changes.
            "Cache-Control": "private, max-age=31536000, immutable",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
        },
    )


@functools.lru_cache(maxsize=512)
def qr_image(code: str) -> bytes:
    """A PNG picture of a code, black on white, of as few modules as possible, so that each is large."""
    picture = io.BytesIO()
    segno.make_qr(code, error="m").save(
        picture, kind="png", scale=PIXELS_PER_MODULE, border=QUIET_MODULES, dark="#000", light="#fff"
    )
    return picture.getvalue()


def _read(request: web.Request) -> str:
    request.app[settings.ADDRESS_LIMIT].spend(client_address(request))
    return read_voucher_token(request.match_info["token"], request.app[settings.SETTINGS].secret_key)


def _dates(voucher: Voucher, standing: Standing, last_use: VoucherUse | None, shop: Shop) -> list[tuple[str, str]]:
    """The dates that matter as the voucher stands: when it was used, or from when and until when it is good."""
    zone, dates = shop.hours.zone, []
    if standing is Standing.USED and last_use is not None and last_use.ended_at is not None:
        return [("Used on", _moment(last_use.ended_at.astimezone(zone)))]
    if voucher.starts_at is not None and standing is Standing.NOT_YET:
        dates.append(("Valid from", _moment(voucher.starts_at.astimezone(zone), edge=(0, 0))))
    if voucher.expires_at is not None and standing is not Standing.CANCELLED:
        name = "Was valid until" if standing is Standing.EXPIRED else "Valid until"
        dates.append((name, _moment(last_moment(voucher.expires_at, zone), edge=(23, 59))))
    return dates


def _moment(at: datetime, *, edge: tuple[int, int] | None = None) -> str:
    """The day, and the time of day unless that is the edge of the day."""
    time = "" if (at.hour, at.minute) == edge else f", {at:%H:%M}"
    return f"{at.day} {at:%B %Y}{time}"


def _not_found(request: web.Request) -> web.Response:
    assistant = request.app[settings.SETTINGS].shop.assistant_name
    text = f"Perhaps the link was cut off on its way. Ask {assistant} in the chat for your rewards."
    return notice_page(request, 404, "There is no voucher here", text)
