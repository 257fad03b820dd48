"""Points: earned, spent, taken back, restored, expired, and moved when two customers turn out to be one.

Every function locks the account first, sweeps what has run out, and is safe to repeat: a key that was used for the same
event returns the entry of then, and raises KeyReused when it was used for another. What is refused changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from bot.core.customers import CustomerId
from bot.core.ledger import (
    EARNINGS,
    MAX_KEY_CHARACTERS,
    MAX_POINTS,
    TRANSFER_IN,
    TRANSFER_OUT,
    Allocation,
    Balance,
    Debt,
    EntryId,
    EntryKind,
    LedgerEntry,
    Lot,
    allocate,
    allocate_spending,
    allocate_taking_back,
    balance_at,
    spending_order,
)
from bot.errors import InsufficientPoints, KeyReused, LedgerRefused
from bot.services.one_by_one import one_by_one
from bot.services.ports import Clock, Database, UnitOfWork

_NEW = EntryId(0)
SWEPT_AT_ONCE = 200


async def balance_of(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> Balance:
    """What the customer has now; zero for whoever never had any."""
    return await work.ledger.balance(customer_id, clock.now())


async def lock_accounts(work: UnitOfWork, clock: Clock, customer_ids: Iterable[CustomerId]) -> None:
    """Lock the accounts, and those of whom the customers turned out to be, always in the same order.

    So no two wait for each other, when what happens to the one account is moved on to the other.
    """
    wanted: set[CustomerId] = set()
    asked = set(customer_ids)
    while asked:
        wanted |= asked
        merges = [await work.merges.done_from(customer_id) for customer_id in sorted(asked)]
        asked = {merge.kept_id for merge in merges if merge is not None} - wanted
    for customer_id in sorted(wanted):
        await work.ledger.lock(customer_id, clock.now())


async def award_points(
    work: UnitOfWork,
    clock: Clock,
    customer_id: CustomerId,
    kind: EntryKind,
    points: int,
    *,
    key: str,
    available_at: datetime | None = None,
    expires_at: datetime | None = None,
    source: str | None = None,
) -> LedgerEntry:
    """Enter points that were earned or given; pending until `available_at`, gone from `expires_at` on.

    What is owed from before is paid from them first. Raises LedgerRefused for a kind that is no earning, points that
    are not positive, or an expiry that is not after their availability.
    """
    if kind not in EARNINGS:
        raise LedgerRefused("not_an_earning", "Points come in for an order, a gift or the like.")
    _check(points, key)
    now = clock.now()
    available_at = available_at or now
    if expires_at is not None and expires_at <= available_at:
        raise LedgerRefused("expires_too_early", "Points cannot run out before they can be spent.")
    await work.ledger.lock(customer_id, now)
    wanted = LedgerEntry(_NEW, customer_id, kind, points, key, now, available_at, expires_at, source)
    return await _add_lot(work, wanted)


async def redeem_points(
    work: UnitOfWork, clock: Clock, customer_id: CustomerId, points: int, *, key: str, source: str | None = None
) -> LedgerEntry:
    """Spend points, those that run out first before the others.

    Raises InsufficientPoints, writing nothing, when fewer are there to be spent at this moment.
    """
    _check(points, key)
    now = clock.now()
    await work.ledger.lock(customer_id, now)
    lots, debts = await work.ledger.open_of(customer_id)
    wanted = LedgerEntry(_NEW, customer_id, EntryKind.REDEEM, -points, key, now, source=source)
    available = balance_at(lots, debts, now).available
    if available < points:
        if (known := await work.ledger.by_key(key)) is not None:
            return _same(known, wanted)
        raise InsufficientPoints(max(available, 0))
    await _sweep(work, customer_id, lots, now)
    entry = await work.ledger.add(wanted)
    if entry is None:
        return await _known(work, wanted)
    await work.ledger.allocate(entry.id, allocate_spending(points, lots, now))
    return entry


async def undo_redemption(work: UnitOfWork, clock: Clock, redemption_id: EntryId, *, key: str) -> LedgerEntry:
    """Give the points of a redemption back to the lots they came from; those keep their expiry, so some may be gone.

    Raises LedgerRefused when there is no such redemption, or it was undone already (under another key).
    """
    now = clock.now()
    redemption = await work.ledger.get(redemption_id)
    if redemption is None or redemption.kind is not EntryKind.REDEEM:
        raise LedgerRefused("no_redemption", "There is no such redemption.")
    customer_id = redemption.customer_id
    _check(-redemption.points, key)
    await lock_accounts(work, clock, {customer_id})
    wanted = LedgerEntry(
        _NEW,
        customer_id,
        EntryKind.RESTORE,
        -redemption.points,
        key,
        now,
        source=redemption.source,
        reverses_id=redemption_id,
    )
    if (known := await work.ledger.by_key(key)) is not None:
        return _same(known, wanted)
    if await work.ledger.reversals_of(redemption_id):
        raise LedgerRefused("undone_already", "This redemption was undone already.")
    entry = await work.ledger.add(wanted)
    if entry is None:
        return await _known(work, wanted)
    given_back = await work.ledger.allocations_of(redemption_id)
    await work.ledger.allocate(entry.id, [Allocation(taken.lot_id, -taken.points) for taken in given_back])
    await _pay_own_reversals(work, given_back)
    await _settle(work, customer_id, now)
    return entry


async def take_back_points(
    work: UnitOfWork, clock: Clock, earning_id: EntryId, points: int, *, key: str, source: str | None = None
) -> int:
    """Take back what was earned, in part or in full, wherever it was moved since; how many points that took.

    No more than was earned, less what was taken back before or ran out. What was spent meanwhile is owed: the balance
    may go below zero, and what comes in next pays for it. Repeated, it takes nothing more, and says what it took.
    """
    _check(points, key)
    now = clock.now()
    earning = await work.ledger.get(earning_id)
    if earning is None or earning.kind not in EARNINGS:
        raise LedgerRefused("no_earning", "There is no such earning.")
    owners = {part.customer_id for part in await _moved_on(work, earning)}
    await lock_accounts(work, clock, owners)
    for customer_id in sorted(owners):
        await _swept(work, customer_id, now)
    parts = {part.id: part for part in await _moved_on(work, earning)}
    keys = {part_id: key if part_id == earning.id else f"{key}:{part_id}" for part_id in parts}
    # All of them first: when it is repeated, points may have been moved on once more.
    known = [entry for part_key in keys.values() if (entry := await work.ledger.by_key(part_key)) is not None]
    for entry in known:
        if (entry.kind, entry.source) != (EntryKind.REFUND, source) or keys.get(entry.reverses_id or _NEW) != entry.key:
            raise KeyReused
    if known:
        return -sum(entry.points for entry in known)
    left = points
    # What was moved on to another account is there to be taken; what stayed behind was spent from here.
    for part in reversed(parts.values()):
        taken = min(left, await _not_reversed(work, part))
        if taken > 0:
            wanted = LedgerEntry(
                *(_NEW, part.customer_id, EntryKind.REFUND, -taken, keys[part.id], now),
                source=source,
                reverses_id=part.id,
            )
            await _add_debit(work, wanted, own=part.id)
            left -= taken
    return points - left


async def taken_back(work: UnitOfWork, earning: LedgerEntry) -> list[LedgerEntry]:
    """The entries that took points of an earning back so far, wherever those were moved since."""
    return [
        reversal
        for part in await _moved_on(work, earning)
        for reversal in await work.ledger.reversals_of(part.id)
        if reversal.kind is EntryKind.REFUND
    ]


async def _moved_on(work: UnitOfWork, entry: LedgerEntry) -> list[LedgerEntry]:
    """The lot, and the lots that its points were moved on to."""
    found = [entry]
    for reversal in await work.ledger.reversals_of(entry.id):
        if reversal.kind is EntryKind.TRANSFER:
            counterpart = await work.ledger.by_key(reversal.key.removesuffix(TRANSFER_OUT) + TRANSFER_IN)
            if counterpart is not None:
                found += await _moved_on(work, counterpart)
    return found


async def _pay_own_reversals(work: UnitOfWork, given_back: Iterable[Allocation]) -> None:
    """Let points that came back to a lot pay for what was taken back of that lot while they were spent.

    Other lots paid for it then, or it is owed still. Otherwise an earning that was refunded could run out as well. A
    lot that had paid for another one gets its points back, and first of all pays its own reversals with them, too.
    """
    waiting = deque(given_back)
    while waiting:
        come_back = waiting.popleft()
        lot_id, points = come_back.lot_id, come_back.points
        for reversal in await work.ledger.reversals_of(lot_id):
            if reversal.kind is EntryKind.EXPIRE or points == 0:
                continue
            paid = await work.ledger.allocations_of(reversal.id)
            owed = -reversal.points - sum(part.points for part in paid)
            if (own := min(owed, points)) > 0:
                await work.ledger.allocate(reversal.id, [Allocation(lot_id, own)])
                points -= own
            for part in paid:
                if part.lot_id != lot_id and (own := min(part.points, points)) > 0:
                    swapped = [Allocation(part.lot_id, -own), Allocation(lot_id, own)]
                    await work.ledger.allocate(reversal.id, swapped)
                    points -= own
                    waiting.append(Allocation(part.lot_id, own))


async def expire_points(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> int:
    """Enter what has run out by now, and return how many points that were."""
    now = clock.now()
    await work.ledger.lock(customer_id, now)
    lots, _ = await work.ledger.open_of(customer_id)
    return await _sweep(work, customer_id, lots, now)


async def expire_all_points(db: Database, clock: Clock) -> int:
    """Enter what has run out for anybody, a customer at a time; how many points that were.

    Nothing depends on when this runs: what has run out cannot be spent from its very instant on.
    """

    async def expire(work: UnitOfWork, customer_id: CustomerId) -> int:
        return await expire_points(work, clock, customer_id)

    total, after = 0, None
    while True:
        async with db.reading() as work:
            customers = await work.ledger.with_expired(clock.now(), after=after, limit=SWEPT_AT_ONCE)
        total += await one_by_one(db, customers, expire, what="points that ran out")
        if len(customers) < SWEPT_AT_ONCE:
            return total
        after = customers[-1]


async def transfer_points(
    work: UnitOfWork, clock: Clock, from_id: CustomerId, to_id: CustomerId, *, merge_id: str
) -> int:
    """Move all points to the account of the same person, each lot with its dates; debts move, too. How many in all."""
    now = clock.now()
    await lock_accounts(work, clock, (from_id, to_id))
    source = _merge_source(merge_id)
    lots, debts = await _swept(work, from_id, now)
    moved = 0
    for lot in spending_order(lots):
        times = await _times(work, lot.id, EntryKind.TRANSFER)
        dates = (lot.available_at, lot.expires_at)
        await _move(work, lot.id, from_id, to_id, lot.remaining, f"{source}:{lot.id}:{times}", source, now, dates)
        moved += lot.remaining
    for debt in debts:
        await _move_debt(work, from_id, to_id, debt.remaining, f"{source}:debt:{debt.id}:{debt.remaining}", source, now)
        moved -= debt.remaining
    return moved


async def undo_transfer(
    work: UnitOfWork, clock: Clock, from_id: CustomerId, to_id: CustomerId, *, merge_id: str
) -> int:
    """Give back what transfer_points moved, less what was taken back or has run out meanwhile; how many came back.

    What the other one spent of it is owed by them, not lost by whom it belonged to.
    """
    now = clock.now()
    await lock_accounts(work, clock, (from_id, to_id))
    source = _merge_source(merge_id)
    await _swept(work, to_id, now)
    came_back = 0
    for entry in await work.ledger.of_source(to_id, source):
        key, back = f"{entry.key}:back", f"{source}:back"
        if entry.points > 0:
            # With what was moved on from there, and came back when that was undone.
            for part in await _moved_on(work, entry):
                points = await _not_reversed(work, part) if part.customer_id == to_id else 0
                if points > 0:
                    part_key = key if part.id == entry.id else f"{key}:{part.id}"
                    dates = (part.available_at or now, part.expires_at)
                    await _move(work, part.id, to_id, from_id, points, part_key, back, now, dates)
                    came_back += points
        elif await work.ledger.by_key(key + TRANSFER_IN) is None:
            await _move_debt(work, to_id, from_id, -entry.points, key, back, now)
            came_back += entry.points
    return came_back


async def _move(
    work: UnitOfWork,
    lot_id: EntryId,
    from_id: CustomerId,
    to_id: CustomerId,
    points: int,
    key: str,
    source: str,
    now: datetime,
    dates: tuple[datetime, datetime | None],
) -> None:
    """Move points of a lot to another account, where they keep their dates."""
    out = LedgerEntry(
        *(_NEW, from_id, EntryKind.TRANSFER, -points, key + TRANSFER_OUT, now), source=source, reverses_id=lot_id
    )
    await _add_debit(work, out, own=lot_id)
    await _add_lot(work, LedgerEntry(_NEW, to_id, EntryKind.TRANSFER, points, key + TRANSFER_IN, now, *dates, source))


async def _move_debt(
    work: UnitOfWork, from_id: CustomerId, to_id: CustomerId, points: int, key: str, source: str, now: datetime
) -> None:
    await _add_lot(
        work, LedgerEntry(_NEW, from_id, EntryKind.TRANSFER, points, key + TRANSFER_IN, now, now, None, source)
    )
    await _add_debit(
        work, LedgerEntry(_NEW, to_id, EntryKind.TRANSFER, -points, key + TRANSFER_OUT, now, source=source)
    )


def _merge_source(merge_id: str) -> str:
    return f"merge:{merge_id}"


async def _add_lot(work: UnitOfWork, wanted: LedgerEntry) -> LedgerEntry:
    entry = await work.ledger.add(wanted)
    if entry is None:
        return await _known(work, wanted)
    await _settle(work, wanted.customer_id, wanted.at)
    return entry


async def _add_debit(work: UnitOfWork, wanted: LedgerEntry, own: EntryId | None = None) -> LedgerEntry:
    """Enter points taken away, whether they are there or not."""
    lots, _ = await work.ledger.open_of(wanted.customer_id)
    entry = await work.ledger.add(wanted)
    if entry is None:
        return await _known(work, wanted)
    await work.ledger.allocate(entry.id, allocate_taking_back(-wanted.points, lots, wanted.at, own))
    return entry


async def _settle(work: UnitOfWork, customer_id: CustomerId, now: datetime) -> None:
    """Sweep what has run out, and pay what is owed with what is there: never are there points beside a debt."""
    lots, debts = await _swept(work, customer_id, now)
    left = {lot.id: lot for lot in lots}
    for debt in debts:
        paid = allocate(debt.remaining, spending_order(left.values()))
        await work.ledger.allocate(debt.id, paid)
        for part in paid:
            lot = left[part.lot_id]
            left[part.lot_id] = Lot(lot.id, lot.remaining - part.points, lot.available_at, lot.expires_at)


async def _swept(work: UnitOfWork, customer_id: CustomerId, now: datetime) -> tuple[list[Lot], list[Debt]]:
    """What an account holds and owes, once what has run out is entered."""
    lots, debts = await work.ledger.open_of(customer_id)
    await _sweep(work, customer_id, lots, now)
    return [lot for lot in lots if not lot.is_expired(now)], debts


async def _sweep(work: UnitOfWork, customer_id: CustomerId, lots: list[Lot], now: datetime) -> int:
    """Enter what has run out, so that the entries sum up to what is there."""
    expired = [lot for lot in lots if lot.is_expired(now)]
    for lot in expired:
        # A lot runs out again when a redemption is undone after it did.
        times = await _times(work, lot.id, EntryKind.EXPIRE)
        entry = await work.ledger.add(
            LedgerEntry(
                *(_NEW, customer_id, EntryKind.EXPIRE, -lot.remaining, f"expire:{lot.id}:{times}", now),
                reverses_id=lot.id,
            )
        )
        if entry is not None:
            await work.ledger.allocate(entry.id, [Allocation(lot.id, lot.remaining)])
    return sum(lot.remaining for lot in expired)


async def _not_reversed(work: UnitOfWork, earning: LedgerEntry) -> int:
    """What of an earning was neither taken back nor ran out."""
    return earning.points + sum(reversal.points for reversal in await work.ledger.reversals_of(earning.id))


async def _times(work: UnitOfWork, entry_id: EntryId, kind: EntryKind) -> int:
    return sum(reversal.kind is kind for reversal in await work.ledger.reversals_of(entry_id))


async def _known(work: UnitOfWork, wanted: LedgerEntry) -> LedgerEntry:
    known = await work.ledger.by_key(wanted.key)
    if known is None:
        raise KeyReused
    return _same(known, wanted)


def _same(known: LedgerEntry, wanted: LedgerEntry) -> LedgerEntry:
    if not known.same_event(wanted):
        raise KeyReused
    return known


def _check(points: int, key: str) -> None:
    if not 0 < points <= MAX_POINTS:
        raise LedgerRefused("points_out_of_range", f"Points are a whole number from 1 to {MAX_POINTS:,}.")
    if not key or len(key) > MAX_KEY_CHARACTERS:
        raise LedgerRefused("bad_key", f"A key is a text of 1 to {MAX_KEY_CHARACTERS} characters.")
