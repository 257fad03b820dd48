"""aiosqlite with one trip to its thread per statement, where SQLAlchemy's use of it makes four.

SQLAlchemy opens a cursor, executes, fetches everything and closes the cursor; each of the four waits for the driver's
thread. With some twenty statements a turn, the waiting costs more than the statements. Here the cursor is nothing until
it executes, and executing brings the rows along.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

import aiosqlite

LOCKED_AGAIN_SECONDS = 0.01

Rows = Sequence[Any]


class EagerCursor:
    """What SQLAlchemy uses of aiosqlite's cursor; has everything once it has executed."""

    def __init__(self, connection: EagerConnection) -> None:
        self._connection = connection
        self._rows: Rows = ()
        self.description: Any = None
        self.lastrowid: int | None = None
        self.rowcount = -1

    async def execute(self, operation: str, parameters: Iterable[Any] = ()) -> EagerCursor:
        """Run one statement and fetch all of its rows."""
        await self._run("execute", operation, parameters)
        return self

    async def executemany(self, operation: str, parameters: Iterable[Any]) -> EagerCursor:
        """Run one statement for each set of parameters."""
        await self._run("executemany", operation, parameters)
        return self

    async def fetchall(self) -> Rows:
        """The rows; they are here already."""
        return self._rows

    async def close(self) -> None:
        """Nothing is open any more."""

    async def _run(self, method: str, operation: str, parameters: Iterable[Any]) -> None:
        self.description, self._rows, self.lastrowid, self.rowcount = await self._connection.run(
            method, operation, parameters
        )


class EagerConnection(aiosqlite.Connection):
    """aiosqlite's connection with eager cursors."""

    async def cursor(self) -> EagerCursor:  # type: ignore[override]
        """A cursor, without a trip to the thread."""
        return EagerCursor(self)

    async def run(self, method: str, operation: str, parameters: Iterable[Any]) -> tuple[Any, Rows, int | None, int]:
        """Execute in the driver's thread: description, rows, last row id and row count."""
        result: tuple[Any, Rows, int | None, int] = await self._execute(  # type: ignore[no-untyped-call]
            self._run_here, method, operation, parameters
        )
        return result

    def _run_here(self, method: str, operation: str, parameters: Iterable[Any]) -> tuple[Any, Rows, int | None, int]:
        cursor: sqlite3.Cursor = getattr(self._conn, method)(operation, parameters)
        try:
            rows = cursor.fetchall() if cursor.description else ()
            return cursor.description, rows, cursor.lastrowid, cursor.rowcount
        finally:
            cursor.close()


async def connect(path: str, busy_timeout_seconds: float) -> EagerConnection:
    """An open connection to a database file: WAL, durable commits, foreign keys, and waiting for others' locks."""
    connection = EagerConnection(lambda: _open(path, busy_timeout_seconds), iter_chunk_size=64)
    # As SQLAlchemy does: a connection that nobody closed must not keep the process alive.
    connection._thread.daemon = True
    try:
        await connection
    except BaseException:
        # The driver has told its thread to end; the thread must not outlive the loop, to which it answers.
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, connection._thread.join))
        raise
    return connection


def _open(path: str, busy_timeout_seconds: float) -> sqlite3.Connection:
    # The driver would begin transactions by itself, too late to take the write lock at their start.
    connection = sqlite3.connect(path, timeout=busy_timeout_seconds, isolation_level=None)
    deadline = time.monotonic() + busy_timeout_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            # Where another process opens or closes the file at this moment, SQLite says "locked" at once, without the
            # waiting that it does for every other lock.
            if time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(LOCKED_AGAIN_SECONDS)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    return connection
