"""The desk's lists: which conversations are on a page, and then, at one go, everything that its rows show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Row,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import Author, ConversationId
from bot.core.customers import CustomerId
from bot.core.desk_records import Listed, ListQuery
from bot.core.handoffs import HandoffState, Stage
from bot.storage import tables
from bot.storage.conversations import _conversation
from bot.storage.desk_search import has_words, with_words
from bot.storage.handoffs import _handoff

# So many of the newest conversations are looked through for words first.
LOOKED_THROUGH = 500
# A character that no label has.
_BETWEEN = "\n"
_TALK, _HANDOFF, _LAST = tables.conversations.c, tables.handoffs.c, tables.messages.alias("last_message").c
_CUSTOMER, _AGENT, _READ = tables.customers.c, tables.agents.c, tables.desk_reads.c
_LABEL = tables.conversation_labels.c
_OPEN = and_(_HANDOFF.conversation_id == _TALK.id, _HANDOFF.closed_at.is_(None))
_WAITING_SINCE = func.coalesce(_HANDOFF.waiting_since, _HANDOFF.requested_at, type_=tables.UtcDateTime())
_DUE_AT = func.coalesce(_HANDOFF.due_at, _HANDOFF.requested_at, type_=tables.UtcDateTime())
_URGENCY = -_HANDOFF.priority
_STATES = {"queue": HandoffState.WAITING, "agent": HandoffState.ACTIVE, "callback": HandoffState.CALLBACK}


class Order:
    """How a list is sorted: by which columns, and whether the highest come first."""

    def __init__(self, *keys: ColumnElement[Any], falling: bool = False, by_id: ColumnElement[str] = _TALK.id) -> None:
        self.keys = (*keys, by_id)
        self._falling = falling

    def sort(self) -> list[ColumnElement[Any]]:
        """The columns as the database sorts by them."""
        return [key.desc() if self._falling else key.asc() for key in self.keys]

    def beyond(self, place: Sequence[str]) -> ColumnElement[bool]:
        """What comes after a place; nothing where it is no place of this list."""
        try:
            values = [_read(key, word) for key, word in zip(self.keys, place, strict=True)]
        except (ValueError, OverflowError):
            return false()
        here = tuple_(*(literal(value, key.type) for key, value in zip(self.keys, values, strict=True)))
        return tuple_(*self.keys) < here if self._falling else tuple_(*self.keys) > here

    def place_of(self, row: Row[Any]) -> tuple[str, ...]:
        """Where a row of these columns stands in the list; its id is at the end."""
        return tuple(value.isoformat() if isinstance(value, datetime) else str(value) for value in row)


# First come, first served; what is due first; and what something happened in last.
_LINE = Order(_URGENCY, _WAITING_SINCE)
_DUE = Order(_DUE_AT)
_SETTLED = Order(_TALK.resolved_at, falling=True)
# Everything is read along an index, the newest first, until the page is full; of the few that somebody asked for, the
# newest are found by sorting, and no index tempts the database to read everything in search of them.
_NEWEST = Order(_LAST.at, falling=True, by_id=_LAST.conversation_id)
_NEWEST_OF_FEW = Order(func.coalesce(_LAST.at, _TALK.created_at, type_=tables.UtcDateTime()), falling=True)


def _read(key: ColumnElement[Any], word: str) -> Any:
    if isinstance(key.type, tables.UtcDateTime):
        return datetime.fromisoformat(word).astimezone(timezone.utc)
    return int(word) if key is _URGENCY else word


async def page(connection: AsyncConnection, query: ListQuery) -> list[Listed]:
    """A page of a list, in the list's own order."""
    if query.text is not None:
        places = await _search(connection, query, query.text)
    else:
        order = _order_of(query)
        places = await _places(connection, _chosen(query, order), order, query)
    return await _listed_at(connection, places, query.limit)


async def one(connection: AsyncConnection, conversation_id: ConversationId) -> Listed | None:
    """One conversation as lists show it."""
    found = await _listed_at(connection, [(conversation_id,)], 1)
    return found[0] if found else None


async def of_customers(connection: AsyncConnection, ids: Sequence[CustomerId], limit: int) -> list[Listed]:
    """The newest conversations of a person, newest first."""
    query, order = ListQuery(limit=limit), _NEWEST_OF_FEW
    return await _listed_at(
        connection,
        await _places(connection, _chosen(query, order).where(_TALK.customer_id.in_(ids)), order, query),
        limit,
    )


async def _search(connection: AsyncConnection, query: ListQuery, text: str) -> list[tuple[str, ...]]:
    """What has the words, newest first."""
    # What many have is in the newest ones; what is not is in few, which are then found by what they have.
    newest = _chosen(ListQuery(), _NEWEST)
    if query.before is not None:
        newest = newest.where(_NEWEST.beyond(query.before))
    among = newest.order_by(*_NEWEST.sort()).limit(LOOKED_THROUGH).cte("newest")
    matching = _chosen(query, _NEWEST_OF_FEW).outerjoin(tables.customers, _CUSTOMER.id == _TALK.customer_id)
    matching = matching.where(_TALK.id.in_(select(among.c.conversation_id)), has_words(text, among))
    places = await _places(connection, matching, _NEWEST_OF_FEW, query)
    if len(places) == query.limit:
        return places
    matching = _chosen(query, _NEWEST_OF_FEW).where(_TALK.id.in_(with_words(text)))
    return await _places(connection, matching, _NEWEST_OF_FEW, query)


async def _places(
    connection: AsyncConnection, chosen: Select[Any], order: Order, query: ListQuery
) -> list[tuple[str, ...]]:
    """Where the conversations of a page stand: what it is sorted by, and their ids at the end."""
    if query.before is not None:
        chosen = chosen.where(order.beyond(query.before))
    return [order.place_of(row) for row in await connection.execute(chosen.order_by(*order.sort()).limit(query.limit))]


def _order_of(query: ListQuery) -> Order:
    match query.owner:
        case Stage.QUEUE.value:
            return _LINE
        case Stage.CALLBACK.value:
            return _DUE
        case Stage.RESOLVED.value:
            return _SETTLED
    few = query.agent_id or query.label or query.owner == Stage.AGENT.value
    return _NEWEST_OF_FEW if few else _NEWEST


def _chosen(query: ListQuery, order: Order) -> Select[Any]:
    """The conversations of a list, whatever words they have, with what the list is sorted by."""
    source: FromClause = tables.conversations
    if order in (_NEWEST, _NEWEST_OF_FEW):
        # What was never said anything in is in no list.
        source = _LAST.id.table.join(source, and_(_LAST.conversation_id == _TALK.id, _LAST.seq == _TALK.last_seq))
    wanted: list[ColumnElement[bool]] = [_TALK.last_seq > 0]
    if query.owner in _STATES or query.agent_id is not None:
        # Found by the request, which has a small index: of conversations that the assistant has there are very many.
        source = source.join(tables.handoffs, _OPEN)
        wanted.append(_HANDOFF.closed_at.is_(None))
    else:
        idle = select(_HANDOFF.id).where(_OPEN).correlate(tables.conversations).exists()
    match query.owner:
        case "queue" | "agent" | "callback":
            wanted.append(_HANDOFF.state == _STATES[query.owner].value)
        case "resolved":
            wanted += [_TALK.owner == "bot", _TALK.resolved_at.is_not(None), ~idle]
        case "bot":
            wanted += [_TALK.owner == "bot", ~idle]
    if query.agent_id is not None:
        wanted.append(_HANDOFF.agent_id == query.agent_id)
    if query.label is not None:
        wanted.append(_TALK.id.in_(select(_LABEL.conversation_id).where(_LABEL.label == query.label)))
    return select(*order.keys).select_from(source).where(*wanted)


def _row_query() -> Select[Any]:
    """Everything that rows show, of the conversations with these ids."""
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
    waiting = and_(line.c.state == HandoffState.WAITING.value, line.c.closed_at.is_(None))
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
    query = select(
        *(column.label(f"talk_{column.name}") for column in _TALK),
        *(column.label(f"handoff_{column.name}") for column in _HANDOFF),
        _CUSTOMER.name.label("customer_name"),
        _AGENT.name.label("agent_name"),
        _LAST.author.label("last_author"),
        _LAST.text.label("last_text"),
        _LAST.at.label("last_at"),
        places.c.position.label("position"),
        labels.scalar_subquery().label("labels"),
        case((_HANDOFF.id.is_not(None), unread.scalar_subquery()), else_=0).label("unread"),
    )
    return query.select_from(source).where(_TALK.id.in_(bindparam("ids", expanding=True)))


# Built once: building it anew takes longer than running it.
_ROWS = _row_query()


async def _listed_at(connection: AsyncConnection, places: Sequence[tuple[str, ...]], limit: int) -> list[Listed]:
    if not places:
        return []
    ids = [place[-1] for place in places]
    # Always as many, so that the database prepares one statement and not one for each length of a list.
    asked = {"ids": [*ids, *ids[-1:] * (limit - len(ids))]}
    rows = {row["talk_id"]: row for row in (await connection.execute(_ROWS, asked)).mappings()}
    return [_listed(rows[place[-1]], place) for place in places if place[-1] in rows]


def _listed(row: RowMapping, place: tuple[str, ...]) -> Listed:
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
        place=place,
    )


def _part(row: RowMapping, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
