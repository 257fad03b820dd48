"""What the use cases of feedback need from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId
from bot.core.feedback import Feedback, FeedbackId, FeedbackKind
from bot.core.orders import Order
from bot.core.themes import FoundTheme, Improvement, ImprovementId, ThemeCount


@dataclass(frozen=True)
class Person:
    """Who is meant: a customer, whoever speaks in a conversation, or both where they are one; never neither."""

    customer_id: CustomerId | None = None
    conversation_id: ConversationId | None = None


class FeedbackRepository(Protocol):
    """What was asked and said, what it is about, and what was done about it."""

    async def add(self, feedback: Feedback) -> bool:
        """Add it unless its key is there already (added at the same time, too); whether added."""
        ...

    async def get(self, feedback_id: FeedbackId, *, lock: bool = False) -> Feedback | None: ...
    async def by_key(self, key: str) -> Feedback | None: ...
    async def save(self, feedback: Feedback) -> None: ...
    async def of_customer(self, customer_id: CustomerId) -> list[Feedback]:
        """All of theirs, newest first."""
        ...

    async def set_themes(self, feedback_id: FeedbackId, themes: Sequence[FoundTheme]) -> None:
        """These, and no others."""
        ...

    async def themes_of(self, feedback_id: FeedbackId) -> list[FoundTheme]:
        """In the order of their names."""
        ...

    async def waiting_in(self, conversation_id: ConversationId, since: datetime) -> Feedback | None:
        """The latest question in the conversation, not older than that, that was neither answered nor declined."""
        ...

    async def times_asked(self, person: Person) -> dict[FeedbackKind, int]:
        """How often each kind of question was asked, those about orders left out."""
        ...

    async def asked_at(self, person: Person) -> datetime | None:
        """When they were last asked anything."""
        ...

    async def unhappy_at(self, person: Person) -> datetime | None:
        """When they last complained or gave a low score."""
        ...

    async def reviewed_at(self, person: Person) -> datetime | None:
        """When they last wrote a review."""
        ...

    async def has_open_trouble(self, person: Person, since: datetime) -> bool:
        """Whether a hand-off, a complaint or a problem of theirs, not older than that, is open."""
        ...

    async def last_words(self, person: Person, since: datetime, limit: int) -> list[str]:
        """What they wrote in the chat since then, the latest first."""
        ...

    async def deliveries_to_ask(
        self,
        delivered: tuple[datetime, datetime],
        *,
        asked_before: datetime,
        unhappy_before: datetime,
        past: Order | None,
        limit: int,
    ) -> list[Order]:
        """Orders of known customers, delivered after the first moment and up to the second, that were not asked about.

        Whoever was asked anything, or was unhappy, later than these moments is left out. Without their lines; those
        that were delivered first come first, from after `past` on.
        """
        ...

    async def theme_counts(self, since: datetime, until: datetime) -> list[ThemeCount]:
        """How often each theme was spoken of, from then on and before then; the most frequent first."""
        ...

    async def theme_words(self, theme: str, since: datetime, until: datetime, limit: int) -> list[str]:
        """The words that spoke for the theme, a text for each answer, the latest first."""
        ...

    async def to_tell(
        self, theme: str, since: datetime, past: CustomerId | None, limit: int
    ) -> list[tuple[CustomerId, Feedback]]:
        """Customers who complained, commented or gave a low score about the theme since then, with the latest of it.

        Only those with an e-mail address, neither erased nor merged; in the order of their ids, from after that one on.
        """
        ...

    async def lock_improvements(self) -> None:
        """Let nobody else add an improvement until this unit of work ends."""
        ...

    async def improvement(self, theme: str, text: str) -> Improvement | None:
        """The improvement in these words."""
        ...

    async def add_improvement(self, improvement: Improvement) -> None: ...
    async def count_told(self, improvement_id: ImprovementId) -> None:
        """One person more was told."""
        ...
