"""Asking for a person: once, with everything the person should know."""

from datetime import timedelta

import pytest

from bot.core.conversations import Author
from bot.core.handoffs import HandoffReason
from bot.services.handoffs import request_handoff
from bot.services.outbox import deliver_next
from bot.services.transcripts import TRANSCRIPT_MESSAGES
from tests.builders import (
    NOW,
    a_message,
    conversation_now,
    events_now,
    stored_conversation,
    stored_customer,
    written,
)


async def request(db, clock, shop, conversation, reason=HandoffReason.ASKED):
    async with db.transaction() as work:
        locked = await work.conversations.lock(conversation.id)
        return (await request_handoff(work, clock, shop, locked, reason)).handoff


async def mails(db, clock):
    sent = []

    async def deliver(mail):
        sent.append(mail)

    while await deliver_next(db, clock, deliver):
        pass
    return sent


async def test_a_request_is_recorded_and_mailed_with_what_was_said(db, clock, shop):
    conversation = await stored_conversation(db)
    await written(db, clock, conversation, "My mug is broken.", "Hello?")

    handoff = await request(db, clock, shop, conversation)

    assert (handoff.conversation_id, handoff.reason, handoff.requested_at) == (
        conversation.id,
        HandoffReason.ASKED,
        NOW,
    )
    async with db.reading() as work:
        assert await work.handoffs.open_for(conversation.id) == handoff
    (event,) = await events_now(db, conversation.id)
    assert event.kind == "handoff_step"
    assert event.detail == {"step": "ask_closed", "from": "bot", "to": "callback", "reason": "asked"}
    (mail,) = await mails(db, clock)
    assert (mail.to, mail.reply_to) == ("team@corner.example", None)
    assert mail.subject == "[Corner Shop] A visitor is waiting for a person"
    assert "Customer: a visitor without a sign-in" in mail.body
    assert mail.body.index("Customer: My mug is broken.") < mail.body.index("Customer: Hello?")
    assert conversation.id in mail.body


async def test_asking_again_asks_nobody_twice(db, clock, shop):
    conversation = await stored_conversation(db)
    first = await request(db, clock, shop, conversation)
    clock.advance(timedelta(minutes=20))

    again = await request(db, clock, shop, conversation, HandoffReason.TURN_FAILED)

    assert again == first
    assert len(await mails(db, clock)) == 1
    assert len(await events_now(db, conversation.id)) == 1


async def test_a_verified_customer_is_named_and_can_be_replied_to(db, clock, shop):
    maria = await stored_customer(db, external_id="C-1", email="maria@example.com")
    conversation = await stored_conversation(db, customer_id=maria.id, verified_until=NOW + timedelta(hours=1))

    await request(db, clock, shop, conversation)

    (mail,) = await mails(db, clock)
    assert mail.reply_to == "maria@example.com"
    assert mail.subject == "[Corner Shop] Maria Santos is waiting for a person"
    assert "Maria Santos (C-1, maria@example.com)" in mail.body


async def test_a_customer_whose_proof_has_run_out_is_not_named(db, clock, shop):
    maria = await stored_customer(db)
    conversation = await stored_conversation(db, customer_id=maria.id, verified_until=NOW)

    await request(db, clock, shop, conversation)

    (mail,) = await mails(db, clock)
    assert mail.reply_to is None
    assert "Maria" not in mail.subject + mail.body


async def test_of_a_long_conversation_the_end_is_mailed(db, clock, shop):
    count = TRANSCRIPT_MESSAGES + 20
    conversation = await stored_conversation(db, last_seq=count)
    async with db.transaction() as work:
        for seq in range(1, count + 1):
            author = Author.BOT if seq % 2 else Author.CUSTOMER
            line = a_message(conversation, seq=seq, text=f"line {seq:03}", author=author)
            await work.messages.add(line, channel="web")

    await request(db, clock, shop, conversation)

    (mail,) = await mails(db, clock)
    said = [line[-3:] for line in mail.body.rpartition("\n\n")[2].splitlines()]
    assert said == [f"{seq:03}" for seq in range(21, count + 1)]


@pytest.mark.parametrize("reason", list(HandoffReason))
async def test_every_reason_can_be_put_into_words(fake_db, clock, shop, reason):
    conversation = await stored_conversation(fake_db)

    await request(fake_db, clock, shop, conversation, reason)

    (mail,) = await mails(fake_db, clock)
    assert mail.body.splitlines()[0].endswith(".")


async def test_a_request_of_a_turn_that_fails_leaves_nothing(db, clock, shop):
    conversation = await stored_conversation(db)

    with pytest.raises(RuntimeError):
        async with db.transaction() as work:
            await request_handoff(work, clock, shop, conversation, HandoffReason.ASKED)
            raise RuntimeError

    async with db.reading() as work:
        assert await work.handoffs.open_for(conversation.id) is None
    assert await mails(db, clock) == []
    assert await conversation_now(db, conversation.id) == conversation
