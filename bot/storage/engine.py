"""Database engines: SQLite made durable and honest about locks, PostgreSQL as it is."""

from __future__ import annotations

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, TextClause, bindparam, event, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.sql.selectable import TextualSelect

from bot.storage import sqlite_driver

SQLITE_BUSY_TIMEOUT_MS = 20_000
IMMEDIATE = "kasuki_immediate"
DURABLE = "kasuki_durable"
# Beyond this, a pooled connection to PostgreSQL is tried before it is used.
PING_AFTER_SECONDS = 1.0
_USED_AT = "kasuki_used_at"


def async_url(database_url: str) -> URL:
    """The address with the asynchronous driver that this project uses."""
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if "sslmode" in url.query:
        # What libpq calls sslmode, the driver takes as ssl.
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": url.query["sslmode"]})
    return url.set(drivername="postgresql+asyncpg")


def create_engine(database_url: str) -> AsyncEngine:
    """An engine for the address; makes the folder of a SQLite file. Connects only when used."""
    url = async_url(database_url)
    if url.get_backend_name() != "sqlite":
        engine = create_async_engine(url, pool_size=10, max_overflow=10, hide_parameters=True)
        _ping_after_pauses(engine)
        return engine
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(
        url,
        async_creator=lambda: sqlite_driver.connect(url.database or ":memory:", SQLITE_BUSY_TIMEOUT_MS / 1_000),
        pool_reset_on_return=None,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _ping_after_pauses(engine: AsyncEngine) -> None:
    """Try a pooled connection before its use, as `pool_pre_ping` would, but only if nobody used it a moment ago.

    A ping takes three trips to the server, which is as much as the rest of a small transaction. When the server has
    gone, the first use that notices has all connections made anew.
    """
    dialect = engine.dialect

    def note_use(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    def ping(connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if time.monotonic() - record.info.get(_USED_AT, 0) < PING_AFTER_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError() from error

    event.listen(engine.sync_engine, "connect", note_use)
    event.listen(engine.sync_engine, "checkin", note_use)
    event.listen(engine.sync_engine, "checkout", ping)


def _begin_sqlite(connection: Connection) -> None:
    # A reader that becomes a writer half-way fails at once when somebody else wrote meanwhile: writers say so first.
    options = connection.get_execution_options()
    if options.get(IMMEDIATE, False):
        # A commit that does not wait for the disk is as safe from dying processes, though not from power cuts.
        connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if options.get(DURABLE, True) else 'NORMAL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")


async def insert_unless_there(
    connection: AsyncConnection, table: Table, values: Mapping[str, Any], unique: Sequence[str]
) -> bool:
    """Insert a row unless there is one with the same values in the unique columns; whether it was inserted.

    Waits for another transaction that is inserting the same; once that has committed, its row can be read.
    """
    statement = insert_unless_there_statement(table, tuple(values), tuple(unique))
    return (await connection.execute(statement, values)).rowcount == 1


@functools.cache
def insert_unless_there_statement(
    table: Table, names: tuple[str, ...], unique: tuple[str, ...], returning: str | None = None
) -> TextClause | TextualSelect:
    """The statement of insert_unless_there for the columns of these names; also one column of the new row, if asked.

    Kept as text: SQLAlchemy compiles an insert with ON CONFLICT anew each time, which takes longer than running it.
    Both databases understand the same words.
    """
    insert = sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
    built = insert if returning is None else insert.returning(table.c[returning])
    words = str(built.compile(dialect=sqlite.dialect(paramstyle="named"), column_keys=names))
    statement = text(words).bindparams(*(bindparam(name, type_=table.c[name].type) for name in names))
    return statement if returning is None else statement.columns(table.c[returning])


async def lock_word(connection: AsyncConnection, word: str) -> None:
    """Let nobody else pass here with the same word until this transaction ends; for what has no row to be locked."""
    # SQLite has one writer.
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:word, 0))"), {"word": word})
