"""One customer in two places: what they see there, and what becomes of it when they log out."""

from __future__ import annotations

import re

import pytest

from bot.channels.telegram.channel import CAPABILITIES
from bot.core.channels import TELEGRAM
from bot.services.channel_inbox import Arrived, Said, take_in
from bot.services.conversations import open_channel_conversation
from bot.services.privacy import export_customer
from bot.services.timeline import timeline_of
from bot.services.turns import claim_turn
from tests.dialogue.test_conversations import latest_code

LINK = re.compile(r"https://chat\.example\.com/connect/telegram/([A-Za-z0-9_-]+)")


class Phone:
    """Somebody's Telegram: what they send, and all that the assistant says to it."""

    def __init__(self, worker, db, clock, address="1001"):
        self._worker, self._db, self._clock, self._address = worker, db, clock, address
        self._updates = iter(range(1_000))

    async def conversation(self):
        return await open_channel_conversation(self._db, self._clock, channel=TELEGRAM, external_id=self._address)

    async def send(self, event):
        before = await self.conversation()
        update_id = f"{self._address}-{next(self._updates)}"
        await take_in(self._db, self._clock, TELEGRAM, CAPABILITIES, update_id, event)
        while (turn := await claim_turn(self._db, self._clock, self._worker.id)) is not None:
            await self._worker.work_on(turn)
        async with self._db.reading() as work:
            said = await work.messages.after(before.id, before.last_seq)
            if (now := await self.conversation()).id != before.id:
                said += await work.messages.after(now.id, 0)
        return "\n".join(one.text for one in said if one.author.value == "bot")

    async def say(self, text):
        return await self.send(Said(self._address, text))

    async def arrive(self, token):
        return await self.send(Arrived(self._address, token))


@pytest.fixture
def phone(worker, demo_db, clock):
    return Phone(worker, demo_db, clock)


@pytest.fixture
def link_of(talk_as):
    """A token that the assistant gives a customer on the website."""

    async def link_of(external_id):
        talk = await talk_as(external_id)
        return LINK.search(await talk.text("can I use telegram"))[1]

    return link_of


async def test_a_customer_who_comes_by_the_link_is_known_there(phone, link_of):
    hello = await phone.arrive(await link_of("C-1001"))

    assert "Hello, Maria!" in hello and "180 days" in hello
    # Somebody who was sent another's link notices.
    assert "connected as Maria S. If that is not you, send /logout now." in hello
    assert "420 points" in await phone.say("how many points do i have")
    orders = await phone.say("show all my orders")
    assert all(number in orders for number in ("TC-10001", "TC-10002", "TC-10003"))


async def test_what_is_done_in_one_place_is_known_in_the_other(phone, link_of, talk_as):
    await phone.arrive(await link_of("C-1001"))
    assert "Shall I cancel" in await phone.say("cancel order TC-10003")
    assert "is cancelled" in await phone.say("yes")

    talk = await talk_as("C-1001")
    assert "cancelled" in await talk.text("where is TC-10003")


async def test_a_customer_who_proves_themselves_by_a_code_is_the_same_one(phone, demo_db):
    assert "e-mail address" in await phone.say("how many points do i have")
    await phone.say("maria@example.com")
    assert "420 points" in await phone.say(await latest_code(demo_db))


async def test_logging_out_there_makes_room_for_somebody_else(phone, link_of, demo_db):
    await phone.arrive(await link_of("C-1001"))
    first = await phone.conversation()
    goodbye = await phone.say("log me out")
    assert "You are logged out here" in goodbye and "website" not in goodbye

    assert "e-mail address" in await phone.say("how many points do i have")
    second = await phone.conversation()
    assert second.id != first.id and second.customer_id is None
    await phone.say("john@example.com")
    assert "80 points" in await phone.say(await latest_code(demo_db))


async def test_a_link_of_somebody_else_changes_nothing_until_one_logs_out(phone, link_of):
    await phone.arrive(await link_of("C-1001"))
    token = await link_of("C-1002")
    assert "another customer" in await phone.arrive(token)
    assert "420 points" in await phone.say("how many points do i have")

    await phone.say("log me out")
    assert "Hello, John!" in await phone.arrive(token)
    assert "80 points" in await phone.say("how many points do i have")


async def test_a_link_that_is_over_is_answered_kindly(phone, link_of, worker, demo_db, clock):
    token = await link_of("C-1001")
    await phone.arrive(token)
    other = Phone(worker, demo_db, clock, "2002")

    answer = await other.arrive(token)
    assert "does not work any more" in answer and "connect my Telegram" in answer and "Maria" not in answer
    assert "e-mail address" in await other.say("how many points do i have")


async def test_who_is_in_telegram_already_needs_no_link(phone, link_of):
    assert "e-mail address" in await phone.say("can I use telegram")
    await phone.arrive(await link_of("C-1001"))
    assert "I know you here" in await phone.say("connect my telegram")


async def test_what_a_stranger_had_begun_does_not_go_on_as_the_links_customer(phone, link_of):
    assert "e-mail address" in await phone.say("cancel order TC-10003")
    before = await phone.conversation()
    assert "Hello, Maria!" in await phone.arrive(await link_of("C-1001"))

    assert (await phone.conversation()).id != before.id
    assert "Shall I cancel" in await phone.say("cancel order TC-10003")


async def test_timeline_and_data_show_the_conversations_of_both_channels(phone, link_of, demo_db):
    await phone.arrive(await link_of("C-1001"))
    async with demo_db.reading() as work:
        customer = await work.customers.by_external_id("C-1001")
        entries = await timeline_of(work, customer.id, limit=200)
        data = await export_customer(work, customer.id)

    assert {entry.detail["channel"] for entry in entries if entry.kind == "conversation"} >= {"web", "telegram"}
    assert {row["channel"] for row in data["conversations"]} >= {"web", "telegram"}
    assert [row["channel"] for row in data["channel_identities"]] == ["telegram"]
