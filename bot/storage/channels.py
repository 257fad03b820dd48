"""What is sent to messaging channels, and what came from them, in the database."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import Choice, ConversationId
from bot.services.channel_ports import Delivery
from bot.storage import tables
from bot.storage.engine import insert_unless_there

_DELIVERY = tables.channel_deliveries
_C = _DELIVERY.c
# Nobody guesses one of so many, and it is shorter than any platform's limit.
TOKEN_BYTES = 12


class SqlDeliveries:
    """DeliveryRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def claim_due(self, channels: Sequence[str], now: datetime, until: datetime) -> Delivery | None:
        due = (
            select(_C.conversation_id)
            .where(_C.next_attempt_at <= now, _C.channel.in_(channels), _C.stopped_at.is_(None))
            .order_by(_C.next_attempt_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        statement = update(_DELIVERY).where(_C.conversation_id == due.scalar_subquery())
        values = {"next_attempt_at": until, "news_at": None}
        claimed = await self._connection.scalar(statement.values(values).returning(_C.conversation_id))
        delivery = await self.get(ConversationId(claimed)) if claimed else None
        return replace(delivery, leased_until=until) if delivery else None

    async def get(self, conversation_id: ConversationId) -> Delivery | None:
        conversation, account = tables.conversations.c, tables.channel_identities.c
        query = (
            select(_DELIVERY, account.external_id.label("address"))
            .join(tables.conversations, conversation.id == _C.conversation_id)
            .join(tables.channel_identities, account.id == conversation.identity_id)
            .where(_C.conversation_id == conversation_id)
        )
        row = (await self._connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Delivery(
            conversation_id=row.conversation_id,
            channel=row.channel,
            address=row.address,
            seq=row.seq,
            parts=row.parts,
            attempts=row.attempts,
            stopped_at=row.stopped_at,
            last_error=row.last_error,
        )

    async def progress(self, delivery: Delivery) -> bool:
        values = {"seq": delivery.seq, "parts": delivery.parts, "attempts": delivery.attempts}
        return await self._change(delivery, values)

    async def save(self, delivery: Delivery, next_attempt_at: datetime | None) -> bool:
        values = {
            "seq": delivery.seq,
            "parts": delivery.parts,
            "attempts": delivery.attempts,
            "stopped_at": delivery.stopped_at,
            "last_error": delivery.last_error,
            # What came meanwhile is due as well; but not before a pause is over.
            "next_attempt_at": _C.news_at if next_attempt_at is None else next_attempt_at,
            "news_at": None,
        }
        return await self._change(delivery, values)

    async def _change(self, delivery: Delivery, values: Mapping[str, Any]) -> bool:
        """Whoever stops a delivery takes its lease away, and who claims it again has another one."""
        statement = update(_DELIVERY).where(
            _C.conversation_id == delivery.conversation_id,
            _C.next_attempt_at == delivery.leased_until,
            _C.stopped_at.is_(None),
        )
        return (await self._connection.execute(statement.values(values))).rowcount == 1

    async def wake(self, conversation_id: ConversationId, channel: str, at: datetime) -> None:
        """There is something new to deliver; for whoever adds messages."""
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(_DELIVERY).values(
            conversation_id=conversation_id, channel=channel, seq=0, parts=0, attempts=0, next_attempt_at=at, news_at=at
        )
        statement = statement.on_conflict_do_update(
            index_elements=["conversation_id"],
            set_={
                "next_attempt_at": func.coalesce(_C.next_attempt_at, statement.excluded.next_attempt_at),
                "news_at": at,
            },
        )
        await self._connection.execute(statement)

    async def stop(self, channel: str, address: str, at: datetime) -> bool:
        await self._note_conversations(channel, address)
        statement = update(_DELIVERY).where(_C.conversation_id.in_(self._of(channel, address)), _C.stopped_at.is_(None))
        return (await self._connection.execute(statement.values(stopped_at=at, next_attempt_at=None))).rowcount > 0

    async def resume(self, channel: str, address: str) -> bool:
        conversation = tables.conversations.c
        told = select(conversation.last_seq).where(conversation.id == _C.conversation_id).scalar_subquery()
        statement = update(_DELIVERY).where(
            _C.conversation_id.in_(self._of(channel, address)), _C.stopped_at.is_not(None)
        )
        values = {"stopped_at": None, "seq": told, "parts": 0, "attempts": 0, "next_attempt_at": None, "news_at": None}
        return (await self._connection.execute(statement.values(values))).rowcount > 0

    async def add_update(self, channel: str, update_id: str, at: datetime) -> bool:
        values = {"channel": channel, "update_id": update_id, "received_at": at}
        return await insert_unless_there(
            self._connection, tables.channel_updates, values, ["channel", "update_id"]
        )  # fmt: skip

    async def forget_updates(self, before: datetime) -> int:
        c = tables.channel_updates.c
        return (await self._connection.execute(delete(tables.channel_updates).where(c.received_at < before))).rowcount

    async def tokens_of(self, conversation_id: ConversationId, seq: int, choices: Sequence[Choice]) -> list[str]:
        if not choices:
            return []
        c = tables.channel_buttons.c
        query = select(c.token).where(c.conversation_id == conversation_id, c.seq == seq).order_by(c.position)
        if found := list((await self._connection.scalars(query)).all()):
            return found
        tokens = [secrets.token_urlsafe(TOKEN_BYTES) for _ in choices]
        rows = [
            {
                "token": token,
                "conversation_id": conversation_id,
                "seq": seq,
                "position": position,
                "payload": choice.payload,
            }
            for position, (token, choice) in enumerate(zip(tokens, choices, strict=True))
        ]
        await self._connection.execute(insert(tables.channel_buttons), rows)
        return tokens

    async def choice_of(self, conversation_id: ConversationId, token: str) -> str | None:
        c = tables.channel_buttons.c
        query = select(c.payload).where(c.token == token, c.conversation_id == conversation_id)
        return await self._connection.scalar(query)

    def _of(self, channel: str, address: str):  # type: ignore[no-untyped-def]
        conversation, account = tables.conversations.c, tables.channel_identities.c
        return (
            select(conversation.id)
            .join(tables.channel_identities, account.id == conversation.identity_id)
            .where(account.channel == channel, account.external_id == address)
        )

    async def _note_conversations(self, channel: str, address: str) -> None:
        """A delivery for each conversation of the account that has none yet, so that it can be stopped."""
        here = select(_C.conversation_id)
        nothing = literal(0)
        conversation = tables.conversations.c
        rows = select(conversation.id, literal(channel), conversation.last_seq, nothing, nothing).where(
            conversation.id.in_(self._of(channel, address)), conversation.id.not_in(here)
        )
        names = ["conversation_id", "channel", "seq", "parts", "attempts"]
        await self._connection.execute(insert(_DELIVERY).from_select(names, rows))
