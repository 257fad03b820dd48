"""A customer's timeline in the database: one query a kind, each ended by its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.timeline import KINDS, Place, TimelineEntry
from bot.storage import tables


@dataclass(frozen=True)
class _Source:
    """Where entries of one kind come from: their moment, what names them, whose they are, and what is told of them."""

    kind: str
    at: ColumnElement[Any]
    id: ColumnElement[Any]
    owner: ColumnElement[Any]
    told: tuple[ColumnElement[Any], ...]
    source: FromClause | None = None


def _sources() -> Iterator[_Source]:
    o, refund, r = tables.orders.c, tables.refunds.c, tables.returns.c
    yield _Source("order", o.placed_at, o.number, o.customer_id, (o.status, o.total_minor, o.currency))
    yield _Source(
        "refund",
        refund.requested_at,
        refund.id,
        o.customer_id,
        (refund.order_number, refund.amount_minor, refund.currency, refund.reason, refund.status),
        tables.refunds.join(tables.orders, o.number == refund.order_number),
    )
    yield _Source("return", r.created_at, r.number, r.customer_id, (r.order_number, r.status, r.reason))
    talk, handoff, request = tables.conversations.c, tables.handoffs.c, tables.service_requests.c
    yield _Source("conversation", talk.created_at, talk.id, talk.customer_id, (talk.channel, talk.owner, talk.last_seq))
    yield _Source(
        "handoff",
        handoff.requested_at,
        handoff.id,
        talk.customer_id,
        (handoff.conversation_id, handoff.reason, handoff.closed_at),
        tables.handoffs.join(tables.conversations, talk.id == handoff.conversation_id),
    )
    yield _Source(
        "request",
        request.created_at,
        request.number,
        request.customer_id,
        (request.kind, request.order_number, request.text, request.rating, request.closed_at),
    )
    f, entry, voucher = tables.feedback.c, tables.ledger_entries.c, tables.vouchers.c
    yield _Source(
        "feedback",
        func.coalesce(f.answered_at, f.declined_at, f.asked_at),
        f.id,
        f.customer_id,
        (f.kind, f.order_number, f.score, f.text, f.declined_at),
    )
    yield _Source(
        "ledger", entry.at, entry.id, entry.customer_id, (entry.kind, entry.points, entry.source, entry.expires_at)
    )
    yield _Source(
        "voucher",
        voucher.created_at,
        voucher.code,
        voucher.customer_id,
        (voucher.kind, voucher.title, voucher.uses, voucher.expires_at, voucher.cancelled_at),
    )
    stamp, consent, note = tables.stamps.c, tables.consents.c, tables.customer_notes.c
    yield _Source("stamp", stamp.at, stamp.id, stamp.customer_id, (stamp.card, stamp.kind, stamp.stamps, stamp.source))
    yield _Source(
        "consent",
        consent.at,
        consent.id,
        tuple_(consent.channel, consent.address_hash),
        (consent.channel, consent.purpose, consent.granted, consent.wording, consent.source),
    )
    yield _Source("note", note.created_at, note.id, note.customer_id, (note.author, note.text))


_SOURCES = {source.kind: source for source in _sources()}


class SqlTimeline:
    """TimelineRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self,
        kind: str,
        ids: Sequence[CustomerId],
        addresses: Sequence[tuple[str, str]],
        *,
        before: Place | None,
        limit: int,
    ) -> list[TimelineEntry]:
        source = _SOURCES[kind]
        # Under names of their own, so that none of them is the entry's moment or name.
        told = {str(column.key): column.label(f"told_{column.key}") for column in source.told}
        query: Select[Any] = select(source.at.label("at"), source.id.label("id"), *told.values())
        if source.source is not None:
            query = query.select_from(source.source)
        query = query.where(source.owner.in_(addresses if kind == "consent" else ids))
        if before is not None:
            query = query.where(_after(source, before))
        rows = await self._connection.execute(query.order_by(source.at.desc(), source.id.desc()).limit(limit))
        return [
            TimelineEntry(row["at"], kind, str(row["id"]), {name: row[f"told_{name}"] for name in told})
            for row in rows.mappings()
        ]


def _after(source: _Source, place: Place) -> ColumnElement[bool]:
    """What comes after a place in the timeline: older, or of the same moment and further down."""
    rank, at_rank = KINDS.index(source.kind), KINDS.index(place.kind)
    if rank != at_rank:
        return source.at <= place.at if rank < at_rank else source.at < place.at
    key = int(place.id) if source.id.type.python_type is int else place.id
    return or_(source.at < place.at, and_(source.at == place.at, source.id < key))
