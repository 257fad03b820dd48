"""Conversations and their messages: who speaks, who owns, what a text may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NewType

from bot.core.agents import AgentId
from bot.core.customers import CustomerId, IdentityId

ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)

MAX_TEXT_CHARACTERS = 2_000
MAX_EXTERNAL_ID_CHARACTERS = 200


class Owner(str, Enum):
    """Who may speak in a conversation, apart from the customer."""

    BOT = "bot"
    QUEUE = "queue"
    AGENT = "agent"


class Author(str, Enum):
    """Who wrote a message. An agent is always a person."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class TurnState(str, Enum):
    """What became of an inbound message."""

    PENDING = "pending"
    HANDLED = "handled"
    FAILED = "failed"
    NOT_FOR_BOT = "not_for_bot"


@dataclass(frozen=True)
class Choice:
    """An answer that a customer may pick; the payload is ours and never shown."""

    title: str
    payload: str


@dataclass(frozen=True)
class Image:
    """A picture that goes with a message: where it is, and what it shows in words."""

    url: str
    alt: str


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message: what it is, without its content. `size` is in bytes."""

    id: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True)
class Card:
    """The heart of an answer once more, as a box for the eye. The message's text says it all without."""

    kind: str
    title: str
    # What stands below the title, each as a label and a value.
    facts: tuple[tuple[str, str], ...] = ()
    # How far something has come: the names of the steps, and the place of the one that is reached.
    steps: tuple[str, ...] = ()
    step: int | None = None
    choice: Choice | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Card:
        """The card that `asdict` and JSON made these values of."""
        choice = Choice(**values["choice"]) if values["choice"] else None
        facts = tuple((str(label), str(value)) for label, value in values["facts"])
        return cls(**{**values, "facts": facts, "steps": tuple(values["steps"]), "choice": choice})


@dataclass(frozen=True)
class Conversation:
    """One thread between one customer and the shop on one channel."""

    id: ConversationId
    channel: str
    identity_id: IdentityId
    owner: Owner
    last_seq: int
    created_at: datetime
    customer_id: CustomerId | None = None
    verified_until: datetime | None = None
    read_seq: int = 0
    next_turn_at: datetime | None = None
    lease_holder: str | None = None
    lease_expires_at: datetime | None = None
    # What the customer answered before the chat began, by the question's id. Claimed, never proven.
    visitor_details: Mapping[str, str] | None = None
    # When a person had dealt with it; None once somebody writes again.
    resolved_at: datetime | None = None
    # Since when nobody answers here any more, because somebody at the desk said so.
    blocked_at: datetime | None = None
    # When the customer logged out: from then on it is history, and whoever writes next begins another conversation.
    signed_out_at: datetime | None = None
    # The language in which the customer reads the chat, or uses the app; see languages.spoken_language.
    language: str | None = None

    def verified_customer(self, at: datetime) -> CustomerId | None:
        """The customer whose identity is proven at that moment; nobody once the proof has run out."""
        if self.customer_id is None or self.verified_until is None or at >= self.verified_until:
            return None
        return self.customer_id

    def is_open_to_visitor(self, at: datetime) -> bool:
        """Whether whoever holds its token may see it: a customer's own only while their proof holds."""
        return self.signed_out_at is None and (self.customer_id is None or self.verified_customer(at) is not None)


@dataclass(frozen=True)
class Message:
    """One line of a conversation. `seq` orders it; timestamps never do."""

    id: MessageId
    conversation_id: ConversationId
    seq: int
    author: Author
    text: str
    at: datetime
    choices: tuple[Choice, ...] = ()
    payload: str | None = None
    external_id: str | None = None
    author_name: str | None = None
    reply_to_seq: int | None = None
    turn_state: TurnState | None = None
    attempts: int = 0
    image: Image | None = None
    cards: tuple[Card, ...] = ()
    attachment: Attachment | None = None
    helpful: bool | None = None
    # An agent's message: who wrote it, and what their desk calls it.
    agent_id: AgentId | None = None
    client_id: str | None = None


@dataclass(frozen=True)
class InboundMessage:
    """What a channel hands over: already authenticated, not yet recorded."""

    external_id: str
    text: str
    payload: str | None = None
    attachment: Attachment | None = None

    def same_content(self, recorded: Message) -> bool:
        """Whether a recorded message with the same id says the same thing. A choice is its payload, not its title."""
        return recorded.payload == self.payload and (self.payload is not None or recorded.text == self.text)


@dataclass(frozen=True)
class Reply:
    """What the bot wants to say, before it is given a place in the conversation."""

    text: str
    choices: tuple[Choice, ...] = ()
    image: Image | None = None
    cards: tuple[Card, ...] = ()


@dataclass(frozen=True)
class ConversationEvent:
    """Something that happened to a conversation and that no message shows, kept for people who look later."""

    conversation_id: ConversationId
    kind: str
    at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


# Neither database keeps NUL in a text, and an unpaired surrogate is no character at all.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def clean_text(text: str) -> str:
    """The text as it is kept: trimmed, with characters that no database stores replaced by U+FFFD."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text).strip()


def is_external_id(value: str) -> bool:
    """Whether another system's id is one we keep: 1 to 200 characters, none of them a control character."""
    return 0 < len(value) <= MAX_EXTERNAL_ID_CHARACTERS and not _CONTROL.search(value) and bool(value.strip())
