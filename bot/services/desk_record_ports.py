"""What the desk's lists, notes and lessons need from the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

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
from bot.core.desk_reports import Rating, Request, Step
from bot.core.measures import Window


class DeskRepository(Protocol):
    """What people at the desk see and keep, beside the conversations themselves."""

    async def page(self, query: ListQuery) -> Sequence[Listed]:
        """A page of a list, in its own order, found by one query."""
        ...

    async def listed(self, conversation_id: ConversationId) -> Listed | None:
        """One conversation as lists show it."""
        ...

    async def offers_to(self, agent_ids: Sequence[AgentId], now: datetime) -> Sequence[OpenOffer]:
        """What is on offer to these people now."""
        ...

    async def understood(self, conversation_id: ConversationId) -> dict[str, Understood]:
        """What the assistant took the latest messages for, by the message's id."""
        ...

    async def add_note(self, note: DeskNote) -> None: ...
    async def notes_of(self, conversation_id: ConversationId) -> Sequence[DeskNote]:
        """Oldest first."""
        ...

    async def label(self, conversation_id: ConversationId, add: Sequence[str], remove: Sequence[str]) -> None: ...
    async def labels_of(self, conversation_id: ConversationId) -> Sequence[str]: ...
    async def read(self, conversation_id: ConversationId, seq: int) -> bool:
        """Note that the desk has read so far; False where it had read that far already."""
        ...

    async def read_until(self, conversation_id: ConversationId) -> int:
        """How far the desk has read; 0 for nothing of it."""
        ...

    async def forget_read(self, conversation_id: ConversationId) -> None:
        """Whoever has it next has read nothing of it yet."""
        ...

    async def canned(self) -> Sequence[CannedReply]:
        """All of them, by their shortcuts."""
        ...

    async def save_canned(self, reply: CannedReply) -> None: ...
    async def remove_canned(self, shortcut: str) -> bool: ...
    async def mark(self, mark: TeachingMark) -> None:
        """Keep it, in place of an earlier one of the same message."""
        ...

    async def unmark(self, conversation_id: ConversationId, seq: int) -> bool:
        """Forget what a message was meant as; whether that was known."""
        ...

    async def marks(self, limit: int) -> Sequence[TeachingMark]:
        """The newest, newest first."""
        ...

    async def marks_of(self, conversation_id: ConversationId) -> dict[int, str]:
        """The wishes that were meant, by the message's seq."""
        ...

    async def add_draft(self, draft: KnowledgeDraft) -> None: ...
    async def remove_draft(self, draft_id: str) -> bool:
        """Forget a question; whether it was there."""
        ...

    async def drafts(self, limit: int) -> Sequence[KnowledgeDraft]:
        """The newest, newest first."""
        ...

    async def conversations_of(self, customer_ids: Sequence[CustomerId], limit: int) -> Sequence[Listed]:
        """The newest conversations of a person, newest first."""
        ...

    async def file(self, attachment_id: str) -> tuple[ConversationId, Attachment, bytes | None] | None:
        """A file, whose content is None once it was deleted; None where there is no such file."""
        ...

    async def deleted_files(self, conversation_id: ConversationId) -> Set[str]:
        """The ids of its files that were deleted: their names are all that is left."""
        ...


class DeskReportRepository(Protocol):
    """What the desk's reports are made of. Reads only."""

    async def steps(self, window: Window) -> Sequence[Step]:
        """What conversations went through in the window and shortly after, in order."""
        ...

    async def requests(self, window: Window) -> Sequence[Request]:
        """The requests for a person that began in the window, oldest first."""
        ...

    async def ratings(self, window: Window) -> Sequence[Rating]:
        """The scores of conversations that were given in the window, oldest first."""
        ...

    async def replies(self, window: Window) -> Mapping[AgentId, int]:
        """How many replies each person wrote in the window."""
        ...
