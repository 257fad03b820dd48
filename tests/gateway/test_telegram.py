"""Telegram, end to end: updates to the webhook, answers to the Bot API, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from datetime import timedelta

import pytest

from bot.channels.telegram.channel import CAPABILITIES, TelegramChannel
from bot.channels.telegram.client import TelegramClient
from bot.channels.telegram.inbox import OLD_BUTTON, TelegramInbox, poll
from bot.channels.telegram.setup import TelegramRefused, run_telegram_command
from bot.core.conversations import Choice, Image
from bot.core.rate_buckets import Rate
from bot.gateway.channels import WEBHOOKS
from bot.services.channel_ports import (
    Button,
    ChannelBlocked,
    ChannelBusy,
    ChannelDown,
    ChannelRefused,
    ChannelUnsure,
    Part,
)
from bot.services.courier import Pace, Route, deliver_next
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import broken_database

SECRET = "the-secret_that_telegram_was_given"
PNG = b"\x89PNG\r\n\x1a\n-and-more"


@pytest.fixture
async def telegram():
    async with FakeTelegram(people={"1001", "2002"}).running() as telegram:
        yield telegram


@pytest.fixture
async def client(telegram):
    client = TelegramClient(telegram.url, TOKEN)
    yield client
    await client.close()


async def picture_of(url):
    return PNG if url.endswith("/code.png") else None


@pytest.fixture
async def shop_on_telegram(start_gateway, telegram, client):
    """The gateway with Telegram's webhook, and a courier beside it."""
    gateway = await start_gateway()
    channel = TelegramChannel(client, picture_of)
    inbox = TelegramInbox(gateway.db, gateway.clock, channel, SECRET)
    inbox.bot_name = "tala_coffee_bot"
    gateway.app[WEBHOOKS]["telegram"] = gateway.inbox = inbox
    telegram.webhook, telegram.secret = f"{gateway.url}/channels/telegram/webhook", SECRET
    loop = asyncio.get_running_loop()
    fast = Rate(1_000, 1_000)
    unhurried = type(CAPABILITIES)(**{**vars(CAPABILITIES), "to_everybody": fast, "to_one": fast})
    routes = {"telegram": Route(channel, Pace(unhurried, loop.time, asyncio.sleep))}
    wake = asyncio.Event()

    async def deliver():
        while True:
            wake.clear()
            while await deliver_next(gateway.store, gateway.clock, routes) is not None:
                pass
            await wake.wait()

    async with gateway.wakeups.listening(lambda hint: wake.set() if hint.topic == "outbound" else None):
        task = asyncio.create_task(deliver())
        gateway.wake_couriers = wake.set
        yield gateway
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await inbox.close()


async def seen(telegram, *texts, chat="1001"):
    """Wait until somebody sees exactly these texts."""
    await eventually(lambda: len([sent for sent in telegram.sent if sent.chat == chat]) >= len(texts))
    assert [sent.text for sent in telegram.sent if sent.chat == chat] == list(texts)


async def test_a_message_is_answered_in_the_same_chat(shop_on_telegram, telegram):
    assert await telegram.tell(telegram.message("Where is my order?")) == 200
    assert await telegram.tell(telegram.message("And mine?", chat="2002")) == 200

    await seen(telegram, "echo: Where is my order?")
    await seen(telegram, "echo: And mine?", chat="2002")


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", "ü"])
async def test_whoever_is_not_telegram_is_refused(shop_on_telegram, telegram, secret):
    assert await telegram.tell(telegram.message("hello"), secret=secret) == 401
    assert shop_on_telegram.rows("SELECT * FROM messages") == []


async def test_a_channel_that_is_not_set_up_is_not_found(gateway):
    async with gateway.session.post(f"{gateway.url}/channels/telegram/webhook", data=b"{}") as answer:
        assert answer.status == 404


async def test_an_update_that_is_told_again_is_answered_once(shop_on_telegram, telegram):
    update = telegram.message("hello")
    assert [await telegram.tell(update) for _ in range(3)] == [200, 200, 200]
    assert await telegram.tell(telegram.message("bye")) == 200

    await seen(telegram, "echo: hello", "echo: bye")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b'{"update_id": "x"}', b"\xff\xfe", b"[" * 5_000, b"[" * 2_000_000]
)
async def test_a_poison_update_is_taken_so_that_it_holds_up_nothing(shop_on_telegram, telegram, raw):
    assert await telegram.tell(None, raw=raw) == 200
    assert await telegram.tell(telegram.message("hello")) == 200

    await seen(telegram, "echo: hello")


async def test_what_cannot_be_recorded_is_to_be_told_again(shop_on_telegram, telegram):
    update = telegram.message("hello")
    shop_on_telegram.db.error = broken_database()
    assert await telegram.tell(update) == 503
    shop_on_telegram.db.error = None
    assert await telegram.tell(update) == 200

    await seen(telegram, "echo: hello")


async def test_what_people_type_is_shown_as_it_is(shop_on_telegram, telegram):
    hostile = "<b>bold</b> & <script>alert(1)</script> &lt; \N{HOT BEVERAGE}"
    await telegram.tell(telegram.message(hostile))

    await seen(telegram, f"echo: {hostile}")


async def test_choices_are_buttons_that_are_used_once(shop_on_telegram, telegram):
    await telegram.tell(telegram.message("hello"))
    await seen(telegram, "echo: hello")
    conversation_id = shop_on_telegram.rows("SELECT id FROM conversations")[0][0]
    await shop_on_telegram.bot_says(
        conversation_id, "Shall I?", choices=(Choice("Yes", "/affirm"), Choice("No", "/deny"))
    )
    await eventually(lambda: len(telegram.sent) == 2)
    asked = telegram.sent[-1]
    assert asked.titles == ["Yes", "No"]

    pick = telegram.pick("Yes")
    assert [await telegram.tell(pick) for _ in range(2)] == [200, 200]

    await eventually(lambda: telegram.answered.get(pick["callback_query"]["id"], "") is None)
    await eventually(lambda: asked.keyboard is None)
    picked = shop_on_telegram.rows("SELECT text, payload FROM messages WHERE payload IS NOT NULL")
    assert picked == [("Yes", "/affirm")]


async def test_a_button_that_we_did_not_make_is_answered_kindly_and_does_nothing(shop_on_telegram, telegram):
    press = telegram.press('/affirm{"question": "erase"}', 5)
    assert await telegram.tell(press) == 200

    await eventually(lambda: telegram.answered.get(press["callback_query"]["id"]) == OLD_BUTTON)
    assert shop_on_telegram.rows("SELECT * FROM messages") == []


async def test_whoever_stops_us_hears_nothing_until_they_come_back(shop_on_telegram, telegram):
    await telegram.tell(telegram.message("hello"))
    await seen(telegram, "echo: hello")
    await telegram.tell(telegram.message("/stop"))
    conversation_id = shop_on_telegram.rows("SELECT id FROM conversations")[0][0]
    await shop_on_telegram.bot_says(conversation_id, "News!")
    await telegram.tell(telegram.message("I am back"))

    await seen(telegram, "echo: hello", "echo: I am back")


async def test_in_a_group_nothing_personal_is_said(shop_on_telegram, telegram):
    telegram.people.add("-100")
    group = {"id": -100, "type": "group", "title": "Friends"}
    await telegram.tell(telegram.message("@tala_coffee_bot where is my order?", group=group))

    await eventually(lambda: telegram.sent)
    assert telegram.sent[0].chat == "-100" and "directly" in telegram.sent[0].text
    assert shop_on_telegram.rows("SELECT * FROM messages") == []


async def test_telegram_busy_broken_and_away_is_told_everything_in_the_end_and_once(shop_on_telegram, telegram):
    telegram.be_broken()
    telegram.be_broken(500)
    telegram.be_busy(1)
    await telegram.tell(telegram.message("one"))
    await telegram.tell(telegram.message("two"))

    async def time_passes():
        while True:
            shop_on_telegram.clock.ahead += timedelta(seconds=0.5)
            shop_on_telegram.wake_couriers()
            await asyncio.sleep(0.05)

    passing = asyncio.create_task(time_passes())
    try:
        await seen(telegram, "echo: one", "echo: two")
    finally:
        passing.cancel()
        await asyncio.gather(passing, return_exceptions=True)
    assert not telegram.moods


# The client


async def test_a_picture_goes_along_with_its_caption(telegram, client):
    channel = TelegramChannel(client, picture_of)
    image = Image("https://shop.example/rewards/token/code.png", "QR code")
    await channel.send("1001", Part("Yours!", image, (Button("My points", "token"),)))
    await channel.send("1001", Part("No picture here", Image("https://elsewhere.example/x.png", "x")))

    first, second = telegram.sent
    assert (first.text, first.photo, first.titles) == ("Yours!", PNG, ["My points"])
    assert (second.text, second.photo) == ("No picture here", None)


async def test_each_refusal_of_telegrams_is_what_it_means(telegram, client):
    channel = TelegramChannel(client, picture_of)
    telegram.be_busy(7)
    with pytest.raises(ChannelBusy) as busy:
        await channel.send("1001", Part("x"))
    assert busy.value.seconds == 7
    telegram.be_broken()
    with pytest.raises(ChannelDown):
        await channel.send("1001", Part("x"))
    with pytest.raises(ChannelBlocked):
        await channel.send("4004", Part("x"))
    telegram.block("1001")
    with pytest.raises(ChannelBlocked):
        await channel.send("1001", Part("x"))
    with pytest.raises(ChannelRefused):
        await channel.send("2002", Part("x", buttons=(Button("x", "y" * 65),)))
    assert telegram.sent == []


async def test_a_connection_that_ends_or_hangs_after_the_request_leaves_us_unsure(telegram, client):
    channel = TelegramChannel(client, picture_of)
    telegram.hang_up_after()
    with pytest.raises(ChannelUnsure):
        await channel.send("1001", Part("once"))
    telegram.hang()
    with pytest.raises(ChannelUnsure):
        await client.call("sendMessage", {"chat_id": "1001", "text": "twice"}, seconds=0.2)

    assert [sent.text for sent in telegram.sent] == ["once", "twice"]
    with pytest.raises(ChannelUnsure):
        telegram.answer_raw(504, b"<html>Gateway Timeout")
        await channel.send("1001", Part("x"))
    with pytest.raises(ChannelDown):
        telegram.answer_raw(502, b"\xff\xfe<html>")
        await channel.send("1001", Part("x"))


async def test_it_is_seen_whether_telegram_answers_at_all(telegram, client):
    channel = TelegramChannel(client, picture_of)
    await channel.probe()
    telegram.hang_up_before()
    with pytest.raises(ChannelDown):
        await channel.probe()


async def test_scores_share_rows(telegram, client):
    channel = TelegramChannel(client, picture_of)
    buttons = tuple(Button(title, f"t{title}") for title in [*map(str, range(11)), "Not now", "Later please", "Never"])
    await channel.send("1001", Part("How likely?", buttons=buttons))

    assert [len(row) for row in telegram.sent[0].keyboard] == [6, 5, 2, 1]


async def test_an_update_that_always_fails_is_given_up_so_that_others_are_answered(
    start_gateway, telegram, client, monkeypatch
):
    monkeypatch.setattr("bot.channels.telegram.inbox.PAUSE_SECONDS", 0)
    gateway = await start_gateway()
    inbox = TelegramInbox(gateway.db, gateway.clock, TelegramChannel(client, picture_of), SECRET)
    take = inbox.receive_update

    async def fail_for_one(data):
        if data["message"]["text"] == "poison":
            raise ValueError("this one never works")
        await take(data)

    monkeypatch.setattr(inbox, "receive_update", fail_for_one)
    for text in ("poison", "hello"):
        telegram.queue(telegram.message(text))
    asking = asyncio.create_task(poll(client, inbox))
    await eventually(lambda: gateway.rows("SELECT text FROM messages WHERE author = 'customer'") == [("hello",)])
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


async def test_a_telegram_that_is_not_there_is_down_and_no_error_has_the_token():
    client = TelegramClient("http://127.0.0.1:9", TOKEN)
    with pytest.raises(ChannelDown) as down:
        await TelegramChannel(client, picture_of).send("1001", Part("x"))
    await client.close()

    assert TOKEN not in str(down.value) and down.value.__cause__ is None


async def test_a_wrong_token_loses_nothing_and_is_named(telegram):
    client = TelegramClient(telegram.url, "123:wrong")
    with pytest.raises(ChannelDown, match="TELEGRAM_BOT_TOKEN"):
        await TelegramChannel(client, picture_of).send("1001", Part("x"))
    await client.close()


@pytest.mark.parametrize("length", [1, 4_096])
async def test_texts_up_to_the_limit_are_taken(telegram, client, length):
    await TelegramChannel(client, picture_of).send("1001", Part("&" * length))
    assert telegram.sent[0].text == "&" * length


# Asking for updates


async def test_a_machine_without_an_address_asks_for_messages_and_takes_each_in_once(start_gateway, telegram, client):
    gateway = await start_gateway()
    inbox = TelegramInbox(gateway.db, gateway.clock, TelegramChannel(client, picture_of), SECRET)
    for text in ("one", "two"):
        telegram.queue(telegram.message(text))
    asking = asyncio.create_task(poll(client, inbox))
    await eventually(lambda: len(gateway.rows("SELECT * FROM messages WHERE author = 'customer'")) == 2)
    telegram.queue(telegram.message("three"))
    await eventually(lambda: len(gateway.rows("SELECT * FROM messages WHERE author = 'customer'")) == 3)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking

    texts = gateway.rows("SELECT text FROM messages WHERE author = 'customer' ORDER BY seq")
    assert texts == [("one",), ("two",), ("three",)]
    # What was taken in is not offered again.
    assert json.dumps([update["update_id"] for update in telegram.pending]) == "[]" or len(telegram.pending) <= 1


async def test_whoever_asks_while_a_webhook_is_set_is_told_what_to_do(start_gateway, telegram, client, caplog):
    gateway = await start_gateway()
    telegram.webhook = "https://elsewhere.example/hook"
    inbox = TelegramInbox(gateway.db, gateway.clock, TelegramChannel(client, picture_of), SECRET)
    asking = asyncio.create_task(poll(client, inbox))
    await eventually(lambda: "delete-webhook" in caplog.text)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


# The command


async def test_the_webhook_is_set_with_its_secret_and_taken_away_again(telegram, client):
    said = await run_telegram_command(client, "set-webhook", "https://chat.example.com", SECRET)
    assert (telegram.webhook, telegram.secret) == ("https://chat.example.com/channels/telegram/webhook", SECRET)
    assert telegram.webhook in said and SECRET not in said
    told = await run_telegram_command(client, "info", "https://chat.example.com", SECRET)
    assert "@tala_coffee_bot" in told and telegram.webhook in told

    await run_telegram_command(client, "delete-webhook", "https://chat.example.com", SECRET)
    assert telegram.webhook == ""
    assert "No webhook" in await run_telegram_command(client, "info", "https://chat.example.com", SECRET)


async def test_an_address_that_telegram_cannot_reach_is_refused_in_words(telegram, client):
    with pytest.raises(TelegramRefused, match="PUBLIC_URL is http://localhost:8080"):
        await run_telegram_command(client, "set-webhook", "http://localhost:8080", SECRET)
    telegram.be_broken()
    with pytest.raises(TelegramRefused):
        await run_telegram_command(client, "info", "http://localhost:8080", SECRET)
