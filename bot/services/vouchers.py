"""Vouchers: given once for one event, reserved by a checkout, redeemed, or released.

Every function is safe to repeat, and is called in a transaction. What is refused raises VoucherRefused and changes
nothing. A checkout is named by the shop's own key (an order's or a cart's number); several vouchers can be used on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from bot.core.customers import CustomerId
from bot.core.ledger import MAX_KEY_CHARACTERS, EntryId
from bot.core.loyalty import Offer
from bot.core.shop import Shop
from bot.core.vouchers import (
    RESERVED_FOR,
    UseState,
    Voucher,
    VoucherKind,
    VoucherUse,
    discount_beside,
    end_of_validity,
    new_voucher_code,
    normalise_voucher_code,
    stack_obstacle,
)
from bot.errors import KeyReused, VoucherRefused
from bot.services.ids import NUMBER_TRIES, new_id
from bot.services.one_by_one import one_by_one
from bot.services.ports import Clock, Database, UnitOfWork

FREED_AT_ONCE = 200


async def issue_voucher(
    work: UnitOfWork,
    clock: Clock,
    *,
    kind: VoucherKind,
    offer: Offer,
    customer_id: CustomerId | None,
    key: str,
    entry_id: EntryId | None = None,
    zone: tzinfo | None = None,
) -> Voucher:
    """Give a voucher with a new code, for one use. `key` is the event it is given for: the same again is the same one.

    With a time zone it is good until the end of its last day there. Raises KeyReused when the key was used for another
    kind of voucher, customer or offer.
    """
    now = clock.now()
    for _ in range(NUMBER_TRIES):
        voucher = Voucher(
            code=new_voucher_code(),
            kind=kind,
            customer_id=customer_id,
            name=offer.id,
            title=offer.title,
            effect=offer.effect,
            key=key,
            created_at=now,
            minimum_minor=offer.minimum_minor,
            stackable=offer.stackable,
            entry_id=entry_id,
            expires_at=end_of_validity(now, offer.valid_days, zone),
        )
        if await work.vouchers.add(voucher):
            return voucher
        if (known := await work.vouchers.by_key(key)) is not None:
            if (known.kind, known.customer_id, known.name) != (kind, customer_id, offer.id):
                raise KeyReused
            return known
    raise RuntimeError(f"no voucher code was free in {NUMBER_TRIES} tries")


async def vouchers_of(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> list[Voucher]:
    """What the customer can use now, newest first. One that a checkout has reserved is not among them meanwhile."""
    now = clock.now()
    return [voucher for voucher in await work.vouchers.of_customer(customer_id) if voucher.obstacle(now) is None]


async def find_voucher(work: UnitOfWork, typed: str) -> Voucher | None:
    """The voucher with the code that somebody typed."""
    return await work.vouchers.get(normalise_voucher_code(typed))


async def last_use_of(work: UnitOfWork, clock: Clock, voucher: Voucher) -> VoucherUse | None:
    """The latest use of a voucher that counts now."""
    use = await work.vouchers.last_use(voucher.code)
    return use if use is not None and not use.is_over(clock.now()) else None


def check_stack(vouchers: Sequence[Voucher], total_minor: int) -> list[int]:
    """What each of several vouchers takes off one total, in their order; together never more than the total.

    The last may be worth less for that. Raises VoucherRefused: not_stackable, below_minimum, nothing_left, or twice.
    Whose they are, and whether they can be used now, is not asked here: see reserve_voucher.
    """
    if len({voucher.code for voucher in vouchers}) < len(vouchers):
        raise VoucherRefused("twice")
    discounts: list[int] = []
    for position, voucher in enumerate(vouchers):
        discounts.append(_discount(voucher, vouchers[:position], sum(discounts), total_minor))
    return discounts


async def reserve_voucher(
    work: UnitOfWork, clock: Clock, code: str, *, key: str, customer_id: CustomerId | None, total_minor: int
) -> VoucherUse:
    """Hold a voucher for a checkout, and say what it takes off `total_minor`, the total before any voucher.

    The reservation ends by itself after half an hour. The same key again returns it; with another total or customer
    it raises KeyReused, until it is released. Another code with the same key is used beside the first.

    A customer's own voucher is only for them, and a limit for each customer is counted, when `customer_id` is given;
    None, as at a counter, asks nobody: whoever holds the code may use it.
    """
    if not key or len(key) > MAX_KEY_CHARACTERS or total_minor < 0:
        raise VoucherRefused("bad_request")
    now = clock.now()
    # The checkout first, always in this order: no two wait for each other.
    await work.vouchers.lock_checkout(key)
    voucher = await _lock(work, code, now)
    known = await work.vouchers.uses_on(key)
    uses = [use for use in known if not use.is_over(now)]
    if any((use.total_minor, use.customer_id) != (total_minor, customer_id) for use in uses):
        raise KeyReused
    for use in uses:
        if use.code == voucher.code:
            return use
    await _check(work, voucher, customer_id, now)
    others = [one for use in uses if (one := await work.vouchers.get(use.code)) is not None]
    taken = sum(use.discount_minor for use in uses)
    discount = _discount(voucher, others, taken, total_minor)
    # Asked of the database once more: this, and not what was read before, is what keeps the limit.
    if not await work.vouchers.count_use(voucher.code, now):
        raise VoucherRefused("used_up")
    reserved = VoucherUse(
        id=next((use.id for use in known if use.code == voucher.code), new_id()),
        code=voucher.code,
        key=key,
        customer_id=customer_id,
        state=UseState.RESERVED,
        total_minor=total_minor,
        discount_minor=discount,
        reserved_at=now,
        reserved_until=now + RESERVED_FOR,
    )
    await work.vouchers.save_use(reserved)
    return reserved


async def redeem_voucher(work: UnitOfWork, clock: Clock, code: str, *, key: str) -> VoucherUse:
    """Turn the checkout's reservation into a use. Raises VoucherRefused: not_reserved, or reservation_over."""
    now = clock.now()
    use = await _use_on(work, code, key, now)
    if use.state is UseState.REDEEMED:
        return use
    if use.is_over(now):
        raise VoucherRefused("reservation_over")
    return await _end(work, use, UseState.REDEEMED, now)


async def release_voucher(work: UnitOfWork, clock: Clock, code: str, *, key: str) -> VoucherUse:
    """Give up the checkout's reservation, so that the voucher can be used elsewhere.

    Raises VoucherRefused: not_reserved, or redeemed (see give_back_vouchers).
    """
    now = clock.now()
    use = await _use_on(work, code, key, now)
    if use.state is UseState.REDEEMED:
        raise VoucherRefused("redeemed")
    return await _release(work, use, now)


async def use_voucher(
    work: UnitOfWork, clock: Clock, code: str, *, key: str, customer_id: CustomerId | None, total_minor: int
) -> VoucherUse:
    """Reserve and redeem at once, as at a counter; see reserve_voucher."""
    await reserve_voucher(work, clock, code, key=key, customer_id=customer_id, total_minor=total_minor)
    return await redeem_voucher(work, clock, code, key=key)


async def give_back_vouchers(work: UnitOfWork, clock: Clock, *, key: str) -> list[VoucherUse]:
    """Undo all uses on a checkout or order that came to nothing, redeemed or not; the uses as they are now.

    Vouchers keep their expiry: one that ran out meanwhile stays over.
    """
    now = clock.now()
    await work.vouchers.lock_checkout(key)
    codes = sorted({use.code for use in await work.vouchers.uses_on(key)})
    return [await _release(work, await _use_on(work, code, key, now), now) for code in codes]


async def cancel_voucher(work: UnitOfWork, clock: Clock, code: str) -> bool:
    """Take back a voucher that nobody has used or reserved; whether this did it.

    False, changing nothing, for one that is unknown, in use, or cancelled already.
    """
    now = clock.now()
    voucher = await work.vouchers.lock(normalise_voucher_code(code))
    if voucher is None:
        return False
    if voucher.uses > await work.vouchers.release_over(voucher.code, now):
        return False
    return await work.vouchers.cancel(voucher.code, now)


async def free_reservations(db: Database, clock: Clock, shop: Shop) -> int:
    """End reservations that nobody redeemed, a voucher at a time; how many there were.

    Nothing depends on when this runs: whoever uses such a voucher frees it, too.
    """

    async def free(work: UnitOfWork, code: str) -> int:
        known = await work.vouchers.lock(code) is not None
        return await work.vouchers.release_over(code, clock.now()) if known else 0

    total, after = 0, None
    while True:
        async with db.reading() as work:
            codes = await work.vouchers.with_reservations_over(clock.now(), after=after, limit=FREED_AT_ONCE)
        total += await one_by_one(db, codes, free, what="vouchers held for too long")
        if len(codes) < FREED_AT_ONCE:
            return total
        after = codes[-1]


async def _lock(work: UnitOfWork, code: str, now: datetime) -> Voucher:
    """The voucher, locked, with reservations that ran out uncounted."""
    voucher = await work.vouchers.lock(normalise_voucher_code(code))
    if voucher is None:
        raise VoucherRefused("unknown")
    return replace(voucher, uses=voucher.uses - await work.vouchers.release_over(voucher.code, now))


async def _check(work: UnitOfWork, voucher: Voucher, customer_id: CustomerId | None, now: datetime) -> None:
    if (obstacle := voucher.obstacle(now)) is not None:
        raise VoucherRefused(obstacle)
    if customer_id is None:
        return
    if voucher.customer_id not in (None, customer_id):
        raise VoucherRefused("not_yours")
    limit = voucher.uses_per_customer
    if limit is not None and await work.vouchers.uses_by(voucher.code, customer_id) >= limit:
        raise VoucherRefused("used_by_you")


def _discount(voucher: Voucher, others: Sequence[Voucher], taken_minor: int, total_minor: int) -> int:
    if (obstacle := stack_obstacle(voucher, others, taken_minor, total_minor)) is not None:
        raise VoucherRefused(obstacle)
    return discount_beside(voucher, taken_minor, total_minor)


async def _use_on(work: UnitOfWork, code: str, key: str, now: datetime) -> VoucherUse:
    voucher = await _lock(work, code, now)
    for use in await work.vouchers.uses_on(key):
        if use.code == voucher.code:
            return use
    raise VoucherRefused("not_reserved")


async def _release(work: UnitOfWork, use: VoucherUse, now: datetime) -> VoucherUse:
    if use.state is UseState.RELEASED:
        return use
    await work.vouchers.uncount_use(use.code)
    return await _end(work, use, UseState.RELEASED, now)


async def _end(work: UnitOfWork, use: VoucherUse, state: UseState, now: datetime) -> VoucherUse:
    ended = replace(use, state=state, reserved_until=None, ended_at=now)
    await work.vouchers.save_use(ended)
    return ended
