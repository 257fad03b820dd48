"""Telegram, end to end: updates to the webhook, answers to the Bot API, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.channels.telegram.channel import CAPABILITIES, TelegramChannel
from bot.channels.telegram.client import RemoteFileTooLarge, TelegramClient
from bot.channels.telegram.inbox import OLD_BUTTON, TelegramInbox, poll
from bot.channels.telegram.setup import TelegramRefused, run_telegram_command
from bot.core.attachments import IncomingFile, file_in_words
from bot.core.conversations import Author, Choice, Image, Message
from bot.core.rate_buckets import Rate
from bot.gateway.channels import WEBHOOKS
from bot.services.attachments import FILE_ANSWER, check_file, keep_file
from bot.services.channel_inbox import ONLY_WORDS
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
from bot.services.ids import new_id
from bot.services.ports import Hint
from tests.fakes.telegram import TOKEN, FakeTelegram
from tests.gateway.chat_client import eventually
from tests.gateway.conftest import broken_database
from tests.sample_files import NOT_TAKEN, PDF, TAKEN, a_png

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


# Files


JPEG = TAKEN["image/jpeg"]


def said(shop_on_telegram):
    """What the customer's messages are: words, and the name and content of their file."""
    files = {
        file_id: (name, content)
        for file_id, name, content in shop_on_telegram.rows("SELECT id, name, content FROM attachments")
    }
    rows = shop_on_telegram.rows("SELECT text, attachment FROM messages WHERE author = 'customer' ORDER BY seq")
    return [(text, files[json.loads(file)["id"]] if file else None) for text, file in rows]


async def test_a_picture_is_fetched_kept_and_answered(shop_on_telegram, telegram):
    assert await telegram.tell(telegram.photo(JPEG)) == 200

    await seen(telegram, FILE_ANSWER)
    assert said(shop_on_telegram) == [("[photo: photo.jpg]", ("photo.jpg", JPEG))]
    assert telegram.sent[0].titles == ["Talk to a person"]


async def test_a_caption_is_answered_by_the_bot(shop_on_telegram, telegram):
    await telegram.tell(telegram.document("order.pdf", PDF, caption="Is this right?"))

    await seen(telegram, "echo: Is this right?")
    assert said(shop_on_telegram) == [("Is this right?", ("order.pdf", PDF))]


async def test_what_is_written_below_a_picture_does_not_overtake_it(shop_on_telegram, telegram, monkeypatch):
    fetched = asyncio.Event()
    fetch = TelegramChannel.fetch

    async def slowly(self, file_id, max_bytes):
        await fetched.wait()
        return await fetch(self, file_id, max_bytes)

    monkeypatch.setattr(TelegramChannel, "fetch", slowly)
    first = asyncio.create_task(telegram.tell(telegram.photo(JPEG)))
    await eventually(lambda: shop_on_telegram.app[WEBHOOKS]["telegram"]._turns)
    second = asyncio.create_task(telegram.tell(telegram.message("this one")))
    # Somebody else is not held up.
    assert await telegram.tell(telegram.message("hello", chat="2002")) == 200
    fetched.set()
    assert await asyncio.gather(first, second) == [200, 200]

    assert [text for text, _ in said(shop_on_telegram)][-2:] == ["[photo: photo.jpg]", "this one"]
    assert not shop_on_telegram.app[WEBHOOKS]["telegram"]._turns


@pytest.mark.parametrize("mood", ["broken", "before", "cut", "hang"])
async def test_a_file_that_cannot_be_fetched_is_told_in_words_and_holds_up_nothing(
    shop_on_telegram, telegram, monkeypatch, mood
):
    monkeypatch.setattr("bot.channels.telegram.inbox.FETCH_SECONDS", 0.3)
    # Twice, because a connection that ends on an idle line is tried anew.
    telegram.file_moods.extend([mood, mood])
    assert await telegram.tell(telegram.photo(JPEG)) == 200
    assert await telegram.tell(telegram.message("hello")) == 200

    await seen(telegram, ONLY_WORDS, "echo: hello")
    assert said(shop_on_telegram) == [("[a picture, which could not be fetched]", None), ("hello", None)]


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("busy", "which could not be fetched"),
        ("unknown", "which could not be fetched"),
        ("expired", "which could not be fetched"),
        ("said_to_be_large", "too large to be kept"),
        ("said_to_be_huge", "too large to be kept"),
        ("large_after_all", "too large to be kept"),
        ("larger_than_bots_may_fetch", "which could not be fetched"),
        ("packed", "of a kind that is not kept"),
        ("web_page", "of a kind that is not kept"),
        ("empty", "of a kind that is not kept"),
    ],
)
async def test_what_is_not_kept_is_told_in_words_and_why(shop_on_telegram, telegram, monkeypatch, trouble, words):
    update = telegram.document("photo.jpg", JPEG)
    document = update["message"]["document"]
    if trouble == "busy":
        telegram.be_busy(3)
    elif trouble == "unknown":
        telegram.files.clear()
    elif trouble == "expired":
        fetch = telegram._do_getfile

        async def expired(parameters):
            found = await fetch(parameters)
            telegram.expire_paths()
            return found

        telegram._do_getfile = expired
    elif trouble == "said_to_be_large":
        document["file_size"] = 11 * 2**20
    elif trouble == "said_to_be_huge":
        document["file_size"] = 10 * 2**30
    else:
        document.pop("file_size")
        content = {
            "large_after_all": PDF.ljust(11 * 2**20, b"%"),
            "larger_than_bots_may_fetch": PDF.ljust(21 * 2**20, b"%"),
            "packed": NOT_TAKEN["zip"][1],
            "web_page": NOT_TAKEN["html"][1],
            "empty": b"",
        }
        telegram.files[document["file_id"]] = content[trouble]
    assert await telegram.tell(update) == 200

    assert said(shop_on_telegram) == [(f"[a file, {words}]", None)]
    if trouble.startswith("said_to_be"):
        assert "getfile" not in [method for method, _ in telegram.calls]


async def test_no_more_of_a_file_is_read_than_may_be_whatever_is_said_of_it(telegram, client):
    update = telegram.document("x.pdf", PDF.ljust(100_000, b"%"))
    file_id = update["message"]["document"]["file_id"]
    assert len(await client.download(file_id, 100_000)) == 100_000

    async def lying(parameters):
        return {**await fetch(parameters), "file_size": 5}

    fetch, telegram._do_getfile = telegram._do_getfile, lying
    with pytest.raises(RemoteFileTooLarge):
        await client.download(file_id, 99_999)


@pytest.mark.parametrize("answer", [None, [], {}, {"file_path": 7}, {"file_path": "../../bot123:token/getMe"}])
async def test_an_answer_without_a_path_is_no_file(telegram, client, answer):
    async def odd(parameters):
        return answer

    telegram._do_getfile = odd
    with pytest.raises(ChannelRefused):
        await client.download("x", 1_000)


async def test_a_picture_that_is_told_again_is_kept_once(shop_on_telegram, telegram):
    update = telegram.photo(JPEG)
    assert [await telegram.tell(update) for _ in range(3)] == [200, 200, 200]

    assert len(said(shop_on_telegram)) == 1
    assert shop_on_telegram.rows("SELECT count(*) FROM attachments") == [(1,)]


def fetched(telegram):
    return [method for method, _ in telegram.calls].count("getfile")


async def test_what_is_known_already_is_not_fetched_again(shop_on_telegram, telegram):
    update = telegram.document("order.pdf", PDF, caption="Is this right?")
    for _ in range(3):
        await telegram.tell(update)

    assert fetched(telegram) == 1 and said(shop_on_telegram) == [("Is this right?", ("order.pdf", PDF))]


async def test_what_is_more_than_is_kept_in_a_day_is_not_fetched(shop_on_telegram, telegram, monkeypatch):
    monkeypatch.setattr("bot.services.attachments.MAX_FILES_A_DAY", 2)
    for _ in range(4):
        await telegram.tell(telegram.photo(JPEG))
    assert fetched(telegram) == 2
    assert [text for text, _ in said(shop_on_telegram)][2:] == ["[a picture, more than is kept in a day]"] * 2

    monkeypatch.setattr("bot.services.attachments.MAX_FILES_A_DAY_OF_ALL", 2)
    await telegram.tell(telegram.photo(JPEG, chat="2002"))
    assert fetched(telegram) == 2


async def test_a_file_that_is_too_large_for_what_is_left_of_the_day_is_not_fetched(
    shop_on_telegram, telegram, monkeypatch
):
    monkeypatch.setattr("bot.services.attachments.MAX_BYTES_A_DAY", len(PDF) + 10)
    await telegram.tell(telegram.document("order.pdf", PDF))
    await telegram.tell(telegram.document("order.pdf", PDF))

    assert fetched(telegram) == 1
    assert said(shop_on_telegram)[1] == ("[a file, more than is kept in a day]", None)


async def test_a_process_that_dies_while_it_fetches_has_recorded_nothing(shop_on_telegram, telegram, monkeypatch):
    update = telegram.photo(JPEG)
    inbox = shop_on_telegram.app[WEBHOOKS]["telegram"]
    telegram.file_moods.append("hang")
    taking = asyncio.create_task(inbox.receive_update(update))
    await eventually(lambda: not telegram.file_moods)
    taking.cancel()
    await asyncio.gather(taking, return_exceptions=True)
    assert shop_on_telegram.rows("SELECT * FROM channel_updates") == []

    assert await telegram.tell(update) == 200
    assert said(shop_on_telegram) == [("[photo: photo.jpg]", ("photo.jpg", JPEG))]


async def test_what_an_agent_sends_is_a_picture_or_a_file_there(shop_on_telegram, telegram):
    await telegram.tell(telegram.message("hello"))
    await seen(telegram, "echo: hello")
    ((talk,),) = shop_on_telegram.rows("SELECT id FROM conversations")
    narrow = a_png(width=2_000, height=2)
    sent = [("mug.png", a_png(), ""), ("narrow.png", narrow, ""), ("order.pdf", PDF, "Here it is")]
    async with shop_on_telegram.store.transaction() as work:
        for name, content, text in sent:
            conversation = await work.conversations.lock(talk)
            file = check_file(IncomingFile(name, content))
            attachment = await keep_file(work, shop_on_telegram.clock, conversation, file)
            seq = conversation.last_seq + 1
            words = text or file_in_words(attachment)
            said_by = {"author": Author.AGENT, "author_name": "Ana", "at": shop_on_telegram.clock.now()}
            message = Message(new_id(), talk, seq, text=words, attachment=attachment, **said_by)
            await work.messages.add(message, channel="telegram")
            await work.conversations.save(replace(conversation, last_seq=seq))
        work.hint(Hint("outbound", talk))

    await seen(telegram, "echo: hello", "Ana", "Ana", "Ana: Here it is")
    assert [(one.photo, one.document) for one in telegram.sent[1:]] == [
        (a_png(), None),
        (None, ("narrow.png", narrow)),
        (None, ("order.pdf", PDF)),
    ]


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
