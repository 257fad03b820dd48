"""What the use cases about people need from the database: who they are, what they allowed, what was done with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.core.audit import AuditEntry
from bot.core.consents import Consent
from bot.core.customers import CustomerId


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
