"""Engines: SQLite durable and honest about locks, addresses with our drivers."""

import asyncio
import contextlib
import threading

import pytest
from sqlalchemy import text

from bot.storage import sqlite_driver
from bot.storage.engine import SQLITE_BUSY_TIMEOUT_MS, async_url, create_engine
from tests.builders import a_customer, stored_customer
from tests.storage.databases import execute, open_database


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("foreign_keys", 1), ("synchronous", 2), ("busy_timeout", SQLITE_BUSY_TIMEOUT_MS)],
)
async def test_every_sqlite_connection_is_durable_and_checks_references(sqlite_url, pragma, value):
    engine = create_engine(sqlite_url)
    async with engine.connect() as one, engine.connect() as two:
        found = [await connection.scalar(text(f"PRAGMA {pragma}")) for connection in (one, two)]
    await engine.dispose()

    assert found == [value, value]


async def test_the_folder_of_a_sqlite_file_is_made(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/not/yet/kasuki.db")
    async with engine.connect():
        pass
    await engine.dispose()

    assert (tmp_path / "not/yet/kasuki.db").exists()


async def test_making_an_engine_connects_to_nothing():
    await create_engine("postgresql://nobody@192.0.2.1/kasuki").dispose()


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///var/kasuki.db", "sqlite+aiosqlite:///var/kasuki.db"),
        ("postgresql://u:p@db/kasuki", "postgresql+asyncpg://u:p@db/kasuki"),
        ("postgresql://u@/kasuki?host=/run/pg", "postgresql+asyncpg://u@/kasuki?host=%2Frun%2Fpg"),
        ("postgresql://u@db/kasuki?sslmode=require", "postgresql+asyncpg://u@db/kasuki?ssl=require"),
    ],
)
def test_addresses_get_the_drivers_of_this_project(given, used):
    assert async_url(given).render_as_string(hide_password=False) == used


async def test_a_second_process_waits_for_the_writer_instead_of_failing(sql_url):
    # Two engines know as little of each other as two processes do.
    one, two = open_database(sql_url), open_database(sql_url)
    async with one.transaction() as work:
        await work.customers.add(a_customer(external_id="C-1"))
        waiting = asyncio.create_task(stored_customer(two, external_id="C-2"))
        async with two.reading() as reading:
            assert await reading.customers.by_external_id("C-1") is None

    await asyncio.wait_for(waiting, 10)

    async with two.reading() as reading:
        assert await reading.customers.count() == 2
    await one.close()
    await two.close()


async def test_connections_that_died_while_nobody_used_them_are_made_anew(postgres_url, monkeypatch):
    engine = create_engine(postgres_url)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(engine.connect())
    await execute(
        postgres_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )

    monkeypatch.setattr("bot.storage.engine.PING_AFTER_SECONDS", 0)
    for _ in range(4):
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()


async def test_a_connection_that_was_used_a_moment_ago_is_used_without_a_ping(postgres_url, monkeypatch):
    engine = create_engine(postgres_url)
    pings = []
    monkeypatch.setattr(engine.dialect, "do_ping", pings.append)
    for _ in range(3):
        async with engine.connect():
            pass
    assert pings == []

    monkeypatch.setattr("bot.storage.engine.PING_AFTER_SECONDS", 0)
    async with engine.connect():
        pass
    await engine.dispose()
    assert len(pings) == 1


async def test_whoever_is_stopped_while_connecting_leaves_no_thread_behind(sqlite_url):
    before = set(threading.enumerate())
    connecting = asyncio.create_task(sqlite_driver.connect(sqlite_url.removeprefix("sqlite:///"), 20))
    # Far enough for its thread to be there.
    await asyncio.sleep(0)
    assert set(threading.enumerate()) > before

    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting

    left = {thread for thread in threading.enumerate() if "connection_worker" in thread.name}
    assert left <= before
