"""What an invoice says, beyond the order it is for."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.orders import Order, OrderStatus
from bot.core.refunds import Refund

_STANDING = {
    OrderStatus.PENDING: "Payment due",
    OrderStatus.CANCELLED: "Cancelled",
    OrderStatus.RETURNED: "Returned",
    OrderStatus.REFUNDED: "Refunded",
}


@dataclass(frozen=True)
class Invoice:
    """An order with its buyer and what was paid back; its number is the order's."""

    order: Order
    buyer: str | None = None
    refunds: tuple[Refund, ...] = ()

    @property
    def goods_minor(self) -> int:
        """What the goods cost together, in minor units."""
        return self.order.goods_minor

    @property
    def delivery_minor(self) -> int:
        """What was charged beyond the goods, which is their delivery."""
        if self.order.delivery_minor is not None:
            return self.order.delivery_minor
        return max(self.order.total_minor - self.goods_minor, 0)

    @property
    def discount_minor(self) -> int:
        """What was charged less than the goods cost."""
        if self.order.discount_minor is not None:
            return self.order.discount_minor
        return max(self.goods_minor - self.order.total_minor, 0)

    @property
    def standing(self) -> str:
        """Whether it is paid, in the words that are stamped on it."""
        return _STANDING.get(self.order.status, "Paid")
