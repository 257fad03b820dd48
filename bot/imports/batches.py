"""Batches of rows, read and checked: as many as fit into one transaction that does not keep others waiting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from bot.core.import_customers import CustomerReader
from bot.core.import_fields import Kind
from bot.core.import_mapping import Layout
from bot.core.import_orders import OrderReader
from bot.core.imports import Note, RejectedRow, Row
from bot.imports.grouping import Group
from bot.services.imports import Batch

BATCH_ROWS = 5_000


class Batches:
    """The items of a file in batches. `position` is how many of the items were imported before."""

    def __init__(
        self,
        items: Iterable[Group | RejectedRow],
        layout: Layout,
        now: datetime,
        *,
        position: int = 0,
        batch_rows: int = BATCH_ROWS,
    ) -> None:
        self._items = islice(items, position, None)
        is_orders = layout.mapping.kind is Kind.ORDERS
        self._reader = OrderReader(layout, now) if is_orders else CustomerReader(layout, now)
        self._batch_rows = batch_rows

    def next(self) -> Batch | None:
        """The next batch; None at the end. Groups are never divided."""
        batch, rows = Batch(), 0
        for item in self._items:
            batch.items += 1
            if isinstance(item, RejectedRow):
                batch.rejected.append(item)
                rows += 1
            else:
                accepted = self._read(batch, item.rows)
                if item.is_apart and accepted:
                    batch.notes[Note.APART] += 1
                rows += len(item.rows)
            if rows >= self._batch_rows:
                break
        return batch if batch.items else None

    def _read(self, batch: Batch, rows: Sequence[Row]) -> bool:
        if isinstance(self._reader, OrderReader):
            orders, rejected, notes = self._reader.read(rows)
            batch.orders += orders
        else:
            customers, rejected, notes = self._reader.read(rows)
            batch.customers += customers
        batch.rejected += rejected
        batch.notes += notes
        return len(rejected) < len(rows)
