"""What the use cases of punch cards, birthday treats and referrals need from the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.customers import CustomerId
from bot.core.punch_cards import StampEntry
from bot.core.referrals import Household, Referral


class StampRepository(Protocol):
    """Stamps. Nothing in it is ever changed or deleted; whatever writes has locked the account (LedgerRepository)."""

    async def add(self, entries: Sequence[StampEntry]) -> None:
        """Add those whose keys are not there already, under ids of the database's own (the given ones are not used)."""
        ...

    async def by_key(self, key: str) -> StampEntry | None: ...
    async def of_source(self, source: str) -> list[StampEntry]:
        """All entries with that source, whoever's card they are on; oldest first."""
        ...

    async def balances(self, customer_id: CustomerId) -> dict[str, int]:
        """The sum of the entries on each card that has any."""
        ...

    async def times_completed(self, customer_id: CustomerId, card: str) -> int: ...
    async def voidable(self, customer_id: CustomerId, card: str, at: datetime) -> list[StampEntry]:
        """Completed cards whose voucher the customer holds, neither used, cancelled nor expired; newest first.

        The voucher may have been given to somebody who turned out to be the same person.
        """
        ...


class BirthdayRepository(Protocol):
    async def set(self, customer_id: CustomerId, month: int, day: int, at: datetime) -> None:
        """Note the birthday and, unless it is the one that is known, when it was entered."""
        ...

    async def treatable(
        self,
        birthday: tuple[int, int],
        *,
        set_before: datetime,
        treated_before: datetime,
        after: CustomerId | None,
        limit: int,
    ) -> list[CustomerId]:
        """Customers with that birthday, known since before then, and no treat since then; neither merged nor erased.

        In the order of their ids, from after that one on.
        """
        ...

    async def treated_at(self, customer_id: CustomerId) -> datetime | None:
        """When they were last given a treat."""
        ...


class ReferralRepository(Protocol):
    """Referrals. Whoever changes one has locked the referee's account (LedgerRepository)."""

    async def code_of(self, customer_id: CustomerId) -> str | None: ...
    async def set_code(self, customer_id: CustomerId, code: str) -> bool:
        """Give the account a code, unless the code is taken; whether it was given."""
        ...

    async def with_code(self, code: str) -> CustomerId | None: ...
    async def add(self, referral: Referral) -> bool:
        """Add it unless the referee has one (added at the same time, too); whether added."""
        ...

    async def get(self, referee_id: CustomerId) -> Referral | None: ...
    async def save(self, referral: Referral) -> None: ...
    async def of_referrer(self, customer_id: CustomerId, limit: int) -> list[Referral]:
        """Those whom the customer brought, newest first."""
        ...

    async def rewarded_since(self, customer_id: CustomerId, since: datetime) -> int:
        """How many of those whom the customer brought were rewarded since then."""
        ...

    async def due(self, at: datetime, *, after: CustomerId | None, limit: int) -> list[CustomerId]:
        """The referees whose hold has ended with nothing decided, those first who have waited longest.

        From after that one on, who may be decided meanwhile.
        """
        ...

    async def household(self, customer_id: CustomerId) -> Household:
        """What is known of where the customer lives and how to reach them."""
        ...

    async def has_paid_order(self, customer_id: CustomerId) -> bool: ...
