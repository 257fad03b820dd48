"""The desk's lists: everything that a row shows, found by one query for the whole page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Label,
    RowMapping,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import Author, ConversationId
from bot.core.customers import CustomerId
from bot.core.desk_records import Listed, ListQuery
from bot.core.handoffs import HandoffState, Stage
from bot.storage import tables
from bot.storage.conversations import _conversation
from bot.storage.handoffs import _handoff

# A character that no label has.
_BETWEEN = "\n"
_TALK, _HANDOFF, _LAST = tables.conversations.c, tables.handoffs.c, tables.messages.alias("last_message").c
_CUSTOMER, _AGENT, _READ = tables.customers.c, tables.agents.c, tables.desk_reads.c
_LABEL = tables.conversation_labels.c
_OPEN = and_(_HANDOFF.conversation_id == _TALK.id, _HANDOFF.closed_at.is_(None))
_LAST_AT = func.coalesce(_LAST.at, _TALK.created_at, type_=tables.UtcDateTime())
_WAITING_SINCE = func.coalesce(_HANDOFF.waiting_since, _HANDOFF.requested_at, type_=tables.UtcDateTime())
_DUE_AT = func.coalesce(_HANDOFF.due_at, _HANDOFF.requested_at, type_=tables.UtcDateTime())
_URGENCY = -_HANDOFF.priority


class Order:
    """How a list is sorted: by which columns, and whether the highest come first."""

    def __init__(self, *keys: ColumnElement[Any], falling: bool = False) -> None:
        self.keys = (*keys, _TALK.id)
        self._falling = falling

    def sort(self) -> list[ColumnElement[Any]]:
        """The columns as the database sorts by them."""
        return [key.desc() if self._falling else key.asc() for key in self.keys]

    def beyond(self, place: Sequence[str]) -> ColumnElement[bool]:
        """What comes after a place; nothing where it is no place of this list."""
        try:
            values = [_read(key, word) for key, word in zip(self.keys, place, strict=True)]
        except ValueError:
            return false()
        here = tuple_(*(literal(value, key.type) for key, value in zip(self.keys, values, strict=True)))
        return tuple_(*self.keys) < here if self._falling else tuple_(*self.keys) > here

    def labels(self) -> list[Label[Any]]:
        """The columns under names by which place_of finds them."""
        return [key.label(f"key_{number}") for number, key in enumerate(self.keys)]

    def place_of(self, row: RowMapping) -> tuple[str, ...]:
        """Where a row stands in the list."""
        values = [row[f"key_{number}"] for number in range(len(self.keys))]
        return tuple(value.isoformat() if isinstance(value, datetime) else str(value) for value in values)


# First come, first served; what is due first; and what something happened in last.
_LINE = Order(_URGENCY, _WAITING_SINCE)
_DUE = Order(_DUE_AT)
_NEWEST = Order(_LAST_AT, falling=True)


def _read(key: ColumnElement[Any], word: str) -> Any:
    if isinstance(key.type, tables.UtcDateTime):
        return datetime.fromisoformat(word).astimezone(timezone.utc)
    return int(word) if key is _URGENCY else word


async def page(connection: AsyncConnection, query: ListQuery) -> list[Listed]:
    """A page of a list, in the list's own order."""
    order = {Stage.QUEUE.value: _LINE, Stage.CALLBACK.value: _DUE}.get(query.owner or "", _NEWEST)
    found = _rows(order).where(_TALK.last_seq > 0, _of(query))
    if query.before is not None:
        found = found.where(order.beyond(query.before))
    rows = await connection.execute(found.order_by(*order.sort()).limit(query.limit))
    return [_listed(row, order) for row in rows.mappings()]


async def one(connection: AsyncConnection, conversation_id: ConversationId) -> Listed | None:
    """One conversation as lists show it."""
    row = (await connection.execute(_rows(_NEWEST).where(_TALK.id == conversation_id))).mappings().first()
    return _listed(row, _NEWEST) if row else None


async def of_customers(connection: AsyncConnection, ids: Sequence[CustomerId], limit: int) -> list[Listed]:
    """The newest conversations of a person, newest first."""
    found = _rows(_NEWEST).where(_TALK.customer_id.in_(ids), _TALK.last_seq > 0)
    rows = await connection.execute(found.order_by(*_NEWEST.sort()).limit(limit))
    return [_listed(row, _NEWEST) for row in rows.mappings()]


def _rows(order: Order) -> Select[Any]:
    message = tables.messages.c
    since = or_(_HANDOFF.requested_at.is_(None), message.at >= _HANDOFF.requested_at)
    unread = select(func.count()).where(
        message.conversation_id == _TALK.id,
        message.author == Author.CUSTOMER.value,
        message.seq > func.coalesce(_READ.seq, 0),
        since,
    )
    labels = select(func.aggregate_strings(_LABEL.label, _BETWEEN)).where(_LABEL.conversation_id == _TALK.id)
    line = tables.handoffs.alias("line")
    rank = func.row_number().over(
        order_by=(line.c.priority.desc(), func.coalesce(line.c.waiting_since, line.c.requested_at), line.c.id)
    )
    waiting = line.c.state == HandoffState.WAITING.value
    places = select(line.c.id, rank.label("position")).where(waiting).subquery("places")
    last = _LAST.id.table
    source = (
        tables.conversations.outerjoin(tables.handoffs, _OPEN)
        .outerjoin(places, places.c.id == _HANDOFF.id)
        .outerjoin(tables.customers, _CUSTOMER.id == _TALK.customer_id)
        .outerjoin(tables.agents, _AGENT.id == _HANDOFF.agent_id)
        .outerjoin(tables.desk_reads, _READ.conversation_id == _TALK.id)
        .outerjoin(last, and_(_LAST.conversation_id == _TALK.id, _LAST.seq == _TALK.last_seq))
    )
    return select(
        *(column.label(f"talk_{column.name}") for column in _TALK),
        *(column.label(f"handoff_{column.name}") for column in _HANDOFF),
        *order.labels(),
        _CUSTOMER.name.label("customer_name"),
        _AGENT.name.label("agent_name"),
        _LAST.author.label("last_author"),
        _LAST.text.label("last_text"),
        _LAST.at.label("last_at"),
        places.c.position.label("position"),
        labels.scalar_subquery().label("labels"),
        case((_HANDOFF.id.is_not(None), unread.scalar_subquery()), else_=0).label("unread"),
    ).select_from(source)


def _of(query: ListQuery) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = [true()]
    match query.owner:
        case "queue" | "agent":
            wanted.append(_TALK.owner == query.owner)
        case "callback":
            wanted.append(_HANDOFF.state == HandoffState.CALLBACK.value)
        case "resolved":
            wanted += [_TALK.owner == "bot", _TALK.resolved_at.is_not(None), _HANDOFF.id.is_(None)]
        case "bot":
            wanted += [_TALK.owner == "bot", _HANDOFF.id.is_(None)]
    if query.agent_id is not None:
        wanted.append(_HANDOFF.agent_id == query.agent_id)
    if query.label is not None:
        wanted.append(_TALK.id.in_(select(_LABEL.conversation_id).where(_LABEL.label == query.label)))
    if query.text is not None:
        wanted.append(_with_words(query.text))
    return and_(*wanted)


def _with_words(text: str) -> ColumnElement[bool]:
    """Who it is, what they wrote, and the number of an order of theirs."""
    message, order = tables.messages.c, tables.orders.c

    def has(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return column.icontains(text, autoescape=True)

    said = select(message.conversation_id).where(has(message.text))
    ordered = select(order.customer_id).where(order.number == text.upper())
    who = (_CUSTOMER.name, _CUSTOMER.email, _CUSTOMER.external_id, _CUSTOMER.phone)
    return or_(
        _TALK.id == text,
        *(has(column) for column in who),
        has(cast(_TALK.visitor_details, Text)),
        _TALK.id.in_(said),
        _TALK.customer_id.in_(ordered),
    )


def _listed(row: RowMapping, order: Order) -> Listed:
    handoff = _part(row, "handoff_")
    return Listed(
        conversation=_conversation(_part(row, "talk_")),  # type: ignore[arg-type]
        handoff=_handoff(handoff) if handoff["id"] is not None else None,  # type: ignore[arg-type]
        customer_name=row["customer_name"],
        agent_name=row["agent_name"],
        last_author=Author(row["last_author"]) if row["last_author"] else None,
        last_text=row["last_text"],
        last_at=row["last_at"],
        labels=tuple(sorted(row["labels"].split(_BETWEEN))) if row["labels"] else (),
        position=row["position"],
        unread=row["unread"],
        place=order.place_of(row),
    )


def _part(row: RowMapping, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
