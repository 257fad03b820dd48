"""Everything that is kept about a customer, behind a link that ends."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from bot.gateway import own_data
from bot.gateway.links import SignedLinks
from bot.gateway.tokens import issue_invoice_token, issue_own_data_token
from tests.builders import stored_customer
from tests.gateway.tokens import SECRET


def now() -> datetime:
    return datetime.now(timezone.utc)


async def fetched(gateway, token):
    async with gateway.session.get(f"{gateway.url}/my-data/{token}") as response:
        return response.status, response.headers, await response.text(), response


async def test_whoever_has_the_link_gets_all_of_it_as_a_file(gateway):
    maria = await stored_customer(gateway.store, name="Maria Santos", email="maria@example.com")
    other = await stored_customer(gateway.store, name="Somebody Else", email="other@example.com")
    link = SignedLinks("https://chat.example", SECRET, 24).own_data(maria.id, now())

    status, headers, text, response = await fetched(gateway, link.rpartition("/")[2])

    assert status == 200
    data = await response.json()
    assert data["customer"] == maria.id
    assert "Maria Santos" in text
    assert other.id not in text and "other@example.com" not in text
    assert headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    assert headers["Cache-Control"] == "no-store"
    assert gateway.rows("SELECT actor, action, customer_id FROM audit_log") == [("customer", "export", maria.id)]


async def test_the_link_ends_after_an_hour(gateway):
    maria = await stored_customer(gateway.store)
    token = issue_own_data_token(maria.id, SECRET, now() - timedelta(hours=1, minutes=1))

    status, _, text, _ = await fetched(gateway, token)

    assert status == 410
    assert maria.name not in text


FORGED = {
    "of nobody": lambda: issue_own_data_token("nobody", SECRET, now()),
    "signed by others": lambda: issue_own_data_token("nobody", "another secret, just as long as ours is", now()),
    "for an invoice": lambda: issue_invoice_token("TC-10002", SECRET, now(), timedelta(hours=1)),
    "nothing": lambda: "x",
}


@pytest.mark.parametrize("forged", FORGED)
async def test_any_other_link_shows_nothing(gateway, forged):
    token = FORGED[forged]()
    await stored_customer(gateway.store)

    status, _, text, _ = await fetched(gateway, token)

    assert status == 404
    assert "There is nothing here" in text
    assert gateway.rows("SELECT * FROM audit_log") == []


async def test_a_copy_is_made_for_one_at_a_time_from_an_address(gateway, monkeypatch):
    monkeypatch.setattr(own_data, "TURN_SECONDS", 0.05)
    token = issue_own_data_token("nobody", SECRET, now())

    with gateway.app[own_data.COPIES].one_more("127.0.0.1", 4, 1):
        assert (await fetched(gateway, token))[0] == 429
    assert (await fetched(gateway, token))[0] == 404
