"""What a shop reports about an order, and what that makes of the order.

Reports may come twice, late and in any order. A status only ever moves forward, and a report whose status is behind is
late: it changes nothing that a later one has said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot.core.orders import PROGRESS, Order, OrderLine, OrderStatus
from bot.core.refunds import RefundReason
from bot.core.returns import ReturnStatus

# What was bought, and for how much, is what points were earned by.
FIXED_ONCE_PAID = ("lines", "total_minor", "discount_minor", "delivery_minor")
_UNPAID = frozenset({OrderStatus.PENDING, OrderStatus.CANCELLED})
_MOMENTS = {
    OrderStatus.SHIPPED: "shipped_at",
    OrderStatus.DELIVERED: "delivered_at",
    OrderStatus.CANCELLED: "cancelled_at",
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with one field of a report (`refunds[0].amount_minor`)."""

    field: str
    text: str


@dataclass(frozen=True)
class ReportedRefund:
    """Money that the shop has paid back. `external_id` is the shop's own name for it."""

    external_id: str
    amount_minor: int
    reason: RefundReason | None = None
    return_number: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True)
class ReportedReturn:
    """How far along a return is."""

    number: str
    status: ReturnStatus


@dataclass(frozen=True)
class OrderReport:
    """An order as the shop sees it. `changes` are the order's other fields that it speaks of, by name."""

    status: OrderStatus
    changes: Mapping[str, Any] = field(default_factory=dict)
    refunds: tuple[ReportedRefund, ...] = ()
    returns: tuple[ReportedReturn, ...] = ()


def is_behind(status: OrderStatus, present: OrderStatus) -> bool:
    """Whether a status lies before the present one in the life of an order."""
    return PROGRESS.index(status) < PROGRESS.index(present)


def order_after(order: Order, report: OrderReport, now: datetime) -> tuple[Order, tuple[str, ...]]:
    """The order after the report, and the fields of the report that were ignored.

    A report whose status is behind comes late: nothing of it counts, but that the order was paid. When that was is
    taken once. A step that the shop gives no time for was taken now.
    """
    is_late = is_behind(report.status, order.status)
    wanted = {"status": report.status, **report.changes}
    if order.paid_at is not None:
        wanted["paid_at"] = order.paid_at
    elif (is_late or report.status is not order.status) and report.status not in _UNPAID:
        wanted.setdefault("paid_at", now)
    moment = _MOMENTS.get(report.status)
    if moment and report.status is not order.status and getattr(order, moment) is None:
        wanted.setdefault(moment, now)
    if is_late:
        wanted = {"paid_at": wanted.get("paid_at")}
    elif "lines" in wanted and same_lines(wanted["lines"], order.lines):
        # As they were ordered: a product may have got another title since.
        wanted["lines"] = order.lines
    after = replace(order, **wanted)
    given = {"status": report.status, **report.changes}
    return after, tuple(name for name, value in given.items() if _is_ignored(name, value, after))


def _is_ignored(name: str, value: Any, after: Order) -> bool:
    if name == "lines":
        return not same_lines(value, after.lines)
    return bool(getattr(after, name) != value)


def new_order(order: Order, report: OrderReport) -> Order:
    """An order that was not known before, with what its status says beside what the report does.

    It may have been placed long ago: that is when it was paid, unless the shop says otherwise.
    """
    changes = dict(report.changes)
    if report.status not in _UNPAID:
        changes.setdefault("paid_at", changes.get("placed_at", order.placed_at))
    return replace(order, status=report.status, **changes)


def same_lines(some: Sequence[OrderLine], others: Sequence[OrderLine]) -> bool:
    """Whether the same things are ordered for the same prices, in any order and under any title."""

    def bag(lines: Sequence[OrderLine]) -> Counter[tuple[str, int, int]]:
        return Counter((line.sku, line.quantity, line.unit_price_minor) for line in lines)

    return bag(some) == bag(others)


def forbidden_changes(order: Order, report: OrderReport) -> list[Fault]:
    """The changes that an order does not take any more, once it is paid. What was not known may be filled in."""
    if order.status is OrderStatus.PENDING or is_behind(report.status, order.status):
        return []
    faults = []
    for name in FIXED_ONCE_PAID:
        known, given = getattr(order, name), report.changes.get(name)
        if given is None or known is None or known == ():
            continue
        if not same_lines(given, known) if name == "lines" else given != known:
            faults.append(Fault(name, f"cannot change any more: the order is {order.status.value}"))
    return faults


def money_faults(order: Order) -> list[Fault]:
    """Whether the total is what the goods cost, less the discount, with the delivery, where those are known."""
    if not order.lines or (order.discount_minor is None and order.delivery_minor is None):
        return []
    discount, delivery = order.discount_minor or 0, order.delivery_minor or 0
    expected = order.goods_minor - discount + delivery
    if order.total_minor == expected:
        return []
    sum_of = f"lines {order.goods_minor} - discount {discount} + delivery {delivery}"
    return [Fault("total_minor", f"is {order.total_minor}, but {sum_of} is {expected}")]
