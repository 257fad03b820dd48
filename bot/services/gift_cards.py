"""Gift cards: sold with money on them, spent, refunded, topped up, looked up, blocked, and written off at their end.

Whatever moves money locks the card, and is safe to repeat: the same key moves nothing more, and raises KeyReused when
it stands for something else. What is refused raises GiftCardRefused and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.core.conversations import ConversationId
from bot.core.customers import CustomerId
from bot.core.gift_cards import (
    MAX_AMOUNT_MINOR,
    GiftCard,
    GiftCardEntry,
    GiftCardEntryKind,
    GiftCardStanding,
    hash_card_code,
    last_characters,
    new_card_code,
)
from bot.core.ledger import MAX_KEY_CHARACTERS
from bot.core.shop import Shop
from bot.core.verification import LookupLimits
from bot.errors import GiftCardRefused, KeyReused
from bot.services.ids import new_id
from bot.services.one_by_one import one_by_one
from bot.services.orders import LookupRefusal
from bot.services.ports import Clock, Database, UnitOfWork, VerificationAttempt

GIFT_CARD_LOOKUP = "gift_card"
EXPIRED_AT_ONCE = 200


@dataclass(frozen=True)
class IssuedGiftCard:
    """A card with its code, which nobody can tell a second time: None when the card was issued before."""

    card: GiftCard
    code: str | None


async def issue_gift_card(
    work: UnitOfWork,
    clock: Clock,
    *,
    amount_minor: int,
    currency: str,
    key: str,
    customer_id: CustomerId | None = None,
    expires_at: datetime | None = None,
    source: str | None = None,
) -> IssuedGiftCard:
    """Make a card with so much on it. `key` is the event (a sale): the same again is the same card, without its code.

    Whoever lost the code blocks that card and issues another one under another key.
    """
    _check(amount_minor, key)
    now = clock.now()
    await work.gift_cards.lock_word(f"issue {key}")
    entry = await work.gift_cards.entry_by_key(key)
    if entry is not None:
        card = await work.gift_cards.get(entry.card_id)
        asked = (GiftCardEntryKind.ISSUE, amount_minor, source, currency, customer_id)
        if card is None or (entry.kind, entry.amount_minor, entry.source, card.currency, card.customer_id) != asked:
            raise KeyReused
        return IssuedGiftCard(card, None)
    code = new_card_code()
    card = GiftCard(
        new_id(), hash_card_code(code), last_characters(code), currency, customer_id, now, expires_at=expires_at
    )
    await work.gift_cards.add(card)
    await _enter(work, GiftCardEntry(card.id, GiftCardEntryKind.ISSUE, amount_minor, key, now, source))
    return IssuedGiftCard(card, code)


async def gift_card_balance(work: UnitOfWork, clock: Clock, code: str) -> GiftCardStanding:
    """The card with that code and what is on it, for the shop's own systems; see look_up_gift_card for customers."""
    card = await work.gift_cards.by_code(hash_card_code(code))
    if card is None:
        raise GiftCardRefused("unknown")
    return GiftCardStanding(card, await work.gift_cards.balance(card.id))


async def spend_gift_card(
    work: UnitOfWork, clock: Clock, code: str, amount_minor: int, currency: str, *, key: str, source: str | None = None
) -> GiftCardStanding:
    """Pay with a card, and say what is left on it. `source` is the order's number, by which it can be refunded.

    Raises GiftCardRefused: unknown, blocked, expired, currency, or insufficient (with what there is).
    """
    return await _move(work, clock, code, GiftCardEntryKind.SPEND, -amount_minor, currency, key, source)


async def refund_gift_card(
    work: UnitOfWork, clock: Clock, code: str, amount_minor: int, currency: str, *, key: str, source: str
) -> GiftCardStanding:
    """Put back what was paid with the card for an order (`source`), in part or in full, and say what is on it now.

    Raises GiftCardRefused, also for more than was paid for that order and not refunded yet (not_spent).
    """
    return await _move(work, clock, code, GiftCardEntryKind.REFUND, amount_minor, currency, key, source)


async def top_up_gift_card(
    work: UnitOfWork, clock: Clock, code: str, amount_minor: int, currency: str, *, key: str, source: str | None = None
) -> GiftCardStanding:
    """Put more on a card, and say what is on it now. Raises GiftCardRefused as spend_gift_card does."""
    return await _move(work, clock, code, GiftCardEntryKind.TOP_UP, amount_minor, currency, key, source)


async def block_gift_card(work: UnitOfWork, clock: Clock, card_id: str, *, blocked: bool = True) -> GiftCard:
    """Let nobody use a lost card, or let them again. Safe to repeat. Raises GiftCardRefused (unknown)."""
    card = await work.gift_cards.get(card_id, lock=True)
    if card is None:
        raise GiftCardRefused("unknown")
    if (card.blocked_at is not None) != blocked:
        await work.gift_cards.set_blocked(card_id, clock.now() if blocked else None)
    return await work.gift_cards.get(card_id) or card


async def gift_cards_of(work: UnitOfWork, customer_id: CustomerId) -> list[GiftCardStanding]:
    """The customer's cards and what is on them, newest first."""
    return await work.gift_cards.of_customer(customer_id)


async def look_up_gift_card(
    work: UnitOfWork, clock: Clock, conversation_id: ConversationId, code: str, limits: LookupLimits
) -> GiftCardStanding | LookupRefusal:
    """The card whose code somebody typed in a chat; the attempt is recorded.

    Too many wrong codes, in this conversation or from anywhere with the same last four characters (which a shop shows
    of a card), end in TOO_MANY_ATTEMPTS whatever the code, which is not even looked at then.
    """
    now = clock.now()
    subject = last_characters(code)
    # Guesses at one card from many conversations at once are counted one after the other.
    await work.gift_cards.lock_word(f"look-up {subject}")
    in_conversation = await work.verifications.failed_in_conversation(
        conversation_id, GIFT_CARD_LOOKUP, now - limits.conversation_window
    )
    for_card = await work.verifications.failed_for_subject(GIFT_CARD_LOOKUP, subject, now - limits.order_window)
    if limits.is_reached(in_conversation, for_card):
        return LookupRefusal.TOO_MANY_ATTEMPTS
    card = await work.gift_cards.by_code(hash_card_code(code))
    attempt = VerificationAttempt(new_id(), conversation_id, GIFT_CARD_LOOKUP, subject, card is not None, now)
    await work.verifications.add(attempt)
    if card is None:
        return LookupRefusal.NO_MATCH
    return GiftCardStanding(card, await work.gift_cards.balance(card.id))


async def expire_gift_cards(db: Database, clock: Clock, shop: Shop) -> int:
    """Write off what is left on cards that have expired, a card at a time; how many cards that were.

    Nothing depends on when this runs: an expired card cannot be spent from its very instant on.
    """

    async def write_off(work: UnitOfWork, card_id: str) -> bool:
        await work.gift_cards.get(card_id, lock=True)
        left = await work.gift_cards.balance(card_id)
        kind, key = GiftCardEntryKind.EXPIRE, f"expire:{card_id}"
        return left > 0 and await work.gift_cards.add_entry(GiftCardEntry(card_id, kind, -left, key, clock.now()))

    total, after = 0, None
    while True:
        async with db.reading() as work:
            cards = await work.gift_cards.with_expired(clock.now(), after=after, limit=EXPIRED_AT_ONCE)
        total += await one_by_one(db, cards, write_off, what="gift cards that ran out")
        if len(cards) < EXPIRED_AT_ONCE:
            return total
        after = cards[-1]


async def _move(
    work: UnitOfWork,
    clock: Clock,
    code: str,
    kind: GiftCardEntryKind,
    amount_minor: int,
    currency: str,
    key: str,
    source: str | None,
) -> GiftCardStanding:
    _check(abs(amount_minor), key)
    if (amount_minor < 0) != (kind is GiftCardEntryKind.SPEND):
        raise GiftCardRefused("bad_amount")
    now = clock.now()
    card = await work.gift_cards.by_code(hash_card_code(code), lock=True)
    if card is None:
        raise GiftCardRefused("unknown")
    wanted = GiftCardEntry(card.id, kind, amount_minor, key, now, source)
    balance = await work.gift_cards.balance(card.id)
    known = await work.gift_cards.entry_by_key(key)
    if known is None:
        await _check_move(work, card, wanted, currency, balance)
        await _enter(work, wanted)
        balance += amount_minor
    elif not known.same_event(wanted):
        raise KeyReused
    return GiftCardStanding(card, balance)


async def _check_move(work: UnitOfWork, card: GiftCard, wanted: GiftCardEntry, currency: str, balance: int) -> None:
    if currency != card.currency:
        raise GiftCardRefused("currency")
    if (obstacle := card.obstacle(wanted.at)) is not None:
        raise GiftCardRefused(obstacle)
    if balance + wanted.amount_minor < 0:
        raise GiftCardRefused("insufficient", balance)
    if wanted.kind is GiftCardEntryKind.REFUND:
        paid = -sum(
            entry.amount_minor
            for entry in await work.gift_cards.entries_of(card.id)
            if entry.source == wanted.source and entry.kind in (GiftCardEntryKind.SPEND, GiftCardEntryKind.REFUND)
        )
        if wanted.amount_minor > paid:
            raise GiftCardRefused("not_spent", paid)


async def _enter(work: UnitOfWork, entry: GiftCardEntry) -> None:
    # The same key on another card at the same moment.
    if not await work.gift_cards.add_entry(entry):
        raise KeyReused


def _check(amount_minor: int, key: str) -> None:
    if not 0 < amount_minor <= MAX_AMOUNT_MINOR:
        raise GiftCardRefused("bad_amount")
    if not key or len(key) > MAX_KEY_CHARACTERS:
        raise GiftCardRefused("bad_key")
