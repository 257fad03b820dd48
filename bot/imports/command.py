"""`python -m bot import`: a file from its first check to the last line of its report."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bot.core.import_fields import Kind
from bot.core.import_mapping import Layout
from bot.core.imports import ImportRun
from bot.core.shop import Shop
from bot.errors import BotError
from bot.imports.batches import BATCH_ROWS, Batches
from bot.imports.csv_file import CsvFile
from bot.imports.grouping import Grouping, RowIndex
from bot.imports.mapping_file import MappingWishes, Wishes
from bot.imports.rejects import RejectFile, rejects_beside
from bot.imports.report import Report, choice_in_words
from bot.imports.screen import Screen
from bot.services.ids import new_id
from bot.services.imports import (
    Batch,
    ImportOptions,
    begin_import,
    check_account,
    find_import,
    finish_import,
    import_batch,
)
from bot.services.ports import Clock, Database


class ClosingIndex(RowIndex, Protocol):
    """Notes about rows that are given up at the end."""

    def close(self) -> None:
        """Forget everything."""
        ...


@dataclass(frozen=True)
class ImportRequest:
    """What is to be imported, and how."""

    kind: Kind
    file: Path
    wishes: Wishes = field(default_factory=Wishes)
    rejects: Path | None = None
    dry_run: bool = False
    again: bool = False
    overwrite: bool = False
    earn: bool = False
    batch_rows: int = BATCH_ROWS


def request_from(options: Mapping[str, Any]) -> ImportRequest:
    """What the command line asks for."""
    wishes = Wishes(
        mapping_file=options["mapping_file"],
        columns=tuple(options["columns"]),
        currency=options["currency"],
        time_zone=options["time_zone"],
        date_formats=tuple(options["date_formats"]),
        decimal_comma=options["decimal_comma"],
        encoding=options["encoding"],
        delimiter=options["delimiter"],
    )
    return ImportRequest(
        kind=Kind(options["kind"]),
        file=options["file"],
        wishes=wishes,
        rejects=options["rejects"],
        dry_run=options["dry_run"],
        again=options["again"],
        overwrite=options["overwrite"],
        earn=options["earn"],
    )


class ImportStopped(BotError):
    """An import that ended before its file did; what it has imported stays, and the same command goes on from there."""

    code = "import_stopped"


class ImportInterrupted(ImportStopped):
    """Somebody told it to stop."""

    code = "import_interrupted"

    def __init__(self) -> None:
        super().__init__("Stopped. What was imported stays; the same command goes on from there.")


class FileImport:
    """The import of one file. `say` is told, in words, what somebody who looks on should know."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        shop: Shop,
        make_index: Callable[[], ClosingIndex],
        say: Callable[[str], None],
    ) -> None:
        self._db = db
        self._clock = clock
        self._shop = shop
        self._make_index = make_index
        self._say = say
        self._stop = threading.Event()

    def stop(self) -> None:
        """End soon: after the batch that is being written. Safe to call from a signal handler."""
        self._stop.set()

    async def run(self, request: ImportRequest) -> Report:
        """Import the file, or what an earlier try left of it, and return what became of every row.

        A file that was imported to its end is not imported again, unless that is asked for. Raises ImportRefused, with
        nothing written, for a file or a mapping that cannot be used, and ImportInterrupted once it has stopped.
        """
        wishes = MappingWishes(request.wishes)
        file = await asyncio.to_thread(CsvFile, request.file, wishes.csv)
        choice = wishes.choose(request.kind, file.header, self._shop)
        rejects = RejectFile(
            request.rejects or rejects_beside(request.file),
            file.header,
            delimiter=file.delimiter,
            encoding=file.encoding,
        )
        rejects.check(request.file)
        self._say(choice_in_words(choice))
        mapping = choice.mapping
        file_hash = await asyncio.to_thread(file.content_hash)
        mapping_hash = mapping.fingerprint(file.encoding, file.delimiter, request.earn, request.overwrite)
        if not request.dry_run and not request.again:
            known = await find_import(self._db, request.kind, file_hash, mapping_hash)
            if known is not None and known.finished_at is not None:
                self._say(
                    f"\nThis file was imported on {known.finished_at:%Y-%m-%d at %H:%M} UTC with this mapping; "
                    "nothing was done now. --again reads it once more."
                )
                return Report(known.tally.rows, known.tally, rejects.path, is_old=True)
        layout = Layout(mapping, file.header)
        with contextlib.closing(self._make_index()) as index, Screen() as screen:
            grouping = Grouping(file, layout, index)
            rows = await self._survey(grouping, screen)
            run = await self._begin(request, file_hash, mapping_hash)
            if run.tally.rows:
                self._say(f"\n{run.tally.rows:,} of {rows:,} rows were imported before; going on from there.")
            screen.begin(rows, run.tally.rows)
            batches = Batches(
                grouping.items(), layout, self._clock.now(), position=run.position, batch_rows=request.batch_rows
            )
            with self._planned(request) as planned:
                options = ImportOptions(mapping.status, request.earn, request.overwrite, planned)
                run = await self._import_all(run, batches, rejects, options, screen)
        if request.dry_run:
            check_account(run.tally, rows)
        else:
            run = await finish_import(self._db, self._clock, run, rows)
        return Report(rows, run.tally, rejects.path, dry_run=request.dry_run)

    async def _survey(self, grouping: Grouping, screen: Screen) -> int:
        def tick(rows: int) -> None:
            if self._stop.is_set():
                raise ImportInterrupted
            screen.checked(rows)

        surveying = asyncio.get_running_loop().run_in_executor(None, grouping.survey, tick)
        try:
            return await asyncio.shield(surveying)
        finally:
            # Cancelled or not: what is read from must not be closed under the reader.
            if not surveying.done():
                self.stop()
            await asyncio.wait([surveying])

    async def _begin(self, request: ImportRequest, file_hash: str, mapping_hash: str) -> ImportRun:
        if request.dry_run:
            now = self._clock.now()
            return ImportRun(new_id(), request.kind, file_hash, mapping_hash, started_at=now, updated_at=now)
        return await begin_import(self._db, self._clock, request.kind, file_hash, mapping_hash, again=request.again)

    async def _import_all(
        self, run: ImportRun, batches: Batches, rejects: RejectFile, options: ImportOptions, screen: Screen
    ) -> ImportRun:
        read_on = functools.partial(asyncio.get_running_loop().run_in_executor, None, batches.next)
        # The next batch is read while this one is written.
        reading: asyncio.Future[Batch | None] = read_on()
        try:
            if run.position == 0:
                await rejects.keep(0, ())
            while (batch := await asyncio.shield(reading)) is not None:
                if self._stop.is_set():
                    raise ImportInterrupted
                reading = read_on()
                run = await import_batch(self._db, self._clock, self._shop, run, batch, rejects, options)
                screen.imported(run.tally.rows)
        finally:
            # As above.
            await asyncio.gather(reading, return_exceptions=True)
        return run

    @contextlib.contextmanager
    def _planned(self, request: ImportRequest) -> Iterator[_PlannedNames | None]:
        if not request.dry_run:
            yield None
            return
        with contextlib.closing(self._make_index()) as index:
            yield _PlannedNames(index)


class _PlannedNames:
    """What a trial run has only thought of making, kept outside of memory."""

    def __init__(self, index: RowIndex) -> None:
        self._index = index

    def first_time(self, name: str) -> bool:
        """Whether this name is new; it is not from then on."""
        if self._index.find(name) is not None:
            return False
        self._index.put(name, 0, True)
        return True
