"""Which workers count as there."""

from datetime import timedelta

import pytest

from bot.services.workers import SEEN_WITHIN, ready_workers
from tests.builders import NOW, a_worker


async def report(db, **changes):
    async with db.transaction() as work:
        await work.workers.report(a_worker(**changes))


async def test_a_worker_is_ready_once_it_has_loaded_its_model(db, clock):
    await report(db, model=None)
    assert await ready_workers(db, clock) == []

    await report(db, model="kasuki")

    assert await ready_workers(db, clock) == [a_worker(model="kasuki")]


@pytest.mark.parametrize(("silence", "ready"), [(SEEN_WITHIN, True), (SEEN_WITHIN + timedelta(microseconds=1), False)])
async def test_a_worker_that_has_not_reported_lately_is_gone(db, clock, silence, ready):
    await report(db, seen_at=NOW - silence)

    assert bool(await ready_workers(db, clock)) is ready
