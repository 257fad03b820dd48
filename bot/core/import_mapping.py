"""Which column of a file holds what, and how it is written there."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from operator import itemgetter
from types import MappingProxyType

from bot.core.import_fields import AMOUNTS_OF_AN_ORDER, FIELDS, LINE_FIELDS, Kind, faults_of_choice, has_lines
from bot.core.orders import OrderStatus

Cells = Sequence[str]

# What shops' programs call the statuses, without spaces and signs.
STATUS_WORDS: Mapping[str, OrderStatus] = MappingProxyType(
    {
        **{status.value: status for status in OrderStatus},
        **dict.fromkeys(("open", "new", "unpaid", "onhold", "pendingpayment", "unfulfilled"), OrderStatus.PENDING),
        **dict.fromkeys(("processing", "inprogress", "inpreparation"), OrderStatus.PREPARING),
        **dict.fromkeys(("sent", "dispatched", "fulfilled", "intransit"), OrderStatus.SHIPPED),
        **dict.fromkeys(("complete", "completed", "closed", "done"), OrderStatus.DELIVERED),
        **dict.fromkeys(("canceled", "voided", "void", "failed"), OrderStatus.CANCELLED),
    }
)


@dataclass(frozen=True)
class CreditNoteRule:
    """How a row of a credit note is recognised: by what its column begins with or is, or by a number below zero."""

    column: str
    begins: str = ""
    equals: tuple[str, ...] = ()
    negative: bool = False


@dataclass(frozen=True)
class ImportMapping:
    """Which columns hold the fields (several make one up, joined), and how values are written.

    `status` is what orders have whose file gives none: history is delivered. `statuses` are the file's own words.
    """

    kind: Kind
    columns: Mapping[str, tuple[str, ...]]
    currency: str
    zone: tzinfo
    date_formats: tuple[str, ...] = ()
    decimal_comma: bool = False
    credit_note: CreditNoteRule | None = None
    status: OrderStatus = OrderStatus.DELIVERED
    statuses: Mapping[str, OrderStatus] = field(default_factory=dict)

    @property
    def has_lines(self) -> bool:
        """Whether each row is a product of an order, and not a whole order or customer."""
        return self.kind is Kind.ORDERS and has_lines(self.columns)

    def fingerprint(self, *more: object) -> str:
        """The same for the same mapping (and whatever else decides what an import does), and for no other."""
        content = [
            *(self.kind.value, sorted((name, list(columns)) for name, columns in self.columns.items())),
            *(self.currency, str(self.zone), self.date_formats, self.decimal_comma, repr(self.credit_note)),
            *(self.status.value, sorted((word, status.value) for word, status in self.statuses.items())),
            *map(str, more),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def find_mapping_faults(mapping: ImportMapping, header: Sequence[str]) -> list[str]:
    """What keeps the mapping from fitting the file, each fault in words."""
    known = FIELDS[mapping.kind]
    faults = [
        f"{name} is not a field of {mapping.kind.value}{_suggest(name, known)}"
        for name in mapping.columns
        if name not in known
    ]
    used: list[tuple[str, str]] = [(name, column) for name, columns in mapping.columns.items() for column in columns]
    if mapping.credit_note:
        used.append(("credit_note", mapping.credit_note.column))
    times = Counter(header)
    for name, column in used:
        if times[column] == 0:
            faults.append(f"{name}: the file has no column {column!r}{_suggest(column, header)}")
        elif times[column] > 1:
            faults.append(f"{name}: the file has {times[column]} columns {column!r}; which one is meant?")
    if mapping.credit_note and mapping.kind is Kind.CUSTOMERS:
        faults.append("credit_note is for orders, not for customers")
    return [*faults, *faults_of_choice(mapping.kind, list(mapping.columns))]


def _suggest(name: str, known: Iterable[str]) -> str:
    there = [one for one in known if one]
    near = difflib.get_close_matches(name, there, n=1)
    return f"; did you mean {near[0]!r}?" if near else f" (there are: {', '.join(there)})"


class Layout:
    """Where in a row the fields of a mapping stand, for a file with this header. The mapping fits the header."""

    def __init__(self, mapping: ImportMapping, header: Sequence[str]) -> None:
        self.mapping = mapping
        self.width = len(header)
        self.header = tuple(header)
        self._places = {name: tuple(map(header.index, columns)) for name, columns in mapping.columns.items()}
        self._rule = mapping.credit_note
        self._rule_place = header.index(self._rule.column) if self._rule else 0
        # What a row says about its order, and what it says about its line.
        self.head_fields = tuple(name for name in self._places if name not in LINE_FIELDS)

    def reader(self, name: str) -> Callable[[Cells], str]:
        """Reads a field of a row: trimmed, and empty where nothing stands there, or no column holds it."""
        places = self._places.get(name, ())
        if len(places) == 1:
            place = places[0]
            return lambda cells: cells[place].strip()
        joiner = FIELDS[self.mapping.kind][name].joiner
        return lambda cells: joiner.join(part for place in places if (part := cells[place].strip()))

    def head(self, names: Iterable[str]) -> Callable[[Cells], object]:
        """Takes the fields from a row as they are, to see at once whether they are what the row before had."""
        places = [place for name in names for place in self._places.get(name, ())]
        return itemgetter(*places) if places else lambda cells: None

    def credit_note_cell(self, cells: Cells) -> str:
        """What tells whether the row belongs to a credit note: see `is_credit_note`."""
        return cells[self._rule_place] if self._rule else ""

    def is_credit_note(self, text: str) -> bool:
        """Whether a row with this text in that cell belongs to a credit note."""
        rule = self._rule
        if rule is None:
            return False
        text = text.strip()
        if rule.negative and text.startswith(("-", "(", "\u2212")):
            return True
        folded = text.casefold()
        if rule.begins and folded.startswith(rule.begins.casefold()):
            return True
        return any(folded == word.casefold() for word in rule.equals)

    def names(self, names: Iterable[str]) -> list[str]:
        """Those of the fields that a column holds."""
        return [name for name in names if name in self._places]

    @property
    def amounts(self) -> list[str]:
        """The amounts of whole orders that a column holds."""
        return self.names(sorted(AMOUNTS_OF_AN_ORDER))
