"""From the website into Telegram as the same customer: the link, the way there, and arriving."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from bot.channels.telegram.updates import read_update
from bot.core.channels import TELEGRAM
from bot.core.customers import Customer, CustomerId
from bot.gateway.connect import DOORWAYS
from bot.services.account_links import issue_link
from bot.services.ids import new_id
from tests.fakes.telegram import FakeTelegram
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import broken_database
from tests.gateway.test_telegram import client, shop_on_telegram, telegram  # noqa: F401 - fixtures


@pytest.fixture
async def maria(shop_on_telegram):  # noqa: F811
    shop_on_telegram.app[DOORWAYS][TELEGRAM] = shop_on_telegram.inbox
    customer = Customer(
        CustomerId(new_id()), "C-1001", "Maria Santos", "maria@example.com", shop_on_telegram.clock.now()
    )
    async with shop_on_telegram.store.transaction() as work:
        await work.customers.add(customer)
    return customer


async def token_for(gateway, customer):
    async with gateway.store.transaction() as work:
        return await issue_link(work, gateway.clock, customer.id, TELEGRAM)


async def opened(gateway, path):
    """Status, and where it leads or what it says."""
    async with gateway.session.get(f"{gateway.url}{path}", allow_redirects=False) as answer:
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["Referrer-Policy"] == "no-referrer"
        return answer.status, answer.headers.get("Location") or await answer.text()


async def test_the_link_leads_into_the_app_and_uses_nothing_up(shop_on_telegram, maria):  # noqa: F811
    token = await token_for(shop_on_telegram, maria)

    found = [await opened(shop_on_telegram, f"/connect/telegram/{token}") for _ in range(2)]

    assert found == [(302, f"https://t.me/tala_coffee_bot?start={token}")] * 2


async def test_without_a_token_it_leads_there_as_well(shop_on_telegram, maria):  # noqa: F811
    assert await opened(shop_on_telegram, "/connect/telegram") == (302, "https://t.me/tala_coffee_bot")


@pytest.mark.parametrize("path", ["/connect/telegram/nonsense", f"/connect/telegram/{'A' * 43}"])
async def test_a_link_that_is_none_says_how_to_get_one(shop_on_telegram, maria, path):  # noqa: F811
    status, page = await opened(shop_on_telegram, path)

    assert status == 410 and "for a new one" in page


async def test_a_link_that_ran_out_says_so(shop_on_telegram, maria):  # noqa: F811
    token = await token_for(shop_on_telegram, maria)
    shop_on_telegram.clock.ahead = timedelta(minutes=15)

    status, _ = await opened(shop_on_telegram, f"/connect/telegram/{token}")
    assert status == 410


async def test_where_the_shop_is_not_there_is_nothing_to_open(gateway):
    status, page = await opened(gateway, "/connect/telegram")
    assert status == 404 and "chat on our website" in page
    assert (await opened(gateway, "/connect/whatsapp/x"))[0] == 404


async def test_until_the_bots_name_is_known_it_is_to_be_tried_again(shop_on_telegram, maria):  # noqa: F811
    shop_on_telegram.inbox.bot_name = None
    assert (await opened(shop_on_telegram, "/connect/telegram"))[0] == 503


async def test_while_the_database_is_away_it_is_to_be_tried_again(shop_on_telegram, maria):  # noqa: F811
    token = await token_for(shop_on_telegram, maria)
    shop_on_telegram.db.error = broken_database()
    status, _ = await opened(shop_on_telegram, f"/connect/telegram/{token}")
    shop_on_telegram.db.error = None
    assert status == 503


async def test_whoever_arrives_is_known_and_the_token_is_kept_nowhere(
    shop_on_telegram,  # noqa: F811
    telegram,  # noqa: F811
    maria,
    caplog,
):
    token = await token_for(shop_on_telegram, maria)
    with caplog.at_level(logging.DEBUG):
        assert await telegram.tell(telegram.message(f"/start {token}")) == 200
        await eventually(lambda: [sent.text for sent in telegram.sent] == ["echo: /start"])

    (row,) = shop_on_telegram.rows("SELECT customer_id FROM conversations")
    assert row == (maria.id,)
    ((text, payload),) = shop_on_telegram.rows("SELECT text, payload FROM messages WHERE author = 'customer'")
    assert (text, payload) == ("/start", '/connect_messenger{"facet": "connected"}')
    everything = shop_on_telegram.file.read_bytes() + shop_on_telegram.file.with_name("kasuki.db-wal").read_bytes()
    assert token.encode() not in everything
    assert token not in caplog.text


async def test_a_repeated_update_and_a_second_press_connect_once(shop_on_telegram, telegram, maria):  # noqa: F811
    token = await token_for(shop_on_telegram, maria)
    update = telegram.message(f"/start {token}")
    assert [await telegram.tell(update) for _ in range(2)] == [200, 200]
    assert await telegram.tell(telegram.message(f"/start {token}")) == 200

    payloads = [row[0] for row in shop_on_telegram.rows("SELECT payload FROM messages WHERE author = 'customer'")]
    assert payloads == ['/connect_messenger{"facet": "connected"}'] * 2


async def test_a_token_that_connects_nobody_is_answered(shop_on_telegram, telegram, maria):  # noqa: F811
    for brought in ("A" * 43, "nonsense", "A" * 64, "ü" * 3_000, "a b c"):
        assert await telegram.tell(telegram.message(f"/start {brought}")) == 200

    found = shop_on_telegram.rows("SELECT text, payload FROM messages WHERE author = 'customer' ORDER BY seq")
    # What no link of ours brings is a word of the shop's own.
    assert found == [("/start", '/connect_messenger{"facet": "over"}'), *[("hello", None)] * 4]
    assert shop_on_telegram.rows("SELECT customer_id FROM conversations") == [(None,)]


async def test_in_a_group_a_token_is_for_nobody(shop_on_telegram, telegram, maria):  # noqa: F811
    token = await token_for(shop_on_telegram, maria)
    group = {"id": -1009, "type": "supergroup", "title": "Coffee"}
    assert await telegram.tell(telegram.message(f"/start@tala_coffee_bot {token}", group=group)) == 200

    assert shop_on_telegram.rows("SELECT * FROM messages") == []
    assert shop_on_telegram.rows("SELECT used_at FROM account_links") == [(None,)]


def test_an_arrival_does_not_show_its_token():
    update = read_update(FakeTelegram().message("/start secret-of-mine"), None)
    assert "secret-of-mine" not in repr(update)
