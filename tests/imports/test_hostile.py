"""Files that nobody would write: whatever is in them, every row is accounted for, and nothing but words is shown."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.import_fields import Kind
from bot.core.imports import Tally
from bot.errors import ImportRefused
from tests.fakes import FakeClock
from tests.imports.importing import ORDER_LINE_COLUMNS, Importing
from tests.storage.databases import open_database

# Real values, near misses and rubbish, so that examples come through every door.
NUMBERS = st.sampled_from(["1001", "1002", "c1003", "1001 ", "", "x" * 40, "№5"])
MOMENTS = st.sampled_from(["2025-12-01", "2025-12-01T10:00Z", "2031-01-01", "", "soon", "0000-00-00"])
PEOPLE = st.sampled_from(["C-1", "C-2", "", "C\N{ZERO WIDTH SPACE}1", "y" * 300])
QUANTITIES = st.sampled_from(["1", "2.0", "-1", "0", "", "1e3", "999999999999", "½"])
PRICES = st.sampled_from(["4.50", "0", "-1", "0.001", "£5", "", "1,5", "9" * 30])
ANYTHING = st.text(max_size=6)
CELLS = [st.one_of(values, ANYTHING) for values in (NUMBERS, MOMENTS, PEOPLE, ANYTHING, ANYTHING, QUANTITIES, PRICES)]
ROWS = st.lists(st.tuples(*CELLS), max_size=8)
MANY = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def import_bytes(url: str, folder: Path, kind: Kind, content: bytes, **options: object) -> tuple[int, Tally] | None:
    """The rows of the file and their account; None where the file was refused, in words."""

    async def run() -> tuple[int, Tally] | None:
        db = open_database(url)
        clock = FakeClock()
        path = folder / "file.csv"
        path.write_bytes(content)
        try:
            # Another moment, so that nothing is left of the examples before but what they wrote.
            clock.advance(timedelta(seconds=1))
            report = await Importing(db, clock, folder).file(kind, path, again=True, **options)
        except ImportRefused as refusal:
            assert refusal.faults
            return None
        finally:
            await db.close()
        return report.rows, report.tally

    return asyncio.run(run())


def written(rows: list[tuple[str, ...]], header: str) -> bytes:
    lines = [header, *(",".join(row) for row in rows)]
    return "\n".join(lines).encode("utf-8", "replace")


@given(ROWS, st.integers(1, 4), st.booleans())
@MANY
def test_every_row_of_whatever_orders_is_accounted_for(sql_url, tmp_path, rows, batch_rows, dry_run):
    content = written(rows, "order,date,customer,sku,title,qty,price")

    found = import_bytes(
        sql_url, tmp_path, Kind.ORDERS, content, columns=ORDER_LINE_COLUMNS, batch_rows=batch_rows, dry_run=dry_run
    )

    if found:
        assert found[1].rows == found[0]
        assert found[1].is_sound


@given(st.lists(st.tuples(PEOPLE, st.one_of(ANYTHING, st.emails()), ANYTHING, ANYTHING, MOMENTS), max_size=8))
@MANY
def test_every_row_of_whatever_customers_is_accounted_for(sql_url, tmp_path, rows):
    found = import_bytes(sql_url, tmp_path, Kind.CUSTOMERS, written(rows, "id,email,name,phone,birthday"), batch_rows=2)

    if found:
        assert found[1].rows == found[0]
        assert found[1].is_sound


@given(st.binary(max_size=200))
@MANY
def test_whatever_bytes_are_imported_or_refused_in_words(sql_url, tmp_path, content):
    import_bytes(sql_url, tmp_path, Kind.CUSTOMERS, b"id,name\nC-1,Maria\n" + content)
    import_bytes(sql_url, tmp_path, Kind.CUSTOMERS, content)
