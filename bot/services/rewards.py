"""Rewards: points turned into a voucher, and back while nobody has used it."""

from __future__ import annotations

from bot.core.customers import CustomerId
from bot.core.ledger import LedgerEntry
from bot.core.shop import Shop
from bot.core.vouchers import Voucher, VoucherKind, normalise_voucher_code
from bot.errors import KeyReused, LedgerRefused, VoucherRefused
from bot.services.ledger import redeem_points, undo_redemption
from bot.services.merges import follow_up_merge
from bot.services.ports import Clock, UnitOfWork
from bot.services.vouchers import cancel_voucher, issue_voucher


async def redeem_reward(
    work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, reward_id: str, *, key: str
) -> Voucher:
    """Spend the points that a reward costs, and give the voucher for it.

    Safe to repeat: the same key is the same voucher, and spends once, even if the shop has changed its rewards since;
    for another customer or reward it raises KeyReused. Raises LedgerRefused (no_reward) when the shop has no such
    reward, and InsufficientPoints; then nothing was changed.
    """
    key = _key(key)
    await work.ledger.lock(customer_id, clock.now())
    known = await work.vouchers.by_key(key)
    if known is not None:
        if (known.customer_id, known.name) != (customer_id, reward_id):
            raise KeyReused
        return known
    reward = shop.loyalty.reward(reward_id) if shop.loyalty else None
    if reward is None:
        raise LedgerRefused("no_reward", "There is no such reward. Choose one of those on offer.")
    entry = await redeem_points(work, clock, customer_id, reward.points, key=key, source=reward_id)
    return await issue_voucher(
        work,
        clock,
        kind=VoucherKind.REWARD,
        offer=reward.offer,
        customer_id=customer_id,
        key=key,
        entry_id=entry.id,
        zone=shop.hours.zone,
    )


async def undo_reward(work: UnitOfWork, clock: Clock, code: str, *, key: str) -> LedgerEntry:
    """Take a reward's unused voucher back, and give its points back to where they came from.

    Whoever calls has made sure whose voucher it is. Points keep their expiry, so that some may be gone. Safe to repeat
    with the same key. Raises VoucherRefused: unknown (or no reward), or in_use.
    """
    voucher = await work.vouchers.lock(normalise_voucher_code(code))
    if voucher is None or voucher.entry_id is None:
        raise VoucherRefused("unknown")
    if voucher.cancelled_at is None and not await cancel_voucher(work, clock, voucher.code):
        raise VoucherRefused("in_use")
    restored = await undo_redemption(work, clock, voucher.entry_id, key=_key(key))
    # Points that were spent before the customer was merged come back to whom they are now.
    await follow_up_merge(work, clock, restored.customer_id)
    return restored


def _key(key: str) -> str:
    return f"reward:{key}"
