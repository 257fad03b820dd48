"""Punch cards: stamps for what was bought, and a voucher for every full card.

Every function locks the accounts first, is safe to repeat, and keeps one rule: a card that is full becomes a voucher
and begins anew with what was over; one that is not full any more, because something came back, takes its voucher back
unless it was used. What is missing then is worked off by the stamps to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.customers import CustomerId
from bot.core.loyalty import PunchCard
from bot.core.orders import Order
from bot.core.punch_cards import (
    BY_HAND,
    MAX_UNITS_BY_HAND,
    NEW,
    StampEntry,
    StampKind,
    stamp_changes,
    units_kept,
)
from bot.core.shop import Shop
from bot.core.vouchers import Voucher, VoucherKind
from bot.errors import CustomerNotFound, KeyReused, StampsRefused
from bot.services.ledger import lock_accounts
from bot.services.persons import customer_of
from bot.services.ports import Clock, UnitOfWork
from bot.services.vouchers import cancel_voucher, issue_voucher

# Shorter than other keys: something is put before them, so that they are never those that are made here.
MAX_HAND_KEY_CHARACTERS = 180


@dataclass(frozen=True)
class CardStanding:
    """How many stamps there are on the present card, and the vouchers of full ones that are neither used nor cancelled.

    Below zero: stamps came back whose voucher was used. A voucher may have run out: see its expiry.
    """

    card: PunchCard
    stamps: int
    vouchers: list[Voucher]


async def cards_of(work: UnitOfWork, shop: Shop, customer_id: CustomerId) -> list[CardStanding]:
    """How the customer's cards stand: every card that the shop has, also those without a stamp."""
    cards = shop.loyalty.punch_cards if shop.loyalty else ()
    if not cards:
        return []
    balances = await work.stamps.balances(customer_id)
    unused = [
        voucher
        for voucher in await work.vouchers.of_customer(customer_id)
        if voucher.kind is VoucherKind.PUNCH_CARD and voucher.cancelled_at is None and voucher.uses < voucher.use_limit
    ]
    return [
        CardStanding(card, balances.get(card.id, 0), [one for one in unused if one.name == card.offer.id])
        for card in cards
    ]


async def stamp_order(work: UnitOfWork, clock: Clock, shop: Shop, order: Order) -> None:
    """Bring the customer's cards to what the order's present status and what came back of it call for.

    Only what changed is entered, so it may be called as often as anything happens to the order. What stamps exactly is
    in bot/core/punch_cards.py; whoever was erased gets no stamps any more. To be called with the order locked.
    """
    cards = shop.loyalty.punch_cards if shop.loyalty else ()
    known = await work.stamps.of_source(order.number)
    if not known and (not cards or order.customer_id is None):
        return
    now = clock.now()
    kept = units_kept(order, await work.refunds.of_order(order.number), await work.returns.of_order(order.number))
    changes = stamp_changes(order, kept, cards, known, now)
    if not changes:
        return
    await lock_accounts(work, clock, {entry.customer_id for entry in changes})
    # Looked at again: another one may have stamped the same order before the lock was ours.
    changes = stamp_changes(order, kept, cards, await work.stamps.of_source(order.number), now)
    if any(entry.kind is StampKind.STAMP for entry in changes) and await _is_erased(work, order.customer_id):
        changes = [entry for entry in changes if entry.kind is not StampKind.STAMP]
    await work.stamps.add(changes)
    for customer_id, card_id in sorted({(entry.customer_id, entry.card) for entry in changes}):
        await _settle(work, clock, shop, customer_id, card_id)


async def _is_erased(work: UnitOfWork, customer_id: CustomerId | None) -> bool:
    """Whether the customer, or who they turned out to be, was erased (or never was)."""
    try:
        return customer_id is None or (await customer_of(work, customer_id)).erased_at is not None
    except CustomerNotFound:
        return True


async def add_stamps(
    work: UnitOfWork,
    clock: Clock,
    shop: Shop,
    customer_id: CustomerId,
    card_id: str,
    units: int,
    *,
    key: str,
    source: str,
    kind: StampKind = StampKind.STAMP,
) -> CardStanding:
    """Stamp a card by hand, as at the counter (or, of the kind OPENING, bring a card of paper along); how it stands.

    The same key again changes nothing, and raises KeyReused for anything else. Raises CustomerNotFound, or
    StampsRefused for a card that there is not, for no stamps or too many, or a bad key. `source` says who or where;
    nothing personal.
    """
    card = shop.loyalty.punch_card(card_id) if shop.loyalty else None
    if card is None or kind not in BY_HAND:
        raise StampsRefused("unknown_card")
    if not 0 < units <= MAX_UNITS_BY_HAND:
        raise StampsRefused("units_out_of_range")
    if not 0 < len(key) <= MAX_HAND_KEY_CHARACTERS:
        raise StampsRefused("bad_key")
    if await _is_erased(work, customer_id):
        raise CustomerNotFound
    await lock_accounts(work, clock, {customer_id})
    # Apart from the keys that are made here, so that none from outside can stand in their way.
    entry = StampEntry(NEW, customer_id, card_id, kind, units, f"hand:{key}", clock.now(), source)
    await work.stamps.add([entry])
    known = await work.stamps.by_key(entry.key)
    if known is None or not known.same_event(entry):
        raise KeyReused
    await _settle(work, clock, shop, customer_id, card_id)
    return next(standing for standing in await cards_of(work, shop, customer_id) if standing.card == card)


async def transfer_stamps(
    work: UnitOfWork,
    clock: Clock,
    from_id: CustomerId,
    to_id: CustomerId,
    *,
    merge_id: str,
    shop: Shop | None = None,
) -> int:
    """Move what is on all cards to the account of the same person; how many stamps that were in all (what is missing
    moves, too, and counts below zero).

    From then on, whatever happens to an order of the one happens to the card of the other. A card that becomes full
    with this becomes a voucher at once when the shop is given, else with its next stamp. To be called after the
    vouchers were moved.
    """
    await lock_accounts(work, clock, {from_id, to_id})
    balances = await work.stamps.balances(from_id)
    for card_id, stamps in balances.items():
        await _move(work, clock, from_id, to_id, card_id, stamps, merge_id)
        await _settle(work, clock, shop, to_id, card_id)
    return sum(balances.values())


async def undo_transfer_stamps(
    work: UnitOfWork,
    clock: Clock,
    from_id: CustomerId,
    to_id: CustomerId,
    *,
    merge_id: str,
    shop: Shop | None = None,
) -> int:
    """Give back what transfer_stamps moved, and what happened to orders of `from_id` since; how many stamps came back.

    Vouchers that were made of these stamps meanwhile are taken back unless they were used. To be called after the
    vouchers were moved back.
    """
    await lock_accounts(work, clock, {from_id, to_id})
    moved: dict[str, int] = {}
    for entry in await work.stamps.of_source(_merge_source(merge_id)):
        if entry.customer_id == from_id:
            moved[entry.card] = moved.get(entry.card, 0) - entry.stamps
    for card_id, stamps in sorted(moved.items()):
        await _move(work, clock, to_id, from_id, card_id, stamps, merge_id)
        # Not looking for a merge: whether the one that ends here is marked so already is all the same.
        await _fill_or_void(work, clock, shop, from_id, card_id)
        await _settle(work, clock, shop, to_id, card_id)
    return sum(moved.values())


async def _settle(work: UnitOfWork, clock: Clock, shop: Shop | None, customer_id: CustomerId, card_id: str) -> None:
    """Move the stamps of a customer who turned out to be another one to that one, and see whether the card is full."""
    while (merge := await work.merges.done_from(customer_id)) is not None:
        stamps = (await work.stamps.balances(customer_id)).get(card_id, 0)
        await _move(work, clock, customer_id, merge.kept_id, card_id, stamps, merge.id)
        customer_id = merge.kept_id
    await _fill_or_void(work, clock, shop, customer_id, card_id)


async def _fill_or_void(
    work: UnitOfWork, clock: Clock, shop: Shop | None, customer_id: CustomerId, card_id: str
) -> None:
    """Give vouchers for full cards, or take back those of cards that are not full any more."""
    stamps = (await work.stamps.balances(customer_id)).get(card_id, 0)
    card = shop.loyalty.punch_card(card_id) if shop and shop.loyalty else None
    while shop and card and stamps >= card.stamps:
        await _complete(work, clock, shop, customer_id, card)
        stamps -= card.stamps
    if stamps >= 0:
        return
    for completed in await work.stamps.voidable(customer_id, card_id, clock.now()):
        if stamps < 0 and completed.source and await cancel_voucher(work, clock, completed.source):
            voided = StampEntry(
                *(NEW, customer_id, card_id, StampKind.VOIDED, -completed.stamps, f"void:{completed.id}", clock.now()),
                source=completed.source,
                reverses_id=completed.id,
            )
            await work.stamps.add([voided])
            stamps += voided.stamps


async def _complete(work: UnitOfWork, clock: Clock, shop: Shop, customer_id: CustomerId, card: PunchCard) -> None:
    times = await work.stamps.times_completed(customer_id, card.id)
    key = f"full:{customer_id}:{card.id}:{times + 1}"
    voucher = await issue_voucher(
        work,
        clock,
        kind=VoucherKind.PUNCH_CARD,
        offer=card.offer,
        customer_id=customer_id,
        key=key,
        zone=shop.hours.zone,
    )
    full = StampEntry(NEW, customer_id, card.id, StampKind.COMPLETED, -card.stamps, key, clock.now(), voucher.code)
    await work.stamps.add([full])


async def _move(
    work: UnitOfWork,
    clock: Clock,
    from_id: CustomerId,
    to_id: CustomerId,
    card_id: str,
    stamps: int,
    merge_id: str,
) -> None:
    """Move so many stamps (below zero: what is missing) because of a merge."""
    if stamps == 0:
        return
    source = _merge_source(merge_id)
    times = sum(entry.card == card_id for entry in await work.stamps.of_source(source)) // 2
    key = f"{source}:{card_id}:{times + 1}"
    now = clock.now()
    await work.stamps.add(
        [
            StampEntry(NEW, from_id, card_id, StampKind.TRANSFER, -stamps, f"{key}:out", now, source),
            StampEntry(NEW, to_id, card_id, StampKind.TRANSFER, stamps, f"{key}:in", now, source),
        ]
    )


def _merge_source(merge_id: str) -> str:
    return f"merge:{merge_id}"
