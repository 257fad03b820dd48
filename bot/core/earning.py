"""What an order earns, what a refund leaves of that, and how long points last."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

from dateutil.relativedelta import relativedelta

from bot.core.ledger import MAX_POINTS
from bot.core.loyalty import EarningRules, Multiplier, matches
from bot.core.orders import OrderLine, OrderStatus

# The customer has paid, and the goods are theirs or on their way.
EARNING_STATUSES = frozenset({OrderStatus.PAID, OrderStatus.PREPARING, OrderStatus.SHIPPED, OrderStatus.DELIVERED})


def points_for(
    lines: Sequence[OrderLine],
    paid_minor: int,
    rules: EarningRules,
    *,
    tier: str | None = None,
    segments: Collection[str] = (),
    day: date,
) -> int:
    """The points for lines for which so much was paid (Order.paid_for_goods_minor), on that day of the shop's.

    A discount is spread over all lines by their worth, and the points of all lines together are rounded down once.
    """
    if not lines:
        # Nothing is known but the sum, so what depends on the product does not apply.
        lines = [OrderLine("", "", 1, paid_minor)]
    worth = _worth(lines)
    if worth == 0:
        return 0
    eligible = weighted = Fraction(0)
    for line in lines:
        if matches(line.sku, rules.excluded):
            continue
        paid = Fraction(line.quantity * line.unit_price_minor * paid_minor, worth)
        eligible += paid
        weighted += paid * _factor(line.sku, rules.multipliers, tier, segments, day)
    if eligible < rules.minimum_minor:
        return 0
    return min(int(weighted * rules.points_per_minor), MAX_POINTS)


def kept_points(earned: int, paid_minor: int, refunded_minor: int) -> int:
    """What is left of the points of an order, after refunds of so much of what was paid for it in all: the same share.

    Rounded down, so that a refund of everything leaves nothing, and no number of refunds takes more than was earned.
    """
    if refunded_minor <= 0:
        return earned
    return earned * max(paid_minor - refunded_minor, 0) // paid_minor if paid_minor > 0 else 0


def available_from(rules: EarningRules, paid_at: datetime) -> datetime:
    """From when on the points for a payment can be spent."""
    return paid_at + timedelta(days=rules.hold_days)


def expiry_after(rules: EarningRules | None, available_at: datetime) -> datetime | None:
    """When points run out that can be spent from then on; None: never.

    So many months later at the same time of day; where that month is shorter, on its last day.
    """
    if rules is None or rules.months is None:
        return None
    return available_at + relativedelta(months=rules.months)


def _worth(lines: Sequence[OrderLine]) -> int:
    return sum(line.quantity * line.unit_price_minor for line in lines)


def _factor(
    sku: str, multipliers: Sequence[Multiplier], tier: str | None, segments: Collection[str], day: date
) -> Fraction:
    fitting = (one.factor for one in multipliers if _fits(one, sku, tier, segments, day))
    return max(fitting, default=Fraction(1))


def _fits(multiplier: Multiplier, sku: str, tier: str | None, segments: Collection[str], day: date) -> bool:
    return (
        (not multiplier.products or matches(sku, multiplier.products))
        and (not multiplier.tiers or tier in multiplier.tiers)
        and (not multiplier.segments or any(segment in multiplier.segments for segment in segments))
        and (multiplier.first_day is None or multiplier.first_day <= day)
        and (multiplier.last_day is None or day <= multiplier.last_day)
    )
