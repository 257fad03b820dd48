"""The commands `coupon` and `gift-card`: start a campaign, sell a card, see how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from bot.core.customers import CustomerId
from bot.core.loyalty import Effect
from bot.core.money import money_in_words, to_minor_units
from bot.core.shop import Shop
from bot.core.voucher_words import last_moment, standing_of, worth_in_words
from bot.core.vouchers import UNLIMITED_USES, Voucher
from bot.errors import BotError, CustomerNotFound
from bot.services.coupons import end_coupon, issue_coupon
from bot.services.gift_cards import block_gift_card, gift_cards_of, issue_gift_card
from bot.services.ids import new_id
from bot.services.ports import Clock, Database, UnitOfWork

_DAY = timedelta(days=1)


class BadTerms(BotError):
    """Something on the command line that cannot be."""

    code = "bad_request"


async def run_reward_command(db: Database, clock: Clock, shop: Shop, command: str, options: Mapping[str, Any]) -> str:
    """Do what was typed, and return what to say. Raises BotError, having changed nothing."""
    typed = dict(options)
    match command, typed.pop("action"):
        case "coupon", "add":
            return await add_coupon(db, clock, shop, CouponTerms(**typed))
        case "coupon", "end":
            return await stop_coupon(db, clock, **typed)
        case "coupon", _:
            return "\n".join(await list_coupons(db, clock, shop)) or "There are no coupons yet."
        case _, "add":
            return await add_gift_card(db, clock, shop, **typed)
        case _, "list":
            return "\n".join(await list_gift_cards(db, clock, shop, **typed)) or "There are no gift cards."
        case _, action:
            return await set_gift_card_blocked(db, clock, **typed, blocked=action == "block")


@dataclass(frozen=True)
class CouponTerms:
    """A campaign as it is typed: exactly one of percent, amount and item; days are the shop's, both included."""

    code: str
    title: str
    percent: int | None = None
    amount: Decimal | None = None
    item: str | None = None
    limit: int | None = None
    per_customer: int | None = None
    first: date | None = None
    last: date | None = None
    minimum: Decimal = Decimal(0)
    stackable: bool = False


async def add_coupon(db: Database, clock: Clock, shop: Shop, terms: CouponTerms) -> str:
    """Start the campaign, and say what it is. Raises BadTerms, or VoucherRefused for a code that cannot be had."""
    amount_minor = None if terms.amount is None else _minor(terms.amount, shop)
    starts_at, expires_at = _start(terms.first, shop), _end(terms.last, shop)
    if expires_at is not None and expires_at <= max(starts_at or clock.now(), clock.now()):
        raise BadTerms("The campaign would be over before it begins: give a later day with --until.")
    async with db.transaction() as work:
        coupon = await issue_coupon(
            work,
            clock,
            terms.code,
            title=terms.title,
            effect=Effect(amount_minor, terms.percent, terms.item),
            use_limit=terms.limit,
            uses_per_customer=terms.per_customer,
            starts_at=starts_at,
            expires_at=expires_at,
            minimum_minor=_minor(terms.minimum, shop),
            stackable=terms.stackable,
        )
    return _coupon_line(coupon, clock, shop)


async def list_coupons(db: Database, clock: Clock, shop: Shop) -> list[str]:
    """A line for each campaign, newest first."""
    async with db.reading() as work:
        return [_coupon_line(coupon, clock, shop) for coupon in await work.vouchers.coupons()]


async def stop_coupon(db: Database, clock: Clock, code: str) -> str:
    """End a campaign. Raises VoucherRefused when there is no such coupon."""
    async with db.transaction() as work:
        ended = await end_coupon(work, clock, code)
    return "The campaign is over: its code is refused from now on." if ended else "This campaign was over already."


async def add_gift_card(
    db: Database, clock: Clock, shop: Shop, amount: Decimal, customer: str | None, last: date | None
) -> str:
    """Make a gift card, and tell its code, which is told this once. Raises BadTerms, or CustomerNotFound."""
    expires_at = _end(last, shop)
    if expires_at is not None and expires_at <= clock.now():
        raise BadTerms("The card would be over before it begins: give a later day with --until.")
    async with db.transaction() as work:
        issued = await issue_gift_card(
            work,
            clock,
            amount_minor=_minor(amount, shop),
            currency=shop.currency,
            key=f"command:{new_id()}",
            customer_id=None if customer is None else (await _customer(work, customer)),
            expires_at=expires_at,
        )
    note = "This code is shown only now, and is as good as money: pass it on safely."
    return f"{issued.code}\n{note}\nThe card's id, to block it by: {issued.card.id}"


async def list_gift_cards(db: Database, clock: Clock, shop: Shop, customer: str | None) -> list[str]:
    """A line for each card (of a customer), newest first; no code is among them."""
    async with db.reading() as work:
        if customer is None:
            cards = await work.gift_cards.of_customer(None)
        else:
            cards = await gift_cards_of(work, await _customer(work, customer))
    lines = []
    for standing in cards:
        card = standing.card
        state = card.obstacle(clock.now()) or _until(card.expires_at, shop) or "for ever"
        value = money_in_words(standing.balance_minor, card.currency)
        lines.append(f"{card.id}  …{card.last_characters}  {value}  {state}")
    return lines


async def set_gift_card_blocked(db: Database, clock: Clock, card_id: str, *, blocked: bool) -> str:
    """Block a card, or free it. Raises GiftCardRefused when there is no card with this id."""
    async with db.transaction() as work:
        await block_gift_card(work, clock, card_id, blocked=blocked)
    return "The card is blocked." if blocked else "The card can be used again."


def _coupon_line(coupon: Voucher, clock: Clock, shop: Shop) -> str:
    of = "" if coupon.use_limit == UNLIMITED_USES else f" of {coupon.use_limit:,}"
    parts = [
        coupon.code,
        coupon.title,
        worth_in_words(coupon.effect, shop.currency),
        f"used {coupon.uses:,}{of}",
        standing_of(coupon, None, clock.now()).value.lower() if coupon.uses < coupon.use_limit else "used up",
        _until(coupon.expires_at, shop),
    ]
    return "  ".join(part for part in parts if part)


def _until(ends_at: datetime | None, shop: Shop) -> str:
    return "" if ends_at is None else f"until {last_moment(ends_at, shop.hours.zone):%Y-%m-%d}"


def _start(day: date | None, shop: Shop) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), shop.hours.zone)


def _end(day: date | None, shop: Shop) -> datetime | None:
    return _start(None if day is None else day + _DAY, shop)


def _minor(amount: Decimal, shop: Shop) -> int:
    try:
        return to_minor_units(amount, shop.currency)
    except ValueError as error:
        raise BadTerms(f"{error}.") from None


async def _customer(work: UnitOfWork, external_id: str) -> CustomerId:
    customer = await work.customers.by_external_id(external_id)
    if customer is None:
        raise CustomerNotFound
    return customer.id
