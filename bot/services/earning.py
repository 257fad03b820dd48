"""What orders earn and lose, what an answer earns, and the level that comes of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timezone

from bot.core.customers import Customer, CustomerId
from bot.core.earning import EARNING_STATUSES, available_from, expiry_after, kept_points, points_for
from bot.core.ledger import EntryKind, LedgerEntry
from bot.core.loyalty import Program, TierRules
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop
from bot.core.tiers import TierStanding, first_day_that_counts, standing_at
from bot.services.ledger import award_points, lock_accounts, take_back_points, taken_back
from bot.services.merges import follow_up_merge
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.punch_cards import stamp_order
from bot.services.referrals import note_order

# Nothing of these was kept, whatever was paid back. How much of a returned order came back say its refunds, if any.
_LOST = frozenset({OrderStatus.CANCELLED, OrderStatus.REFUNDED})


async def settle_order(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """Bring points, stamps and referrals to what the order's present status, payment and refunds call for.

    To be called in the transaction that saved the order or its refund, with the order locked. Safe to repeat. What was
    earned once stays as it is, whatever becomes of the shop's rules; only refunds, and a status that undoes the order,
    take it back. What was taken back before it was known how much came back is given again. Without a programme there
    is nothing to settle.
    """
    if shop.loyalty is None:
        return
    await settle_points(work, clock, shop, order)
    await stamp_order(work, clock, shop, order)
    await note_order(work, clock, shop, order)


async def settle_points(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """The part of settle_order that is about points.

    What is left in the end follows from the order's status and its refunds, in whatever order those were heard of.
    """
    refunds = await work.refunds.of_order(order.number)
    is_lost = order.status in _LOST or (order.status is OrderStatus.RETURNED and not refunds)
    refunded = sum(refund.amount_minor for refund in refunds)
    earnings = await _earnings(work, order)
    if not earnings and _may_earn(order, refunded):
        earnings = [earning] if (earning := await _earn(work, clock, shop, order)) else []
    if not earnings:
        return
    earned, paid = earnings[0].points, order.paid_for_goods_minor
    so_far = 0
    for refund in refunds:
        so_far += refund.amount_minor
        await _take_back_to(work, clock, order, earnings, kept_points(earned, paid, so_far), f"refund:{refund.id}")
    if is_lost:
        await _take_back_to(work, clock, order, earnings, 0, f"order:{order.number}:taken_back")
    else:
        await _give_again_to(work, clock, shop, order, earnings, kept_points(earned, paid, refunded))


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


def _paid_key(order: Order, times: int = 0) -> str:
    """The key of what it earned, or of what was given again the so-manieth time."""
    return f"order:{order.number}:paid:again:{times}" if times else f"order:{order.number}:paid"


def _may_earn(order: Order, refunded_minor: int) -> bool:
    """Whether it was paid and something was kept, also when that is first heard of with what came back."""
    is_returned_in_part = order.status is OrderStatus.RETURNED and 0 < refunded_minor < order.paid_for_goods_minor
    return order.status in EARNING_STATUSES or is_returned_in_part


async def _earnings(work: UnitOfWork, order: Order) -> list[LedgerEntry]:
    """What the order earned, and what of that was given again after it was taken back."""
    found: list[LedgerEntry] = []
    while (entry := await work.ledger.by_key(_paid_key(order, len(found)))) is not None:
        found.append(entry)
    return found


async def _take_back_to(
    work: UnitOfWork, clock: Clock, order: Order, earnings: Sequence[LedgerEntry], kept: int, key: str
) -> None:
    """Take back what is left of the earnings beyond what is kept, the last one first."""
    left = [earning.points - _points_in(await taken_back(work, earning)) for earning in earnings]
    too_much = sum(left) - kept
    for times, earning in reversed(list(enumerate(earnings))):
        points = min(too_much, left[times])
        if points <= 0:
            continue
        too_much -= points
        await _take_back(work, clock, order, earning, points, f"{key}:again:{times}" if times else key)


async def _take_back(work: UnitOfWork, clock: Clock, order: Order, earning: LedgerEntry, points: int, key: str) -> None:
    entries = await taken_back(work, earning)
    if any(entry.key == key or entry.key.startswith(f"{key}:") for entry in entries):
        # The shop has paid back more than this refund was known to be. Points that were moved are taken back under keys
        # that go on with a number, too; hence the word.
        key = f"{key}:after:{_points_in(entries)}"
    await take_back_points(work, clock, earning.id, points, key=key, source=order.number)
    # What was spent before the customer was merged is owed by whom they are now.
    await follow_up_merge(work, clock, earning.customer_id)


async def _give_again_to(
    work: UnitOfWork, clock: Clock, shop: Shop, order: Order, earnings: Sequence[LedgerEntry], kept: int
) -> None:
    """Give again what was taken back of the earnings beyond what came back, with the dates that it had.

    What would have run out meanwhile stays gone, but for what was spent in time and is owed, or was paid for, since.
    """
    first = earnings[0]
    reversals = [entry for earning in earnings for entry in await taken_back(work, earning)]
    missing = kept - (sum(earning.points for earning in earnings) - _points_in(reversals))
    expires_at = first.expires_at
    if missing > 0 and expires_at is not None and expires_at <= clock.now():
        given = sum(earning.points for earning in earnings[1:])
        missing = min(missing, await _spent_before(work, reversals) - given)
        expires_at = expiry_after(shop.loyalty.earning if shop.loyalty else None, clock.now())
    if missing <= 0 or await _earner(work, first.customer_id) is None:
        return
    await lock_accounts(work, clock, {first.customer_id})
    await award_points(
        *(work, clock, first.customer_id, first.kind, missing),
        key=_paid_key(order, len(earnings)),
        available_at=first.available_at,
        expires_at=expires_at,
        source=order.number,
    )
    # To whom the customer turned out to be; if those two are parted again, it goes back with the rest.
    await follow_up_merge(work, clock, first.customer_id)


async def _spent_before(work: UnitOfWork, reversals: Sequence[LedgerEntry]) -> int:
    """How many of the points taken back were not there any more where they had come in."""
    own = 0
    for entry in reversals:
        own += sum(
            part.points for part in await work.ledger.allocations_of(entry.id) if part.lot_id == entry.reverses_id
        )
    return _points_in(reversals) - own


def _points_in(reversals: Sequence[LedgerEntry]) -> int:
    return -sum(entry.points for entry in reversals)


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
