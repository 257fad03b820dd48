"""The file of rejected rows: each as it was, its number and why, so that it can be corrected and imported by itself."""

from __future__ import annotations

import asyncio
import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

from bot.core.imports import RejectedRow
from bot.errors import ImportRefused

COLUMNS = ("rejected_row", "rejected_because", "rejected_detail")


def rejects_beside(file: Path) -> Path:
    """Where rejected rows go unless somewhere else is asked for: orders.csv.gz has orders.rejects.csv."""
    name = file.name.removesuffix(".gz")
    stem = name[: -len(".csv")] if name.lower().endswith(".csv") else name
    return file.with_name(f"{stem}.rejects.csv")


class RejectFile:
    """RejectKeeper in a CSV file, which is only there when there are rejected rows; written as the input is."""

    def __init__(self, path: Path, header: Sequence[str], *, delimiter: str, encoding: str) -> None:
        self.path = path
        self._delimiter = delimiter
        # What begins with a mark would begin with one in every part that is added.
        self._encoding = "utf-8" if encoding.startswith("utf") else encoding
        # A file of rejected rows, corrected and imported, has our columns already.
        self._kept = [place for place, name in enumerate(header) if name not in COLUMNS]
        self._width = len(header)
        self._header = [*COLUMNS, *(header[place] for place in self._kept)]
        self._is_checked = False

    def check(self, file: Path) -> None:
        """Raise ImportRefused unless rejected rows can be written here without losing something else."""
        faults = []
        if self.path.resolve() == file.resolve():
            faults.append(f"--rejects: {self.path} is the file that is imported")
        elif self.path.exists() and not self._is_ours():
            faults.append(f"--rejects: {self.path} is there already, and holds something else than rejected rows")
        elif not os.access(self.path if self.path.exists() else self.path.parent, os.W_OK):
            faults.append(f"rejected rows cannot be written to {self.path}: name another file with --rejects")
        if faults:
            raise ImportRefused(faults)

    def _is_ours(self) -> bool:
        if not self.path.is_file():
            return False
        with self.path.open("rb") as file:
            start = file.read(len(COLUMNS[0]))
        return start in (b"", COLUMNS[0].encode(self._encoding))

    async def keep(self, offset: int, rows: Sequence[RejectedRow]) -> int:
        """Write the rows from that place on, forgetting whatever stood there, and return the place after them."""
        return await asyncio.to_thread(self._keep, offset, rows)

    def _keep(self, offset: int, rows: Sequence[RejectedRow]) -> int:
        if offset == 0 and not rows:
            if not self._is_checked:
                # Of an earlier import of the same file.
                self.path.unlink(missing_ok=True)
            self._is_checked = True
            return 0
        self._is_checked = True
        if not rows and self.path.exists() and self.path.stat().st_size == offset:
            return offset
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            # Moved away since, it begins anew, with what comes from here on.
            start = min(offset, file.seek(0, os.SEEK_END))
            file.seek(start)
            file.truncate()
            if start == 0:
                file.write(self._encoded([self._header]))
            file.write(self._encoded([self._cells(row) for row in rows]))
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def _cells(self, row: RejectedRow) -> list[str]:
        cells = list(row.cells)
        if len(cells) == self._width:
            cells = [cells[place] for place in self._kept]
        because = row.reason.explained + (f" ({row.detail})" if row.detail else "")
        return [str(row.number), row.reason.value, because, *cells]

    def _encoded(self, rows: Sequence[Sequence[str]]) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter, lineterminator="\n").writerows(rows)
        return text.getvalue().encode(self._encoding, "replace")
