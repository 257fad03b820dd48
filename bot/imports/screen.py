"""What is seen on a terminal while a file is imported."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_UNKNOWN = None


class Screen:
    """A progress bar on standard error, where it is a terminal. To be entered."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not Console(stderr=True).is_terminal,
        )
        self._task = self._progress.add_task("Checking", total=_UNKNOWN, speed="")

    def __enter__(self) -> Screen:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def checked(self, rows: int) -> None:
        """So many rows were read for the first time."""
        self._progress.update(self._task, completed=rows)

    def begin(self, rows: int, done: int) -> None:
        """The import of so many rows begins, some of which were imported before."""
        self._progress.reset(self._task, description="Importing", total=rows, completed=done)

    def imported(self, rows: int) -> None:
        """So many rows are imported by now."""
        speed = self._progress.tasks[0].speed
        self._progress.update(self._task, completed=rows, speed=f"{speed:,.0f} rows/s" if speed else "")
