"""What the use cases about people need from the database: who they are, what they allowed, what was done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from bot.core.audit import AuditEntry
from bot.core.consents import Consent
from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId, CustomerIdentity, Note, Tag
from bot.core.merges import Lookalikes, Merge, MergeState
from bot.core.privacy import Unfinished
from bot.core.timeline import Place, TimelineEntry


class IdentityRepository(Protocol):
    """What customers are known by."""

    async def of_customers(self, ids: Sequence[CustomerId]) -> list[CustomerIdentity]:
        """What they are known by, oldest first."""
        ...

    async def holder(self, kind: str, value: str) -> CustomerId | None:
        """Whose it is, proven."""
        ...

    async def prove(self, identity: CustomerIdentity) -> None:
        """Keep it as proven, claimed before or not. Nobody else's may be."""
        ...


class MergeRepository(Protocol):
    """Customers who are one, or may be."""

    async def add(self, merge: Merge) -> None: ...
    async def save(self, merge: Merge) -> None: ...
    async def lock(self, merge_id: str) -> Merge | None:
        """The merge, which nobody else changes until this unit of work ends."""
        ...

    async def of_pair(self, one_id: CustomerId, other_id: CustomerId) -> list[Merge]:
        """What was ever thought or done about these two, whichever stays; oldest first."""
        ...

    async def of_customers(self, ids: Sequence[CustomerId]) -> list[Merge]:
        """The same about any of these, oldest first."""
        ...

    async def in_state(self, state: MergeState, limit: int) -> list[Merge]:
        """Merges in that state, oldest first."""
        ...

    async def done_from(self, customer_id: CustomerId) -> Merge | None:
        """The merge by which the customer's records went to another one, if it is in force."""
        ...

    async def same_person(self, customer_id: CustomerId) -> list[CustomerId]:
        """The customer, and all who turned out to be the same."""
        ...

    async def lock_records(self, ids: Sequence[CustomerId]) -> None:
        """Let nobody else change these customers, their conversations and orders until this unit of work ends."""
        ...

    async def move_records(self, from_id: CustomerId, to_id: CustomerId) -> dict[str, Any]:
        """Give everything but points and stamps to the other one, and say what that was."""
        ...

    async def move_back(self, moved: Mapping[str, Any], from_id: CustomerId, to_id: CustomerId) -> None:
        """Give back what move_records took to `from_id`, as far as it is still there."""
        ...

    async def mark(self, merged_id: CustomerId, kept_id: CustomerId | None) -> None:
        """Note into whom a customer was merged, or that they are not any more."""
        ...

    async def lookalikes(self, customer_id: CustomerId | None = None) -> list[Lookalikes]:
        """Who looks like that customer, or anybody like anybody. Nobody who was merged or erased does."""
        ...


class TimelineRepository(Protocol):
    """What happened between a customer and the shop."""

    async def page(
        self,
        kind: str,
        ids: Sequence[CustomerId],
        addresses: Sequence[tuple[str, str]],
        *,
        before: Place | None,
        limit: int,
    ) -> list[TimelineEntry]:
        """Entries of one kind, newest first, after that place; of consents, those of the addresses (channel, hash)."""
        ...


class PrivacyRepository(Protocol):
    """Everything that is kept about a person, as a whole."""

    async def export(
        self, ids: Sequence[CustomerId], addresses: Sequence[tuple[str, str]]
    ) -> dict[str, list[dict[str, Any]]]:
        """All of it, table by table, as plain values; consents are those of the addresses (channel, hash)."""
        ...

    async def unfinished(self, ids: Sequence[CustomerId]) -> Unfinished: ...
    async def wanting_people(self, ids: Sequence[CustomerId]) -> Sequence[ConversationId]:
        """Their conversations in which a person has something to do still, always in the same order."""
        ...

    async def erase(self, external_ids: Mapping[CustomerId, str], at: datetime) -> None:
        """Erase all of it but figures; what is kept instead of the shop's numbers is given."""
        ...


class NoteRepository(Protocol):
    """What the shop's people noted about customers."""

    async def add(self, note: Note) -> None: ...
    async def of_customer(self, customer_id: CustomerId) -> list[Note]:
        """The notes, newest first."""
        ...

    async def add_tag(self, customer_id: CustomerId, tag: Tag) -> bool:
        """Add it unless it is there; whether added."""
        ...

    async def remove_tag(self, customer_id: CustomerId, tag: str) -> bool: ...
    async def tags_of(self, customer_id: CustomerId) -> list[Tag]: ...


class ConsentRepository(Protocol):
    """What was said about addresses. Nothing in it is ever changed or deleted."""

    async def add(self, consent: Consent) -> None: ...
    async def said(self, channel: str, address_hash: str, purpose: str) -> list[Consent]:
        """What was said about an address and a purpose, oldest first."""
        ...

    async def of_addresses(self, addresses: Sequence[tuple[str, str]]) -> list[Consent]:
        """What was said about these addresses (channel, hash), oldest first."""
        ...


class AuditRepository(Protocol):
    """Who did what to whose data. Nothing in it is ever changed or deleted."""

    async def add(self, entry: AuditEntry) -> None: ...
    async def of_customers(self, ids: Sequence[CustomerId]) -> list[AuditEntry]:
        """What was done to, and who looked at, what belongs to them; oldest first."""
        ...
