"""Databases of each kind for the tests, and processes to use them from."""

from __future__ import annotations

import asyncio
import multiprocessing
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import asyncpg
from sqlalchemy import make_url

from bot.storage.engine import create_engine
from bot.storage.wakeups import create_wakeups
from tests.fakes import FakeDatabase, RecordingSqlDatabase


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run outside any test's event loop, and leave none behind."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def open_database(url: str | None) -> FakeDatabase | RecordingSqlDatabase:
    """The database at the address, or one in memory. To be closed."""
    return FakeDatabase() if url is None else RecordingSqlDatabase(create_engine(url), create_wakeups(url))


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def create_postgres_database(server: str) -> str:
    """A new, empty database on the server; returns its address."""
    name = f"kasuki_test_{uuid.uuid4().hex[:12]}"
    await execute(server, f"CREATE DATABASE {name}")
    return make_url(server).set(database=name).render_as_string(hide_password=False)


async def drop_postgres_database(server: str, url: str) -> None:
    await execute(server, f"DROP DATABASE {make_url(url).database} WITH (FORCE)")


def in_processes(count: int, work: Callable[..., Coroutine[Any, Any, Any]], *args: Any) -> list[Any]:
    """What the coroutine function returns in so many processes of its own that begin at one moment."""
    # Forked, because importing everything anew would take longer than most tests.
    context = multiprocessing.get_context("fork")
    ready, results = context.Barrier(count), context.SimpleQueue()

    def begin() -> None:
        try:
            ready.wait(30)
            results.put(asyncio.run(work(*args)))
        except BaseException as error:
            results.put(error)

    processes = [context.Process(target=begin, daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join(30)
    for error in found:
        if isinstance(error, BaseException):
            raise error
    return found
