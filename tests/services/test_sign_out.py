"""Logging out: nothing personal any more, for nobody, and the next one begins anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.core.channels import TELEGRAM
from bot.core.conversations import Author
from bot.errors import SignedOut
from bot.services.account_links import LinkUse, issue_link, use_link
from bot.services.conversations import (
    ProvenIdentity,
    open_channel_conversation,
    open_web_conversation,
    receive_message,
)
from bot.services.courier import Pace, Route, deliver_next
from bot.services.privacy import erase_customer, export_customer
from bot.services.sign_out import sign_out
from bot.services.verification import CodeRefusal, check_code, send_code
from bot.storage import tables
from tests.builders import a_message, an_inbound, conversation_now, events_now, stored_customer
from tests.services.test_courier import CAPABILITIES

HOUR = timedelta(hours=1)


async def on_the_web(db, clock, customer=None, conversation_id=None):
    identity = None
    if customer is not None:
        identity = ProvenIdentity(customer.external_id, customer.email, customer.name, clock.now() + HOUR)
    found, _ = await open_web_conversation(db, clock, conversation_id=conversation_id, identity=identity)
    return found


async def in_telegram(db, clock, customer=None, address="1001"):
    talk = await open_channel_conversation(db, clock, channel=TELEGRAM, external_id=address)
    if customer is not None:
        async with db.transaction() as work:
            token = await issue_link(work, clock, customer.id, TELEGRAM)
            assert await use_link(work, clock, await work.conversations.lock(talk.id), token) is LinkUse.CONNECTED
    return await conversation_now(db, talk.id)


async def log_out(db, clock, talk):
    async with db.transaction() as work:
        return await sign_out(work, clock, await work.conversations.lock(talk.id))


async def test_the_proof_ends_and_the_history_stays_the_customers(sql_db, clock):
    maria = await stored_customer(sql_db)
    talk = await in_telegram(sql_db, clock, maria)

    after = await log_out(sql_db, clock, talk)

    assert after == await conversation_now(sql_db, talk.id)
    assert after.verified_customer(clock.now()) is None and after.customer_id == maria.id
    assert [event.kind for event in await events_now(sql_db, talk.id)] == ["connected_by_link", "signed_out"]
    async with sql_db.reading() as work:
        assert (await work.customers.identity(TELEGRAM, "1001")).customer_id is None
        assert [one.action for one in await work.audit.of_customers([maria.id])][-1] == "log_out"


async def test_whoever_writes_next_from_the_account_begins_as_a_stranger(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    await log_out(sql_db, clock, talk)

    begun = [await open_channel_conversation(sql_db, clock, channel=TELEGRAM, external_id="1001") for _ in range(2)]

    assert begun[0].id == begun[1].id != talk.id
    assert (begun[0].customer_id, begun[0].verified_until) == (None, None)


@pytest.mark.parametrize("comes_back", ["as nobody", "as Maria", "as John"])
async def test_a_website_conversation_that_was_left_never_opens_again(sql_db, clock, comes_back):
    maria, john = await stored_customer(sql_db), await stored_customer(sql_db)
    talk = await on_the_web(sql_db, clock, maria)
    await log_out(sql_db, clock, talk)

    who = {"as nobody": None, "as Maria": maria, "as John": john}[comes_back]
    again = await on_the_web(sql_db, clock, who, talk.id)

    assert again.id != talk.id and again.customer_id == (who.id if who else None)


async def test_logging_out_twice_is_logging_out_once(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    first = await log_out(sql_db, clock, talk)
    clock.advance(HOUR)

    assert await log_out(sql_db, clock, talk) == first
    assert len(await events_now(sql_db, talk.id, "signed_out")) == 1


async def test_a_stranger_can_leave_as_well(sql_db, clock):
    talk = await on_the_web(sql_db, clock)
    await log_out(sql_db, clock, talk)

    assert (await on_the_web(sql_db, clock, conversation_id=talk.id)).id != talk.id


@pytest.mark.parametrize("ended_by", ["logging out", "time"])
async def test_a_visitor_who_may_not_see_the_answer_cannot_write(sql_db, clock, ended_by):
    talk = await on_the_web(sql_db, clock, await stored_customer(sql_db))
    await receive_message(sql_db, clock, talk.id, an_inbound(), is_visitor=True)
    if ended_by == "time":
        clock.advance(HOUR)
    else:
        await log_out(sql_db, clock, talk)

    with pytest.raises(SignedOut):
        await receive_message(sql_db, clock, talk.id, an_inbound(), is_visitor=True)
    assert (await conversation_now(sql_db, talk.id)).last_seq == 1


async def test_codes_and_links_on_their_way_are_worth_nothing_any_more(sql_db, clock, shop):
    maria = await stored_customer(sql_db)
    talk = await in_telegram(sql_db, clock, maria)
    async with sql_db.transaction() as work:
        await send_code(work, clock, shop, talk, maria.email)
        token = await issue_link(work, clock, maria.id, TELEGRAM)
        body = await work.conversations._connection.scalar(select(tables.outbox.c.payload["body"].as_string()))
    code = next(word for word in body.split() if len(word) == 6 and word.isdigit())
    await log_out(sql_db, clock, talk)

    async with sql_db.transaction() as work:
        assert await check_code(work, clock, await work.conversations.lock(talk.id), code) is CodeRefusal.EXPIRED
    other = await in_telegram(sql_db, clock, address="2002")
    async with sql_db.transaction() as work:
        assert await use_link(work, clock, await work.conversations.lock(other.id), token) is LinkUse.OVER


class Phone:
    """A channel that shows what it is sent."""

    name, capabilities = TELEGRAM, CAPABILITIES

    def __init__(self):
        self.seen = []

    async def send(self, _address, part):
        self.seen.append(part.text)

    async def probe(self):
        pass

    async def indicate(self, _address):
        pass


async def test_the_goodbye_is_told_and_what_people_write_later_is_not(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    async with sql_db.transaction() as work:
        await work.messages.add(
            a_message(talk, seq=1, text="log me out", external_id="telegram:1"),
            a_message(talk, seq=2, author=Author.BOT, text="You are logged out.", reply_to_seq=1),
            a_message(talk, seq=3, author=Author.AGENT, text="About your refund, Maria"),
            channel=TELEGRAM,
        )
    await log_out(sql_db, clock, talk)
    phone = Phone()

    async def at_once(_seconds):
        pass

    routes = {TELEGRAM: Route(phone, Pace(CAPABILITIES, lambda: 0.0, at_once))}
    while await deliver_next(sql_db, clock, routes) is not None:
        pass

    assert phone.seen == ["You are logged out."]


async def test_who_used_the_account_before_is_in_nobody_elses_data(sql_db, clock):
    john, maria = await stored_customer(sql_db), await stored_customer(sql_db)
    before = await in_telegram(sql_db, clock, john)
    await log_out(sql_db, clock, before)
    now = await in_telegram(sql_db, clock, maria)

    async with sql_db.reading() as work:
        of_maria, of_john = [await export_customer(work, one.id) for one in (maria, john)]
    assert [one["id"] for one in of_maria["conversations"]] == [now.id]
    assert [one["id"] for one in of_john["conversations"]] == [before.id]
    assert "token_hash" not in of_maria["account_links"][0]


async def test_erasing_who_used_the_account_before_leaves_it_to_whoever_has_it(sql_db, clock):
    john, maria = await stored_customer(sql_db), await stored_customer(sql_db)
    await log_out(sql_db, clock, await in_telegram(sql_db, clock, john))
    now = await in_telegram(sql_db, clock, maria)
    async with sql_db.transaction() as work:
        await erase_customer(work, clock, john.id, actor="operator")

    assert (await in_telegram(sql_db, clock)).id == now.id
    async with sql_db.reading() as work:
        assert (await work.customers.identity(TELEGRAM, "1001")).customer_id == maria.id
