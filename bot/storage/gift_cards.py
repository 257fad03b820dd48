"""Gift cards in the database: a card's value is the sum of its entries, which a trigger keeps from going below zero."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.customers import CustomerId
from bot.core.gift_cards import GiftCard, GiftCardEntry, GiftCardEntryKind, GiftCardStanding
from bot.storage import tables
from bot.storage.engine import insert_unless_there, lock_word

_CARD = tables.gift_cards
_ENTRY = tables.gift_card_entries
_VALUE = (
    select(func.coalesce(func.sum(_ENTRY.c.amount_minor), 0))
    .where(_ENTRY.c.card_id == _CARD.c.id)
    .correlate(_CARD)
    .scalar_subquery()
)


class SqlGiftCards:
    """GiftCardRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, card: GiftCard) -> None:
        await self._connection.execute(insert(_CARD).values(**vars(card)))

    async def get(self, card_id: str, *, lock: bool = False) -> GiftCard | None:
        return await self._card(_CARD.c.id == card_id, lock)

    async def by_code(self, code_hash: str, *, lock: bool = False) -> GiftCard | None:
        return await self._card(_CARD.c.code_hash == code_hash, lock)

    async def of_customer(self, customer_id: CustomerId | None) -> list[GiftCardStanding]:
        query = select(_CARD, _VALUE.label("value")).order_by(_CARD.c.created_at.desc(), _CARD.c.id)
        if customer_id is not None:
            query = query.where(_CARD.c.customer_id == customer_id)
        found = []
        for row in (await self._connection.execute(query)).mappings():
            values = dict(row)
            balance = int(values.pop("value"))
            found.append(GiftCardStanding(GiftCard(**values), balance))
        return found

    async def set_blocked(self, card_id: str, at: datetime | None) -> None:
        await self._connection.execute(update(_CARD).where(_CARD.c.id == card_id).values(blocked_at=at))

    async def balance(self, card_id: str) -> int:
        query = select(func.coalesce(func.sum(_ENTRY.c.amount_minor), 0)).where(_ENTRY.c.card_id == card_id)
        return int(await self._connection.scalar(query) or 0)

    async def entry_by_key(self, key: str) -> GiftCardEntry | None:
        row = (await self._connection.execute(_entries().where(_ENTRY.c.key == key))).one_or_none()
        return _entry(row) if row else None

    async def entries_of(self, card_id: str) -> list[GiftCardEntry]:
        query = _entries().where(_ENTRY.c.card_id == card_id).order_by(_ENTRY.c.id)
        return [_entry(row) for row in await self._connection.execute(query)]

    async def add_entry(self, entry: GiftCardEntry) -> bool:
        values = {**vars(entry), "kind": entry.kind.value}
        return await insert_unless_there(self._connection, _ENTRY, values, ["key"])

    async def with_expired(self, at: datetime, *, after: str | None, limit: int) -> list[str]:
        c, last = _CARD.c, _CARD.alias().c
        query = select(c.id).where(c.expires_at <= at, _VALUE > 0).order_by(c.expires_at, c.id)
        if after is not None:
            last_at = select(last.expires_at).where(last.id == after).scalar_subquery()
            query = query.where(or_(c.expires_at > last_at, and_(c.expires_at == last_at, c.id > after)))
        return list((await self._connection.scalars(query.limit(limit))).all())

    async def lock_word(self, word: str) -> None:
        await lock_word(self._connection, f"gift card {word}")

    async def _card(self, condition: Any, lock: bool) -> GiftCard | None:
        query = select(_CARD).where(condition)
        row = (await self._connection.execute(query.with_for_update() if lock else query)).mappings().one_or_none()
        return GiftCard(**row) if row else None


def _entries() -> Any:
    return select(*(column for column in _ENTRY.c if column.name != "id"))


def _entry(row: Row[Any]) -> GiftCardEntry:
    return GiftCardEntry(**{**row._mapping, "kind": GiftCardEntryKind(row.kind)})
