"""What people at the desk keep (notes, canned replies, lessons for the assistant), and what their lists show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.core.agents import AgentId
from bot.core.conversations import Author, Conversation, ConversationId
from bot.core.handoffs import Handoff, Stage, stage_of

MAX_NOTE_CHARACTERS = 4_000
MAX_LABEL_CHARACTERS = 40
MAX_LABELS = 20
MAX_CANNED_CHARACTERS = 2_000
MAX_QUESTION_CHARACTERS = 500
# What of the last message a list shows.
PREVIEW_CHARACTERS = 140

_SHORTCUT = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True)
class DeskNote:
    """What somebody at the desk wrote for the others; no customer sees it. It stands below the message `after_seq`."""

    id: str
    conversation_id: ConversationId
    agent_id: AgentId
    text: str
    after_seq: int
    at: datetime


@dataclass(frozen=True)
class CannedReply:
    """A text that is often written, under a word that calls it up."""

    shortcut: str
    text: str
    changed_by: AgentId
    changed_at: datetime


@dataclass(frozen=True)
class TeachingMark:
    """A message that was misunderstood, and the wish that was meant. `understood` is what the assistant took it for."""

    conversation_id: ConversationId
    seq: int
    text: str
    understood: str | None
    intent: str
    agent_id: AgentId
    at: datetime


@dataclass(frozen=True)
class KnowledgeDraft:
    """A question that the assistant should have an answer to."""

    id: str
    conversation_id: ConversationId | None
    question: str
    agent_id: AgentId
    at: datetime


@dataclass(frozen=True)
class Understood:
    """What the assistant took a message for, and how sure it was (0 to 1)."""

    intent: str
    confidence: float


@dataclass(frozen=True)
class OpenOffer:
    """A conversation that is on offer to somebody until then."""

    conversation_id: ConversationId
    agent_id: AgentId
    until: datetime


@dataclass(frozen=True)
class ListQuery:
    """Which conversations a list shows: of an owner or stage, of one agent, found by words, or with a label."""

    owner: str | None = None
    agent_id: AgentId | None = None
    text: str | None = None
    label: str | None = None
    # Where the last page ended.
    before: tuple[str, ...] | None = None
    limit: int = 50


@dataclass(frozen=True)
class Listed:
    """A conversation in a list. `place` is where the list goes on after it."""

    conversation: Conversation
    handoff: Handoff | None
    customer_name: str | None
    agent_name: str | None
    last_author: Author | None
    last_text: str | None
    last_at: datetime | None
    labels: tuple[str, ...]
    position: int | None
    unread: int
    place: tuple[str, ...]

    @property
    def stage(self) -> Stage:
        """Where the conversation stands."""
        return stage_of(self.conversation.owner, self.handoff, self.conversation.resolved_at)


def normalise_label(text: str) -> str | None:
    """A label as it is kept: one line of small letters; None when it cannot be one."""
    label = " ".join(text.lower().split())
    return label if 0 < len(label) <= MAX_LABEL_CHARACTERS and label.isprintable() else None


def normalise_shortcut(text: str) -> str | None:
    """A shortcut as it is kept, without the slash that calls it up; None when it cannot be one."""
    shortcut = text.strip().lower().removeprefix("/")
    return shortcut if _SHORTCUT.fullmatch(shortcut) else None


def preview(text: str) -> str:
    """The beginning of a message, on one line."""
    line = " ".join(text.split())
    return line if len(line) <= PREVIEW_CHARACTERS else line[: PREVIEW_CHARACTERS - 1] + "…"
