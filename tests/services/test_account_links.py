"""Links that connect an account on a messaging channel with a customer: once, for a while, and nobody else's."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.core.account_links import CONNECTED_FOR, LINK_LIFETIME, LINKS_AT_MOST, LINKS_WINDOW, TOKEN
from bot.core.channels import TELEGRAM, WEB
from bot.services.account_links import LinkUse, is_good_link, issue_link, use_link
from bot.services.channel_inbox import ARRIVED, Arrived, Said, take_in
from bot.services.conversations import open_channel_conversation
from bot.services.merges import merge_customers
from bot.services.privacy import erase_customer, export_customer
from bot.services.sign_out import sign_out
from bot.storage import tables
from tests.builders import conversation_now, stored_customer
from tests.services.test_courier import CAPABILITIES


async def made_for(db, clock, customer, channel=TELEGRAM):
    async with db.transaction() as work:
        return await issue_link(work, clock, customer.id, channel)


async def talk_of(db, clock, address="1001", channel=TELEGRAM):
    return await open_channel_conversation(db, clock, channel=channel, external_id=address)


async def comes_by(db, clock, token, address="1001", channel=TELEGRAM):
    talk = await talk_of(db, clock, address, channel)
    async with db.transaction() as work:
        return await use_link(work, clock, await work.conversations.lock(talk.id), token)


async def account_of(db, address="1001"):
    async with db.reading() as work:
        return await work.customers.identity(TELEGRAM, address)


async def actions_of(db, customer):
    async with db.reading() as work:
        return [entry.action for entry in await work.audit.of_customers([customer.id])]


async def rows(db):
    async with db.reading() as work:
        found = await work.conversations._connection.execute(select(tables.account_links))
        return [dict(row) for row in found.mappings()]


async def test_whoever_comes_by_the_link_is_that_customer_for_half_a_year(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)

    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED

    talk = await talk_of(sql_db, clock)
    assert talk.verified_customer(clock.now()) == maria.id
    assert talk.verified_customer(clock.now() + CONNECTED_FOR - timedelta(seconds=1)) == maria.id
    assert talk.verified_customer(clock.now() + CONNECTED_FOR) is None
    assert (await account_of(sql_db)).customer_id == maria.id
    assert await actions_of(sql_db, maria) == ["link", "connect_account"]


async def test_the_token_fits_into_any_link_and_is_kept_nowhere(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)

    assert TOKEN.fullmatch(token) and len(token) >= 40
    assert token not in str(await rows(sql_db))


async def test_a_link_works_once(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)

    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED
    assert await comes_by(sql_db, clock, token, "2002") is LinkUse.OVER
    assert (await account_of(sql_db, "2002")).customer_id is None


async def test_of_many_who_come_at_once_one_is_connected(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)

    found = await asyncio.gather(*(comes_by(sql_db, clock, token, str(number)) for number in range(8)))

    assert found.count(LinkUse.CONNECTED) == 1 and found.count(LinkUse.OVER) == 7


async def test_who_comes_by_it_again_is_connected_still(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)
    await comes_by(sql_db, clock, token)

    clock.advance(LINK_LIFETIME * 2)
    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED
    assert (await talk_of(sql_db, clock)).verified_until == clock.now() - LINK_LIFETIME * 2 + CONNECTED_FOR


async def test_a_link_runs_out(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)

    clock.advance(LINK_LIFETIME)
    assert await comes_by(sql_db, clock, token) is LinkUse.OVER
    assert (await talk_of(sql_db, clock)).customer_id is None


@pytest.mark.parametrize("token", ["", "x", "A" * 64, "A" * 65, "a b", "ü", "../..", "' OR 1=1"])
async def test_a_made_up_link_connects_nobody(sql_db, clock, token):
    await made_for(sql_db, clock, await stored_customer(sql_db))

    assert await comes_by(sql_db, clock, token) is LinkUse.OVER
    async with sql_db.reading() as work:
        assert not await is_good_link(work, clock, TELEGRAM, token)


async def test_a_link_is_for_the_channel_it_was_made_for(sql_db, clock):
    token = await made_for(sql_db, clock, await stored_customer(sql_db))

    assert await comes_by(sql_db, clock, token, channel=WEB) is LinkUse.OVER
    async with sql_db.reading() as work:
        assert not await is_good_link(work, clock, WEB, token)
        assert await is_good_link(work, clock, TELEGRAM, token)


async def test_an_account_of_another_customer_stays_theirs(sql_db, clock):
    maria, john = await stored_customer(sql_db), await stored_customer(sql_db)
    await comes_by(sql_db, clock, await made_for(sql_db, clock, maria))
    before = await talk_of(sql_db, clock)
    token = await made_for(sql_db, clock, john)

    assert await comes_by(sql_db, clock, token) is LinkUse.OTHERS
    assert await talk_of(sql_db, clock) == before
    assert (await account_of(sql_db)).customer_id == maria.id
    assert await actions_of(sql_db, john) == ["link", "refuse_link"]

    async with sql_db.transaction() as work:
        await sign_out(work, clock, await work.conversations.lock(before.id))
    # The link was not used up by the refusal.
    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED
    after = await talk_of(sql_db, clock)
    assert after.id != before.id and after.verified_customer(clock.now()) == john.id
    assert (await conversation_now(sql_db, before.id)).customer_id == maria.id


async def test_an_account_stays_its_customers_when_half_a_year_is_over(sql_db, clock):
    maria, john = await stored_customer(sql_db), await stored_customer(sql_db)
    await comes_by(sql_db, clock, await made_for(sql_db, clock, maria))
    clock.advance(CONNECTED_FOR)

    assert await comes_by(sql_db, clock, await made_for(sql_db, clock, john)) is LinkUse.OTHERS
    assert await comes_by(sql_db, clock, await made_for(sql_db, clock, maria)) is LinkUse.CONNECTED
    assert (await talk_of(sql_db, clock)).verified_customer(clock.now()) == maria.id


async def test_what_somebody_wrote_before_is_not_given_to_whoever_sent_them_a_link(sql_db, clock):
    sender = await stored_customer(sql_db)
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "1", Said("1001", "I am ill, and live in 5 Elm Street"))
    before = await talk_of(sql_db, clock)
    token = await made_for(sql_db, clock, sender)
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "2", Arrived("1001", token))

    after, was = await talk_of(sql_db, clock), await conversation_now(sql_db, before.id)
    assert (was.customer_id, was.verified_until, was.signed_out_at) == (None, None, clock.now())
    assert after.id != before.id and after.verified_customer(clock.now()) == sender.id
    async with sql_db.reading() as work:
        (arrived,) = await work.messages.after(after.id, 0)
        data = await export_customer(work, sender.id)
    assert '"connected"' in arrived.payload
    assert [one["id"] for one in data["conversations"]] == [after.id]
    assert [one["text"] for one in data["messages"]] == [ARRIVED]


async def test_what_was_written_before_stays_nobodys_after_logging_out(sql_db, clock):
    sender = await stored_customer(sql_db)
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "1", Said("1001", "I am ill"))
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "2", Arrived("1001", await made_for(sql_db, clock, sender)))
    connected = await talk_of(sql_db, clock)
    async with sql_db.transaction() as work:
        await sign_out(work, clock, await work.conversations.lock(connected.id))
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "3", Said("1001", "Who was that?"))

    async with sql_db.reading() as work:
        data = await export_customer(work, sender.id)
    assert [one["text"] for one in data["messages"]] == [ARRIVED]


async def test_a_conversation_of_nobody_is_not_in_the_data_of_whom_its_account_is_linked_with(sql_db, clock):
    maria = await stored_customer(sql_db)
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "1", Said("1001", "I am ill"))
    async with sql_db.transaction() as work:
        await work.customers.link_account(TELEGRAM, "1001", maria.id)

    async with sql_db.reading() as work:
        data = await export_customer(work, maria.id)
    assert (data["conversations"], data["messages"]) == ([], [])


async def test_a_conversation_that_was_left_is_not_connected(sql_db, clock):
    maria = await stored_customer(sql_db)
    talk = await talk_of(sql_db, clock)
    token = await made_for(sql_db, clock, maria)
    async with sql_db.transaction() as work:
        left = await sign_out(work, clock, await work.conversations.lock(talk.id))
        assert await use_link(work, clock, left, token) is LinkUse.OVER

    assert (await conversation_now(sql_db, talk.id)).customer_id is None
    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED


async def test_only_so_many_links_an_hour_are_made(sql_db, clock):
    maria, john = await stored_customer(sql_db), await stored_customer(sql_db)
    made = await asyncio.gather(*(made_for(sql_db, clock, maria) for _ in range(LINKS_AT_MOST + 3)))

    assert sum(token is not None for token in made) == LINKS_AT_MOST
    assert await made_for(sql_db, clock, john) is not None
    clock.advance(LINKS_WINDOW)
    assert await made_for(sql_db, clock, maria) is not None


async def test_old_links_are_forgotten(sql_db, clock):
    maria = await stored_customer(sql_db)
    await made_for(sql_db, clock, maria)
    clock.advance(timedelta(days=2))
    await made_for(sql_db, clock, maria)

    assert len(await rows(sql_db)) == 1


async def test_a_link_of_somebody_who_was_merged_is_that_of_who_they_turned_out_to_be(sql_db, clock):
    kept, merged = await stored_customer(sql_db), await stored_customer(sql_db)
    token = await made_for(sql_db, clock, merged)
    async with sql_db.transaction() as work:
        await merge_customers(work, clock, kept.id, merged.id, reason="the same", author="agent:Ana")

    assert await comes_by(sql_db, clock, token) is LinkUse.CONNECTED
    assert (await talk_of(sql_db, clock)).verified_customer(clock.now()) == kept.id


async def test_a_link_of_somebody_who_was_erased_is_over(sql_db, clock):
    maria = await stored_customer(sql_db)
    token = await made_for(sql_db, clock, maria)
    async with sql_db.transaction() as work:
        await erase_customer(work, clock, maria.id, actor="operator")

    assert await comes_by(sql_db, clock, token) is LinkUse.OVER
