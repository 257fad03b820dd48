"""What becomes of imported rows: every one is accounted for, and nothing that was changed here is lost."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, NamedTuple

from bot.core.import_fields import Kind
from bot.core.import_values import Reason

# Enough to see that a value is another one, and too little to guess which.
_FINGERPRINT_BYTES = 5
_EMPTY: tuple[object, ...] = (None, "", ())


class Outcome(str, Enum):
    """What became of a row. `merged` describes somebody whom an earlier row, or a merge of customers here, did."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MERGED = "merged"
    REJECTED = "rejected"


class Note(str, Enum):
    """What is worth knowing about rows that were not rejected."""

    ROUNDED = "rounded"
    FREE = "free"
    DIFFERENT_ROWS = "different_rows"
    APART = "apart"
    KEPT = "kept"
    SHORTENED = "shortened"
    UNKNOWN_CREDITED_ORDER = "unknown_credited_order"

    @property
    def explained(self) -> str:
        """What is counted, in words."""
        return _EXPLAINED[self]


_EXPLAINED = {
    Note.ROUNDED: "amounts with more decimals than their currency has; rounded to the nearest, halves away from zero",
    Note.FREE: "order lines at a price of 0: gifts, kept",
    Note.DIFFERENT_ROWS: "orders or customers whose rows differ in a detail; the first one counts",
    Note.APART: "orders or customers whose rows are not next to each other; put together",
    Note.KEPT: "values that were changed here and not in the file, or in both; kept as they are here",
    Note.SHORTENED: "product names of more than 200 characters; shortened",
    Note.UNKNOWN_CREDITED_ORDER: "credit notes for an order that is not known; kept without it",
}


class Row(NamedTuple):
    """A row of the file. `number` is what a spreadsheet shows beside it: the header is 1."""

    number: int
    cells: Sequence[str]


class RejectedRow(NamedTuple):
    """A row that is not imported, why, and what of it."""

    number: int
    cells: Sequence[str]
    reason: Reason
    detail: str = ""


@dataclass
class Tally:
    """The account of an import: what became of each row, why, and what was written."""

    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    # Orders, lines, customers …, by what was done with them.
    records: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        """How many rows are accounted for."""
        return sum(self.outcomes.values())

    @property
    def is_sound(self) -> bool:
        """Whether the reasons explain as many rows as were rejected."""
        return sum(self.reasons.values()) == self.outcomes[Outcome.REJECTED.value]

    def count(self, outcome: Outcome, rows: int = 1) -> None:
        """Account for rows."""
        self.outcomes[outcome.value] += rows

    def reject(self, row: RejectedRow) -> None:
        """Account for a row that is not imported."""
        self.outcomes[Outcome.REJECTED.value] += 1
        self.reasons[row.reason.value] += 1

    def note(self, note: Note, times: int = 1) -> None:
        """Count something worth knowing."""
        self.notes[note.value] += times

    def add(self, other: Tally) -> None:
        """Take over another account."""
        self.outcomes += other.outcomes
        self.reasons += other.reasons
        self.notes += other.notes
        self.records += other.records

    def as_dict(self) -> dict[str, dict[str, int]]:
        """For storing: plain dictionaries, without zeros."""
        return {name: dict(+counter) for name, counter in vars(self).items()}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Mapping[str, int]]) -> Tally:
        """What as_dict gave."""
        return cls(**{name: Counter(stored.get(name, {})) for name in ("outcomes", "reasons", "notes", "records")})


@dataclass(frozen=True)
class ImportRun:
    """One file with one mapping, and how far its import has come.

    `position` counts the batches' contents in the order of the file; whoever goes on leaves out so many.
    `rejects_bytes` is how much of the reject file belongs to rows that are accounted for.
    """

    id: str
    kind: Kind
    file_hash: str
    mapping_hash: str
    started_at: datetime
    updated_at: datetime
    position: int = 0
    rejects_bytes: int = 0
    tally: Tally = field(default_factory=Tally)
    finished_at: datetime | None = None


def fingerprint(value: object) -> str:
    """A mark of a value, to see later whether a file says something else than it did before."""
    return hashlib.blake2b(repr(value).encode("utf-8", "replace"), digest_size=_FINGERPRINT_BYTES).hexdigest()


@dataclass(frozen=True)
class Settled:
    """What an import changes in a record, how many values it leaves as they were changed here, and the new marks."""

    changes: Mapping[str, Any]
    kept: int
    marks: Mapping[str, str]


def settle_values(
    theirs: Mapping[str, Any], ours: Mapping[str, Any], marks: Mapping[str, str], *, overwrite: bool
) -> Settled:
    """Bring together what the file says, what stands here, and what the file said before (as marks of its values).

    An empty value of the file says nothing. What is empty here is filled, unless it was emptied since the file said the
    same. Where both differ, the file counts if it has something new and nothing was changed here; otherwise what stands
    here stays, unless `overwrite` is asked for.
    """
    changes: dict[str, Any] = {}
    kept = 0
    new_marks = dict(marks)
    for name, value in theirs.items():
        if value in _EMPTY:
            continue
        mark = fingerprint(value)
        before = marks.get(name)
        present = ours.get(name)
        if value != present:
            never_said = before is None
            says_something_new = before != mark
            unchanged_here = present in _EMPTY if never_said else before == fingerprint(present)
            if overwrite or (says_something_new and (unchanged_here or present in _EMPTY)):
                changes[name] = value
            else:
                kept += 1
        new_marks[name] = mark
    return Settled(changes, kept, new_marks)
