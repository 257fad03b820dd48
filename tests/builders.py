"""Records for tests: whole and valid, with only the interesting parts spelled out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.conversations import (
    Author,
    Conversation,
    ConversationEvent,
    ConversationId,
    InboundMessage,
    Message,
    MessageId,
    Owner,
    TurnState,
)
from bot.core.customers import ChannelIdentity, Customer, CustomerId, IdentityId
from bot.core.handoffs import Handoff, HandoffId, HandoffReason, HandoffState
from bot.core.opening_hours import Interval, OpeningHours
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.core.refunds import Refund, RefundId, RefundReason, RefundStatus
from bot.core.requests import RequestKind, ServiceRequest
from bot.core.returns import Return, ReturnStatus
from bot.core.shop import Shop
from bot.core.verification import VerificationCode, hash_code
from bot.services.conversations import receive_message
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, Hint, OutboxEntry, VerificationAttempt, WorkerState
from tests.fakes import MONDAY_MORNING as NOW


def a_shop(**changes: Any) -> Shop:
    every_day = tuple((Interval.parse("08:00-20:00"),) for _ in range(7))
    return Shop(
        **{
            "name": "Corner Shop",
            "assistant_name": "Suki",
            "currency": "USD",
            "hours": OpeningHours(ZoneInfo("Asia/Manila"), every_day),
            "order_prefix": "TC",
            "contact_email": "team@corner.example",
            **changes,
        }
    )


def a_customer(**changes: Any) -> Customer:
    unique = new_id()
    return Customer(
        **{
            "id": CustomerId(unique),
            "external_id": f"C-{unique}",
            "name": "Maria Santos",
            "email": f"{unique}@example.com",
            "created_at": NOW,
            **changes,
        }
    )


def an_identity(**changes: Any) -> ChannelIdentity:
    unique = new_id()
    return ChannelIdentity(
        **{
            "id": IdentityId(unique),
            "channel": "web",
            "external_id": unique,
            "customer_id": None,
            "created_at": NOW,
            **changes,
        }
    )


def a_conversation(identity: ChannelIdentity, **changes: Any) -> Conversation:
    return Conversation(
        **{
            "id": ConversationId(new_id()),
            "channel": identity.channel,
            "identity_id": identity.id,
            "owner": Owner.BOT,
            "last_seq": 0,
            "created_at": NOW,
            **changes,
        }
    )


def an_inbound(text: str = "Where is my order?", **changes: Any) -> InboundMessage:
    return InboundMessage(**{"external_id": new_id(), "text": text, **changes})


def a_message(conversation: Conversation, **changes: Any) -> Message:
    """A line of the conversation: the customer's and waiting, unless another author is given."""
    inbound = changes.get("author", Author.CUSTOMER) is Author.CUSTOMER
    return Message(
        **{
            "id": MessageId(new_id()),
            "conversation_id": conversation.id,
            "seq": 1,
            "author": Author.CUSTOMER,
            "text": "Where is my order?",
            "at": NOW,
            "external_id": new_id() if inbound else None,
            "turn_state": TurnState.PENDING if inbound else None,
            **changes,
        }
    )


def an_order(**changes: Any) -> Order:
    return Order(
        **{
            "number": "TC-10002",
            "customer_id": None,
            "email": "maria@example.com",
            "postcode": "1200",
            "status": OrderStatus.SHIPPED,
            "placed_at": NOW,
            "total_minor": 2_900,
            "currency": "USD",
            "lines": (OrderLine("MUG", "Mug", 2, 1_450),),
            **changes,
        }
    )


def a_refund(**changes: Any) -> Refund:
    """Money for a problem with the order: still owed, unless it is given when it was paid."""
    return Refund(
        **{
            "id": RefundId(new_id()),
            "order_number": "TC-10002",
            "amount_minor": 2_900,
            "currency": "USD",
            "reason": RefundReason.PROBLEM,
            "status": RefundStatus.PAID if changes.get("paid_at") else RefundStatus.PENDING,
            "requested_at": NOW,
            **changes,
        }
    )


def a_return(order: Order, **changes: Any) -> Return:
    """Everything in the order, unless other lines are given."""
    return Return(
        **{
            "number": "R-482915",
            "order_number": order.number,
            "customer_id": order.customer_id,
            "status": ReturnStatus.REQUESTED,
            "reason": "Too small.",
            "created_at": NOW,
            "lines": order.lines,
            **changes,
        }
    )


def a_request(conversation: Conversation, **changes: Any) -> ServiceRequest:
    return ServiceRequest(
        **{
            "number": "S-482915",
            "kind": RequestKind.COMPLAINT,
            "conversation_id": conversation.id,
            "text": "The mug is chipped.",
            "created_at": NOW,
            **changes,
        }
    )


def a_code(conversation: Conversation, **changes: Any) -> VerificationCode:
    """The code 123456, for nobody, unless a customer is given."""
    return VerificationCode(
        **{
            "id": new_id(),
            "conversation_id": conversation.id,
            "email": "maria@example.com",
            "customer_id": None,
            "code_hash": hash_code("123456", "salt"),
            "created_at": NOW,
            "expires_at": NOW + timedelta(minutes=10),
            **changes,
        }
    )


def a_handoff(conversation: Conversation, **changes: Any) -> Handoff:
    return Handoff(
        **{
            "id": HandoffId(new_id()),
            "conversation_id": conversation.id,
            "reason": HandoffReason.ASKED,
            "requested_at": NOW,
            "waiting_since": NOW,
            "state": HandoffState.CLOSED if changes.get("closed_at") else HandoffState.WAITING,
            **changes,
        }
    )


def an_entry(**changes: Any) -> OutboxEntry:
    unique = new_id()
    return OutboxEntry(
        **{
            "id": unique,
            "key": f"test:{unique}",
            "kind": "mail",
            "payload": {"to": "team@corner.example", "subject": "Hello", "body": "Hello.", "reply_to": None},
            "created_at": NOW,
            "next_attempt_at": NOW,
            **changes,
        }
    )


def an_attempt(conversation: Conversation, **changes: Any) -> VerificationAttempt:
    return VerificationAttempt(
        **{
            "id": new_id(),
            "conversation_id": conversation.id,
            "kind": "order_lookup",
            "subject": "TC-10002",
            "succeeded": False,
            "at": NOW,
            **changes,
        }
    )


def a_worker(**changes: Any) -> WorkerState:
    return WorkerState(**{"id": "worker-1", "started_at": NOW, "seen_at": NOW, "model": "kasuki", **changes})


# What is in a database


async def stored_conversation(db: Database, **changes: Any) -> Conversation:
    """A conversation that exists, with the identity it belongs to."""
    identity = an_identity(channel=changes.get("channel", "web"))
    conversation = a_conversation(identity, **changes)
    async with db.transaction() as work:
        await work.customers.add_identity(identity)
        await work.conversations.add(conversation)
    return conversation


async def stored_customer(db: Database, **changes: Any) -> Customer:
    customer = a_customer(**changes)
    async with db.transaction() as work:
        await work.customers.add(customer)
    return customer


async def stored_order(db: Database, **changes: Any) -> Order:
    order = an_order(**changes)
    async with db.transaction() as work:
        await work.orders.add(order)
    return order


async def written(db: Database, clock: Clock, conversation: Conversation, *texts: str) -> list[Message]:
    """What the customer wrote, recorded, one message a text."""
    return [await receive_message(db, clock, conversation.id, an_inbound(text)) for text in texts or ("Hello",)]


async def change_owner(db: Database, clock: Clock, conversation_id: str, owner: Owner) -> Conversation:
    """The conversation, somebody else's at once, without all that comes of asking for a person."""
    async with db.transaction() as work:
        conversation = await work.conversations.lock(ConversationId(conversation_id))
        assert conversation is not None
        conversation = replace(conversation, owner=owner)
        await work.conversations.save(conversation)
        event = ConversationEvent(conversation.id, "owner_changed", clock.now(), {"owner": owner.value})
        await work.conversations.add_event(event)
        work.hint(Hint("outbound", conversation.id))
        return conversation


async def conversation_now(db: Database, conversation_id: str) -> Conversation:
    async with db.reading() as work:
        conversation = await work.conversations.get(ConversationId(conversation_id))
    assert conversation is not None
    return conversation


async def messages_now(db: Database, conversation_id: str) -> list[Message]:
    async with db.reading() as work:
        return await work.messages.after(ConversationId(conversation_id), 0, 1_000)


async def events_now(db: Database, conversation_id: str, kind: str | None = None) -> list[ConversationEvent]:
    async with db.reading() as work:
        found = await work.conversations.events(ConversationId(conversation_id))
    return [event for event in found if kind in (None, event.kind)]
