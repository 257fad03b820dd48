"""Notes about the rows of a file that is imported, in a database of their own that ends with the import."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from bot.core.imports import Row

_TABLES = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE keys (key TEXT PRIMARY KEY, first INTEGER NOT NULL, named INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE stragglers (first INTEGER, number INTEGER, cells TEXT, PRIMARY KEY (first, number)) WITHOUT ROWID;
"""


class SqliteRowIndex:
    """RowIndex (of bot.imports.grouping) in a temporary file, which the system deletes however the process ends."""

    def __init__(self) -> None:
        # An empty name is a temporary file. Read in one thread after the other, never in two at once.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._connection.executescript(_TABLES)
        self._connection.execute("BEGIN")

    def find(self, key: str) -> tuple[int, bool] | None:
        found = self._connection.execute("SELECT first, named FROM keys WHERE key = ?", (key,)).fetchone()
        return (found[0], bool(found[1])) if found else None

    def put(self, key: str, first: int, is_named: bool) -> None:
        self._connection.execute("INSERT OR REPLACE INTO keys VALUES (?, ?, ?)", (key, first, is_named))

    def add_straggler(self, first: int, row: Row) -> None:
        self._connection.execute(
            "INSERT INTO stragglers VALUES (?, ?, ?)", (first, row.number, json.dumps(list(row.cells)))
        )

    def stragglers(self, first: int) -> Iterator[Row]:
        query = "SELECT number, cells FROM stragglers WHERE first = ? ORDER BY number"
        for number, cells in self._connection.execute(query, (first,)):
            yield Row(number, json.loads(cells))

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()
