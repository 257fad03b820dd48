"""Saying no to mails: by a button, or with one click in a mail program, and by nothing less than that."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from bot.channels.mail import as_email
from bot.core.consents import FEEDBACK, MARKETING, hash_address
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import issue_invoice_token
from bot.services.consents import may_contact
from bot.services.outbox import Mail
from tests.gateway.conftest import broken_database
from tests.gateway.test_invoices import HOUR, Page
from tests.gateway.tokens import IDENTITY_SECRET, SECRET, identity_token, signed

MARIA = "maria@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def now():
    return datetime.now(timezone.utc)


def link(purpose=FEEDBACK, at=None):
    return SignedLinks("https://chat.example", SECRET, 24).unsubscribe(MARIA, purpose, at or now())


async def visit(gateway, url, method="GET", **options):
    path = f"{gateway.url}/unsubscribe/{url.rpartition('/')[2]}"
    async with gateway.session.request(method, path, **options) as response:
        assert response.content_type == "text/html"
        return response.status, Page(await response.text()), response.headers


async def may_mail(gateway, purpose=FEEDBACK):
    async with gateway.store.reading() as work:
        return await may_contact(work, channel="email", address=MARIA, purpose=purpose)


async def test_the_page_asks_and_changes_nothing(gateway):
    status, page, headers = await visit(gateway, link())

    assert status == 200
    assert gateway.shop.name in page.text
    assert [attributes for tag, attributes in page.tags if tag == "form"] == [{"method": "post"}]
    assert "form-action 'self'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "maria" not in page.text.lower()
    assert await may_mail(gateway)


@pytest.mark.parametrize("body", [ONE_CLICK, {}, {"anything": "else"}], ids=["one click", "the button", "anything"])
async def test_posting_says_no_without_a_sign_in(gateway, body):
    for _ in range(2):
        status, page, _ = await visit(gateway, link(), "POST", data=body, allow_redirects=False)
        assert status == 200
        assert "Done" in page.text

    assert not await may_mail(gateway)
    async with gateway.store.reading() as work:
        (consent,) = await work.consents.of_addresses([("email", hash_address("email", MARIA))])
    assert (consent.purpose, consent.granted, consent.source) == (FEEDBACK, False, "link")


async def test_saying_no_to_one_kind_of_mail_leaves_the_others(gateway):
    await visit(gateway, link(MARKETING), "POST", data=ONE_CLICK)

    assert await may_mail(gateway)


async def test_a_link_works_years_later(gateway):
    old = link(at=datetime(2020, 1, 1, tzinfo=timezone.utc))

    status, _, _ = await visit(gateway, old, "POST", data=ONE_CLICK)

    assert status == 200
    assert not await may_mail(gateway)


def claims(**changes):
    return {"aud": "unsubscribe", "address": "a" * 64, "purpose": FEEDBACK, "iat": int(time.time()), **changes}


FORGED = {
    "signed for identities": lambda: signed(claims(), IDENTITY_SECRET),
    "not signed": lambda: signed(claims(), SECRET, {"alg": "none", "typ": "JWT"}),
    "for an invoice": lambda: signed(claims(aud="invoice"), SECRET),
    "two addresses": lambda: signed(claims(address=["a"]), SECRET),
    "no purpose": lambda: signed({key: value for key, value in claims().items() if key != "purpose"}, SECRET),
    "an invoice link": lambda: issue_invoice_token("TC-10002", SECRET, now(), HOUR),
    "an identity": lambda: identity_token(),
    "nothing": lambda: "x",
    "long": lambda: "a" * 5_000,
}


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_forged_link_says_nothing_in_nobodys_name(gateway, forged, method):
    token = FORGED[forged]()
    status, page, _ = await visit(gateway, token, method)

    assert status == 404
    assert gateway.shop.contact_email in page.text
    async with gateway.store.reading() as work:
        assert await work.consents.of_addresses([("email", "a" * 64)]) == []


async def test_without_the_database_the_page_asks_to_try_again(gateway):
    gateway.db.error = broken_database()

    status, page, _ = await visit(gateway, link(), "POST", data=ONE_CLICK)

    assert status == 503
    assert [tag for tag, _ in page.tags if tag == "form"] == ["form"]


def test_a_mail_program_is_told_how_to_unsubscribe_with_one_click():
    mail = Mail("id", MARIA, "How was it?", "Tell us.", unsubscribe_url=link())

    message, plain = (
        as_email(mail, "hello@corner.example"),
        as_email(Mail("id", MARIA, "S", "B"), "hello@corner.example"),
    )

    # As it goes over the wire, in one piece.
    assert f"\nList-Unsubscribe: <{mail.unsubscribe_url}>\n".encode() in bytes(message)
    assert b"\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\n" in bytes(message)
    assert plain["List-Unsubscribe"] is plain["List-Unsubscribe-Post"] is None
