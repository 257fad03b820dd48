"""What connecting accounts on messaging channels needs from the database."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.core.account_links import AccountLink
from bot.core.customers import CustomerId


class AccountLinkRepository(Protocol):
    """Links that connect an account with a customer."""

    async def add(self, link: AccountLink) -> None: ...
    async def get(self, token_hash: str) -> AccountLink | None: ...
    async def lock(self, token_hash: str) -> AccountLink | None:
        """Like get, and nobody else uses it until this unit of work ends."""
        ...

    async def save(self, link: AccountLink) -> None: ...
    async def made_for(self, customer_id: CustomerId, since: datetime) -> int:
        """How many were made for the customer since then."""
        ...

    async def end(self, customer_id: CustomerId, at: datetime) -> None:
        """Let the customer's links connect nobody from then on."""
        ...

    async def forget(self, customer_id: CustomerId, before: datetime) -> None:
        """Delete the customer's links that were made before then."""
        ...
