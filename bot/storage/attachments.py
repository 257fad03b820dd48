"""Files that people sent, in the database."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.core.conversations import Attachment, ConversationId
from bot.storage.tables import attachments

_C = attachments.c


class SqlAttachments:
    """AttachmentRepository on SQLAlchemy."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, conversation_id: ConversationId, attachment: Attachment, content: bytes, at: datetime) -> None:
        values = {**asdict(attachment), "conversation_id": conversation_id, "content": content, "created_at": at}
        await self._connection.execute(insert(attachments).values(values))

    async def get(self, conversation_id: ConversationId, attachment_id: str) -> Attachment | None:
        query = select(_C.id, _C.name, _C.media_type, _C.size)
        query = query.where(_C.id == attachment_id, _C.conversation_id == conversation_id)
        row = (await self._connection.execute(query)).mappings().first()
        return Attachment(**row) if row else None

    async def content(self, conversation_id: ConversationId, attachment_id: str) -> bytes | None:
        query = select(_C.content).where(_C.id == attachment_id, _C.conversation_id == conversation_id)
        return await self._connection.scalar(query)

    async def since(self, conversation_id: ConversationId, at: datetime) -> tuple[int, int]:
        query = select(func.count(), func.coalesce(func.sum(_C.size), 0))
        found = await self._connection.execute(query.where(_C.conversation_id == conversation_id, _C.created_at > at))
        number, size = found.one()
        return number, size

    async def since_of_all(self, at: datetime) -> tuple[int, int]:
        query = select(func.count(), func.coalesce(func.sum(_C.size), 0))
        # With both conditions, it is the index that says where to look.
        found = await self._connection.execute(query.where(_C.created_at > at, _C.content.is_not(None)))
        number, size = found.one()
        return number, size

    async def forget_content(self, before: datetime, limit: int) -> int:
        old = select(_C.id).where(_C.created_at < before, _C.content.is_not(None)).order_by(_C.created_at).limit(limit)
        statement = update(attachments).where(_C.id.in_(old.scalar_subquery())).values(content=None)
        return (await self._connection.execute(statement)).rowcount
