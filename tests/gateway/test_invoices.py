"""Invoices behind signed links: for whoever holds one, for a while, and harmless whatever is in them."""

from __future__ import annotations

import time
import uuid
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.core.orders import OrderLine, OrderStatus
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import BadToken, ExpiredToken, issue_invoice_token, issue_visitor_token, read_invoice_token
from tests.builders import a_customer, a_refund, an_order
from tests.gateway.conftest import broken_database
from tests.gateway.hostile import NOTHING_TO_SEE
from tests.gateway.tokens import IDENTITY_SECRET, SECRET, identity_token, signed

HOUR = timedelta(hours=1)
XSS = """<script>alert(1)</script><img src=x onerror=alert(2)>"'{{ 7 * 7 }}{% raw %}&lt;"""


def now() -> datetime:
    return datetime.now(timezone.utc)


class Page(HTMLParser):
    """The text of a page, and its tags with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += f" {data}"


async def stored(gateway, *, name="Maria Santos", refunds=(), **changes):
    customer = a_customer(name=name)
    order = an_order(customer_id=customer.id, **{"status": OrderStatus.DELIVERED, **changes})
    async with gateway.store.transaction() as work:
        await work.customers.add(customer)
        await work.orders.add(order)
        for refund in refunds:
            await work.refunds.add(refund)
    return order


async def page_of(gateway, link: str) -> tuple[int, Page]:
    async with gateway.session.get(f"{gateway.url}/invoices/{link.rpartition('/')[2]}") as response:
        assert response.content_type == "text/html"
        return response.status, Page(await response.text())


def link_to(number="TC-10002", at=None, hours=24, secret=SECRET):
    return SignedLinks("https://chat.example", secret, hours).invoice(number, at or now())


def test_a_link_leads_to_the_public_address_and_ends_by_itself():
    at = now() - 24 * HOUR

    fresh, old = link_to(at=at + HOUR), link_to(at=at - timedelta(minutes=1))

    assert fresh.startswith("https://chat.example/invoices/")
    assert read_invoice_token(fresh.rpartition("/")[2], SECRET) == "TC-10002"
    with pytest.raises(ExpiredToken):
        read_invoice_token(old.rpartition("/")[2], SECRET)


async def test_an_invoice_shows_shop_buyer_lines_and_total(gateway):
    lines = (OrderLine("MUG", "Parol mug", 2, 1_450), OrderLine("BEANS", "Benguet Arabica", 1, 1_200))
    await stored(
        gateway,
        lines=lines,
        total_minor=4_550,
        shipping_address="48 Salcedo Street, Makati 1200",
        # Already the next day in Manila.
        placed_at=datetime(2026, 5, 20, 20, 0, tzinfo=timezone.utc),
    )

    status, page = await page_of(gateway, link_to())

    assert status == 200
    for said in (
        "Invoice TC-10002",
        gateway.shop.name,
        gateway.shop.address,
        gateway.shop.contact_email,
        "Date 21 May 2026",
        "Billed to Maria Santos",
        "48 Salcedo Street, Makati 1200",
        "Parol mug MUG 2 $14.50 $29.00",
        "Benguet Arabica BEANS 1 $12.00 $12.00",
        "Goods $41.00 Delivery $4.50 Total $45.50",
        "Paid",
    ):
        assert said in page.text, said
    assert "Paid back" not in page.text


async def test_what_was_paid_back_is_on_it(gateway):
    refund = a_refund(amount_minor=2_400, paid_at=datetime(2026, 5, 20, 3, tzinfo=timezone.utc))
    waiting = a_refund(amount_minor=500, paid_at=None, requested_at=now())
    await stored(gateway, status=OrderStatus.CANCELLED, refunds=[refund, waiting])

    _, page = await page_of(gateway, link_to())

    assert "Cancelled" in page.text
    assert "Paid back on 20 May 2026 -$24.00" in page.text
    assert "Paid back soon -$5.00" in page.text


async def test_an_order_of_a_guest_without_lines_or_address_has_an_invoice_too(gateway):
    async with gateway.store.transaction() as work:
        await work.orders.add(an_order(lines=(), status=OrderStatus.PENDING))

    status, page = await page_of(gateway, link_to())

    assert status == 200
    assert "Payment due" in page.text
    assert "Total $29.00" in page.text
    assert "Billed to" not in page.text
    assert "Delivery" not in page.text
    assert "None" not in page.text


async def test_an_invoice_is_neither_kept_nor_indexed_nor_framed_and_runs_nothing(gateway):
    await stored(gateway)
    for link, expected in ((link_to(), 200), (link_to(at=now() - 48 * HOUR), 410), ("x", 404)):
        async with gateway.session.get(f"{gateway.url}/invoices/{link.rpartition('/')[2]}") as response:
            assert response.status == expected
            assert response.headers["Cache-Control"] == "no-store"
            assert "noindex" in response.headers["X-Robots-Tag"]
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            policy = response.headers["Content-Security-Policy"]
            page = Page(await response.text())
        assert policy == (
            "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        assert {tag for tag, _ in page.tags} & {"script", "style", "img", "iframe", "form", "object"} == set()
        assert not any(name == "style" or name.startswith("on") for _, attributes in page.tags for name in attributes)
        (sheet,) = [attributes["href"] for tag, attributes in page.tags if tag == "link"]
        async with gateway.session.get(f"{gateway.url}{sheet}") as response:
            assert response.status == 200


async def test_whatever_a_title_name_or_address_holds_is_only_text(gateway):
    await stored(gateway, name=XSS, shipping_address=XSS, lines=(OrderLine(XSS[:80], XSS, 1, 2_900),))

    status, page = await page_of(gateway, link_to())

    assert status == 200
    assert page.text.count("<script>alert(1)</script>") == 4
    assert page.text.count("{{ 7 * 7 }}{% raw %}&lt;") == 4
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


@pytest.mark.parametrize("number", ["TC-99999", "", "' OR 1=1 --", "<script>", *NOTHING_TO_SEE[2:6]])
async def test_a_link_to_no_order_says_how_to_get_one(gateway, number):
    status, page = await page_of(gateway, link_to(number))

    assert status == 404
    assert f"Ask {gateway.shop.assistant_name} in the chat" in page.text


async def test_a_link_that_has_run_out_says_how_to_get_a_new_one(gateway):
    await stored(gateway)

    status, page = await page_of(gateway, link_to(at=now() - 25 * HOUR))

    assert status == 410
    assert "run out" in page.text
    assert f"Ask {gateway.shop.assistant_name} in the chat" in page.text
    assert "Maria" not in page.text


def claims(**changes):
    at = int(time.time())
    return {"aud": "invoice", "order": "TC-10002", "iat": at, "exp": at + 3_000, **changes}


FORGED = {
    "another secret": signed(claims(), IDENTITY_SECRET),
    "no algorithm": signed(claims(), SECRET, {"alg": "none", "typ": "JWT"}),
    "another algorithm": signed(claims(), SECRET, {"alg": "HS512", "typ": "JWT"}),
    "for visitors": issue_visitor_token("TC-10002", SECRET, datetime.now(timezone.utc)),
    "the shop's": identity_token(),
    "another audience": signed(claims(aud="kasuki-visitor"), SECRET),
    "no audience": signed({key: value for key, value in claims().items() if key != "aud"}, SECRET),
    "without an end": signed({key: value for key, value in claims().items() if key != "exp"}, SECRET),
    "without an order": signed({key: value for key, value in claims().items() if key != "order"}, SECRET),
    "a list of orders": signed(claims(order=["TC-10002"]), SECRET),
    "any order": signed(claims(order={"$ne": None}), SECRET),
    "the bare number": "TC-10002",
    "nothing of the kind": "x.y.z",
    "too long": "a" * 5_000,
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
async def test_a_forged_link_shows_nothing(gateway, token):
    await stored(gateway)

    status, page = await page_of(gateway, token)

    assert status == 404
    assert "Maria" not in page.text
    with pytest.raises(BadToken):
        read_invoice_token(token, SECRET)


async def test_a_link_that_was_changed_shows_nothing(gateway):
    await stored(gateway)
    token = issue_invoice_token("TC-10001", SECRET, now(), HOUR)
    head, _, signature = token.split(".")
    _, body, _ = issue_invoice_token("TC-10002", "x" * 40, now(), HOUR).split(".")

    status, _ = await page_of(gateway, f"{head}.{body}.{signature}")

    assert status == 404


async def test_an_invoice_link_opens_no_conversation(gateway):
    token = issue_invoice_token("TC-10002", SECRET, now(), HOUR)

    status, body = await gateway.post({"type": "message", "client_id": str(uuid.uuid4()), "text": "Hello"}, token)

    assert (status, body["code"]) == (401, "unauthorized")


async def test_without_the_database_the_page_asks_for_patience(gateway):
    gateway.db.error = broken_database()

    status, page = await page_of(gateway, link_to())

    assert status == 503
    assert "again in a minute" in page.text


async def test_a_fault_is_logged_without_the_link(gateway, monkeypatch, caplog):
    from bot.gateway import invoices

    await stored(gateway)
    monkeypatch.setattr(invoices, "html_page", lambda *_, **__: 1 / 0)
    token = link_to().rpartition("/")[2]

    async with gateway.session.get(f"{gateway.url}/invoices/{token}") as response:
        assert response.status == 500

    assert "/invoices/{token}" in caplog.text
    assert token not in caplog.text


def test_every_template_is_a_page_of_its_own_that_escapes():
    from bot.gateway.documents import TEMPLATES

    names = sorted(file.name for file in Path(TEMPLATES).iterdir())

    assert names == [
        *("feedback.html", "invoice.html", "notice.html", "page.html", "thanks.html", "unsubscribe.html"),
        "voucher.html",
    ]
    assert all("|safe" not in (TEMPLATES / name).read_text().replace(" ", "") for name in names)
