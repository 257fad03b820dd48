"""What the use cases of vouchers, gift cards and gifts of points need from the database."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.core.customers import CustomerId
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

    async def save_use(self, use: VoucherUse) -> None:
        """Save it, new or changed."""
        ...

    async def release_over(self, code: str, at: datetime) -> int:
        """End the voucher's reservations that have run out, and uncount them; how many there were."""
        ...

    async def with_reservations_over(self, at: datetime, limit: int) -> list[str]:
        """Codes with reservations that have run out but are still counted."""
        ...
