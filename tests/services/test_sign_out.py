"""Logging out: nothing personal any more, for nobody, and the next one begins anew."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.channels.telegram.updates import read_update
from bot.core.channels import TELEGRAM
from bot.core.conversations import Author, Choice, Owner, TurnState
from bot.errors import LeaseLost, SignedOut
from bot.services.account_links import LinkUse, issue_link, use_link
from bot.services.channel_inbox import UPDATES_KEPT, Picked, Taken, forget_updates, take_in
from bot.services.conversations import (
    WAITING_AT_MOST,
    ProvenIdentity,
    open_channel_conversation,
    open_web_conversation,
    receive_message,
)
from bot.services.courier import Pace, Route, deliver_next
from bot.services.privacy import erase_customer, export_customer
from bot.services.sign_out import sign_out
from bot.services.turns import begin_turn, claim_turn
from bot.services.verification import CodeRefusal, check_code, send_code
from bot.storage import tables
from tests.builders import a_message, an_inbound, change_owner, conversation_now, events_now, stored_customer
from tests.services.test_courier import CAPABILITIES, say

HOUR = timedelta(hours=1)
A_CHAT = {"id": 1001, "type": "private"}


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
    assert await delivered(sql_db, clock) == ["You are logged out."]


async def flood(db, clock, talk):
    for _ in range(WAITING_AT_MOST):
        await receive_message(db, clock, talk.id, an_inbound())


async def messages_of(db, talk):
    async with db.reading() as work:
        return await work.messages.after(talk.id, 0)


async def delivered(db, clock):
    phone = Phone()

    async def at_once(_seconds):
        pass

    routes = {TELEGRAM: Route(phone, Pace(CAPABILITIES, lambda: 0.0, at_once))}
    while await deliver_next(db, clock, routes) is not None:
        pass
    return phone.seen


async def take_logout(db, clock, update_id="5"):
    update = read_update({"update_id": int(update_id), "message": {"chat": A_CHAT, "text": "/logout"}})
    return await take_in(db, clock, TELEGRAM, CAPABILITIES, update_id, update.event)


@pytest.mark.parametrize("owner", list(Owner))
async def test_the_command_logs_out_at_once_whoever_speaks_with_them(sql_db, clock, owner):
    maria = await stored_customer(sql_db)
    talk = await in_telegram(sql_db, clock, maria)
    if owner is not Owner.BOT:
        await change_owner(sql_db, clock, talk.id, owner)
    assert await take_logout(sql_db, clock) is Taken.RECORDED

    after = await conversation_now(sql_db, talk.id)
    assert (after.signed_out_at, after.verified_until) == (clock.now(), None)
    said, answer = await messages_of(sql_db, talk)
    assert (said.text, said.turn_state) == ("/logout", TurnState.NOT_FOR_BOT)
    assert (answer.author, answer.reply_to_seq, answer.seq) == (Author.BOT, 1, after.last_seq)
    assert answer.text.startswith("You are logged out here.") and "website" not in answer.text
    assert " ".join(await delivered(sql_db, clock)) == answer.text
    assert (await in_telegram(sql_db, clock)).id != talk.id


async def test_the_command_told_twice_logs_out_once(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    await take_logout(sql_db, clock)

    assert await take_logout(sql_db, clock) is Taken.REPEATED
    assert len(await messages_of(sql_db, talk)) == 2
    clock.advance(UPDATES_KEPT)
    clock.advance(HOUR)
    await forget_updates(sql_db, clock)
    assert await take_logout(sql_db, clock) is Taken.REPEATED


async def test_a_stranger_who_logs_out_by_the_command_is_told_so(sql_db, clock):
    talk = await in_telegram(sql_db, clock)
    await take_logout(sql_db, clock)

    assert (await messages_of(sql_db, talk))[-1].text.startswith("You were not logged in")
    assert (await in_telegram(sql_db, clock)).id != talk.id


async def test_after_the_command_nothing_that_waited_is_answered(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    await flood(sql_db, clock, talk)
    await take_logout(sql_db, clock)

    assert {one.turn_state for one in await messages_of(sql_db, talk) if one.author is Author.CUSTOMER} == {
        TurnState.NOT_FOR_BOT
    }
    assert await claim_turn(sql_db, clock, "worker") is None
    assert (await conversation_now(sql_db, talk.id)).signed_out_at == clock.now()
    (dropped,) = await events_now(sql_db, talk.id, "turn_dropped")
    assert dropped.detail["seqs"] == list(range(1, WAITING_AT_MOST + 1))


async def test_an_answer_that_was_being_worked_on_is_not_given_after_the_command(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    await receive_message(sql_db, clock, talk.id, an_inbound())
    turn = await claim_turn(sql_db, clock, "worker")
    await take_logout(sql_db, clock)

    with pytest.raises(LeaseLost):
        async with sql_db.transaction() as work:
            await begin_turn(work, clock, turn)


@pytest.mark.parametrize("owner", [Owner.QUEUE, Owner.AGENT])
@pytest.mark.parametrize("text", ["log me out", "Log out!", " LOGOUT ", "sign me out", "Sign out."])
async def test_on_the_website_the_words_log_out_where_a_person_speaks(sql_db, clock, owner, text):
    talk = await on_the_web(sql_db, clock, await stored_customer(sql_db))
    await change_owner(sql_db, clock, talk.id, owner)
    await receive_message(sql_db, clock, talk.id, an_inbound(text=text), is_visitor=True)

    after = await conversation_now(sql_db, talk.id)
    assert (after.signed_out_at, after.verified_until) == (clock.now(), None)
    answer = (await messages_of(sql_db, talk))[-1]
    assert answer.reply_to_seq == 1 and "sign out there, too" in answer.text


async def test_a_choice_to_log_out_that_is_still_there_does_where_a_person_speaks(sql_db, clock):
    talk = await in_telegram(sql_db, clock, await stored_customer(sql_db))
    await say(sql_db, talk, "Somebody else's account", choices=(Choice("Log me out", "/sign_out"),))
    await change_owner(sql_db, clock, talk.id, Owner.QUEUE)
    async with sql_db.transaction() as work:
        (token,) = await work.deliveries.tokens_of(talk.id, 1, (Choice("Log me out", "/sign_out"),))
    await take_in(sql_db, clock, TELEGRAM, CAPABILITIES, "5", Picked("1001", token))

    assert (await conversation_now(sql_db, talk.id)).signed_out_at == clock.now()


@pytest.mark.parametrize("text", ["how do I log out of the app?", "I cannot log out", "sign out front", "log"])
async def test_a_person_hears_what_only_speaks_of_logging_out(sql_db, clock, text):
    talk = await on_the_web(sql_db, clock, await stored_customer(sql_db))
    await change_owner(sql_db, clock, talk.id, Owner.AGENT)
    await receive_message(sql_db, clock, talk.id, an_inbound(text=text), is_visitor=True)

    assert (await conversation_now(sql_db, talk.id)).signed_out_at is None
    assert len(await messages_of(sql_db, talk)) == 1


async def test_where_the_bot_speaks_the_words_are_the_dialogues(sql_db, clock):
    talk = await on_the_web(sql_db, clock, await stored_customer(sql_db))
    message = await receive_message(sql_db, clock, talk.id, an_inbound(text="log me out"), is_visitor=True)

    assert message.turn_state is TurnState.PENDING
    assert (await conversation_now(sql_db, talk.id)).signed_out_at is None


async def test_in_a_flood_the_words_log_out_at_once(sql_db, clock):
    talk = await on_the_web(sql_db, clock, await stored_customer(sql_db))
    await flood(sql_db, clock, talk)
    await receive_message(sql_db, clock, talk.id, an_inbound(text="log me out"), is_visitor=True)

    assert (await conversation_now(sql_db, talk.id)).signed_out_at == clock.now()
    assert (await messages_of(sql_db, talk))[-1].text.startswith("You are logged out here.")


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
