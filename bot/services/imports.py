"""Imports, batch by batch: each is one transaction with what it writes and how far the run has come with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.core.import_customers import ImportedCustomer
from bot.core.import_fields import Kind
from bot.core.import_orders import ImportedOrder
from bot.core.imports import ImportRun, Note, RejectedRow, Tally
from bot.core.orders import Order, OrderStatus
from bot.core.shop import Shop
from bot.errors import ImportDisturbed, ImportUnaccounted, TransactionLost
from bot.services.audit import record_audit
from bot.services.ids import new_id
from bot.services.import_customers import plan_customers
from bot.services.import_orders import OrderPlan
from bot.services.import_ports import Planned, RejectKeeper, Writes
from bot.services.ports import Clock, Database, UnitOfWork

TRIES = 5


@dataclass
class Batch:
    """What was read of the file at once. `items` is how many groups and single rows of it that is."""

    items: int = 0
    customers: list[ImportedCustomer] = field(default_factory=list)
    orders: list[ImportedOrder] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)
    notes: Counter[Note] = field(default_factory=Counter)


@dataclass(frozen=True)
class ImportOptions:
    """How an import goes about it.

    `earn`: orders earn points, as new ones do. `overwrite`: the file counts more than what was changed here. `planned`
    is there in a trial run, which writes nothing.
    """

    default_status: OrderStatus = OrderStatus.DELIVERED
    earn: bool = False
    overwrite: bool = False
    planned: Planned | None = None


async def find_import(db: Database, kind: Kind, file_hash: str, mapping_hash: str) -> ImportRun | None:
    """What became of this file with this mapping before."""
    async with db.reading() as work:
        return await work.imports.run_of(kind, file_hash, mapping_hash)


async def begin_import(
    db: Database, clock: Clock, kind: Kind, file_hash: str, mapping_hash: str, *, again: bool
) -> ImportRun:
    """The run of this file with this mapping: a new one, the one that was broken off, or the finished one.

    With `again` it begins from the start, whatever was done before.
    """
    now = clock.now()
    new = ImportRun(new_id(), kind, file_hash, mapping_hash, started_at=now, updated_at=now)
    async with db.transaction() as work:
        if await work.imports.add_run(new):
            return new
        known = await work.imports.run_of(kind, file_hash, mapping_hash)
        if known is None:
            raise ImportDisturbed()
        if again:
            fresh = replace(new, id=known.id)
            if not await work.imports.save_run(fresh, rows_before=known.tally.rows):
                raise ImportDisturbed()
            return fresh
        return known


async def import_batch(
    db: Database,
    clock: Clock,
    shop: Shop,
    run: ImportRun,
    batch: Batch,
    rejects: RejectKeeper,
    options: ImportOptions,
) -> ImportRun:
    """Import what was read, in one transaction, and return how far the run has come with it.

    A trial run only reads. Raises ImportDisturbed, with nothing written, when the same run goes on somewhere else.
    """
    if options.planned is not None:
        async with db.reading() as work:
            plan = await _plan(work, clock, batch, options)
            return await _account(run, clock, batch, plan, rejects)
    for last_try in (*[False] * (TRIES - 1), True):
        try:
            async with db.transaction() as work:
                plan = await _plan(work, clock, batch, options)
                await work.imports.write(plan.writes, clock.now())
                if options.earn:
                    await _settle(work, clock, shop, plan.orders)
                after = await _account(run, clock, batch, plan, rejects)
                if not await work.imports.save_run(after, rows_before=run.tally.rows):
                    raise ImportDisturbed()
                return after
        except (ImportDisturbed, TransactionLost):
            # Somebody has made the same customer or order at this moment: now they are known. Or was in the way.
            if last_try:
                raise
    raise AssertionError("the last try ends in a result or an error")


async def finish_import(db: Database, clock: Clock, run: ImportRun, rows: int) -> ImportRun:
    """Close the account of a run over a file with so many rows. Raises ImportUnaccounted if it does not add up."""
    check_account(run.tally, rows)
    finished = replace(run, finished_at=clock.now(), updated_at=clock.now())
    async with db.transaction() as work:
        if not await work.imports.save_run(finished, rows_before=run.tally.rows):
            raise ImportDisturbed()
        detail = {"kind": run.kind.value, "rows": rows, "outcomes": dict(run.tally.outcomes)}
        await record_audit(work, clock, actor="operator", action="import", customer_id=None, detail=detail)
    return finished


def check_account(tally: Tally, rows: int) -> None:
    """Raise ImportUnaccounted unless every row of the file is accounted for once, and every rejected one explained."""
    if tally.rows != rows or not tally.is_sound:
        raise ImportUnaccounted(tally.rows, rows)


@dataclass(frozen=True)
class _Plan:
    writes: Writes
    tally: Tally
    rejected: Sequence[RejectedRow] = ()
    orders: Sequence[Order] = ()


async def _plan(work: UnitOfWork, clock: Clock, batch: Batch, options: ImportOptions) -> _Plan:
    if batch.customers:
        lock = options.planned is None
        found = await plan_customers(work.imports, batch.customers, clock.now(), overwrite=options.overwrite, lock=lock)
        return _Plan(*found)
    plan = OrderPlan(options.default_status, overwrite=options.overwrite, planned=options.planned)
    await plan.make(work.imports, batch.orders)
    return _Plan(plan.writes, plan.tally, orders=plan.orders)


async def _account(run: ImportRun, clock: Clock, batch: Batch, plan: _Plan, rejects: RejectKeeper) -> ImportRun:
    """The run with the batch accounted for, whose rejected rows are in the reject file then."""
    rejected = [*batch.rejected, *plan.rejected]
    tally = Tally.from_dict(run.tally.as_dict())
    tally.add(plan.tally)
    for row in rejected:
        tally.reject(row)
    for note, times in batch.notes.items():
        tally.note(note, times)
    kept_bytes = await rejects.keep(run.rejects_bytes, rejected)
    return replace(
        run,
        position=run.position + batch.items,
        rejects_bytes=kept_bytes,
        tally=tally,
        updated_at=clock.now(),
    )


async def _settle(work: UnitOfWork, clock: Clock, shop: Shop, orders: Sequence[Order]) -> None:
    # Only where it is asked for: history that was imported earns nothing by itself.
    from bot.services.earning import settle_order

    for order in orders:
        await settle_order(work, clock, shop, order)
