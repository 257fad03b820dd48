"""Which dialogue workers are there."""

from __future__ import annotations

from datetime import timedelta

from bot.services.ports import Clock, Database, WorkerState

# A worker reports every five seconds; two reports may get lost.
SEEN_WITHIN = timedelta(seconds=15)


async def ready_workers(db: Database, clock: Clock) -> list[WorkerState]:
    """The workers that hold a loaded model and have reported lately."""
    async with db.reading() as work:
        return [state for state in await work.workers.seen_since(clock.now() - SEEN_WITHIN) if state.model]
