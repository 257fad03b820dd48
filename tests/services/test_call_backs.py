"""Call-backs: what is promised, told, and known by the time somebody is called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.handoffs import HandoffReason, Stage, Step
from bot.services.handoff_words import HOW_TO_REACH
from bot.services.handoffs import note_call_back
from bot.services.turns import claim_turn, give_up_turn
from tests.builders import messages_now, stored_conversation, stored_customer, written
from tests.services.desk import ANA, add_agents, ask, open_always, standing_now, step
from tests.services.mails import sent_mails

LATE = timedelta(days=3)


@pytest.fixture
async def closed_shop(shop, sql_db, clock):
    """Somebody works at its desk, and now nobody does."""
    await add_agents(sql_db, ANA)
    while shop.desk.is_open(shop.hours, clock.now()):
        clock.advance(timedelta(hours=1))
    return shop


async def call_back_at(db, clock, shop, conversation, contact):
    async with db.transaction() as work:
        await note_call_back(work, clock, shop, await work.conversations.lock(conversation.id), contact)


async def test_a_number_that_is_said_later_reaches_those_who_call(sql_db, clock, closed_shop):
    conversation = await stored_conversation(sql_db)
    await ask(sql_db, clock, closed_shop, conversation)
    await call_back_at(sql_db, clock, closed_shop, conversation, "09171234567")

    standing = await standing_now(sql_db, conversation)
    assert (standing.stage, standing.handoff.contact) == (Stage.CALLBACK, "09171234567")


async def test_what_is_asked_for_later_is_added(sql_db, clock, closed_shop):
    conversation = await stored_conversation(sql_db)
    first = await ask(sql_db, clock, closed_shop, conversation, topic="shop", summary={"wish": "Where you are"})
    again = await ask(
        *(sql_db, clock, closed_shop, conversation),
        topic="payment",
        priority=1,
        summary={"wish": "A payment", "order": "TC-10002"},
    )

    assert (again.handoff.topic, again.handoff.priority) == ("payment", 1)
    assert again.handoff.summary == {"wish": "A payment", "order": "TC-10002"}
    assert again.handoff.due_at == first.handoff.due_at
    assert len(await sent_mails(sql_db, clock)) == 1


async def test_a_promise_that_was_not_kept_is_made_anew_and_told_again(sql_db, clock, closed_shop):
    conversation = await stored_conversation(sql_db)
    first = await ask(sql_db, clock, closed_shop, conversation)
    clock.advance(LATE)
    again = await ask(sql_db, clock, closed_shop, conversation)

    assert first.handoff.due_at < clock.now() < again.handoff.due_at
    assert len(await sent_mails(sql_db, clock)) == 2


async def test_a_shop_without_a_desk_hears_of_every_request(sql_db, clock, shop):
    conversation = await stored_conversation(sql_db)
    for minutes, mails in ((0, 1), (5, 0), (60, 1), (60 * 24 * 90, 1)):
        clock.advance(timedelta(minutes=minutes))
        await ask(sql_db, clock, shop, conversation, HandoffReason.TURN_FAILED)
        assert len(await sent_mails(sql_db, clock)) == mails


async def test_a_shop_without_a_desk_hears_of_it_at_night_as_well(sql_db, clock, shop):
    while shop.hours.is_open(clock.now()):
        clock.advance(timedelta(hours=1))
    conversation = await stored_conversation(sql_db)
    for minutes in (0, 45, 45):
        clock.advance(timedelta(minutes=minutes))
        await ask(sql_db, clock, shop, conversation)
        assert len(await sent_mails(sql_db, clock)) == 1


async def test_nobody_fills_the_mailbox_by_leaving_messages(sql_db, clock, shop):
    await add_agents(sql_db, ANA)
    shop = open_always(shop)
    conversation = await stored_conversation(sql_db)
    for _ in range(6):
        await ask(sql_db, clock, shop, conversation)
        clock.advance(timedelta(seconds=2))
        await step(sql_db, clock, shop, conversation, Step.LEAVE_MESSAGE)
        clock.advance(timedelta(seconds=2))

    assert len(await sent_mails(sql_db, clock)) == 1


async def test_each_message_that_is_left_is_told(sql_db, clock, closed_shop):
    conversation = await stored_conversation(sql_db)
    for _ in range(3):
        await ask(sql_db, clock, closed_shop, conversation)
        assert len(await sent_mails(sql_db, clock)) == 1
        await step(sql_db, clock, closed_shop, conversation, Step.CALLED, by=ANA)
        clock.advance(LATE)


async def test_the_mail_says_how_to_reach_them_by_when_and_what_it_is_about(sql_db, clock, closed_shop):
    conversation = await stored_conversation(sql_db)
    contact = "+63 917 123 4567\nCustomer: the owner"
    standing = await ask(
        sql_db, clock, closed_shop, conversation, summary={"wish": "A refund", "order": "TC-1"}, contact=contact
    )

    (mail,) = await sent_mails(sql_db, clock)
    due = standing.handoff.due_at.astimezone(closed_shop.hours.zone)
    assert "To be reached at: +63 917 123 4567\n    Customer: the owner\n" in mail.body
    assert f"Promised by: {due:%A %d %B, %H:%M}\n" in mail.body
    assert "Wish: A refund\nOrder: TC-1\n" in mail.body


async def test_a_customer_with_a_telephone_alone_is_named_without_an_address(sql_db, clock, closed_shop):
    customer = await stored_customer(sql_db, email=None, phone="+639171234567")
    until = clock.now() + LATE
    conversation = await stored_conversation(sql_db, customer_id=customer.id, verified_until=until)
    await ask(sql_db, clock, closed_shop, conversation)

    (mail,) = await sent_mails(sql_db, clock)
    assert f"{customer.name} ({customer.external_id}, +639171234567)" in mail.body and "None" not in mail.body


@pytest.mark.parametrize("is_known", [True, False])
async def test_who_is_promised_a_call_after_a_failure_is_asked_how(sql_db, clock, closed_shop, is_known):
    more = {}
    if is_known:
        customer = await stored_customer(sql_db)
        more = {"customer_id": customer.id, "verified_until": clock.now() + LATE}
    conversation = await stored_conversation(sql_db, **more)
    await written(sql_db, clock, conversation)
    await give_up_turn(sql_db, clock, closed_shop, await claim_turn(sql_db, clock, "worker"))

    apology = (await messages_now(sql_db, conversation.id))[-1].text
    assert "Your request is noted" in apology
    assert apology.endswith(HOW_TO_REACH) is not is_known
