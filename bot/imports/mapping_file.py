"""How a file is to be read: by a mapping file, by the command line, and by guessing from the columns' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, root_validator, validator

from bot.core.import_fields import FIELDS, Kind, guess_columns
from bot.core.import_mapping import STATUS_WORDS, CreditNoteRule, ImportMapping, find_mapping_faults
from bot.core.import_values import Rejected, currency_digits
from bot.core.orders import OrderStatus
from bot.core.shop import Shop
from bot.errors import ConfigError, ImportRefused
from bot.imports.csv_file import CsvOptions
from bot.yaml_files import Part, describe_faults, is_group, read_yaml

Texts = tuple[str, ...]


class CreditNotePart(Part):
    """How credit notes are recognised, in a mapping file."""

    column: str
    begins: str = ""
    equals: list[str] = Field(default_factory=list)
    negative: bool = False

    @validator("equals", pre=True)
    def _one_is_a_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value

    @root_validator(skip_on_failure=True)
    def _says_something(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not (values["begins"] or values["equals"] or values["negative"]):
            raise ValueError("says nothing: it needs begins, equals or negative: true")
        return values


class MappingPart(Part):
    """A mapping file."""

    columns: dict[str, list[str]]
    credit_note: CreditNotePart | None = None
    status: str | None = None
    statuses: dict[str, str] = Field(default_factory=dict)
    currency: str | None = None
    time_zone: str | None = None
    dates: list[str] = Field(default_factory=list)
    decimal_comma: bool = False
    encoding: str | None = None
    delimiter: str | None = None

    @validator("columns", pre=True)
    def _one_column_is_a_list(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {name: [columns] if isinstance(columns, str) else columns for name, columns in value.items()}

    @validator("dates", pre=True)
    def _one_form_is_a_list(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Wishes:
    """What the command line says about a file; what it does not say is taken from the mapping file, or guessed."""

    mapping_file: Path | None = None
    columns: Texts = ()
    currency: str | None = None
    time_zone: str | None = None
    date_formats: Texts = ()
    decimal_comma: bool = False
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True)
class Choice:
    """The mapping of a file, and how it came about: what was guessed, and what nothing holds or is held."""

    mapping: ImportMapping
    guessed: Mapping[str, str] = field(default_factory=dict)
    without_column: Texts = ()
    unused_columns: Texts = ()


class MappingWishes:
    """A mapping file and the command line together. Raises ImportRefused with all faults of the mapping file."""

    def __init__(self, wishes: Wishes) -> None:
        self._wishes = wishes
        self._part = _read_part(wishes.mapping_file) if wishes.mapping_file else None

    @property
    def csv(self) -> CsvOptions:
        """How the file is written."""
        wishes, part = self._wishes, self._part
        return CsvOptions(
            wishes.encoding or (part.encoding if part else None),
            wishes.delimiter or (part.delimiter if part else None),
        )

    def choose(self, kind: Kind, header: Sequence[str], shop: Shop) -> Choice:
        """Which column holds what, in a file with this header. Raises ImportRefused with every fault.

        A mapping file is taken at its word; without one, columns that the command line does not name are guessed.
        """
        wishes, part = self._wishes, self._part
        faults: list[str] = []
        given = _columns_from(wishes.columns, faults)
        guessed: dict[str, str] = {}
        columns: dict[str, Texts] = {}
        if part:
            columns = {name: tuple(some) for name, some in part.columns.items()}
        else:
            taken = {column for some in given.values() for column in some}
            guesses = guess_columns(kind, header)
            guessed = {name: column for name, column in guesses.items() if name not in given and column not in taken}
            columns = {name: (column,) for name, column in guessed.items()}
        columns = {name: some for name, some in {**columns, **given}.items() if some}
        mapping = ImportMapping(
            kind=kind,
            columns=columns,
            currency=_currency(wishes.currency or (part.currency if part else None) or shop.currency, faults),
            zone=_zone(wishes.time_zone or (part.time_zone if part else None), shop, faults),
            date_formats=_formats(wishes.date_formats or tuple(part.dates if part else ()), faults),
            decimal_comma=wishes.decimal_comma or bool(part and part.decimal_comma),
        )
        if part:
            mapping = _with_rules(mapping, part, faults)
        faults += find_mapping_faults(mapping, header)
        if faults:
            raise ImportRefused([*faults, f"the file's columns are: {', '.join(filter(None, header))}"])
        used = {column for some in columns.values() for column in some}
        if mapping.credit_note:
            used.add(mapping.credit_note.column)
        return Choice(
            mapping,
            guessed,
            tuple(name for name in FIELDS[kind] if name not in columns),
            tuple(name for name in header if name and name not in used),
        )


def _read_part(path: Path) -> MappingPart:
    try:
        content = read_yaml(path)
    except ConfigError as error:
        raise ImportRefused(error.faults) from None
    if not is_group(content):
        raise ImportRefused([f"{path}: is not a group of settings, each as `name: value`"])
    try:
        return MappingPart(**content)
    except ValidationError as error:
        raise ImportRefused([f"{path}: {fault}" for fault in describe_faults(error, MappingPart)]) from None


def _columns_from(texts: Texts, faults: list[str]) -> dict[str, Texts]:
    """The columns named by `--map FIELD=COLUMN`: one field's again adds to it, and an empty one leaves it out."""
    found: dict[str, Texts] = {}
    for text in texts:
        name, equals, column = text.partition("=")
        name, column = name.strip(), column.strip()
        if not equals or not name:
            faults.append(f"--map {text}: is not FIELD=COLUMN, such as email=E-mail")
        else:
            found[name] = (*found.get(name, ()), *([column] if column else []))
    return found


def _with_rules(mapping: ImportMapping, part: MappingPart, faults: list[str]) -> ImportMapping:
    rule = part.credit_note
    statuses = {}
    for word, name in part.statuses.items():
        if (status := _status(f"statuses.{word}", name, faults)) is not None:
            statuses[word] = status
    default = _status("status", part.status, faults) if part.status else None
    return replace(
        mapping,
        credit_note=CreditNoteRule(rule.column, rule.begins, tuple(rule.equals), rule.negative) if rule else None,
        statuses=statuses,
        status=default or mapping.status,
    )


def _status(where: str, name: str, faults: list[str]) -> OrderStatus | None:
    status = STATUS_WORDS.get(name.lower())
    if status is None:
        faults.append(f"{where}: {name!r} is not a status ({', '.join(one.value for one in OrderStatus)})")
    return status


def _currency(text: str, faults: list[str]) -> str:
    currency = text.upper()
    try:
        currency_digits(currency)
    except Rejected:
        faults.append(f"currency: {text!r} is not one, such as EUR")
    return currency


def _zone(name: str | None, shop: Shop, faults: list[str]) -> ZoneInfo:
    if name:
        try:
            return ZoneInfo(name)
        except (ValueError, OSError, LookupError):
            faults.append(f"time zone: {name!r} is not one, such as Europe/London")
    return shop.hours.zone


def _formats(formats: Texts, faults: list[str]) -> Texts:
    sample = datetime(2030, 12, 31, 23, 59, 58, tzinfo=timezone.utc)
    for form in formats:
        try:
            read_back = datetime.strptime(sample.strftime(form), form)  # noqa: DTZ007 - only the day matters
            names_a_day = read_back.date() == sample.date()
        except ValueError:
            names_a_day = False
        if not names_a_day:
            faults.append(f"date format: {form!r} does not name a day, as %d.%m.%Y does")
    return formats
