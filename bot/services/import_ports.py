"""What imports need from outside: many records at once, how far a run has come, and a place for rejected rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bot.core.credit_notes import CreditNote
from bot.core.customers import Customer, CustomerId
from bot.core.import_fields import Kind
from bot.core.imports import ImportRun, RejectedRow
from bot.core.orders import Order

# Whose marks they are, and the record's id or number.
MarkKey = tuple[str, str]
CUSTOMER, ORDER, CREDIT_NOTE = "customer", "order", "credit_note"


@dataclass
class Writes:
    """What a batch of an import writes."""

    customers: dict[CustomerId, Customer] = field(default_factory=dict)
    changed_customers: dict[CustomerId, Customer] = field(default_factory=dict)
    # Customers that an import made are known since their first order at the latest.
    known_since: dict[CustomerId, datetime] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    changed_orders: list[Order] = field(default_factory=list)
    credit_notes: list[CreditNote] = field(default_factory=list)
    changed_credit_notes: list[CreditNote] = field(default_factory=list)
    # Those of the changed ones whose lines are others now.
    new_lines: set[MarkKey] = field(default_factory=set)
    marks: dict[MarkKey, Mapping[str, str]] = field(default_factory=dict)

    def change_customer(self, customer: Customer) -> None:
        """The customer is to be as given, whether the database knows them or this batch adds them."""
        (self.customers if customer.id in self.customers else self.changed_customers)[customer.id] = customer


class ImportRepository(Protocol):
    """Imports: their runs, and many records at once."""

    async def run_of(self, kind: Kind, file_hash: str, mapping_hash: str) -> ImportRun | None: ...
    async def add_run(self, run: ImportRun) -> bool:
        """Add it unless there is one for the same file and mapping (added at the same time, too); whether added."""
        ...

    async def save_run(self, run: ImportRun, *, rows_before: int) -> bool:
        """Save how far it has come, unless it has come further than that meanwhile; whether it was saved."""
        ...

    async def customers(self, numbers: Sequence[str], emails: Sequence[str], *, lock: bool = False) -> list[Customer]:
        """Whoever has one of the shop's numbers or e-mail addresses, oldest first."""
        ...

    async def proven_emails(self, emails: Sequence[str]) -> dict[str, CustomerId]:
        """Whose the addresses are, as far as somebody has proven that."""
        ...

    async def erased_emails(self, emails: Sequence[str]) -> dict[str, datetime]:
        """The addresses of people who were erased, and when they were, for the last time."""
        ...

    async def customers_by_id(self, ids: Sequence[CustomerId]) -> list[Customer]: ...
    async def orders(self, numbers: Sequence[str], *, lock: bool = False) -> dict[str, Order]: ...
    async def credit_notes(self, numbers: Sequence[str]) -> dict[str, CreditNote]: ...
    async def known_orders(self, numbers: Sequence[str]) -> set[str]:
        """Those of the numbers that orders have."""
        ...

    async def marks(self, kind: str, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """What the last import of each record said, as marks of its values."""
        ...

    async def write(self, writes: Writes, at: datetime) -> None:
        """Write all of it. Raises ImportDisturbed when somebody else has added one of the new records meanwhile."""
        ...


class RejectKeeper(Protocol):
    """Where rejected rows go."""

    async def keep(self, offset: int, rows: Sequence[RejectedRow]) -> int:
        """Write the rows from that place on, forgetting whatever stood there, and return the place after them."""
        ...


class Planned(Protocol):
    """What a trial run has only thought of making."""

    def first_time(self, name: str) -> bool:
        """Whether this name is new; it is not from then on."""
        ...
