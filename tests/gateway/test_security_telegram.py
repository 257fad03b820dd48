"""Updates that come twice, late, in another order or long afterwards: each message is there once, and answered once."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta

import pytest

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.inbox import TelegramInbox
from bot.gateway.channels import WEBHOOKS
from bot.gateway.settings import ADDRESS_LIMIT
from bot.services.channel_inbox import UPDATES_KEPT, forget_updates
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.gateway.chat_client import eventually

SECRET = "the-secret_that_telegram_was_given"


@pytest.fixture
async def telegram():
    async with FakeTelegram(people={"1001", "2002"}).running() as telegram:
        yield telegram


@pytest.fixture
async def shop(start_gateway, telegram):
    """The gateway with Telegram's webhook; nothing is delivered."""
    gateway = await start_gateway()
    client = TelegramClient(telegram.url, TOKEN)

    async def no_picture(_url):
        return None

    inbox = TelegramInbox(gateway.db, gateway.clock, TelegramChannel(client, no_picture), SECRET)
    gateway.app[WEBHOOKS]["telegram"] = inbox
    telegram.webhook, telegram.secret = f"{gateway.url}/channels/telegram/webhook", SECRET
    yield gateway
    await inbox.close()
    await client.close()


def written(gateway):
    return [text for (text,) in gateway.rows("SELECT text FROM messages WHERE author = 'customer' ORDER BY seq")]


async def answered(gateway, count):
    said = "SELECT count(*) FROM messages WHERE author = 'bot' AND reply_to_seq IS NOT NULL"
    await eventually(lambda: gateway.rows(said) == [(count,)])


async def test_updates_in_another_order_are_each_taken_once(shop, telegram):
    updates = [telegram.message(f"number {number}") for number in range(12)]
    shuffled = random.Random(3).sample(updates, len(updates))
    assert [await telegram.tell(update) for update in shuffled] == [200] * 12

    assert written(shop) == [update["message"]["text"] for update in shuffled]
    await answered(shop, 12)


async def test_an_update_that_is_told_many_times_at_once_is_there_once(shop, telegram):
    update, other = telegram.message("once"), telegram.message("and once", chat="2002")
    statuses = await asyncio.gather(*(telegram.tell(each) for each in [update, other] * 10))

    assert set(statuses) == {200}
    assert sorted(written(shop)) == ["and once", "once"]
    await answered(shop, 2)


async def test_an_update_that_comes_a_day_late_is_answered(shop, telegram):
    late = telegram.message("I was in a tunnel")
    await telegram.tell(telegram.message("written later"))
    shop.clock.ahead += timedelta(days=1)
    await telegram.tell(late)

    assert written(shop) == ["written later", "I was in a tunnel"]
    await answered(shop, 2)


async def test_an_update_that_is_replayed_after_it_was_forgotten_is_no_second_message(shop, telegram):
    update = telegram.message("pay me out")
    await telegram.tell(update)
    await answered(shop, 1)
    shop.clock.ahead += UPDATES_KEPT + timedelta(days=1)
    assert await forget_updates(shop.store, shop.clock) == 1

    assert await telegram.tell(update) == 200
    assert await telegram.tell(telegram.message("still here?")) == 200
    assert written(shop) == ["pay me out", "still here?"]
    await answered(shop, 2)


async def test_a_forged_update_with_a_known_number_changes_nothing(shop, telegram):
    update = telegram.message("my words")
    await telegram.tell(update)
    update["message"]["text"] = "other words"

    assert await telegram.tell(update) == 200
    assert await telegram.tell(update, secret="guessed") == 401
    assert written(shop) == ["my words"]


async def test_guessing_the_secret_is_slowed_down_and_telegram_is_not(shop, telegram):
    shop.app[ADDRESS_LIMIT]._burst, shop.app[ADDRESS_LIMIT]._per_second = 5, 0.01
    update = telegram.message("hello")
    guesses = [await telegram.tell(update, secret=f"guess {number}") for number in range(7)]

    assert guesses == [401] * 5 + [429] * 2
    assert await telegram.tell(update) == 200
