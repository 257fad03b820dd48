"""What the use cases of vouchers, gift cards and gifts of points need from the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.core.customers import CustomerId
from bot.core.gift_cards import GiftCard, GiftCardEntry, GiftCardStanding
from bot.core.vouchers import Voucher, VoucherUse


class VoucherRepository(Protocol):
    """Vouchers and their uses. Whoever changes a use has locked the voucher."""

    async def add(self, voucher: Voucher) -> bool:
        """Add it unless its code or its key is there already (added at the same time, too); whether added."""
        ...

    async def get(self, code: str) -> Voucher | None: ...
    async def lock(self, code: str) -> Voucher | None:
        """Like get, and nobody else uses it until this unit of work ends."""
        ...

    async def by_key(self, key: str) -> Voucher | None: ...
    async def of_customer(self, customer_id: CustomerId) -> list[Voucher]:
        """All that were ever given to them, newest first."""
        ...

    async def coupons(self) -> list[Voucher]:
        """All coupons, newest first."""
        ...

    async def count_use(self, code: str, at: datetime) -> bool:
        """Count one more use if the voucher is good at that moment and has one left; whether it was counted."""
        ...

    async def uncount_use(self, code: str) -> None: ...
    async def cancel(self, code: str, at: datetime) -> bool:
        """Cancel it unless it is cancelled; whether this did."""
        ...

    async def lock_checkout(self, key: str) -> None:
        """Let nobody else use a voucher on that checkout until this unit of work ends. To be called before `lock`."""
        ...

    async def uses_on(self, key: str) -> list[VoucherUse]:
        """The uses on a checkout, oldest first, with those that are over."""
        ...

    async def uses_by(self, code: str, customer_id: CustomerId) -> int:
        """How many uses of the voucher by that customer count."""
        ...

    async def last_use(self, code: str) -> VoucherUse | None:
        """The latest use of the voucher that was not released."""
        ...

    async def save_use(self, use: VoucherUse) -> None:
        """Save it, new or changed."""
        ...

    async def release_over(self, code: str, at: datetime) -> int:
        """End the voucher's reservations that have run out, and uncount them; how many there were."""
        ...

    async def with_reservations_over(self, at: datetime, *, after: str | None, limit: int) -> list[str]:
        """Codes with reservations that have run out but are still counted, in order, from after that one on."""
        ...


class GiftCardRepository(Protocol):
    """Gift cards and the entries that their value is the sum of. Whoever adds an entry has locked the card."""

    async def add(self, card: GiftCard) -> None: ...
    async def get(self, card_id: str, *, lock: bool = False) -> GiftCard | None: ...
    async def by_code(self, code_hash: str, *, lock: bool = False) -> GiftCard | None: ...
    async def of_customer(self, customer_id: CustomerId | None) -> list[GiftCardStanding]:
        """The customer's cards with their value, newest first; None: everybody's."""
        ...

    async def set_blocked(self, card_id: str, at: datetime | None) -> None: ...
    async def balance(self, card_id: str) -> int: ...
    async def entry_by_key(self, key: str) -> GiftCardEntry | None: ...
    async def entries_of(self, card_id: str) -> list[GiftCardEntry]:
        """Oldest first."""
        ...

    async def add_entry(self, entry: GiftCardEntry) -> bool:
        """Add it unless its key is there already; whether added. The database refuses a value below zero."""
        ...

    async def with_expired(self, at: datetime, *, after: str | None, limit: int) -> list[str]:
        """Cards that have expired with something on them, those first that did first, from after that one on."""
        ...

    async def lock_word(self, word: str) -> None:
        """Let nobody else lock the same word until this unit of work ends."""
        ...


class GoodwillRepository(Protocol):
    """Who gives points out of kindness, and to whom."""

    async def lock_author(self, author: str) -> None:
        """Let nobody else give points in that person's name until this unit of work ends."""
        ...

    async def lock_surprises(self) -> None:
        """Let nobody else give surprise points until this unit of work ends."""
        ...

    async def next_for_surprise(self, *, bought_since: datetime, none_since: datetime, limit: int) -> list[CustomerId]:
        """Of the people without a surprise since then, who earned most points by orders (less what was taken back).

        Whoever was merged is one person with whom they turned out to be, under whichever record it was earned or given.

        It reads all that was earned since, which takes a second for a million entries: not while others wait to write.
        """
        ...

    async def had_surprise(self, people: Sequence[CustomerId], since: datetime) -> bool:
        """Whether any of them had one."""
        ...
