"""What the rows of a customer say together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.core.conversations import is_external_id
from bot.core.customers import normalise_address
from bot.core.import_mapping import Cells, Layout
from bot.core.import_values import (
    MOST_AHEAD,
    Reason,
    Rejected,
    Remembering,
    read_birthday,
    read_email,
    read_moment,
    read_text,
)
from bot.core.imports import Note, RejectedRow, Row
from bot.core.phones import MAX_PHONE_CHARACTERS, normalise_phone

_LENGTHS = {
    **dict.fromkeys(("name", "first_name", "last_name", "preferred_name"), 200),
    **{"postcode": 20, "language": 20, "phone": MAX_PHONE_CHARACTERS},
}
MAX_NAME_CHARACTERS = 200


@dataclass(frozen=True)
class ImportedCustomer:
    """A customer as the file has them: the shop's number, else an e-mail address, and whatever else it speaks of."""

    number: str | None
    email: str | None
    rows: tuple[Row, ...]
    values: Mapping[str, Any]
    created_at: datetime | None = None


class CustomerReader:
    """Reads the rows of customers. `now` is what nothing may lie beyond."""

    def __init__(self, layout: Layout, now: datetime) -> None:
        self._readers = {name: layout.reader(name) for name in layout.head_fields}
        self._mapping = layout.mapping
        self._latest = now + MOST_AHEAD
        self._moments = Remembering(lambda text: read_moment(text, self._mapping.date_formats, self._mapping.zone))

    def read(self, rows: Sequence[Row]) -> tuple[list[ImportedCustomer], list[RejectedRow], Counter[Note]]:
        """What the rows of one customer say, those that are rejected, and what is worth knowing."""
        said: dict[str, Any] = {}
        accepted: list[Row] = []
        differs = False
        rejected: list[RejectedRow] = []
        for row in rows:
            try:
                found = self._read_row(row.cells)
            except Rejected as refusal:
                rejected.append(RejectedRow(row.number, row.cells, refusal.reason, refusal.detail))
                continue
            accepted.append(row)
            differs = differs or any(said.get(name, value) != value for name, value in found.items())
            said = {**found, **said}
        if not accepted:
            return [], rejected, Counter()
        number, created_at = said.pop("id", None), said.pop("created_at", None)
        customer = ImportedCustomer(number, said.get("email"), tuple(accepted), said, created_at)
        return [customer], rejected, Counter({Note.DIFFERENT_ROWS: int(differs)})

    def _read_row(self, cells: Cells) -> dict[str, Any]:
        said = {}
        for name, read in self._readers.items():
            if text := read(cells):
                try:
                    said[name] = self._read_value(name, text)
                except Rejected as refusal:
                    raise Rejected(refusal.reason, name) from None
        if not said.keys() & {"id", "email"}:
            raise Rejected(Reason.MISSING, "id or email")
        parts = [said.pop(name, "") for name in ("first_name", "last_name")]
        if "name" not in said and any(parts):
            name = " ".join(filter(None, parts))
            if len(name) > MAX_NAME_CHARACTERS:
                raise Rejected(Reason.TOO_LONG, "name")
            said["name"] = name
        return said

    def _read_value(self, name: str, text: str) -> Any:
        match name:
            case "id":
                if not is_external_id(text):
                    raise Rejected(Reason.TOO_LONG)
                return text
            case "email":
                return read_email(text)
            case "birthday":
                return read_birthday(text, self._mapping.date_formats)
            case "created_at":
                moment = self._moments[text]
                if moment > self._latest:
                    raise Rejected(Reason.FUTURE_DATE)
                return moment
            case "address":
                address = normalise_address(text)
                if address is None:
                    raise Rejected(Reason.TOO_LONG if any(map(str.isalpha, text)) else Reason.BAD_ADDRESS)
                return address
        value = read_text(text, _LENGTHS[name])
        if name == "phone" and normalise_phone(value) is None:
            raise Rejected(Reason.BAD_PHONE)
        return value
