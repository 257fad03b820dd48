"""Rows that belong together are brought together, wherever in the file they stand, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, Protocol

from bot.core.import_fields import Kind
from bot.core.import_mapping import Cells, Layout
from bot.core.import_orders import MAX_ROWS_OF_AN_ORDER
from bot.core.import_values import Reason
from bot.core.imports import RejectedRow, Row
from bot.imports.csv_file import CsvFile

TICK_ROWS = 20_000


class RowIndex(Protocol):
    """Notes about rows, kept outside of memory and forgotten at the end."""

    def find(self, key: str) -> tuple[int, bool] | None:
        """The row with which a key's group begins, and whether the group has a name of its own."""
        ...

    def put(self, key: str, first: int, is_named: bool) -> None:
        """Note a key, or note something else for it."""
        ...

    def add_straggler(self, first: int, row: Row) -> None:
        """Keep a row that belongs to a group that began earlier, apart from it."""
        ...

    def stragglers(self, first: int) -> Iterator[Row]:
        """The rows that were kept for a group, in the order of the file."""
        ...


class Keys(NamedTuple):
    """What a row is recognised by: the name of its group, else another sign."""

    name: str
    other: str


class Group(NamedTuple):
    """Rows that belong together, in the order of the file. `is_apart`: they are not all next to each other there."""

    rows: Sequence[Row]
    is_apart: bool


def keys_of(layout: Layout) -> Callable[[Cells], Keys]:
    """What rows of such a file are recognised by: orders by their number; customers by theirs, else their e-mail."""
    if layout.mapping.kind is Kind.ORDERS:
        number = layout.reader("number")
        return lambda cells: Keys(number(cells).upper(), "")
    name, email = layout.reader("id"), layout.reader("email")
    return lambda cells: Keys(name(cells), email(cells).lower())


class Grouping:
    """The rows of a file by groups. The file is read twice: `survey` first, then `items`, which may be repeated."""

    def __init__(self, file: CsvFile, layout: Layout, index: RowIndex, most: int = MAX_ROWS_OF_AN_ORDER) -> None:
        self._file = file
        self._keys_of = keys_of(layout)
        # The same cells have the same keys, and mostly follow each other.
        self._key_cells = layout.head(["number"] if layout.mapping.kind is Kind.ORDERS else ["id", "email"])
        self._name = "number" if layout.mapping.kind is Kind.ORDERS else "id or email"
        self._index = index
        self._most = most

    def survey(self, tick: Callable[[int], None]) -> int:
        """Read everything once, and return how many rows there are. `tick` is called with their number now and then.

        Raises ImportRefused for a file that cannot be read to its end.
        """
        rows, first, present, begins_here = 0, 0, None, True
        for row in self._file.rows():
            rows += 1
            if rows % TICK_ROWS == 0:
                tick(rows)
            if isinstance(row, RejectedRow):
                continue
            key_cells = self._key_cells(row.cells)
            if key_cells != present:
                keys = self._keys_of(row.cells)
                if not any(keys):
                    continue
                present, first = key_cells, self._first_row(keys, row.number)
                begins_here = first == row.number
            if not begins_here:
                self._index.add_straggler(first, row)
        return rows

    def _first_row(self, keys: Keys, number: int) -> int:
        """Where the group of a row that is not like the one before begins; noted for all of its keys."""
        name, other = f"n:{keys.name}", f"o:{keys.other}"
        by_name = self._index.find(name) if keys.name else None
        by_other = self._index.find(other) if keys.other else None
        if by_name:
            first = by_name[0]
        elif by_other and not (keys.name and by_other[1]):
            # The same sign, and no other name: two names are two customers, whatever they share.
            first = by_other[0]
        else:
            first = number
        if keys.name and not by_name:
            self._index.put(name, first, True)
        if keys.other and (by_other is None or (by_other[0] == first and keys.name and not by_other[1])):
            self._index.put(other, first, bool(keys.name))
        return first

    def items(self) -> Iterator[Group | RejectedRow]:
        """All rows, each once, in groups and single rejected ones: the same ones in the same order every time."""
        rows: list[Row] = []
        present, is_own = None, False
        for row in self._file.rows():
            if isinstance(row, RejectedRow):
                yield row
                continue
            key_cells = self._key_cells(row.cells)
            if key_cells != present:
                keys = self._keys_of(row.cells)
                if not any(keys):
                    yield self._nameless(row)
                    continue
                if rows:
                    yield from self._whole(rows)
                rows = []
                present, is_own = key_cells, self._begins(keys, row.number)
            if is_own:
                if len(rows) < self._most:
                    rows.append(row)
                else:
                    yield RejectedRow(row.number, row.cells, Reason.TOO_MANY_ROWS)
        if rows:
            yield from self._whole(rows)

    def _nameless(self, row: Row) -> RejectedRow:
        if any(map(str.strip, row.cells)):
            return RejectedRow(row.number, row.cells, Reason.MISSING, self._name)
        return RejectedRow(row.number, row.cells, Reason.EMPTY_ROW)

    def _begins(self, keys: Keys, number: int) -> bool:
        found = self._index.find(f"n:{keys.name}" if keys.name else f"o:{keys.other}")
        return found is not None and found[0] == number

    def _whole(self, rows: list[Row]) -> Iterator[Group | RejectedRow]:
        is_apart = False
        for row in self._index.stragglers(rows[0].number):
            is_apart = True
            if len(rows) < self._most:
                rows.append(row)
            else:
                yield RejectedRow(row.number, row.cells, Reason.TOO_MANY_ROWS)
        yield Group(rows, is_apart)
