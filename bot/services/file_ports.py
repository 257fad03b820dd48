"""What is needed from the database for the files that people send."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.core.conversations import Attachment, ConversationId


class AttachmentRepository(Protocol):
    """Files. Their content is read only where it is asked for, because it may be large."""

    async def add(self, conversation_id: ConversationId, attachment: Attachment, content: bytes, at: datetime) -> None:
        """Keep a file under its id."""
        ...

    async def get(self, conversation_id: ConversationId, attachment_id: str) -> Attachment | None:
        """What a file of the conversation is; None where it has no such file."""
        ...

    async def content(self, conversation_id: ConversationId, attachment_id: str) -> bytes | None:
        """What is in it; None where there is no such file, or it was deleted."""
        ...

    async def since(self, conversation_id: ConversationId, at: datetime) -> tuple[int, int]:
        """How many files have come since, and how large they are together."""
        ...

    async def since_of_all(self, at: datetime) -> tuple[int, int]:
        """The same for all conversations together, of what has not been deleted."""
        ...

    async def forget_content(self, before: datetime, limit: int) -> int:
        """Delete what is in files that came before then, at most so many at once; how many."""
        ...
