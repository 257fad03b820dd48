"""Imports into a test's database."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import FakeClock, RecordingSqlDatabase
from tests.imports.importing import Importing


@pytest.fixture
def importing(sql_db: RecordingSqlDatabase, clock: FakeClock, tmp_path: Path) -> Importing:
    """Imports files into an empty database: the test runs on SQLite and on PostgreSQL."""
    folder = tmp_path / "files"
    folder.mkdir()
    return Importing(sql_db, clock, folder)
