"""The shop API's gift cards: issued, looked up, spent, paid back, blocked."""

from __future__ import annotations

from typing import Any

from bot.core.gift_cards import GiftCard, GiftCardStanding
from bot.gateway.api_customers import named_customer, number_of
from bot.gateway.api_endpoints import Call, Created, Endpoints
from bot.gateway.api_till_schemas import (
    BlockBody,
    GiftCardAnswer,
    GiftCardBody,
    GiftCardMoveBody,
    IssuedGiftCardAnswer,
)
from bot.services.gift_cards import (
    block_gift_card,
    gift_card_balance,
    issue_gift_card,
    refund_gift_card,
    spend_gift_card,
)
from bot.services.ports import UnitOfWork

endpoints = Endpoints()

REFUSALS = ("invalid", "not_found", "gift_card_refused", "key_reused")


@endpoints.add(
    "POST",
    "/api/v1/gift-cards",
    "Issue a gift card",
    body=GiftCardBody,
    answer=IssuedGiftCardAnswer,
    creates=True,
    refusals=("invalid", "key_reused"),
)
async def post_gift_card(call: Call) -> IssuedGiftCardAnswer | Created:
    """Make a card with so much of the shop's currency on it. Only this answer ever tells its code."""
    body: GiftCardBody = call.body
    async with call.db.transaction() as work:
        customer = await named_customer(work, body.customer_external_id)
        issued = await issue_gift_card(
            *(work, call.clock),
            amount_minor=body.amount_minor,
            currency=call.shop.currency,
            key=body.key,
            customer_id=customer.id if customer else None,
            expires_at=body.expires_at,
            source=body.source,
        )
        balance = await work.gift_cards.balance(issued.card.id)
        shown = await _shown(call, work, issued.card, balance)
    answer = IssuedGiftCardAnswer(**shown, code=issued.code)
    return Created(answer) if issued.code else answer


@endpoints.add("GET", "/api/v1/gift-cards/{code}", "Read a gift card", answer=GiftCardAnswer, refusals=("not_found",))
async def get_gift_card(call: Call) -> GiftCardAnswer:
    """What is on the card, and whether it can be used now."""
    async with call.db.reading() as work:
        return await _answer(call, work, await gift_card_balance(work, call.clock, call.path("code")))


@endpoints.add(
    "POST",
    "/api/v1/gift-cards/{code}/spend",
    "Pay with a gift card",
    body=GiftCardMoveBody,
    answer=GiftCardAnswer,
    refusals=REFUSALS,
)
async def post_spend(call: Call) -> GiftCardAnswer:
    """Take an amount off the card for an order. Where there is less on it, `available_minor` says how much there is."""
    body: GiftCardMoveBody = call.body
    async with call.db.transaction() as work:
        standing = await spend_gift_card(
            *(work, call.clock, call.path("code"), body.amount_minor, call.shop.currency),
            key=body.key,
            source=body.order,
        )
        return await _answer(call, work, standing)


@endpoints.add(
    "POST",
    "/api/v1/gift-cards/{code}/refund",
    "Pay back onto a gift card",
    body=GiftCardMoveBody,
    answer=GiftCardAnswer,
    refusals=REFUSALS,
)
async def post_refund(call: Call) -> GiftCardAnswer:
    """Put back what was paid with the card for an order, in part or in full, and no more than that."""
    body: GiftCardMoveBody = call.body
    async with call.db.transaction() as work:
        standing = await refund_gift_card(
            *(work, call.clock, call.path("code"), body.amount_minor, call.shop.currency),
            key=body.key,
            source=body.order,
        )
        return await _answer(call, work, standing)


@endpoints.add(
    "PUT",
    "/api/v1/gift-cards/{card_id}/block",
    "Block a gift card",
    body=BlockBody,
    answer=GiftCardAnswer,
    refusals=("invalid", "not_found"),
)
async def put_block(call: Call) -> GiftCardAnswer:
    """Let nobody use a lost card, or let them again. The card is named by its `id`, because its code may be lost."""
    async with call.db.transaction() as work:
        card = await block_gift_card(work, call.clock, call.path("card_id"), blocked=call.body.blocked)
        return await _answer(call, work, GiftCardStanding(card, await work.gift_cards.balance(card.id)))


async def _answer(call: Call, work: UnitOfWork, standing: GiftCardStanding) -> GiftCardAnswer:
    return GiftCardAnswer(**await _shown(call, work, standing.card, standing.balance_minor))


async def _shown(call: Call, work: UnitOfWork, card: GiftCard, balance_minor: int) -> dict[str, Any]:
    return {
        **{name: getattr(card, name) for name in ("id", "last_characters", "currency", "expires_at")},
        "balance_minor": balance_minor,
        "customer_external_id": await number_of(work, card.customer_id),
        "obstacle": card.obstacle(call.clock.now()),
    }
