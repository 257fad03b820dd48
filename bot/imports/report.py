"""What an import says about itself: which columns it took for what, and what became of every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.core.import_fields import FIELDS
from bot.core.import_values import Reason
from bot.core.imports import Note, Outcome, Tally
from bot.imports.mapping_file import Choice

_OUTCOMES = {
    Outcome.IMPORTED: "imported: new",
    Outcome.UPDATED: "updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.MERGED: "merged into what an earlier row, or a merge here, made of the same customer",
    Outcome.REJECTED: "rejected",
}


@dataclass(frozen=True)
class Report:
    """What has become of a file. `rows` is how many it has; `is_old` means that it was imported before this."""

    rows: int
    tally: Tally
    rejects: Path
    dry_run: bool = False
    is_old: bool = False


def choice_in_words(choice: Choice) -> str:
    """Which column is taken for what, what was guessed, and what is missing."""
    kind = choice.mapping.kind
    lines = ["Columns:"]
    for name, columns in choice.mapping.columns.items():
        guess = "  (guessed)" if name in choice.guessed else ""
        lines.append(f"  {name:<17} {' + '.join(columns)}{guess}")
    if choice.mapping.credit_note:
        lines.append(f"  {'credit notes by':<17} {choice.mapping.credit_note.column}")
    if choice.without_column:
        lines.append(f"Without a column (--map FIELD=COLUMN names one): {', '.join(choice.without_column)}")
    if choice.unused_columns:
        lines.append(f"Columns that are not used: {', '.join(choice.unused_columns)}")
    if choice.guessed:
        meanings = (f"{name} is {FIELDS[kind][name].meaning}" for name in choice.guessed)
        lines.append(f"Check the guesses: {'; '.join(meanings)}.")
    return "\n".join(lines)


def report_in_words(report: Report) -> str:
    """What became of every row, why the rejected ones were, what was written, and what is worth knowing."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    tally = report.tally
    yield ""
    yield f"{report.rows:>12,} rows in the file"
    for outcome, words in _OUTCOMES.items():
        if (count := tally.outcomes[outcome.value]) or outcome is not Outcome.MERGED:
            yield f"{count:>12,} {words}"
    for name, count in sorted(tally.reasons.items(), key=lambda item: -item[1]):
        yield f"{'':>12}   {count:,} {name}: {Reason(name).explained}"
    yield f"{tally.rows:>12,} accounted for, every row once"
    if tally.records:
        yield ""
        yield "Would write:" if report.dry_run else "Written:"
        for name, count in tally.records.items():
            if count:
                yield f"{count:>12,} {name}"
    if any(tally.notes.values()):
        yield ""
        yield "Worth knowing:"
        for name, count in tally.notes.items():
            if count:
                yield f"{count:>12,} {Note(name).explained}"
    if tally.reasons:
        yield ""
        yield f"The rejected rows are in {report.rejects}, each with its number and why."
    if report.dry_run:
        yield ""
        yield "This was a trial run: nothing was written to the shop's data."
