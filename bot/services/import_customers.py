"""Imports of customers: who is new, what is new about whom, and what stays as it was changed here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.core.customers import Customer
from bot.core.import_customers import ImportedCustomer
from bot.core.import_orders import CustomerClue
from bot.core.import_values import Reason
from bot.core.imports import Note, Outcome, RejectedRow, Tally, settle_values
from bot.services.import_people import People, is_numberless, make_customer
from bot.services.import_ports import CUSTOMER, ImportRepository, Writes

_COLUMNS = ("name", "email", "phone", "postcode", "address", "preferred_name", "language")


async def plan_customers(
    imports: ImportRepository, customers: Sequence[ImportedCustomer], now: datetime, *, overwrite: bool, lock: bool
) -> tuple[Writes, Tally, list[RejectedRow]]:
    """What importing them comes to: what is to be written, the account of their rows, and rows rejected after all.

    Nobody comes back whom the shop has erased. Whoever was merged into somebody here is left alone. What people have
    agreed to or refused is not touched: it belongs to their addresses.
    """
    clues = [_clue(customer) for customer in customers]
    people = await People.of(imports, clues, lock=lock)
    found = [people.find(clue) for clue in clues]
    marks = await imports.marks(CUSTOMER, sorted({one.id for one in found if one is not None}))
    writes, tally, rejected = Writes(), Tally(), list[RejectedRow]()
    for imported, clue in zip(customers, clues, strict=True):
        # Looked up again: one of the rows before may have made them known.
        known = people.find(clue)
        if people.is_erased(clue, imported.created_at) if known is None else known.erased_at is not None:
            rejected += [RejectedRow(row.number, row.cells, Reason.ERASED) for row in imported.rows]
        elif known is None:
            known = make_customer(clue, imported.created_at or now)
            added = replace(known, **_columns(imported.values))
            writes.customers[added.id] = added
            people.add(added)
            settled = settle_values(imported.values, {}, {}, overwrite=False)
            writes.marks[CUSTOMER, known.id] = settled.marks
            tally.records["customers added"] += 1
            _count(tally, Outcome.IMPORTED, imported)
        elif known.merged_into_id is not None:
            tally.count(Outcome.MERGED, len(imported.rows))
        else:
            before = writes.marks.get((CUSTOMER, known.id)) or marks.get(known.id, {})
            settled = settle_values(imported.values, _values(known), before, overwrite=overwrite)
            changes = _columns(settled.changes)
            if imported.number is not None and is_numberless(known):
                changes["external_id"] = imported.number
            if changes:
                changed = replace(known, **changes)
                writes.change_customer(changed)
                people.add(changed)
            if settled.marks != before:
                writes.marks[CUSTOMER, known.id] = settled.marks
            tally.note(Note.KEPT, settled.kept)
            tally.records["customers changed"] += bool(changes)
            _count(tally, Outcome.UPDATED if changes else Outcome.UNCHANGED, imported)
    return writes, tally, rejected


def _clue(customer: ImportedCustomer) -> CustomerClue:
    return CustomerClue(customer.number, customer.email, customer.values.get("name", ""))


def _count(tally: Tally, outcome: Outcome, imported: ImportedCustomer) -> None:
    tally.count(outcome)
    # Further rows of the same customer add to the first.
    tally.count(Outcome.MERGED, len(imported.rows) - 1)


def _values(customer: Customer) -> dict[str, Any]:
    values = {name: getattr(customer, name) for name in _COLUMNS}
    if customer.birthday_month is not None:
        values["birthday"] = (customer.birthday_month, customer.birthday_day)
    return values


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name != "birthday"}
    if "birthday" in values:
        columns["birthday_month"], columns["birthday_day"] = values["birthday"]
    return columns
