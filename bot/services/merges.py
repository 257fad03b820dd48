"""Two customers who are one: proposed, joined, and parted again.

Whatever belongs to the one goes to the other, and a snapshot says what that was, so that it can all go back. Consents
are left alone: they belong to addresses, and both keep their own. Nothing is merged by itself unless both have proven
one and the same address; anything less is a proposal, which a person decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.core.customers import Customer, CustomerId
from bot.core.merges import Merge, MergeState, filled_fields, kept_first, restored_fields
from bot.core.shop import Shop
from bot.errors import MergeRefused
from bot.services.audit import record_audit
from bot.services.ids import new_id
from bot.services.ledger import transfer_points, undo_transfer
from bot.services.persons import customer_of
from bot.services.ports import Clock, Database, UnitOfWork
from bot.services.punch_cards import transfer_stamps, undo_transfer_stamps

SYSTEM = "system"
PROPOSALS_SHOWN = 500


async def propose_merge(
    work: UnitOfWork, clock: Clock, one_id: CustomerId, other_id: CustomerId, *, reason: str, author: str = SYSTEM
) -> Merge | None:
    """Propose to a person that two customers are one; None for those who are already.

    Safe to repeat: what was proposed, dismissed or undone once is returned, and not proposed again.
    """
    one, other = await customer_of(work, one_id), await customer_of(work, other_id)
    if one.id == other.id:
        return None
    if known := await work.merges.of_pair(one.id, other.id):
        return known[-1]
    kept, merged = kept_first(one, other)
    merge = Merge(new_id(), kept.id, merged.id, MergeState.PROPOSED, reason[:80], author, clock.now())
    await work.merges.add(merge)
    return merge


async def propose_for(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> None:
    """Propose to merge a customer, new or changed, with whoever looks like them. Safe to repeat."""
    for pair in await work.merges.lookalikes(customer_id):
        await propose_merge(work, clock, pair.one_id, pair.other_id, reason=pair.reason)


async def find_proposals(db: Database, clock: Clock) -> int:
    """Look for customers who may be one among all there are (after an import, say); how many proposals wait now."""
    async with db.transaction() as work:
        for pair in await work.merges.lookalikes():
            await propose_merge(work, clock, pair.one_id, pair.other_id, reason=pair.reason)
        return len(await proposals(work))


async def proposals(work: UnitOfWork) -> list[Merge]:
    """What waits for a decision, oldest first."""
    return await work.merges.in_state(MergeState.PROPOSED, PROPOSALS_SHOWN)


async def merge_customers(
    work: UnitOfWork,
    clock: Clock,
    kept_id: CustomerId,
    merged_id: CustomerId,
    *,
    reason: str,
    author: str,
    shop: Shop | None = None,
) -> Merge:
    """Give everything that the second customer has to the first, and note what that was.

    Safe to repeat: when they are one already because of these two, that merge is returned. With the shop, punch cards
    that become full by this become vouchers at once. Raises CustomerNotFound, or MergeRefused, changing nothing.
    """
    kept, merged = await customer_of(work, kept_id), await customer_of(work, merged_id)
    # Held before anything is asked: another one may be joining the same two.
    await work.merges.lock_records(sorted((kept.id, merged.id)))
    known = await work.merges.done_from(merged_id)
    if known is not None and known.kept_id == kept_id:
        return known
    kept, merged = await customer_of(work, kept_id), await customer_of(work, merged_id)
    if kept.id == merged.id:
        raise MergeRefused("oneself")
    merge = Merge(new_id(), kept.id, merged.id, MergeState.PROPOSED, reason[:80], author, clock.now())
    await work.merges.add(merge)
    return await _carry_out(work, clock, merge, author, shop)


async def accept_merge(
    work: UnitOfWork, clock: Clock, merge_id: str, *, author: str, shop: Shop | None = None
) -> Merge:
    """Carry out what was proposed. Safe to repeat. Raises MergeRefused, changing nothing."""
    merge = await _locked(work, merge_id)
    if merge.state is MergeState.DONE:
        return merge
    if merge.state is not MergeState.PROPOSED:
        raise MergeRefused(merge.state.value)
    return await _carry_out(work, clock, merge, author, shop)


async def dismiss_merge(work: UnitOfWork, clock: Clock, merge_id: str, *, author: str) -> Merge:
    """Say that two customers are two, which is not proposed again. Safe to repeat. Raises MergeRefused otherwise."""
    merge = await _locked(work, merge_id)
    if merge.state is MergeState.DISMISSED:
        return merge
    if merge.state is not MergeState.PROPOSED:
        raise MergeRefused("not_done" if merge.state is not MergeState.DONE else "oneself")
    merge = replace(merge, state=MergeState.DISMISSED, author=author, ended_at=clock.now())
    await work.merges.save(merge)
    await _audit(work, clock, merge, "merge_dismissed", author)
    return merge


async def _carry_out(work: UnitOfWork, clock: Clock, merge: Merge, author: str, shop: Shop | None) -> Merge:
    kept, merged = await _locked_customers(work, merge)
    if kept.id == merged.id:
        raise MergeRefused("oneself")
    moved = await work.merges.move_records(merged.id, kept.id)
    filled = filled_fields(kept, merged)
    if filled:
        await work.customers.save(replace(kept, **filled), clock.now())
    await work.merges.mark(merged.id, kept.id)
    snapshot = {"moved": moved, "filled": sorted(filled)}
    merge = replace(
        merge,
        kept_id=kept.id,
        merged_id=merged.id,
        state=MergeState.DONE,
        author=author,
        snapshot=snapshot,
        done_at=clock.now(),
    )
    await work.merges.save(merge)
    await transfer_points(work, clock, merged.id, kept.id, merge_id=merge.id)
    await transfer_stamps(work, clock, merged.id, kept.id, merge_id=merge.id, shop=shop)
    await _audit(work, clock, merge, "merge", author)
    await _close_proposals(work, clock, kept.id, author)
    return merge


async def _close_proposals(work: UnitOfWork, clock: Clock, kept_id: CustomerId, author: str) -> None:
    """End what was proposed about customers who are one now."""
    people = await work.merges.same_person(kept_id)
    for other in await work.merges.of_customers(people):
        if other.state is MergeState.PROPOSED and {other.kept_id, other.merged_id} <= set(people):
            closed = replace(other, state=MergeState.DISMISSED, author=author, ended_at=clock.now())
            await work.merges.save(closed)


async def undo_merge(work: UnitOfWork, clock: Clock, merge_id: str, *, author: str, shop: Shop | None = None) -> Merge:
    """Part two customers again: what was moved goes back, what came since stays where it is.

    Points that were spent meanwhile are owed by the one who spent them. Safe to repeat. Raises MergeRefused, changing
    nothing, when the customer who stayed was merged on, or either was erased.
    """
    merge = await _locked(work, merge_id)
    if merge.state is MergeState.UNDONE:
        return merge
    if merge.state is not MergeState.DONE:
        raise MergeRefused("not_done")
    await work.merges.lock_records(sorted((merge.kept_id, merge.merged_id)))
    kept, merged = await work.customers.get(merge.kept_id), await work.customers.get(merge.merged_id)
    if kept is None or merged is None or kept.erased_at is not None or merged.erased_at is not None:
        raise MergeRefused("erased")
    if kept.merged_into_id is not None:
        raise MergeRefused("merged_on")
    # Whatever landed on the merged one since is part of what goes back.
    await follow_up_merge(work, clock, merged.id)
    snapshot = (await _locked(work, merge_id)).snapshot or {}
    await work.merges.move_back(snapshot.get("moved", {}), kept.id, merged.id)
    await undo_transfer(work, clock, merged.id, kept.id, merge_id=merge.id)
    await work.merges.mark(merged.id, None)
    merge = replace(merge, state=MergeState.UNDONE, snapshot=snapshot, ended_at=clock.now())
    await work.merges.save(merge)
    await undo_transfer_stamps(work, clock, merged.id, kept.id, merge_id=merge.id, shop=shop)
    taken_over = {name: getattr(merged, name) for name in snapshot.get("filled", ())}
    if restored := restored_fields(kept, taken_over):
        await work.customers.save(replace(kept, **restored), clock.now())
    await _audit(work, clock, merge, "merge_undone", author)
    return merge


async def follow_up_merge(work: UnitOfWork, clock: Clock, customer_id: CustomerId) -> None:
    """Move on what landed on a customer after they were merged: points that came back, a debt, a late record.

    Does nothing for anybody else, and nothing twice.
    """
    while (merge := await work.merges.done_from(customer_id)) is not None:
        late = await work.merges.move_records(merge.merged_id, merge.kept_id)
        if late:
            merge = await _locked(work, merge.id)
            snapshot = dict(merge.snapshot or {})
            snapshot["moved"] = _joined(snapshot.get("moved", {}), late)
            await work.merges.save(replace(merge, snapshot=snapshot))
        await transfer_points(work, clock, merge.merged_id, merge.kept_id, merge_id=merge.id)
        customer_id = merge.kept_id


def _joined(before: Mapping[str, Any], late: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [*before.get(name, []), *late.get(name, [])] for name in (*before, *late)}


async def _locked(work: UnitOfWork, merge_id: str) -> Merge:
    merge = await work.merges.lock(merge_id)
    if merge is None:
        raise MergeRefused("unknown")
    return merge


async def _locked_customers(work: UnitOfWork, merge: Merge) -> tuple[Customer, Customer]:
    """The two as they are now, wherever earlier merges led; nobody else changes them from here on."""
    while True:
        kept, merged = await customer_of(work, merge.kept_id), await customer_of(work, merge.merged_id)
        await work.merges.lock_records(sorted((kept.id, merged.id)))
        now = await customer_of(work, kept.id), await customer_of(work, merged.id)
        if [one.id for one in now] == [kept.id, merged.id]:
            break
    if now[0].erased_at is not None or now[1].erased_at is not None:
        raise MergeRefused("erased")
    return now


async def _audit(work: UnitOfWork, clock: Clock, merge: Merge, action: str, author: str) -> None:
    snapshot = merge.snapshot or {}
    detail = {
        "merge": merge.id,
        "merged": merge.merged_id,
        "reason": merge.reason,
        "moved": {name: len(what) for name, what in snapshot.get("moved", {}).items()},
        "fields": snapshot.get("filled", []),
    }
    await record_audit(work, clock, actor=author, action=action, customer_id=merge.kept_id, detail=detail)
