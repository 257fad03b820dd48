"""Conversations and messages in the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    RowMapping,
    Select,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.channels import PUSH_CHANNELS
from bot.core.conversations import (
    Attachment,
    Author,
    Card,
    Choice,
    Conversation,
    ConversationEvent,
    ConversationId,
    Image,
    Message,
    MessageId,
    Owner,
    TurnState,
)
from bot.core.customers import ChannelIdentity, IdentityId
from bot.storage import tables
from bot.storage.channels import SqlDeliveries

# A choice stays good while it can still be seen: further back than this nobody scrolls to press one.
OFFERS_LOOKED_AT = 50


# Built once: these run for every message, and building a statement anew takes longer than running it.
_CONVERSATION = select(tables.conversations).where(tables.conversations.c.id == bindparam("wanted"))
_LOCKED_CONVERSATION = _CONVERSATION.with_for_update()
_SAVED_CONVERSATION = update(tables.conversations).where(tables.conversations.c.id == bindparam("wanted"))
_MESSAGES_AFTER = (
    select(tables.messages)
    .where(tables.messages.c.conversation_id == bindparam("wanted"), tables.messages.c.seq > bindparam("seen"))
    .order_by(tables.messages.c.seq)
    .limit(bindparam("most", type_=Integer()))
)
_WAITING_SEQS = (
    select(tables.messages.c.seq)
    .where(tables.messages.c.conversation_id == bindparam("wanted"), tables.messages.c.turn_state == "pending")
    .order_by(tables.messages.c.seq)
    .limit(bindparam("most", type_=Integer()))
)
_MESSAGE_BY_EXTERNAL_ID = select(tables.messages).where(
    tables.messages.c.channel == bindparam("wanted_channel"),
    tables.messages.c.external_id == bindparam("wanted_id"),
)


def _conversation(row: RowMapping) -> Conversation:
    return Conversation(**{**row, "owner": Owner(row["owner"])})


def _message(row: Mapping[Any, Any]) -> Message:
    values: dict[str, Any] = dict(row)
    del values["channel"]
    values["author"] = Author(values["author"])
    values["choices"] = tuple(Choice(**choice) for choice in values["choices"])
    values["turn_state"] = TurnState(values["turn_state"]) if values["turn_state"] else None
    values["image"] = Image(**values["image"]) if values["image"] else None
    values["cards"] = tuple(Card.of(card) for card in values["cards"] or ())
    values["attachment"] = Attachment(**values["attachment"]) if values["attachment"] else None
    return Message(**values)


def _offers(choices: Sequence[dict[str, Any]], cards: Sequence[dict[str, Any]] | None) -> Iterator[dict[str, Any]]:
    """What can be picked in a message: beside it, and on its cards."""
    yield from choices
    yield from (card["choice"] for card in cards or () if card["choice"])


class SqlConversations:
    """ConversationRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, conversation: Conversation) -> None:
        await self._connection.execute(insert(tables.conversations).values(**_columns(conversation)))

    async def get(self, conversation_id: ConversationId) -> Conversation | None:
        return await self._one(_CONVERSATION, conversation_id)

    async def lock(self, conversation_id: ConversationId) -> Conversation | None:
        return await self._one(_LOCKED_CONVERSATION, conversation_id)

    async def save(self, conversation: Conversation) -> None:
        values = _columns(conversation)
        values["wanted"] = values.pop("id")
        await self._connection.execute(_SAVED_CONVERSATION, values)

    async def hand_back(self, conversation: Conversation, now: datetime) -> bool:
        c = tables.conversations.c
        values = _columns(replace(conversation, lease_holder=None, lease_expires_at=None))
        waiting = select(tables.messages.c.id).where(
            tables.messages.c.conversation_id == conversation.id, tables.messages.c.turn_state == "pending"
        )
        values["next_turn_at"] = case((waiting.exists(), literal(now, tables.UtcDateTime())), else_=None)
        statement = update(tables.conversations).where(c.id == values.pop("id")).values(**values)
        return await self._connection.scalar(statement.returning(c.next_turn_at)) is not None

    async def latest_of_identity(self, identity_id: IdentityId) -> Conversation | None:
        c = tables.conversations.c
        query = select(tables.conversations).where(c.identity_id == identity_id)
        row = (await self._connection.execute(query.order_by(c.created_at.desc(), c.id).limit(1))).mappings().first()
        return _conversation(row) if row else None

    async def account_of(self, conversation_id: ConversationId) -> ChannelIdentity | None:
        account, c = tables.channel_identities, tables.conversations.c
        query = select(account).join(tables.conversations, c.identity_id == account.c.id).where(c.id == conversation_id)
        row = (await self._connection.execute(query)).mappings().first()
        return ChannelIdentity(**row) if row else None

    async def claim_due(self, *, holder: str, now: datetime, until: datetime) -> Conversation | None:
        c = tables.conversations.c
        due = (
            select(c.id)
            .where(c.next_turn_at <= now, or_(c.lease_expires_at.is_(None), c.lease_expires_at <= now))
            .order_by(c.next_turn_at)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        claimed = (
            update(tables.conversations)
            .where(c.id == due.scalar_subquery())
            .values(lease_holder=holder, lease_expires_at=until)
            .returning(tables.conversations)
        )
        row = (await self._connection.execute(claimed)).mappings().first()
        return _conversation(row) if row else None

    async def renew_leases(self, holder: str, now: datetime, until: datetime) -> int:
        c = tables.conversations.c
        result = await self._connection.execute(
            update(tables.conversations)
            .where(c.lease_holder == holder, c.lease_expires_at > now)
            .values(lease_expires_at=until)
        )
        return result.rowcount

    async def release_leases(self, holder: str) -> int:
        result = await self._connection.execute(
            update(tables.conversations)
            .where(tables.conversations.c.lease_holder == holder)
            .values(lease_holder=None, lease_expires_at=None)
        )
        return result.rowcount

    async def last_seqs(self, ids: Sequence[ConversationId]) -> dict[ConversationId, int]:
        c = tables.conversations.c
        rows = await self._connection.execute(select(c.id, c.last_seq).where(c.id.in_(ids)))
        return {ConversationId(row.id): row.last_seq for row in rows}

    async def add_event(self, event: ConversationEvent) -> None:
        await self._connection.execute(
            insert(tables.conversation_events).values(**{**asdict(event), "detail": dict(event.detail)})
        )

    async def events(self, conversation_id: ConversationId) -> list[ConversationEvent]:
        c = tables.conversation_events.c
        query = select(c.conversation_id, c.kind, c.at, c.detail).where(c.conversation_id == conversation_id)
        rows = (await self._connection.execute(query.order_by(c.id))).mappings()
        return [ConversationEvent(**row) for row in rows]

    async def _one(self, query: Select[Any], conversation_id: ConversationId) -> Conversation | None:
        row = (await self._connection.execute(query, {"wanted": conversation_id})).mappings().first()
        return _conversation(row) if row else None


class SqlMessages:
    """MessageRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, *messages: Message, channel: str) -> None:
        rows = [
            {
                **_columns(message),
                "choices": [asdict(choice) for choice in message.choices],
                "image": asdict(message.image) if message.image else null(),
                "cards": [asdict(card) for card in message.cards] or None,
                "attachment": asdict(message.attachment) if message.attachment else None,
                "channel": channel,
            }
            for message in messages
        ]
        if rows:
            await self._connection.execute(insert(tables.messages), rows)
        if channel in PUSH_CHANNELS:
            for message in messages:
                if message.author is not Author.CUSTOMER:
                    await SqlDeliveries(self._connection).wake(message.conversation_id, channel, message.at)

    async def by_external_id(self, channel: str, external_id: str) -> Message | None:
        wanted = {"wanted_channel": channel, "wanted_id": external_id}
        row = (await self._connection.execute(_MESSAGE_BY_EXTERNAL_ID, wanted)).mappings().first()
        return _message(row) if row else None

    async def after(self, conversation_id: ConversationId, seq: int, limit: int = 200) -> list[Message]:
        wanted = {"wanted": conversation_id, "seen": seq, "most": limit}
        return [_message(row) for row in (await self._connection.execute(_MESSAGES_AFTER, wanted)).mappings()]

    async def by_client_id(self, conversation_id: ConversationId, client_id: str) -> Message | None:
        c = tables.messages.c
        found = await self._list(and_(c.conversation_id == conversation_id, c.client_id == client_id), limit=1)
        return found[0] if found else None

    async def first_pending(self, conversation_id: ConversationId) -> Message | None:
        c = tables.messages.c
        found = await self._list(and_(c.conversation_id == conversation_id, c.turn_state == "pending"), limit=1)
        return found[0] if found else None

    async def waiting(self, conversation_id: ConversationId, at_most: int) -> list[int]:
        wanted = {"wanted": conversation_id, "most": at_most}
        return list(await self._connection.scalars(_WAITING_SEQS, wanted))

    async def was_said(self, conversation_id: ConversationId, text: str, after: int) -> bool:
        c = tables.messages.c
        query = select(c.id).where(
            c.conversation_id == conversation_id, c.seq > after, c.author == Author.BOT.value, c.text == text
        )
        return await self._connection.scalar(query.limit(1)) is not None

    async def count_try(self, conversation_id: ConversationId, at_most: int) -> Message | None:
        c = tables.messages.c
        oldest = select(c.id).where(c.conversation_id == conversation_id, c.turn_state == "pending")
        statement = (
            update(tables.messages)
            .where(c.id == oldest.order_by(c.seq).limit(1).scalar_subquery())
            .values(attempts=case((c.attempts < at_most, c.attempts + 1), else_=c.attempts))
            .returning(tables.messages)
        )
        row = (await self._connection.execute(statement)).mappings().first()
        return _message({**row, "attempts": row["attempts"] - 1}) if row else None

    async def settle(self, message_id: MessageId, state: TurnState) -> bool:
        c = tables.messages.c
        statement = update(tables.messages).where(c.id == message_id, c.turn_state == "pending")
        return (await self._connection.execute(statement.values(turn_state=state.value))).rowcount == 1

    async def replies_to(self, conversation_id: ConversationId, seq: int) -> list[Message]:
        c = tables.messages.c
        return await self._list(and_(c.conversation_id == conversation_id, c.reply_to_seq == seq))

    async def unasked_before(self, conversation_id: ConversationId, seq: int) -> list[Message]:
        c, other, between = tables.messages.c, tables.messages.alias().c, tables.messages.alias().c
        before = select(func.coalesce(func.max(other.seq), 0)).where(
            other.conversation_id == conversation_id, other.author == Author.CUSTOMER.value, other.seq < seq
        )
        # Somebody else spoke before the bot did: whoever asked was told that nobody answers.
        is_late = select(between.id).where(
            *(between.conversation_id == conversation_id, between.author != Author.CUSTOMER.value),
            *(between.reply_to_seq.is_(None), between.seq > c.reply_to_seq, between.seq < c.seq),
        )
        said = and_(c.conversation_id == conversation_id, c.seq > before.scalar_subquery(), c.seq < seq)
        return await self._list(and_(said, or_(c.reply_to_seq.is_(None), is_late.exists())))

    async def answer_with_later(self, conversation_id: ConversationId, seq: int) -> None:
        c = tables.messages.c
        later = and_(c.conversation_id == conversation_id, c.seq > seq, c.author == Author.SYSTEM.value)
        await self._connection.execute(update(tables.messages).where(later).values(reply_to_seq=seq))

    async def set_turn(self, message_id: MessageId, state: TurnState, attempts: int) -> None:
        await self._connection.execute(
            update(tables.messages)
            .where(tables.messages.c.id == message_id)
            .values(turn_state=state.value, attempts=attempts)
        )

    async def offered_choice(self, conversation_id: ConversationId, payload: str) -> Choice | None:
        c = tables.messages.c
        query = select(c.choices, c.cards).where(
            c.conversation_id == conversation_id, c.author != Author.CUSTOMER.value
        )
        rows = await self._connection.execute(query.order_by(c.seq.desc()).limit(OFFERS_LOOKED_AT))
        offers = (offer for row in rows for offer in _offers(row.choices, row.cards))
        return next((Choice(**offer) for offer in offers if offer["payload"] == payload), None)

    async def rate(self, conversation_id: ConversationId, seq: int, helpful: bool) -> bool:
        c = tables.messages.c
        said = update(tables.messages).where(
            c.conversation_id == conversation_id, c.seq == seq, c.author == Author.BOT.value
        )
        return (await self._connection.execute(said.values(helpful=helpful))).rowcount == 1

    async def last_offer(self, conversation_id: ConversationId) -> tuple[Choice, ...]:
        c = tables.messages.c
        query = select(c.choices).where(c.conversation_id == conversation_id, c.author != Author.CUSTOMER.value)
        choices = await self._connection.scalar(query.order_by(c.seq.desc()).limit(1))
        return tuple(Choice(**offer) for offer in choices or ())

    async def last_words(self, conversation_id: ConversationId) -> dict[str, datetime]:
        c = tables.messages.c
        query = select(c.author, func.max(c.at)).where(c.conversation_id == conversation_id).group_by(c.author)
        return {author: at for author, at in await self._connection.execute(query)}

    async def last_said(self, ids: Sequence[ConversationId]) -> dict[ConversationId, list[Message]]:
        c, found = tables.messages.c, defaultdict[ConversationId, list[Message]](list)
        if not ids:
            return found
        last = select(c.conversation_id, func.max(c.seq).label("seq")).where(c.conversation_id.in_(ids))
        last_of_each = last.group_by(c.conversation_id, c.author).subquery("last")
        is_last = and_(c.conversation_id == last_of_each.c.conversation_id, c.seq == last_of_each.c.seq)
        rows = await self._connection.execute(select(tables.messages).join(last_of_each, is_last))
        for message in map(_message, rows.mappings()):
            found[message.conversation_id].append(message)
        return found

    async def _list(self, condition: ColumnElement[bool], limit: int | None = None) -> list[Message]:
        query = select(tables.messages).where(condition).order_by(tables.messages.c.seq).limit(limit)
        return [_message(row) for row in (await self._connection.execute(query)).mappings()]


def _columns(record: Any) -> dict[str, Any]:
    """A dataclass as column values: enumerations by their value."""
    return {name: getattr(value, "value", value) for name, value in vars(record).items()}
