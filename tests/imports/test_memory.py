"""A file may be as long as it likes: memory stays as it is."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imports.importing import ORDER_LINES

ROOT = Path(__file__).parents[2]
# Reads and checks a file, without a database, and prints the most memory that Python had in use for it, in bytes.
PROGRAM = """
import sys, tracemalloc
from datetime import datetime, timezone
from pathlib import Path
from zoneinfo import ZoneInfo
from bot.core.import_fields import Kind
from bot.core.import_mapping import ImportMapping, Layout
from bot.imports.batches import Batches
from bot.imports.csv_file import CsvFile
from bot.imports.grouping import Grouping
from bot.storage.row_index import SqliteRowIndex

file = CsvFile(Path(sys.argv[1]))
columns = dict(number="order", placed_at="date", customer="customer", sku="sku", quantity="qty", unit_price="price")
columns = {name: (column,) for name, column in columns.items()}
layout = Layout(ImportMapping(Kind.ORDERS, columns, "USD", ZoneInfo("UTC")), file.header)
grouping = Grouping(file, layout, SqliteRowIndex())
tracemalloc.start()
rows = grouping.survey(lambda rows: None)
batches = Batches(grouping.items(), layout, datetime(2030, 1, 1, tzinfo=timezone.utc), batch_rows=500)
orders = 0
while (batch := batches.next()) is not None:
    orders += len(batch.orders)
print(rows, orders, tracemalloc.get_traced_memory()[1])
"""


def write_orders(path: Path, orders: int, *, shuffled: bool) -> None:
    """Three lines an order, each with a customer and products of its own; in order, or anywhere in the file."""
    lines = [
        f"{number},2025-12-01T10:{number % 60:02d}:00,C-{number},SKU-{number}-{line},Some mug,1,{number}.{line}0"
        for number in range(orders)
        for line in range(3)
    ]
    if shuffled:
        random.Random(1).shuffle(lines)
    path.write_text("\n".join([ORDER_LINES, *lines, ""]))


def peak_of(path: Path) -> tuple[int, int, int]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    rows, orders, peak = map(int, done.stdout.split())
    return rows, orders, peak


@pytest.mark.parametrize("shuffled", [False, True])
def test_ten_times_the_rows_take_no_more_memory(tmp_path, shuffled):
    write_orders(tmp_path / "short.csv", 1_000, shuffled=shuffled)
    write_orders(tmp_path / "long.csv", 10_000, shuffled=shuffled)

    short, long = peak_of(tmp_path / "short.csv"), peak_of(tmp_path / "long.csv")

    assert (short[:2], long[:2]) == ((3_000, 1_000), (30_000, 10_000))
    # What was read lately is remembered up to a bound, which the longer file comes nearer to.
    assert long[2] < short[2] + 8_000_000, (short, long)
