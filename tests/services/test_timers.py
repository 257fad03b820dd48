"""What happens by itself: every job, whatever becomes of the others."""

from __future__ import annotations

import logging

from bot.core.ledger import Balance, EntryKind
from bot.services.ledger import award_points, balance_of
from bot.services.timers import all_jobs, run_timers
from tests.builders import stored_customer


async def test_points_that_ran_out_are_entered_by_themselves(sql_db, clock, shop):
    customer = await stored_customer(sql_db)
    async with sql_db.transaction() as work:
        expires_at = clock.advance(days=1)
        clock.advance(days=-1)
        await award_points(work, clock, customer.id, EntryKind.GOODWILL, 50, key="k", expires_at=expires_at)
    clock.advance(days=1)
    jobs = [job for job in all_jobs(None) if job[0] == "points that ran out"]

    assert await run_timers(sql_db, clock, shop, jobs) == {"points that ran out": 50}
    assert await run_timers(sql_db, clock, shop, jobs) == {"points that ran out": 0}
    async with sql_db.reading() as work:
        assert (await work.ledger.page(customer.id, before=None, limit=1))[0].kind is EntryKind.EXPIRE
        assert await balance_of(work, clock, customer.id) == Balance(0)


async def test_a_job_that_fails_is_logged_and_stops_no_other(fake_db, clock, shop, caplog):
    ran = []

    async def fails(db, clock, shop):
        raise OSError("the database is away")

    async def works(db, clock, shop):
        ran.append((db, clock, shop))
        return 3

    with caplog.at_level(logging.INFO, logger="bot.services.timers"):
        done = await run_timers(fake_db, clock, shop, [("rain", fails), ("sunshine", works)])

    assert done == {"sunshine": 3}
    assert ran == [(fake_db, clock, shop)]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "the timer for rain failed; it is tried again"),
        ("INFO", "the timer for sunshine: 3"),
    ]


def test_no_two_jobs_have_one_name():
    names = [name for name, _ in all_jobs(None)]

    assert sorted(names) == sorted(set(names))
