"""Coupons: codes of the shop's own, for everybody who knows them, for as long and as often as the campaign says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.loyalty import Effect
from bot.core.vouchers import (
    MAX_CODE_CHARACTERS,
    MIN_CODE_CHARACTERS,
    UNLIMITED_USES,
    Voucher,
    VoucherKind,
    bare_code,
    looks_like_ours,
)
from bot.errors import VoucherRefused
from bot.services.ports import Clock, UnitOfWork


async def issue_coupon(
    work: UnitOfWork,
    clock: Clock,
    code: str,
    *,
    title: str,
    effect: Effect,
    use_limit: int | None = None,
    uses_per_customer: int | None = None,
    starts_at: datetime | None = None,
    expires_at: datetime | None = None,
    minimum_minor: int = 0,
    stackable: bool = False,
) -> Voucher:
    """Start a campaign under a code; `use_limit` None is as often as people like.

    Safe to repeat with the same terms. Raises VoucherRefused: code_taken (with other terms), or bad_code.
    """
    kept = bare_code(code)
    if not MIN_CODE_CHARACTERS <= len(kept) <= MAX_CODE_CHARACTERS or looks_like_ours(kept):
        raise VoucherRefused("bad_code")
    coupon = Voucher(
        code=kept,
        kind=VoucherKind.COUPON,
        customer_id=None,
        name=kept,
        title=title,
        effect=effect,
        key=f"coupon:{kept}",
        created_at=clock.now(),
        minimum_minor=minimum_minor,
        stackable=stackable,
        use_limit=UNLIMITED_USES if use_limit is None else use_limit,
        uses_per_customer=uses_per_customer,
        starts_at=starts_at,
        expires_at=expires_at,
    )
    if await work.vouchers.add(coupon):
        return coupon
    known = await work.vouchers.get(kept)
    if known is None or replace(known, uses=0, created_at=coupon.created_at) != coupon:
        raise VoucherRefused("code_taken")
    return known


async def end_coupon(work: UnitOfWork, clock: Clock, code: str) -> bool:
    """End a campaign now, whether its code was used or not; whether this did it. Reservations can still be redeemed."""
    coupon = await work.vouchers.get(bare_code(code))
    if coupon is None or coupon.kind is not VoucherKind.COUPON:
        raise VoucherRefused("unknown")
    return await work.vouchers.cancel(coupon.code, clock.now())
