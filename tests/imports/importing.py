"""Files to import, and their import into a test's database."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.core.import_fields import Kind
from bot.core.shop import Shop
from bot.imports.command import FileImport, ImportRequest
from bot.imports.mapping_file import Wishes
from bot.imports.rejects import rejects_beside
from bot.imports.report import Report
from bot.services.ports import Clock
from bot.storage import tables
from bot.storage.row_index import SqliteRowIndex
from tests.builders import a_shop
from tests.fakes import RecordingSqlDatabase

ORDER_LINES = "order,date,customer,sku,title,qty,price"
ORDER_LINE_COLUMNS = (
    *("number=order", "placed_at=date", "customer=customer", "sku=sku", "title=title"),
    *("quantity=qty", "unit_price=price"),
)


@dataclass
class Importing:
    """Imports files of one folder into one database."""

    db: RecordingSqlDatabase
    clock: Clock
    folder: Path
    shop: Shop = field(default_factory=a_shop)
    said: list[str] = field(default_factory=list)

    def write(self, *lines: str, name: str = "file.csv", encoding: str = "utf-8", ending: str = "\n") -> Path:
        """A file with these lines."""
        path = self.folder / name
        content = "".join(line + ending for line in lines).encode(encoding)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    async def customers(self, *lines: str, **options: Any) -> Report:
        """Import customers with these lines."""
        return await self.file(Kind.CUSTOMERS, self.write(*lines), **options)

    async def orders(self, *lines: str, **options: Any) -> Report:
        """Import orders with these lines."""
        return await self.file(Kind.ORDERS, self.write(*lines), **options)

    async def order_lines(self, *lines: str, **options: Any) -> Report:
        """Import order lines: order,date,customer,sku,title,qty,price."""
        return await self.orders(ORDER_LINES, *lines, columns=ORDER_LINE_COLUMNS, **options)

    async def file(self, kind: Kind, path: Path, **options: Any) -> Report:
        """Import a file. Wishes about how to read it are given by their names, like everything else."""
        names = set(Wishes.__dataclass_fields__) & set(options)
        wishes = Wishes(**{name: options.pop(name) for name in names})
        importing = FileImport(self.db, self.clock, self.shop, SqliteRowIndex, self.said.append)
        return await importing.run(ImportRequest(kind, path, wishes, **options))

    def mapping(self, text: str) -> Path:
        """A mapping file."""
        path = self.folder / "mapping.yml"
        path.write_text(text)
        return path

    def rejects(self, name: str = "file.csv") -> list[dict[str, str]]:
        """The rejected rows of that file's import."""
        path = rejects_beside(self.folder / name)
        if not path.exists():
            return []
        with path.open(newline="") as file:
            return list(csv.DictReader(file))

    async def all(self, name: str, *columns: str) -> list[Any]:
        """What stands in a table: one column's values, or several columns' tuples, in order."""
        table = tables.metadata.tables[name]
        chosen = [table.c[column] for column in columns]
        async with self.db.reading() as work:
            rows = (await work.imports._connection.execute(select(*chosen))).all()
        found = [row[0] for row in rows] if len(columns) == 1 else [tuple(row) for row in rows]
        return sorted(found, key=repr)

    async def everything(self) -> dict[str, list[Any]]:
        """All that imports write, to see whether anything has changed."""
        found = {}
        for name in (
            *("customers", "customer_identities", "customer_addresses", "orders", "order_lines", "credit_notes"),
            *("credit_note_lines", "import_marks", "consents", "ledger_entries"),
        ):
            table = tables.metadata.tables[name]
            async with self.db.reading() as work:
                rows = (await work.imports._connection.execute(select(table))).all()
            found[name] = sorted(map(repr, rows))
        return found


def outcomes(report: Report) -> dict[str, int]:
    """What became of the rows, without zeros."""
    return {name: count for name, count in report.tally.outcomes.items() if count}


def reasons(report: Report) -> dict[str, int]:
    """Why rows were rejected."""
    return dict(report.tally.reasons)


def rows_of(path: Path) -> Sequence[list[str]]:
    """The rows of a reject file as they lie there."""
    with closing(path.open(newline="")) as file:
        return list(csv.reader(file))
