"""Vouchers behind signed links: to show, to scan, and to see how they stand."""

from __future__ import annotations

import io
from datetime import datetime, timedelta, timezone

import pytest
import zxingcpp
from PIL import Image

from bot.core.loyalty import Effect, Offer
from bot.core.vouchers import VoucherKind
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import (
    BadToken,
    issue_invoice_token,
    issue_visitor_token,
    issue_voucher_token,
    read_voucher_token,
)
from bot.services.coupons import issue_coupon
from bot.services.ids import new_id
from bot.services.vouchers import cancel_voucher, issue_voucher, redeem_voucher, reserve_voucher
from tests.builders import stored_customer
from tests.gateway.conftest import broken_database
from tests.gateway.hostile import NOTHING_TO_SEE
from tests.gateway.test_invoices import XSS, Page
from tests.gateway.tokens import SECRET, signed

FIVE_OFF = Offer("five_off", "A treat", Effect(amount_minor=500), minimum_minor=2_000)


def now() -> datetime:
    return datetime.now(timezone.utc)


def links(secret=SECRET):
    return SignedLinks("https://chat.example", secret, 24)


async def stored(gateway, offer=FIVE_OFF, **more):
    given = {"kind": VoucherKind.REWARD, "offer": offer, "customer_id": None, "key": new_id(), **more}
    async with gateway.store.transaction() as work:
        return await issue_voucher(work, gateway.clock, **given)


async def page_of(gateway, link):
    async with gateway.session.get(f"{gateway.url}/rewards/{link.partition('/rewards/')[2]}") as response:
        assert response.content_type == "text/html"
        return response.status, Page(await response.text())


async def shown(gateway, voucher):
    status, page = await page_of(gateway, links().voucher(voucher.code, now()))
    assert status == 200
    return page


async def picture_of(gateway, code):
    link = links().voucher_image(code, now())
    async with gateway.session.get(f"{gateway.url}/rewards/{link.partition('/rewards/')[2]}") as response:
        return response, await response.read()


def scanned(picture: bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))]


def classes(page):
    return " ".join(attributes.get("class") or "" for _, attributes in page.tags).split()


async def test_a_voucher_shows_its_title_code_worth_end_and_terms(gateway):
    voucher = await stored(gateway, zone=gateway.shop.hours.zone)

    page = await shown(gateway, voucher)

    assert gateway.shop.name in page.text
    last = (now().astimezone(gateway.shop.hours.zone) + timedelta(days=FIVE_OFF.valid_days)).date()
    valid = f"Valid until {last.day} {last:%B %Y} "
    for words in ("A treat", "$5.00 off", "Ready to use", valid, "$20.00 or more", "used once"):
        assert words in page.text, words
    assert voucher.code in page.text.replace(" ", "")


async def test_the_picture_on_the_page_scans_as_the_code(gateway):
    voucher = await stored(gateway)

    page = await shown(gateway, voucher)

    (image,) = [attributes for tag, attributes in page.tags if tag == "img"]
    assert voucher.code in image["alt"]
    async with gateway.session.get(f"{gateway.url}{image['src']}") as response:
        assert scanned(await response.read()) == [voucher.code]


@pytest.mark.parametrize("code", ["SUKI-7K3P-4ACD-9EFG", "WELCOME10", "X" * 24])
async def test_a_picture_is_a_sharp_square_of_the_code_alone_with_white_around_it(gateway, code):
    response, body = await picture_of(gateway, code)

    picture = Image.open(io.BytesIO(body)).convert("L")
    assert scanned(body) == [code]
    assert picture.format is None and picture.width == picture.height >= 500
    assert set(picture.tobytes()) == {0, 255}
    margin = 4 * 20
    inside = picture.point(lambda value: 255 - value).getbbox()
    assert inside == (margin, margin, picture.width - margin, picture.height - margin)
    assert response.content_type == "image/png"


async def test_a_picture_can_be_kept_by_whoever_has_the_link_and_shown_on_our_own_pages_only(gateway):
    response, _ = await picture_of(gateway, "WELCOME10")

    assert response.headers["Cache-Control"].startswith("private")
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_a_used_voucher_says_when_and_is_crossed_out(gateway):
    voucher = await stored(gateway)
    async with gateway.store.transaction() as work:
        await reserve_voucher(work, gateway.clock, voucher.code, key="o", customer_id=None, total_minor=2_000)
    held = await shown(gateway, voucher)
    async with gateway.store.transaction() as work:
        await redeem_voucher(work, gateway.clock, voucher.code, key="o")

    used = await shown(gateway, voucher)

    assert "In use at a checkout" in held.text and "over" not in classes(held)
    today = now().astimezone(gateway.shop.hours.zone)
    assert f"Used on {today.day} {today:%B %Y}" in used.text
    assert "over" in classes(used) and "Show this at the counter" not in used.text


async def test_what_is_cancelled_over_or_not_begun_says_so(gateway):
    cancelled, expired = await stored(gateway), await stored(gateway)
    async with gateway.store.transaction() as work:
        await cancel_voucher(work, gateway.clock, cancelled.code)
        campaign = {"title": "Fiesta week", "effect": Effect(percent=15), "use_limit": 500}
        later = await issue_coupon(
            work, gateway.clock, "FIESTA", starts_at=gateway.clock.now() + timedelta(days=100), **campaign
        )
    gateway.clock.ahead = timedelta(days=91)

    texts = [(await shown(gateway, one)).text for one in (cancelled, expired, later)]

    assert "Cancelled" in texts[0]
    assert "Expired" in texts[1] and "Was valid until" in texts[1]
    assert "Not valid yet" in texts[2] and "Valid from" in texts[2] and "500 times" in texts[2]


async def test_a_voucher_does_not_say_whose_it_is(gateway):
    customer = await stored_customer(gateway.store, name="Maria Santos")

    page = await shown(gateway, await stored(gateway, customer_id=customer.id))

    for secret in ("Maria", customer.email, customer.id, customer.external_id):
        assert secret not in page.text


async def test_nothing_on_the_page_runs_or_is_fetched_from_elsewhere(gateway):
    voucher = await stored(gateway, Offer("x", XSS, Effect(item=XSS)))
    link = links().voucher(voucher.code, now()).rpartition("/")[2]

    async with gateway.session.get(f"{gateway.url}/rewards/{link}") as response:
        policy, page = response.headers["Content-Security-Policy"], Page(await response.text())

    assert policy == (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert XSS.split()[0] in page.text
    assert {tag for tag, _ in page.tags} & {"script", "iframe", "form", "object"} == set()
    assert [attributes["src"][:9] for tag, attributes in page.tags if tag == "img"] == ["/rewards/"]


FORGED = {
    "nonsense": lambda: "nonsense",
    "signed by others": lambda: issue_voucher_token("WELCOME10", "x" * 40, now()),
    "for an invoice": lambda: issue_invoice_token("WELCOME10", SECRET, now(), timedelta(hours=1)),
    "for a visitor": lambda: issue_visitor_token("WELCOME10", SECRET, now()),
    "a number": lambda: signed({"aud": "voucher", "code": 7}, SECRET),
    "no code": lambda: signed({"aud": "voucher"}, SECRET),
    "not signed": lambda: signed({"aud": "voucher", "code": "WELCOME10"}, "", {"alg": "none"}),
}


@pytest.mark.parametrize("path", ["", "/code.png"])
@pytest.mark.parametrize("forged", FORGED)
async def test_a_link_that_we_did_not_make_shows_nothing(gateway, forged, path):
    token = FORGED[forged]()
    async with gateway.session.get(f"{gateway.url}/rewards/{token}{path}") as response:
        assert response.status == 404
        assert "WELCOME10" not in await response.text()


@pytest.mark.parametrize("code", ["NOSUCHCODE", "", "' OR 1=1 --", "<script>", *NOTHING_TO_SEE[2:6]])
async def test_a_link_to_a_voucher_that_is_not_there_says_what_to_do(gateway, code):
    status, page = await page_of(gateway, links().voucher(code, now()))

    assert status == 404
    assert f"Ask {gateway.shop.assistant_name} in the chat" in page.text


def test_a_link_is_good_as_long_as_the_voucher_is():
    token = issue_voucher_token("WELCOME10", SECRET, now() - timedelta(days=1_000))

    assert read_voucher_token(token, SECRET) == "WELCOME10"
    with pytest.raises(BadToken):
        read_voucher_token(token, "x" * 40)


async def test_without_the_database_the_page_asks_for_patience(gateway):
    voucher = await stored(gateway)
    gateway.db.error = broken_database()

    status, page = await page_of(gateway, links().voucher(voucher.code, now()))

    assert status == 503
    assert "again in a minute" in page.text
