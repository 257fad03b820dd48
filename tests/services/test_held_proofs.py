"""Proofs that do not run out while people speak, and logging out in the middle of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.core.channels import TELEGRAM
from bot.core.conversations import Author, Owner
from bot.core.handoffs import HandoffState, Stage, Step
from bot.core.held_proofs import AFTERWARDS, HELD
from bot.errors import SignedOut, StepRefused
from bot.services.account_links import LinkUse, issue_link, use_link
from bot.services.conversations import (
    ProvenIdentity,
    open_channel_conversation,
    open_web_conversation,
    receive_message,
    visible_conversation,
)
from bot.services.desk import reply as desk_reply
from bot.services.ids import new_id
from bot.services.sign_out import sign_out
from tests.builders import an_inbound, conversation_now, events_now, messages_now, stored_customer
from tests.services.desk import ANA, add_agents, agent_now, ask, open_always, see, stage, standing_now, step

PROOF = timedelta(minutes=30)


@pytest.fixture
async def shop(shop, sql_db):
    await add_agents(sql_db, ANA)
    return open_always(shop)


@pytest.fixture
async def maria(sql_db):
    return await stored_customer(sql_db)


async def come_in(db, clock, customer, conversation_id=None, proof=PROOF):
    identity = ProvenIdentity(customer.external_id, customer.email, customer.name, clock.now() + proof)
    found, _ = await open_web_conversation(db, clock, conversation_id=conversation_id, identity=identity)
    return found


@pytest.fixture
async def talk(sql_db, clock, maria):
    return await come_in(sql_db, clock, maria)


async def say(db, clock, talk, text="And then?"):
    return await receive_message(db, clock, talk.id, an_inbound(text=text), is_visitor=True)


@pytest.mark.parametrize("is_helped", [False, True])
async def test_nobody_is_cut_off_while_they_wait_or_speak_with_a_person(sql_db, clock, shop, talk, is_helped):
    await ask(sql_db, clock, shop, talk)
    if is_helped:
        await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    for _ in range(3):
        clock.advance(HELD - timedelta(minutes=1))
        assert await visible_conversation(sql_db, clock, talk.id) is not None
        await say(sql_db, clock, talk)


async def test_the_assistant_gets_no_longer_proof_than_it_had(sql_db, clock, shop, talk, maria):
    await ask(sql_db, clock, shop, talk)
    await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    await say(sql_db, clock, talk)
    clock.advance(timedelta(minutes=5))
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert (await conversation_now(sql_db, talk.id)).verified_until == talk.verified_until


async def test_whoever_comes_back_to_the_assistant_has_a_little_time(sql_db, clock, shop, talk, maria):
    await ask(sql_db, clock, shop, talk)
    clock.advance(timedelta(hours=1))
    await step(sql_db, clock, shop, talk, Step.CANCEL)
    assert (await conversation_now(sql_db, talk.id)).verified_customer(clock.now()) == maria.id
    await say(sql_db, clock, talk)

    clock.advance(AFTERWARDS)
    with pytest.raises(SignedOut):
        await say(sql_db, clock, talk)


async def test_nobody_keeps_a_proof_by_asking_again_and_again(sql_db, clock, shop, talk):
    for _ in range(4):
        clock.advance(AFTERWARDS - timedelta(minutes=1))
        if await visible_conversation(sql_db, clock, talk.id) is None:
            break
        await ask(sql_db, clock, shop, talk)
        await step(sql_db, clock, shop, talk, Step.CANCEL)

    clock.advance(AFTERWARDS)
    assert await visible_conversation(sql_db, clock, talk.id) is None
    assert clock.now() - talk.created_at < timedelta(hours=1, minutes=15)


async def test_whoever_was_spoken_with_has_a_little_time_however_short_their_proof_was(sql_db, clock, shop, talk):
    clock.advance(PROOF - timedelta(minutes=5))
    await ask(sql_db, clock, shop, talk)
    await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    await desk_reply(sql_db, clock, ANA, talk.id, "Hello!", new_id())
    clock.advance(timedelta(minutes=20))
    await see(sql_db, clock, ANA)
    await step(sql_db, clock, shop, talk, Step.RETURN, by=ANA)

    assert (await conversation_now(sql_db, talk.id)).verified_until == clock.now() + AFTERWARDS


async def test_a_connection_made_while_waiting_lasts(sql_db, clock, shop, maria):
    talk = await open_channel_conversation(sql_db, clock, channel=TELEGRAM, external_id="1001")
    async with sql_db.transaction() as work:
        locked = await work.conversations.lock(talk.id)
        proven = replace(locked, customer_id=maria.id, verified_until=clock.now() + timedelta(hours=1))
        await work.conversations.save(proven)
    await ask(sql_db, clock, shop, talk)
    async with sql_db.transaction() as work:
        token = await issue_link(work, clock, maria.id, TELEGRAM)
        assert await use_link(work, clock, await work.conversations.lock(talk.id), token) is LinkUse.CONNECTED
    until = (await conversation_now(sql_db, talk.id)).verified_until
    await step(sql_db, clock, shop, talk, Step.CANCEL)

    assert (await conversation_now(sql_db, talk.id)).verified_until == until > clock.now() + timedelta(days=100)


async def test_whoever_has_left_has_none(sql_db, clock, shop, talk):
    await ask(sql_db, clock, shop, talk)
    clock.advance(timedelta(hours=1))
    await step(sql_db, clock, shop, talk, Step.GIVE_UP)

    assert await visible_conversation(sql_db, clock, talk.id) is None


async def test_a_second_request_begins_from_the_proof_that_is_left(sql_db, clock, shop, talk):
    for _ in range(2):
        await ask(sql_db, clock, shop, talk)
        await step(sql_db, clock, shop, talk, Step.CANCEL)

    assert (await conversation_now(sql_db, talk.id)).verified_until == talk.verified_until


async def test_a_proof_that_has_run_out_is_not_brought_back(sql_db, clock, shop, talk):
    clock.advance(PROOF)
    await ask(sql_db, clock, shop, talk)

    standing = await standing_now(sql_db, talk)
    assert standing.conversation.verified_customer(clock.now()) is None
    assert standing.handoff.proof_until is None


@pytest.mark.parametrize("knew", [True, False])
async def test_a_short_token_of_the_website_does_not_cut_it_short(sql_db, clock, shop, maria, knew):
    if knew:
        talk = await come_in(sql_db, clock, maria)
    else:
        talk, _ = await open_web_conversation(sql_db, clock, conversation_id=None, identity=None)
    await ask(sql_db, clock, shop, talk)
    again = await come_in(sql_db, clock, maria, talk.id, proof=timedelta(minutes=5))
    assert again.id == talk.id

    clock.advance(timedelta(hours=1))
    assert await visible_conversation(sql_db, clock, talk.id) is not None
    await step(sql_db, clock, shop, talk, Step.CANCEL)
    clock.advance(AFTERWARDS)
    assert await visible_conversation(sql_db, clock, talk.id) is None


# Logging out


async def log_out(db, clock, talk):
    async with db.transaction() as work:
        return await sign_out(work, clock, await work.conversations.lock(talk.id))


@pytest.mark.parametrize("is_helped", [False, True])
async def test_whoever_logs_out_is_waited_for_by_nobody(sql_db, clock, shop, talk, is_helped):
    await ask(sql_db, clock, shop, talk)
    if is_helped:
        await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    clock.advance(timedelta(seconds=1))
    await see(sql_db, clock, ANA)
    await say(sql_db, clock, talk, "log me out")

    after = await conversation_now(sql_db, talk.id)
    assert (after.owner, after.signed_out_at, after.verified_until) == (Owner.BOT, clock.now(), None)
    assert await stage(sql_db, talk) is Stage.RESOLVED
    async with sql_db.reading() as work:
        assert await work.handoffs.line() == []
        last = await work.handoffs.last_of(talk.id)
    assert (last.state, last.outcome, last.closed_at) == (HandoffState.CLOSED, "log_out", clock.now())
    if is_helped:
        assert (await agent_now(sql_db, ANA)).free_since == clock.now()
    # Nothing asks them how it was: nobody is there to say.
    assert (await messages_now(sql_db, talk.id))[-1].author is Author.BOT
    (*_, left) = await events_now(sql_db, talk.id, "handoff_step")
    assert left.detail["step"] == "log_out"


async def test_a_call_back_stays_to_be_made_after_logging_out(sql_db, clock, shop, talk):
    await ask(sql_db, clock, shop, talk, contact="0917 555 0101", call_back=True)
    await log_out(sql_db, clock, talk)

    assert await stage(sql_db, talk) is Stage.CALLBACK
    with pytest.raises(StepRefused, match="would not see"):
        await step(sql_db, clock, shop, talk, Step.CLAIM, by=ANA)
    await step(sql_db, clock, shop, talk, Step.CALLED, by=ANA)
    assert await stage(sql_db, talk) is Stage.RESOLVED


async def test_nobody_steps_into_what_was_left_by_logging_out(sql_db, clock, shop, talk):
    await log_out(sql_db, clock, talk)

    with pytest.raises(StepRefused, match="would not see"):
        await step(sql_db, clock, shop, talk, Step.TAKE_OVER, by=ANA)
