"""What orders earn and lose, what an answer earns, and the level that comes of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time, timezone

from bot.core.customers import Customer, CustomerId
from bot.core.earning import EARNING_STATUSES, available_from, expiry_after, kept_points, points_for
from bot.core.ledger import EntryKind, LedgerEntry
from bot.core.loyalty import Program, TierRules
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop
from bot.core.tiers import TierStanding, first_day_that_counts, standing_at
from bot.services.ledger import award_points, take_back_points, taken_back
from bot.services.merges import follow_up_merge
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.punch_cards import stamp_order
from bot.services.referrals import note_order

# Nothing of these was kept, whatever was paid back. How much of a returned order came back says its refund, if any.
_LOST = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})


async def settle_order(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """Bring points, stamps and referrals to what the order's present status, payment and refunds call for.

    To be called in the transaction that saved the order or its refund, with the order locked. Safe to repeat. What was
    earned once stays as it is, whatever becomes of the shop's rules; only refunds, and a status that undoes the order,
    take it back. Without a programme there is nothing to settle.
    """
    if shop.loyalty is None:
        return
    await settle_points(work, clock, shop, order)
    await stamp_order(work, clock, shop, order)
    await note_order(work, clock, shop, order)


async def settle_points(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """The part of settle_order that is about points."""
    earning = await work.ledger.by_key(_paid_key(order))
    if earning is None and order.status in EARNING_STATUSES:
        earning = await _earn(work, clock, shop, order)
    if earning is None:
        return
    refunds = await work.refunds.of_order(order.number)
    refunded = 0
    for refund in refunds:
        refunded += refund.amount_minor
        kept = kept_points(earning.points, order.paid_for_goods_minor, refunded)
        await _take_back_to(work, clock, order, earning, kept, f"refund:{refund.id}")
    if order.status in _LOST or (order.status is OrderStatus.RETURNED and not refunds):
        await _take_back_to(work, clock, order, earning, 0, f"order:{order.number}:taken_back")


async def award_feedback_points(
    work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, kind: str, feedback_id: str
) -> int:
    """Give what the programme has for an answer of that kind (csat, nps, ces, review), and return how many points.

    Safe to repeat: one answer earns once. 0 where there is nothing to be earned, and for an erased customer.
    """
    points = shop.loyalty.feedback.points.get(kind, 0) if shop.loyalty else 0
    key = f"feedback:{feedback_id}"
    if points and (known := await work.ledger.by_key(key)) is not None:
        return known.points
    customer = await _earner(work, customer_id) if points and shop.loyalty else None
    if customer is None or shop.loyalty is None:
        return 0
    now = clock.now()
    expires_at = expiry_after(shop.loyalty.earning, now)
    await award_points(work, clock, customer.id, EntryKind.FEEDBACK, points, key=key, expires_at=expires_at)
    return points


async def tier_of(work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId) -> TierStanding:
    """The customer's level now, what is missing to the next one, and until when they keep it."""
    rules = shop.loyalty.tiers if shop.loyalty else TierRules()
    return await _standing(work, rules, customer_id, clock.now())


async def award_order_points(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    order: Order,
    customer_id: CustomerId,
    *,
    tier: str | None = None,
    segments: Collection[str] = (),
) -> LedgerEntry | None:
    """Give what a paid order earns somebody on that level and in those segments; None when that is nothing.

    For orders that nothing else is to be settled for; settle_order finds out all of it. Safe to repeat as long as the
    rules are the same; else it raises KeyReused.
    """
    rules = shop.loyalty.earning if shop.loyalty else None
    if rules is None:
        return None
    paid_at = order.paid_at or order.placed_at
    available_at = available_from(rules, paid_at)
    expires_at = expiry_after(rules, available_at)
    if expires_at is not None and expires_at <= clock.now():
        # An old order that is imported today: its points would be gone as soon as they came.
        return None
    day = paid_at.astimezone(shop.hours.zone).date()
    points = points_for(order.lines, order.paid_for_goods_minor, rules, tier=tier, segments=segments, day=day)
    if points == 0:
        return None
    return await award_points(
        *(work, clock, customer_id, EntryKind.ORDER, points),
        key=_paid_key(order),
        available_at=available_at,
        expires_at=expires_at,
        source=order.number,
    )


async def _earn(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> LedgerEntry | None:
    """The entry for a paid order; None when it earns nothing."""
    program = shop.loyalty
    if program is None or program.earning is None or order.customer_id is None:
        return None
    customer = await _earner(work, order.customer_id)
    if customer is None:
        return None
    # Held before anything is counted, so that two orders of one customer are weighed one after the other.
    await work.ledger.lock(customer.id, clock.now())
    tier = await _tier_for_earning(work, program, customer.id, order.paid_at or order.placed_at)
    segments = await _tags(work, program, customer.id)
    return await award_order_points(work, clock, shop, order, customer.id, tier=tier, segments=segments)


def _paid_key(order: Order) -> str:
    return f"order:{order.number}:paid"


async def _take_back_to(
    work: UnitOfWork, clock: Clock, order: Order, earning: LedgerEntry, kept: int, key: str
) -> None:
    """Take back what is left of an earning beyond what is kept."""
    entries = await taken_back(work, earning)
    taken = -sum(entry.points for entry in entries)
    if earning.points - taken <= kept:
        return
    if any(entry.key == key or entry.key.startswith(f"{key}:") for entry in entries):
        # The shop has paid back more than this refund was known to be. Points that were moved are taken back under keys
        # that go on with a number, too; hence the word.
        key = f"{key}:after:{taken}"
    await take_back_points(work, clock, earning.id, earning.points - taken - kept, key=key, source=order.number)
    # What was spent before the customer was merged is owed by whom they are now.
    await follow_up_merge(work, clock, earning.customer_id)


async def _tier_for_earning(work: UnitOfWork, program: Program, customer_id: CustomerId, at: datetime) -> str | None:
    if program.earning is None or not any(one.tiers for one in program.earning.multipliers):
        return None
    tier = (await _standing(work, program.tiers, customer_id, at)).tier
    return tier.id if tier else None


async def _standing(work: UnitOfWork, rules: TierRules, customer_id: CustomerId, at: datetime) -> TierStanding:
    since = datetime.combine(first_day_that_counts(rules, at), time(), timezone.utc)
    return standing_at(rules, await work.ledger.earned_by_day(customer_id, since, at), at)


async def _tags(work: UnitOfWork, program: Program, customer_id: CustomerId) -> frozenset[str]:
    if program.earning is None or not any(one.segments for one in program.earning.multipliers):
        return frozenset()
    return frozenset(tag.tag for tag in await work.notes.tags_of(customer_id))


async def _earner(work: UnitOfWork, customer_id: CustomerId) -> Customer | None:
    """Whose points they are: the customer, or whom they turned out to be; nobody's once they are erased."""
    customer = await customer_of(work, customer_id)
    return customer if customer.erased_at is None else None
