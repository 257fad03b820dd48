"""Fills a database with customers and years of points, as fast as it takes them, for the ledger benchmark.

Everybody has eight orders that earned and two rewards that spent the first two of them; one customer, the regular, has
a thousand times that. The rows are what the services would have written, and `ledger check` finds them sound.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import asyncpg
from sqlalchemy import make_url

from bench.report import say

BEGAN = datetime(2024, 1, 1, tzinfo=timezone.utc)
ENTRIES_A_CUSTOMER = 10
REGULAR_ENTRIES = 10_000
EARNED = 40
REGULAR = "regular"

# `who` is a customer's number (0 is the regular), `n` counts the entries of each from 1.
_SLOTS = "((who - 1) * 10 + n)"
# Tables with a column to read and a condition that leads through one of the indexes.
_READ_THROUGH = (
    ("customers", "name", "id >= ''"),
    ("loyalty_accounts", "opened_at", "customer_id >= ''"),
    ("ledger_entries", "points", "id > 0"),
    ("ledger_entries", "points", "customer_id >= '' AND id > 0"),
    ("ledger_entries", "points", "customer_id >= '' AND at > '2000-01-01Z'"),
    ("ledger_entries", "points", "key >= ''"),
    ("ledger_allocations", "points", "entry_id > 0"),
    ("ledger_allocations", "points", "lot_id > 0"),
    ("ledger_open", "remaining", "entry_id > 0"),
    ("ledger_open", "points", "customer_id >= '' AND remaining > 0"),
)
_DROPPED = {
    "ledger_entries": (
        "ix_ledger_entries_customer_id_id",
        "ix_ledger_entries_reverses_id",
        "ix_ledger_entries_at",
    ),
    "ledger_allocations": ("ix_ledger_allocations_entry_id", "ix_ledger_allocations_lot_id"),
    "ledger_open": ("ix_ledger_open_customer_id", "ix_ledger_open_expires_at"),
}


def customer_id(number: int) -> str:
    """The id of a customer by number; 0 is the regular."""
    return f"{number:032x}"


def _id(expression: str, dialect: str) -> str:
    return f"lpad(to_hex({expression}), 32, '0')" if dialect == "postgresql" else f"printf('%032x', {expression})"


def _statements(customers: int, dialect: str) -> Iterator[tuple[str, str]]:
    """What to run, with a word about each. The regular's entries come after everybody else's."""
    per = ENTRIES_A_CUSTOMER
    everybody = customers * per
    if dialect == "postgresql":
        people = f"SELECT who FROM generate_series(0, {customers}) AS who"
        rows = (
            f"SELECT who, n, {_SLOTS} AS id FROM generate_series(1, {customers}) AS who, "
            f"generate_series(1, {per}) AS n UNION ALL SELECT 0, n, {everybody} + n "
            f"FROM generate_series(1, {REGULAR_ENTRIES}) AS n"
        )
        moment = "timestamptz '2024-01-01 00:00:00Z' + (n % 900) * interval '1 day'"
        later = "timestamptz '2034-01-01 00:00:00Z' + (n % 900) * interval '1 day'"
    else:
        people = _numbers(0, customers, "who")
        rows = (
            f"SELECT who, n, {_SLOTS} AS id FROM ({_numbers(1, customers, 'who')}), ({_numbers(1, per, 'n')}) "
            f"UNION ALL SELECT 0, n, {everybody} + n FROM ({_numbers(1, REGULAR_ENTRIES, 'n')})"
        )
        moment = "strftime('%Y-%m-%d 00:00:00.000000', '2024-01-01', (n % 900) || ' days')"
        later = "strftime('%Y-%m-%d 00:00:00.000000', '2034-01-01', (n % 900) || ' days')"
    who = _id("who", dialect)
    spends = "(n % 10 IN (9, 0))"
    yield (
        "customers",
        "INSERT INTO customers (id, external_id, name, email, created_at) "
        f"SELECT {who}, 'B-' || who, 'Customer ' || who, 'c' || who || '@example.com', {moment} FROM "
        f"(SELECT who, 1 AS n FROM ({people}) AS p) AS q",
    )
    yield "accounts", "INSERT INTO loyalty_accounts (customer_id, opened_at) SELECT id, created_at FROM customers"
    yield (
        "entries",
        "INSERT INTO ledger_entries (id, customer_id, kind, points, key, at, available_at, expires_at, source) "
        f"SELECT id, {who}, CASE WHEN {spends} THEN 'redeem' ELSE 'order' END, "
        f"CASE WHEN {spends} THEN -{EARNED} ELSE {EARNED} END, 'bench:' || id, {moment}, "
        f"CASE WHEN {spends} THEN NULL ELSE {moment} END, CASE WHEN {spends} THEN NULL ELSE {later} END, "
        f"'TC-' || id FROM ({rows}) AS r ORDER BY id",
    )
    # The ninth and tenth of each ten entries spent what the first and second had brought.
    yield (
        "allocations",
        "INSERT INTO ledger_allocations (entry_id, lot_id, points) "
        f"SELECT id, id - 8, {EARNED} FROM ({rows}) AS r WHERE {spends} ORDER BY id",
    )


def _numbers(first: int, last: int, name: str) -> str:
    return (
        f"WITH RECURSIVE counted(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM counted WHERE i < {last}) "
        f"SELECT i AS {name} FROM counted"
    )


_LEFT = (
    "INSERT INTO ledger_open (entry_id, customer_id, side, points, remaining, available_at, expires_at) "
    "SELECT id, customer_id, CASE WHEN points > 0 THEN 'lot' ELSE 'debt' END, ABS(points), "
    "CASE WHEN points < 0 OR id % 10 IN (1, 2) THEN 0 ELSE points END, available_at, expires_at FROM ledger_entries"
)


async def fill_postgresql(url: str, customers: int) -> None:
    """Fill an empty, migrated database. Triggers sleep meanwhile, and indexes are made at the end: it takes minutes."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        await connection.execute("SET session_replication_role = replica")
        made = {
            row["indexname"]: row["indexdef"]
            for row in await connection.fetch("SELECT indexname, indexdef FROM pg_indexes")
        }
        dropped = [name for names in _DROPPED.values() for name in names]
        for name in dropped:
            await connection.execute(f"DROP INDEX {name}")
        for about, statement in [*_statements(customers, "postgresql"), ("what is left", _LEFT)]:
            say(f"  {about} ...")
            await connection.execute(statement)
        for table in ("ledger_entries", "ledger_allocations"):
            await connection.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
            )
        say("  indexes ...")
        for name in dropped:
            await connection.execute(made[name])
        say("  statistics ...")
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def warm_postgresql(url: str) -> None:
    """Read every row through every index that the services use, as months of work would have done."""
    connection = await asyncpg.connect(make_url(url).set(drivername="postgresql").render_as_string(False))
    try:
        for plan in ("enable_seqscan", "enable_bitmapscan", "enable_indexonlyscan"):
            await connection.execute(f"SET {plan} = off")
        for table, column, condition in _READ_THROUGH:
            await connection.execute(f"SELECT count({column}) FROM {table} WHERE {condition}")
    finally:
        await connection.close()


def fill_sqlite(path: Path, customers: int) -> None:
    """Fill an empty, migrated database file; its triggers are put back at the end."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        for about, statement in [*_statements(customers, "sqlite"), ("what is left", _LEFT)]:
            say(f"  {about} ...")
            connection.execute(statement)
        for _, definition in triggers:
            connection.execute(definition)
        connection.execute("ANALYZE")
        connection.commit()
    finally:
        connection.close()


def long_ago() -> timedelta:
    """How long before now the entries began."""
    return datetime.now(timezone.utc) - BEGAN
