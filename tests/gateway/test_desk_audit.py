"""Who has looked at whom: nothing at the desk shows a customer without a line in the audit log, and none is doubled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from bot.core.conversations import ConversationId
from bot.services.desk_views import READ_AGAIN_AFTER
from bot.storage import tables
from tests.builders import a_customer
from tests.gateway.desk_fixtures import ana, ben, desk_gateway, helped, waiting
from tests.gateway.test_desk_customers import maria

__all__ = ["ana", "ben", "desk_gateway", "helped", "maria", "waiting"]

ANA = "agent:ana@corner.example"


async def reads(gateway, conversation_id):
    """Who read the conversation, and whom they saw."""
    c = tables.audit_log.c
    query = select(c.actor, c.customer_id, c.detail).where(c.action == "read").order_by(c.id)
    async with gateway.store.reading() as work:
        rows = await work.customers._connection.execute(query)
        return [(row.actor, row.customer_id) for row in rows if row.detail == {"conversation": conversation_id}]


async def watched(frames, conversation_id):
    await frames.send({"type": "watch", "conversation_id": conversation_id})
    await frames.expect("viewers", conversation_id=conversation_id)


async def test_whoever_only_watches_is_in_the_audit_log_too(desk_gateway, ana, helped, maria):
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)

        assert await reads(desk_gateway, helped.conversation_id) == [(ANA, maria.id)]


async def test_what_cannot_be_noted_is_not_watched(desk_gateway, ana, helped, maria):
    async with ana.at_socket() as frames:
        desk_gateway.db.commit_error = ConnectionRefusedError("the disk is full")
        await frames.send({"type": "watch", "conversation_id": helped.conversation_id})
        await frames.closed()
        desk_gateway.db.commit_error = None

        assert [frame["type"] for frame in frames._unread if frame["type"] in ("viewers", "message")] == []


async def test_a_customer_who_says_who_they_are_meanwhile_is_noted_before_more_is_shown(desk_gateway, ana, helped):
    customer = a_customer(external_id="C-1001", email="maria@example.com")
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)
        async with desk_gateway.store.transaction() as work:
            await work.customers.add(customer)
            talk = await work.conversations.lock(ConversationId(helped.conversation_id))
            until = desk_gateway.clock.now() + timedelta(hours=1)
            await work.conversations.save(replace(talk, customer_id=customer.id, verified_until=until))
        await helped.say("It is me")
        await frames.expect("message")

    assert await reads(desk_gateway, helped.conversation_id) == [(ANA, None), (ANA, customer.id)]


async def test_a_conversation_that_stays_open_is_noted_once_in_a_while(desk_gateway, ana, ben, helped, maria):
    path = f"conversations/{helped.conversation_id}"
    for _ in range(4):
        await ana.get(path)
    async with ana.at_socket() as frames:
        await watched(frames, helped.conversation_id)
    await ben.get(path)
    desk_gateway.clock.ahead += READ_AGAIN_AFTER
    for _ in range(2):
        await ana.get(path)

    seen = [actor for actor, _ in await reads(desk_gateway, helped.conversation_id)]
    assert seen == [ANA, "agent:ben@corner.example", ANA]


async def test_whoever_may_be_the_same_person_is_noted_as_seen_too(desk_gateway, ana, ben, helped, maria):
    twin = a_customer(external_id="C-2002", name="M. Santos")
    async with desk_gateway.store.transaction() as work:
        await work.customers.add(twin)
    await ana.do(helped.conversation_id, "merge", other="C-2002")

    await ben.get(f"conversations/{helped.conversation_id}")

    assert await reads(desk_gateway, helped.conversation_id) == [
        ("agent:ben@corner.example", maria.id),
        ("agent:ben@corner.example", twin.id),
    ]
