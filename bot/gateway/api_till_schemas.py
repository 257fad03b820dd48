"""The bodies and answers of the shop API's till: vouchers, gift cards, stamps, rewards and consents."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, ClassVar

from pydantic import ConstrainedInt, ConstrainedList, Field, StrictBool, StrictInt

from bot.core.punch_cards import MAX_UNITS_BY_HAND
from bot.core.vouchers import UseState, VoucherKind
from bot.gateway.api_answers import Points
from bot.gateway.api_requests import Answer, Model
from bot.gateway.api_values import Amount, Identifier, Moment, PositiveAmount, ShortIdentifier, ShortWords, Words

KEY = "Names this event: the same key again changes nothing, and gets the same answer."
CHECKOUT = "The checkout or order that it is used on, by the shop's own name for it."
WHOSE = "The shop's own number for the customer."


class Key(Identifier):
    """What a shop calls an event, so that sending it again is safe."""

    # Shorter than keys are kept, because some get a word of ours in front.
    max_length = 150


class _Stamps(ConstrainedInt):
    strict, ge, le = True, 1, MAX_UNITS_BY_HAND


class ReserveBody(Model):
    """A checkout that wants to use a voucher."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "cart-77", "total_minor": 2900, "customer_external_id": "C-1001"}

    key: Key = Field(description=CHECKOUT)
    total_minor: Amount = Field(description="Its total before any voucher.")
    customer_external_id: Identifier | None = Field(
        description="Who buys. Left out, as at a counter, whoever holds the code may use it."
    )


class CheckoutBody(Model):
    """A checkout that has reserved a voucher."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "cart-77"}

    key: Key = Field(description=CHECKOUT)


class EffectAnswer(Answer):
    """What a voucher is worth: exactly one of these."""

    amount_minor: StrictInt | None = Field(description="So much off.")
    percent: StrictInt | None = Field(description="So many percent off.")
    item: str | None = Field(description="This for nothing; the till takes its price off.")


class VoucherAnswer(Answer):
    """A voucher or coupon, and whether it can be used now."""

    code: str
    kind: VoucherKind
    title: str
    effect: EffectAnswer
    minimum_minor: StrictInt = Field(description="The least total that it can be used on.")
    stackable: bool = Field(description="Whether it goes together with others.")
    customer_external_id: str | None = Field(description="Whose it is; null: everybody's who knows the code.")
    starts_at: datetime | None
    expires_at: datetime | None
    obstacle: str | None = Field(
        description="Why it cannot be used now: cancelled, not_started, expired or used_up; null: it can."
    )


class VoucherUseAnswer(Answer):
    """A voucher on a checkout."""

    code: str
    key: str
    state: UseState
    total_minor: StrictInt
    discount_minor: StrictInt = Field(
        description="What it takes off the total; 0 for an item, which the till takes off."
    )
    reserved_until: datetime | None = Field(description="Until then it is held; not redeemed, it is free again.")
    ended_at: datetime | None


class VoucherUsesAnswer(Answer):
    """All vouchers of a checkout."""

    uses: list[VoucherUseAnswer]


class GiftCardBody(Model):
    """A gift card that was sold or given."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "sale-4711", "amount_minor": 5000, "source": "TC-10042"}

    key: Key = Field(description=KEY)
    amount_minor: PositiveAmount
    customer_external_id: Identifier | None = Field(description=f"{WHOSE} Left out: whoever holds the code.")
    expires_at: Moment | None
    source: ShortIdentifier | None = Field(description="What it was sold with: an order's number.")


class GiftCardMoveBody(Model):
    """Money that moves onto or off a gift card."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "TC-10050:card", "amount_minor": 1200, "order": "TC-10050"}

    key: Key = Field(description=KEY)
    amount_minor: PositiveAmount
    order: ShortIdentifier = Field(description="The order that is paid, or paid back: a refund is of the same one.")


class GiftCardAnswer(Answer):
    """A gift card and what is on it."""

    id: str = Field(description="Names the card where its code must not stand.")
    last_characters: str
    currency: str
    balance_minor: StrictInt
    customer_external_id: str | None
    expires_at: datetime | None
    obstacle: str | None = Field(description="Why it cannot be used now: blocked or expired; null: it can.")


class IssuedGiftCardAnswer(GiftCardAnswer):
    """A new gift card, with its code."""

    code: str | None = Field(
        description="Told once, when the card is made, and kept nowhere: null when the same key is sent again. "
        "If it was lost on the way, block the card and issue another one under another key."
    )


class BlockBody(Model):
    """Whether a card can be used."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"blocked": True}

    blocked: StrictBool


class StampsBody(Model):
    """Stamps that were given at the counter."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "till-2:8891", "card": "cups", "stamps": 2}

    key: Key = Field(description=KEY)
    card: ShortIdentifier = Field(description="The punch card's name in business.yml.")
    stamps: _Stamps
    source: ShortWords = Field("counter", description="Who or where; nothing personal.")


class CardAnswer(Answer):
    """A punch card."""

    card: str
    title: str
    stamps: StrictInt = Field(description="On the card that is being filled.")
    needed: StrictInt = Field(description="For a full one.")
    vouchers: list[str] = Field(description="The codes of what full cards have brought and is not used yet.")


class RewardBody(Model):
    """A reward that a customer wants for points."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"key": "shop-redeem-55", "reward": "free-cup"}

    key: Key = Field(description=KEY)
    reward: ShortIdentifier = Field(description="The reward's name in business.yml.")


class TierAnswer(Answer):
    """A level, and what is missing to the next one."""

    id: str | None = Field(description="Null: none was reached yet.")
    title: str | None
    earned: StrictInt = Field(description="Points that count toward levels now.")
    until: datetime | None = Field(description="When it is lost if nothing more is earned; null: never.")
    next_id: str | None = Field(description="Null: this is the highest.")
    next_title: str | None
    missing: StrictInt


class RewardAnswer(Answer):
    """Something to be had for points."""

    id: str
    title: str
    points: StrictInt
    affordable: bool


class LoyaltyAnswer(Answer):
    """All that an account page shows."""

    external_id: str
    points: Points
    tier: TierAnswer
    cards: list[CardAnswer]
    vouchers: list[VoucherAnswer] = Field(description="What can be used now, newest first.")
    rewards: list[RewardAnswer]


class ConsentChannel(str, Enum):
    """How somebody may be written to."""

    EMAIL = "email"
    PHONE = "phone"


class ConsentPurpose(str, Enum):
    """What somebody may be written to about."""

    MARKETING = "marketing"
    FEEDBACK = "feedback"
    SERVICE = "service"
    LOYALTY = "loyalty"


class ConsentBody(Model):
    """A yes or a no to one purpose on one channel."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    granted: StrictBool
    wording: Words = Field(description="What was agreed to or refused, as it was shown.")


class _Consents(ConstrainedList):
    item_type, min_items, max_items = ConsentBody, 1, 20
    __args__ = (ConsentBody,)


class ConsentsBody(Model):
    """What a customer said on the shop's own pages."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "consents": [
            {
                "channel": "email",
                "purpose": "marketing",
                "granted": True,
                "wording": "Yes, write to me about new coffees.",
            }
        ]
    }

    consents: _Consents


class ConsentAnswer(Answer):
    """Whether the customer's address may be used."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    allowed: bool


class ConsentsAnswer(Answer):
    """What the customer's addresses may be used for, after all that was said about them."""

    external_id: str
    consents: list[ConsentAnswer]
