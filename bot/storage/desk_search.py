"""Finding conversations by words: who somebody is, what they claim and wrote, and the numbers of their orders."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import CTE, ColumnElement, CompoundSelect, Select, Text, and_, cast, or_, select, union

from bot.storage import tables

# In so many of the newest messages words are looked for: reading all that was ever said takes seconds.
MESSAGES_SEARCHED = 100_000
_TALK, _CUSTOMER = tables.conversations.c, tables.customers.c


def _who(text: str) -> ColumnElement[bool]:
    return or_(
        *(
            column.icontains(text, autoescape=True)
            for column in (_CUSTOMER.name, _CUSTOMER.email, _CUSTOMER.external_id, _CUSTOMER.phone)
        )
    )


def _claimed(details: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    # As JSON has it, where other letters than those of English are numbers.
    return and_(details.is_not(None), cast(details, Text).icontains(json.dumps(text)[1:-1], autoescape=True))


def _ordered(text: str) -> Select[Any]:
    order = tables.orders.c
    return select(order.customer_id).where(order.number == text.upper(), order.customer_id.is_not(None))


def _labelled(text: str) -> Select[Any]:
    label = tables.conversation_labels.c
    return select(label.conversation_id).where(label.label.icontains(text, autoescape=True))


def has_words(text: str, among: CTE) -> ColumnElement[bool]:
    """Whether a conversation has the words: asked of each of those few, with its customer beside it.

    What was said and which labels there are is asked of all of them at once. Asked of each, PostgreSQL may think that
    all messages there are can be read as quickly.
    """
    message, few = tables.messages.c, among.c.conversation_id
    said = select(message.conversation_id).where(message.text.icontains(text, autoescape=True))
    return or_(
        _TALK.id == text,
        _who(text),
        _TALK.customer_id.in_(_ordered(text)),
        _claimed(_TALK.visitor_details, text),
        _TALK.id.in_(_labelled(text).join(among, few == tables.conversation_labels.c.conversation_id)),
        _TALK.id.in_(said.join(among, few == message.conversation_id)),
    )


def with_words(text: str) -> CompoundSelect[Any]:
    """All that have them: who it is, what they wrote of late, and the number of an order of theirs, each by itself."""
    talk, message = tables.conversations.alias("talk").c, tables.messages.c
    newest = select(message.conversation_id, message.text).order_by(message.at.desc()).limit(MESSAGES_SEARCHED)
    said = newest.subquery("said").c
    return union(
        select(talk.id).where(talk.id == text),
        select(talk.id).where(talk.customer_id.in_(select(_CUSTOMER.id).where(_who(text)))),
        select(talk.id).where(talk.customer_id.in_(_ordered(text))),
        select(talk.id).where(_claimed(talk.visitor_details, text)),
        _labelled(text),
        select(said.conversation_id).where(said.text.icontains(text, autoescape=True)),
    )
