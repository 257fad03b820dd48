"""The shop API's vouchers: held by a checkout, used, let go, given back."""

from __future__ import annotations

from bot.core.vouchers import Voucher, VoucherUse
from bot.gateway.api_customers import named_customer, number_of
from bot.gateway.api_endpoints import Call, Endpoints
from bot.gateway.api_requests import NotFound
from bot.gateway.api_till_schemas import (
    CheckoutBody,
    EffectAnswer,
    ReserveBody,
    VoucherAnswer,
    VoucherUseAnswer,
    VoucherUsesAnswer,
)
from bot.services.ports import UnitOfWork
from bot.services.vouchers import (
    find_voucher,
    give_back_vouchers,
    redeem_voucher,
    release_voucher,
    reserve_voucher,
)

endpoints = Endpoints()

REFUSALS = ("invalid", "not_found", "voucher_refused", "key_reused")


@endpoints.add("GET", "/api/v1/vouchers/{code}", "Read a voucher", answer=VoucherAnswer, refusals=("not_found",))
async def get_voucher(call: Call) -> VoucherAnswer:
    """What the voucher or coupon is worth, and whether it can be used now. To use it, reserve it."""
    async with call.db.reading() as work:
        voucher = await find_voucher(work, call.path("code"))
        if voucher is None:
            raise NotFound("There is no voucher with this code.")
        return await voucher_answer(call, work, voucher)


@endpoints.add(
    "POST",
    "/api/v1/vouchers/{code}/reserve",
    "Hold a voucher for a checkout",
    body=ReserveBody,
    answer=VoucherUseAnswer,
    refusals=REFUSALS,
)
async def post_reserve(call: Call) -> VoucherUseAnswer:
    """Hold the voucher for a checkout while its customer pays, and learn what it takes off.

    After half an hour it is free again by itself. Several vouchers can be held for one checkout, where they allow it.
    When its total changes, release the voucher and reserve it again.
    """
    body: ReserveBody = call.body
    async with call.db.transaction() as work:
        customer = await named_customer(work, body.customer_external_id)
        use = await reserve_voucher(
            *(work, call.clock, call.path("code")),
            key=body.key,
            customer_id=customer.id if customer else None,
            total_minor=body.total_minor,
        )
        return _use_answer(use)


@endpoints.add(
    "POST",
    "/api/v1/vouchers/{code}/redeem",
    "Use a voucher that is held",
    body=CheckoutBody,
    answer=VoucherUseAnswer,
    refusals=REFUSALS,
)
async def post_redeem(call: Call) -> VoucherUseAnswer:
    """Turn what the checkout holds into a use, once it is paid."""
    async with call.db.transaction() as work:
        return _use_answer(await redeem_voucher(work, call.clock, call.path("code"), key=call.body.key))


@endpoints.add(
    "POST",
    "/api/v1/vouchers/{code}/release",
    "Let a voucher go that is held",
    body=CheckoutBody,
    answer=VoucherUseAnswer,
    refusals=REFUSALS,
)
async def post_release(call: Call) -> VoucherUseAnswer:
    """Give up what the checkout holds, so that the voucher can be used elsewhere. One that is used stays used."""
    async with call.db.transaction() as work:
        return _use_answer(await release_voucher(work, call.clock, call.path("code"), key=call.body.key))


@endpoints.add(
    "POST",
    "/api/v1/vouchers/give-back",
    "Give back all vouchers of a checkout",
    body=CheckoutBody,
    answer=VoucherUsesAnswer,
    refusals=REFUSALS,
)
async def post_give_back(call: Call) -> VoucherUsesAnswer:
    """Undo every use of vouchers on a checkout or order that came to nothing, redeemed or not.

    They keep their expiry: one that has run out meanwhile stays over.
    """
    async with call.db.transaction() as work:
        uses = await give_back_vouchers(work, call.clock, key=call.body.key)
        return VoucherUsesAnswer(uses=[_use_answer(use) for use in uses])


async def voucher_answer(call: Call, work: UnitOfWork, voucher: Voucher) -> VoucherAnswer:
    """A voucher as the API shows it."""
    copied = ("code", "kind", "title", "minimum_minor", "stackable", "starts_at", "expires_at")
    return VoucherAnswer(
        **{name: getattr(voucher, name) for name in copied},
        effect=EffectAnswer(**vars(voucher.effect)),
        customer_external_id=await number_of(work, voucher.customer_id),
        obstacle=voucher.obstacle(call.clock.now()),
    )


def _use_answer(use: VoucherUse) -> VoucherUseAnswer:
    copied = ("code", "key", "state", "total_minor", "discount_minor", "reserved_until", "ended_at")
    return VoucherUseAnswer(**{name: getattr(use, name) for name in copied})
