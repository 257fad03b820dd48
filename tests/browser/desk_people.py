"""Customers of the desk's tests: who they have proven to be, and what there was between them and the shop."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bot.core.conversations import Author, ConversationId, Message, MessageId
from bot.core.customers import Customer, Note, Tag
from bot.core.feedback import Feedback, FeedbackId, FeedbackKind
from bot.core.handoffs import HandoffReason
from bot.core.orders import OrderLine
from bot.services.ids import new_id
from bot.services.ports import Hint, UnitOfWork
from tests.browser.desk_window import DeskWindow
from tests.builders import a_customer, an_order


def stored(desk: DeskWindow, **about: Any) -> Customer:
    """A customer of the shop."""
    customer = a_customer(**about)
    desk.change(lambda work: work.customers.add(customer))
    return customer


def proven(desk: DeskWindow, conversation_id: str, customer: Customer) -> None:
    """Whoever writes there has proven to be this customer."""

    async def prove(work: UnitOfWork) -> None:
        talk = await work.conversations.lock(ConversationId(conversation_id))
        assert talk is not None
        until = desk.now() + timedelta(hours=1)
        await work.conversations.save(replace(talk, customer_id=customer.id, verified_until=until))

    desk.change(prove)


def with_history(desk: DeskWindow, customer: Customer, words: str, number: str) -> None:
    """An order, some feedback, a note and a tag of theirs, all of which say something."""

    async def add(work: UnitOfWork) -> None:
        lines = (OrderLine("MUG", words[:100], 1, 1_450),)
        await work.orders.add(an_order(number=number, customer_id=customer.id, lines=lines, carrier=words[:40]))
        said = Feedback(
            *(FeedbackId(new_id()), FeedbackKind.COMMENT, new_id()),
            customer_id=customer.id,
            answered_at=desk.now(),
            text=words,
        )
        await work.feedback.add(said)
        await work.notes.add(Note(new_id(), customer.id, words[:40], words, desk.now()))
        await work.notes.add_tag(customer.id, Tag(words[:40].lower(), "Ben", desk.now()))

    desk.change(add)


def to_call_back(desk: DeskWindow, conversation_id: str, contact: str) -> None:
    """They are to be called back."""
    desk.wants_a_person(conversation_id, reason=HandoffReason.CALLBACK, contact=contact, call_back=True)


def understood(desk: DeskWindow, conversation_id: str, seq: int, intent: str, confidence: float) -> None:
    """What the assistant took a message for."""

    async def note(work: UnitOfWork) -> None:
        (message,) = await work.messages.after(ConversationId(conversation_id), seq - 1, 1)
        parsed = {"intent": {"name": intent, "confidence": confidence}}
        event = {"event": "user", "message_id": message.id, "parse_data": parsed}
        await work.tracker_events.append(ConversationId(conversation_id), seq, [(json.dumps(event), False)], desk.now())

    desk.change(note)


def long_talk(desk: DeskWindow, conversation_id: str, count: int) -> None:
    """The bot says many things, each with its number."""

    async def talk(work: UnitOfWork) -> None:
        conversation = await work.conversations.lock(ConversationId(conversation_id))
        assert conversation is not None
        at, first = desk.now() - timedelta(days=2), conversation.last_seq + 1
        said = [
            Message(MessageId(new_id()), conversation.id, seq, Author.BOT, f"line {seq}", at + timedelta(seconds=seq))
            for seq in range(first, first + count)
        ]
        await work.messages.add(*said, channel=conversation.channel)
        await work.conversations.save(replace(conversation, last_seq=first + count - 1))
        work.hint(Hint("outbound", conversation.id))

    desk.change(talk)
