"""The scheduler runs its jobs round after round, beside the deliveries, until it is told to stop."""

from __future__ import annotations

import asyncio

from bot import app
from bot.config import load_config
from bot.services.ports import Hint
from bot.services.timers import all_jobs
from tests.test_config import PRODUCTION, root

__all__ = ["root"]


async def test_every_job_is_run_round_after_round_until_the_scheduler_stops(root, sqlite_url, monkeypatch):
    rounds, seen = asyncio.Semaphore(0), []

    async def run_timers(db, clock, shop, jobs):
        seen.append((shop.name, [name for name, _ in jobs]))
        rounds.release()
        return {}

    monkeypatch.setattr(app, "run_timers", run_timers)
    monkeypatch.setattr(app, "TIMERS_EVERY_SECONDS", 0)
    config = load_config({**PRODUCTION, "DATABASE_URL": sqlite_url}, root=root)
    async with app.open_storage(config) as storage, app.running_scheduler(config, storage):
        for _ in range(3):
            await asyncio.wait_for(rounds.acquire(), 10)
    run = len(seen)
    # Whatever is still running would get its turn now.
    for _ in range(10):
        await asyncio.sleep(0)

    assert seen[0] == ("Corner Shop", [name for name, _ in all_jobs(None)])
    assert len(seen) == run


async def test_the_line_is_looked_after_every_second_and_at_each_hint(root, sqlite_url, monkeypatch):
    rounds, seen = asyncio.Semaphore(0), []

    async def look_after_line(db, clock, shop):
        seen.append(shop.name)
        rounds.release()
        if len(seen) == 2:
            # One round that fails is not the last one.
            raise RuntimeError
        return 0

    monkeypatch.setattr(app, "look_after_line", look_after_line)
    monkeypatch.setattr(app, "LINE_PAUSE_SECONDS", 0)
    monkeypatch.setattr(app, "LINE_EVERY_SECONDS", 3_600)
    config = load_config({**PRODUCTION, "DATABASE_URL": sqlite_url}, root=root)
    async with app.open_storage(config) as storage, app.running_scheduler(config, storage):
        await asyncio.wait_for(rounds.acquire(), 10)
        for _ in range(2):
            async with storage.db.transaction() as work:
                work.hint(Hint("desk", "somebody"))
            await asyncio.wait_for(rounds.acquire(), 10)
    assert seen == ["Corner Shop"] * 3


async def test_the_line_is_looked_after_without_any_hint(root, sqlite_url, monkeypatch):
    rounds = asyncio.Semaphore(0)

    async def look_after_line(db, clock, shop):
        rounds.release()
        return 0

    monkeypatch.setattr(app, "look_after_line", look_after_line)
    monkeypatch.setattr(app, "LINE_PAUSE_SECONDS", 0)
    monkeypatch.setattr(app, "LINE_EVERY_SECONDS", 0.01)
    config = load_config({**PRODUCTION, "DATABASE_URL": sqlite_url}, root=root)
    async with app.open_storage(config) as storage, app.running_scheduler(config, storage):
        for _ in range(3):
            await asyncio.wait_for(rounds.acquire(), 10)
