"""The shop API's loyalty: what an account page shows, rewards for points, stamps at the counter, and consents."""

from __future__ import annotations

from bot.core.customers import Customer
from bot.core.tiers import TierStanding
from bot.errors import ReportRefused
from bot.gateway.api_customers import find_customer, points_answer
from bot.gateway.api_endpoints import Call, Endpoints
from bot.gateway.api_till_schemas import (
    CardAnswer,
    ConsentAnswer,
    ConsentChannel,
    ConsentPurpose,
    ConsentsAnswer,
    ConsentsBody,
    LoyaltyAnswer,
    RewardAnswer,
    RewardBody,
    StampsBody,
    TierAnswer,
    VoucherAnswer,
)
from bot.gateway.api_vouchers import voucher_answer
from bot.services.consents import may_contact, record_consent
from bot.services.earning import tier_of
from bot.services.ports import UnitOfWork
from bot.services.punch_cards import CardStanding, add_stamps, cards_of
from bot.services.rewards import redeem_reward
from bot.services.shop_sync import SOURCE
from bot.services.vouchers import vouchers_of

endpoints = Endpoints()


@endpoints.add(
    "GET",
    "/api/v1/customers/{external_id}/loyalty",
    "Read how a customer stands",
    answer=LoyaltyAnswer,
    refusals=("not_found",),
)
async def get_loyalty(call: Call) -> LoyaltyAnswer:
    """All that an account page shows: points, the level, punch cards, vouchers, and what the points would buy."""
    async with call.db.reading() as work:
        customer = await find_customer(call, work)
        points = await points_answer(call, work, customer)
        rewards = call.shop.loyalty.rewards if call.shop.loyalty else ()
        return LoyaltyAnswer(
            external_id=customer.external_id,
            points=points,
            tier=_tier(await tier_of(work, call.clock, call.shop, customer.id)),
            cards=[_card(one) for one in await cards_of(work, call.shop, customer.id)],
            vouchers=[
                await voucher_answer(call, work, one) for one in await vouchers_of(work, call.clock, customer.id)
            ],
            rewards=[
                RewardAnswer(
                    id=one.offer.id,
                    title=one.offer.title,
                    points=one.points,
                    affordable=one.points <= points.available,
                )
                for one in rewards
            ],
        )


@endpoints.add(
    "POST",
    "/api/v1/customers/{external_id}/rewards",
    "Spend points on a reward",
    body=RewardBody,
    answer=VoucherAnswer,
    refusals=("invalid", "not_found", "ledger_refused", "insufficient_points", "key_reused"),
)
async def post_reward(call: Call) -> VoucherAnswer:
    """Take the points that a reward costs, and answer with the voucher for it."""
    body: RewardBody = call.body
    async with call.db.transaction() as work:
        customer = await find_customer(call, work)
        voucher = await redeem_reward(work, call.clock, call.shop, customer.id, body.reward, key=body.key)
        return await voucher_answer(call, work, voucher)


@endpoints.add(
    "POST",
    "/api/v1/customers/{external_id}/stamps",
    "Stamp a punch card",
    body=StampsBody,
    answer=CardAnswer,
    refusals=("invalid", "not_found", "stamps_refused", "key_reused"),
)
async def post_stamps(call: Call) -> CardAnswer:
    """Stamp a card for what was bought at the counter. Orders that are reported stamp it by themselves."""
    body: StampsBody = call.body
    async with call.db.transaction() as work:
        customer = await find_customer(call, work)
        standing = await add_stamps(
            *(work, call.clock, call.shop, customer.id, body.card, body.stamps), key=body.key, source=body.source
        )
        return _card(standing)


@endpoints.add(
    "PUT",
    "/api/v1/customers/{external_id}/consents",
    "Report what a customer agreed to",
    body=ConsentsBody,
    answer=ConsentsAnswer,
    refusals=("invalid", "not_found"),
)
async def put_consents(call: Call) -> ConsentsAnswer:
    """Note what a customer said on the shop's own pages about being written to.

    It belongs to their address: a no that somebody said themselves, in the chat or with the link in a mail, is not
    taken back by what a shop reports, and the answer says what is allowed after all.
    """
    body: ConsentsBody = call.body
    async with call.db.transaction() as work:
        customer = await find_customer(call, work)
        for place, one in enumerate(body.consents):
            address = _address(customer, one.channel)
            if address is None:
                raise ReportRefused([(f"consents[{place}].channel", "is one that this customer has no address for")])
            await record_consent(
                *(work, call.clock),
                channel=one.channel.value,
                address=address,
                purpose=one.purpose.value,
                granted=one.granted,
                wording=one.wording,
                source=SOURCE,
            )
        return await _consents(work, customer)


@endpoints.add(
    "GET",
    "/api/v1/customers/{external_id}/consents",
    "Read what a customer agreed to",
    answer=ConsentsAnswer,
    refusals=("not_found",),
)
async def get_consents(call: Call) -> ConsentsAnswer:
    """What the customer's addresses may be used for. Ask before every mailing: people change their minds."""
    async with call.db.reading() as work:
        return await _consents(work, await find_customer(call, work))


async def _consents(work: UnitOfWork, customer: Customer) -> ConsentsAnswer:
    return ConsentsAnswer(
        external_id=customer.external_id,
        consents=[
            ConsentAnswer(
                channel=channel,
                purpose=purpose,
                allowed=await may_contact(work, channel=channel.value, address=address, purpose=purpose.value),
            )
            for channel in ConsentChannel
            if (address := _address(customer, channel)) is not None
            for purpose in ConsentPurpose
        ],
    )


def _address(customer: Customer, channel: ConsentChannel) -> str | None:
    return customer.email if channel is ConsentChannel.EMAIL else customer.phone


def _card(standing: CardStanding) -> CardAnswer:
    return CardAnswer(
        card=standing.card.id,
        title=standing.card.title,
        stamps=standing.stamps,
        needed=standing.card.stamps,
        vouchers=[voucher.code for voucher in standing.vouchers],
    )


def _tier(standing: TierStanding) -> TierAnswer:
    tier, following = standing.tier, standing.next_tier
    return TierAnswer(
        id=tier.id if tier else None,
        title=tier.title if tier else None,
        earned=standing.earned,
        until=standing.until,
        next_id=following.id if following else None,
        next_title=following.title if following else None,
        missing=standing.missing,
    )
