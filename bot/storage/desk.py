"""What people at the desk see and keep, in the database."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.agents import AgentId
from bot.core.conversations import Attachment, ConversationId
from bot.core.customers import CustomerId
from bot.core.desk_records import (
    CannedReply,
    DeskNote,
    KnowledgeDraft,
    Listed,
    ListQuery,
    OpenOffer,
    TeachingMark,
    Understood,
)
from bot.storage import desk_lists, tables
from bot.storage.engine import insert_unless_there

# So many of the assistant's own notes of what it read are looked at, the latest.
UNDERSTOOD_LOOKED_AT = 200
_LABEL, _CANNED, _READ = tables.conversation_labels.c, tables.canned_replies.c, tables.desk_reads.c
_MARK, _DRAFT, _NOTE = tables.teaching_marks.c, tables.knowledge_drafts.c, tables.desk_notes.c


class SqlDesk:
    """DeskRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(self, query: ListQuery) -> list[Listed]:
        return await desk_lists.page(self._connection, query)

    async def listed(self, conversation_id: ConversationId) -> Listed | None:
        return await desk_lists.one(self._connection, conversation_id)

    async def conversations_of(self, customer_ids: Sequence[CustomerId], limit: int) -> list[Listed]:
        return await desk_lists.of_customers(self._connection, customer_ids, limit)

    async def offers_to(self, agent_ids: Sequence[AgentId], now: datetime) -> list[OpenOffer]:
        c = tables.handoffs.c
        query = select(c.conversation_id, c.offered_to, c.offered_until)
        query = query.where(c.closed_at.is_(None), c.offered_to.in_(agent_ids), c.offered_until > now)
        return [OpenOffer(*row) for row in await self._connection.execute(query)]

    async def understood(self, conversation_id: ConversationId) -> dict[str, Understood]:
        c = tables.tracker_events.c
        # Words of customers cannot look like this: their quotes are escaped.
        query = select(c.event).where(c.conversation_id == conversation_id, c.event.like('%"event": "user"%'))
        events = await self._connection.scalars(query.order_by(c.position.desc()).limit(UNDERSTOOD_LOOKED_AT))
        found: dict[str, Understood] = {}
        for text in events:
            event = json.loads(text)
            intent = (event.get("parse_data") or {}).get("intent") or {}
            if event.get("message_id") and intent.get("name"):
                # Of several wishes in one message the first one counts, which is found last here.
                found[event["message_id"]] = Understood(intent["name"], float(intent.get("confidence") or 0))
        return found

    async def add_note(self, note: DeskNote) -> None:
        await self._connection.execute(insert(tables.desk_notes).values(**asdict(note)))

    async def notes_of(self, conversation_id: ConversationId) -> list[DeskNote]:
        query = select(tables.desk_notes).where(_NOTE.conversation_id == conversation_id)
        rows = await self._connection.execute(query.order_by(_NOTE.at, _NOTE.id))
        return [DeskNote(**row) for row in rows.mappings()]

    async def label(self, conversation_id: ConversationId, add: Sequence[str], remove: Sequence[str]) -> None:
        for label in add:
            values = {"conversation_id": conversation_id, "label": label}
            await insert_unless_there(self._connection, tables.conversation_labels, values, list(values))
        if remove:
            gone = delete(tables.conversation_labels).where(_LABEL.conversation_id == conversation_id)
            await self._connection.execute(gone.where(_LABEL.label.in_(remove)))

    async def labels_of(self, conversation_id: ConversationId) -> list[str]:
        query = select(_LABEL.label).where(_LABEL.conversation_id == conversation_id).order_by(_LABEL.label)
        return list(await self._connection.scalars(query))

    async def read(self, conversation_id: ConversationId, seq: int) -> bool:
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(tables.desk_reads).values(conversation_id=conversation_id, seq=seq)
        statement = statement.on_conflict_do_update(
            index_elements=["conversation_id"], set_={"seq": seq}, where=_READ.seq < seq
        )
        return (await self._connection.execute(statement)).rowcount == 1

    async def read_until(self, conversation_id: ConversationId) -> int:
        query = select(_READ.seq).where(_READ.conversation_id == conversation_id)
        return await self._connection.scalar(query) or 0

    async def forget_read(self, conversation_id: ConversationId) -> None:
        await self._connection.execute(delete(tables.desk_reads).where(_READ.conversation_id == conversation_id))

    async def canned(self) -> list[CannedReply]:
        rows = await self._connection.execute(select(tables.canned_replies).order_by(_CANNED.shortcut))
        return [CannedReply(**row) for row in rows.mappings()]

    async def save_canned(self, reply: CannedReply) -> None:
        await self._connection.execute(delete(tables.canned_replies).where(_CANNED.shortcut == reply.shortcut))
        await self._connection.execute(insert(tables.canned_replies).values(**asdict(reply)))

    async def remove_canned(self, shortcut: str) -> bool:
        gone = delete(tables.canned_replies).where(_CANNED.shortcut == shortcut)
        return (await self._connection.execute(gone)).rowcount == 1

    async def mark(self, mark: TeachingMark) -> None:
        same = (_MARK.conversation_id == mark.conversation_id, _MARK.seq == mark.seq)
        await self._connection.execute(delete(tables.teaching_marks).where(*same))
        await self._connection.execute(insert(tables.teaching_marks).values(**asdict(mark)))

    async def unmark(self, conversation_id: ConversationId, seq: int) -> bool:
        gone = delete(tables.teaching_marks).where(_MARK.conversation_id == conversation_id, _MARK.seq == seq)
        return (await self._connection.execute(gone)).rowcount == 1

    async def marks(self, limit: int) -> list[TeachingMark]:
        query = select(tables.teaching_marks).order_by(_MARK.at.desc(), _MARK.conversation_id, _MARK.seq)
        return [TeachingMark(**row) for row in (await self._connection.execute(query.limit(limit))).mappings()]

    async def marks_of(self, conversation_id: ConversationId) -> dict[int, str]:
        query = select(_MARK.seq, _MARK.intent).where(_MARK.conversation_id == conversation_id)
        return {seq: intent for seq, intent in await self._connection.execute(query)}

    async def add_draft(self, draft: KnowledgeDraft) -> None:
        await self._connection.execute(insert(tables.knowledge_drafts).values(**asdict(draft)))

    async def remove_draft(self, draft_id: str) -> bool:
        gone = delete(tables.knowledge_drafts).where(_DRAFT.id == draft_id)
        return (await self._connection.execute(gone)).rowcount == 1

    async def drafts(self, limit: int) -> list[KnowledgeDraft]:
        query = select(tables.knowledge_drafts).order_by(_DRAFT.at.desc(), _DRAFT.id).limit(limit)
        return [KnowledgeDraft(**row) for row in (await self._connection.execute(query)).mappings()]

    async def file(self, attachment_id: str) -> tuple[ConversationId, Attachment, bytes | None] | None:
        c = tables.attachments.c
        row = (await self._connection.execute(select(tables.attachments).where(c.id == attachment_id))).first()
        if row is None:
            return None
        return row.conversation_id, Attachment(row.id, row.name, row.media_type, row.size), row.content

    async def deleted_files(self, conversation_id: ConversationId) -> frozenset[str]:
        c = tables.attachments.c
        query = select(c.id).where(c.conversation_id == conversation_id, c.content.is_(None))
        return frozenset((await self._connection.scalars(query)).all())
