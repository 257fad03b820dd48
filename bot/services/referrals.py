"""Referrals: customers who bring friends, and the points that both get once the friend has bought something.

Whoever changes a referral has locked the account of the friend (the referee) first.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot.core.customers import CustomerId
from bot.core.earning import expiry_after
from bot.core.ledger import EntryKind, LedgerEntry
from bot.core.loyalty import ReferralRules
from bot.core.orders import Order
from bot.core.referrals import (
    CAP_WINDOW,
    REFEREE,
    REFERRER,
    Household,
    Referral,
    counts_for_referral,
    is_same_person,
    new_referral_code,
    normalise_referral_code,
    shared_home,
)
from bot.core.shop import Shop
from bot.errors import CustomerNotFound, ReferralRefused
from bot.services.ids import NUMBER_TRIES
from bot.services.ledger import award_points, lock_accounts, take_back_points
from bot.services.merges import follow_up_merge
from bot.services.one_by_one import one_by_one
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, UnitOfWork

PAGE = 200


async def referral_code(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> str:
    """The code that the customer passes on to friends; made when it is first asked for, and always the same.

    Raises CustomerNotFound.
    """
    customer = await customer_of(work, customer_id)
    if customer.erased_at is not None:
        raise CustomerNotFound
    await work.ledger.lock(customer.id, clock.now())
    code = await work.referrals.code_of(customer.id)
    if code is not None:
        return code
    for _ in range(NUMBER_TRIES):
        code = new_referral_code()
        if await work.referrals.set_code(customer.id, code):
            return code
    raise RuntimeError(f"no referral code was free in {NUMBER_TRIES} tries")


async def join_by_referral(work: UnitOfWork, clock: Clock, shop: Shop, referee_id: CustomerId, code: str) -> Referral:
    """Note that a new customer was brought by whoever passed them the code.

    Safe to repeat with a code of the same friend. Raises CustomerNotFound, or ReferralRefused with the reason: nobody
    has the code, it is their own (or of somebody reached under the same address), they brought that friend themselves,
    ordered before, live in one household with them, were brought already, or the friend has brought enough for a year.
    """
    rules = shop.loyalty.referral if shop.loyalty else None
    if rules is None:
        raise ReferralRefused("no_program")
    referee = await customer_of(work, referee_id)
    if referee.erased_at is not None:
        raise CustomerNotFound
    owner_id = await work.referrals.with_code(normalise_referral_code(code))
    referrer = await customer_of(work, owner_id) if owner_id else None
    if referrer is None or referrer.erased_at is not None:
        raise ReferralRefused("unknown_code")
    if referrer.id == referee.id:
        raise ReferralRefused("oneself")
    await lock_accounts(work, clock, (referee.id, referrer.id))
    known = await work.referrals.get(referee.id)
    if known is not None:
        if known.referrer_id == referrer.id and known.refused is None:
            return known
        raise ReferralRefused(known.refused or "already_referred")
    referral = Referral(referee.id, referrer.id, clock.now())
    await _check(work, clock, rules, referral)
    refused = await _shared_home(work, shop, referral)
    # Kept, so that nobody who was refused comes again by another door.
    await work.referrals.add(replace(referral, refused=refused))
    if refused is not None:
        raise ReferralRefused(refused)
    return referral


async def _check(work: UnitOfWork, clock: Clock, rules: ReferralRules, referral: Referral) -> None:
    """Raise ReferralRefused where the two may not bring each other, or not now."""
    other_way = await work.referrals.get(referral.referrer_id)
    if other_way is not None and other_way.referrer_id == referral.referee_id:
        raise ReferralRefused("each_other")
    one, other = await _households(work, referral)
    if is_same_person(one, other):
        raise ReferralRefused("oneself")
    if await work.referrals.has_paid_order(referral.referee_id):
        raise ReferralRefused("not_new")
    # Nobody is promised what they will not get.
    if await _is_at_cap(work, clock, rules, referral.referrer_id):
        raise ReferralRefused("cap")


async def note_order(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """Bring the referral of whoever ordered to what the order's present status and refunds call for. Safe to repeat.

    A friend's first order that is paid and large enough begins the hold. When it is taken back before the reward, there
    is none; when it is taken back afterwards, the points of both are. Either is for good.
    """
    if order.customer_id is None:
        return
    rules = shop.loyalty.referral if shop.loyalty else None
    # Of two customers who are one, both may have been brought by somebody.
    people = await work.merges.same_person(order.customer_id)
    for referee_id in people:
        if await work.referrals.get(referee_id) is None:
            continue
        await work.ledger.lock(referee_id, clock.now())
        referral = await work.referrals.get(referee_id)
        if referral is None or referral.refused is not None:
            continue
        counts = counts_for_referral(order, await work.refunds.of_order(order.number), rules)
        if referral.order_number == order.number and not counts:
            await _take_back(work, clock, referral)
        elif referral.order_number is None and counts and rules is not None:
            others = [await work.referrals.get(other_id) for other_id in people if other_id != referee_id]
            if any(other is not None and other.order_number == order.number for other in others):
                continue  # this order is the first one of the other referral
            await _begin_hold(work, clock, shop, rules, referral, order)


async def _begin_hold(
    work: UnitOfWork, clock: Clock, shop: Shop, rules: ReferralRules, referral: Referral, order: Order
) -> None:
    paid_at = order.paid_at or clock.now()
    # Imported later than the friend's code, but paid before it.
    refused = "not_new" if paid_at < referral.joined_at else await _shared_home(work, shop, referral)
    due_at = paid_at + timedelta(days=rules.hold_days)
    await work.referrals.save(replace(referral, order_number=order.number, due_at=due_at, refused=refused))


async def _take_back(work: UnitOfWork, clock: Clock, referral: Referral) -> None:
    if referral.rewarded_at is None:
        await work.referrals.save(replace(referral, refused="order_taken_back"))
        return
    for earning in await _earnings(work, referral):
        await take_back_points(
            work, clock, earning.id, earning.points, key=f"{earning.key}:back", source=earning.source
        )
        await follow_up_merge(work, clock, earning.customer_id)


async def _earnings(work: UnitOfWork, referral: Referral) -> list[LedgerEntry]:
    """What was given for it, whoever the friend has turned out to be since."""
    found = [await work.ledger.by_key(_key(referral, side)) for side in (REFERRER, REFEREE)]
    return [entry for entry in found if entry is not None]


async def reward_referrals(db: Database, clock: Clock, shop: Shop) -> int:
    """Give both their points, for every friend whose order has outlasted the hold; how many friends those were.

    A friend at a time. Run again, or twice at once, it gives nothing twice.
    """
    rules = shop.loyalty.referral if shop.loyalty else None
    if rules is None:
        return 0
    reward = partial(_reward, clock, shop, rules)
    rewarded, after = 0, None
    while True:
        async with db.reading() as work:
            due = await work.referrals.due(clock.now(), after=after, limit=PAGE)
        rewarded += await one_by_one(db, due, reward, what="friends brought along")
        if len(due) < PAGE:
            return rewarded
        after = due[-1]


async def _reward(clock: Clock, shop: Shop, rules: ReferralRules, work: UnitOfWork, referee_id: CustomerId) -> bool:
    now = clock.now()
    await work.ledger.lock(referee_id, now)
    referral = await work.referrals.get(referee_id)
    if referral is None or not referral.is_open or referral.due_at is None or referral.due_at > now:
        return False
    # Before counting what they had, so that two friends at once do not get by the cap together.
    await work.ledger.lock(referral.referrer_id, now)
    order = await work.orders.by_number(referral.order_number or "")
    if order is None or not counts_for_referral(order, await work.refunds.of_order(order.number), rules):
        await work.referrals.save(replace(referral, refused="order_taken_back"))
        return False
    if await _is_at_cap(work, clock, rules, referral.referrer_id):
        await work.referrals.save(replace(referral, refused="cap"))
        return False
    expires_at = expiry_after(shop.loyalty.earning if shop.loyalty else None, now)
    for side, customer_id, points in (
        (REFERRER, referral.referrer_id, rules.referrer_points),
        (REFEREE, referee_id, rules.referee_points),
    ):
        customer = await customer_of(work, customer_id)
        if points > 0 and customer.erased_at is None:
            await award_points(
                work,
                clock,
                customer.id,
                EntryKind.REFERRAL,
                points,
                key=_key(referral, side),
                expires_at=expires_at,
                source=f"referral:{side}",
            )
    await work.referrals.save(replace(referral, rewarded_at=now))
    return True


async def referrals_of(work: UnitOfWork, customer_id: CustomerId, *, limit: int = 200) -> list[Referral]:
    """Those whom the customer brought, newest first: waiting, rewarded, and refused (see `refused`)."""
    return await work.referrals.of_referrer(customer_id, limit)


async def _is_at_cap(work: UnitOfWork, clock: Clock, rules: ReferralRules, referrer_id: CustomerId) -> bool:
    return await work.referrals.rewarded_since(referrer_id, clock.now() - CAP_WINDOW) >= rules.cap_per_year


async def _shared_home(work: UnitOfWork, shop: Shop, referral: Referral) -> str | None:
    return shared_home(*await _households(work, referral), shop_address=shop.address)


async def _households(work: UnitOfWork, referral: Referral) -> tuple[Household, Household]:
    return (
        await work.referrals.household(referral.referee_id),
        await work.referrals.household(referral.referrer_id),
    )


def _key(referral: Referral, side: str) -> str:
    # By the order: one brings a reward once, and the friend may be merged with somebody, and parted again.
    return f"referral:{referral.order_number}:{side}"
