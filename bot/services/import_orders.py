"""Imports of orders and credit notes: what is new, what is new about which, and what stays as it was changed here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.core.credit_notes import CreditNote
from bot.core.customers import Customer
from bot.core.import_orders import ImportedOrder
from bot.core.imports import Note, Outcome, Settled, Tally, settle_values
from bot.core.order_reports import is_behind
from bot.core.orders import Order, OrderLine, OrderStatus
from bot.services.import_people import SOURCE, People, is_numberless, make_customer
from bot.services.import_ports import CREDIT_NOTE, ORDER, ImportRepository, Planned, Writes

_PERSONAL = frozenset({"email", "postcode", "shipping_address", "tracking_number"})
_MOMENTS = ("paid_at", "shipped_at", "delivered_at", "cancelled_at")
_UNPAID = frozenset({OrderStatus.PENDING, OrderStatus.CANCELLED})
_CONTENT = "content"


class OrderPlan:
    """What importing a batch of orders comes to: what is to be written, and the account of their rows."""

    def __init__(self, default_status: OrderStatus, *, overwrite: bool, planned: Planned | None) -> None:
        self.writes = Writes()
        self.tally = Tally()
        # Every order of the batch that is somebody's, as it will be.
        self.orders: list[Order] = []
        self._default_status = default_status
        self._overwrite = overwrite
        self._planned = planned

    async def make(self, imports: ImportRepository, documents: Sequence[ImportedOrder]) -> None:
        """Plan for all of them. In a trial run (one with `planned`) nothing is locked."""
        lock = self._planned is None
        people = await People.of(imports, (one.customer for one in documents if not one.customer.is_guest), lock=lock)
        numbers = [one.number for one in documents if not one.is_credit_note]
        notes = [one.number for one in documents if one.is_credit_note]
        orders = await imports.orders(numbers, lock=lock)
        await people.add_by_id(imports, {one.customer_id for one in orders.values() if one.customer_id is not None})
        credit_notes = await imports.credit_notes(notes)
        order_marks = await imports.marks(ORDER, sorted(orders))
        note_marks = await imports.marks(CREDIT_NOTE, sorted(credit_notes))
        credited = {number for one in documents if (number := one.values.get("credited_order"))}
        known = {*numbers, *await imports.known_orders(sorted(credited))}
        for one in documents:
            customer = self._customer(people, one)
            if one.is_credit_note:
                before, marks = credit_notes.get(one.number), note_marks.get(one.number, {})
                self._plan_credit_note(one, customer, before, marks, known)
                continue
            order = orders.get(one.number)
            about = [customer, people.by_id(order.customer_id) if order else None]
            is_erased = any(owner is not None and owner.erased_at is not None for owner in about)
            if is_erased or (customer is None and not one.customer.is_guest):
                # Whose data were erased stays so.
                values = {name: value for name, value in one.values.items() if name not in _PERSONAL}
                one = replace(one, values=values)
            self._plan_order(one, customer, order, order_marks.get(one.number, {}))

    def _customer(self, people: People, one: ImportedOrder) -> Customer | None:
        """Whose it is, made known if need be; nobody's where the file says nothing, or speaks of somebody erased."""
        if one.customer.is_guest:
            return None
        found = people.find(one.customer)
        if found is None and people.is_erased(one.customer, one.placed_at):
            return None
        if found is None:
            found = make_customer(one.customer, one.placed_at)
            people.add(found)
            self.writes.customers[found.id] = found
            if self._planned is None or self._planned.first_time(f"{one.customer.number}\n{one.customer.email}"):
                self.tally.records["customers added"] += 1
        elif one.customer.number is not None and is_numberless(found):
            found = replace(found, external_id=one.customer.number)
            people.add(found)
            self.writes.change_customer(found)
        present = people.present(found)
        if present.source == SOURCE and present.erased_at is None and present.created_at > one.placed_at:
            since = self.writes.known_since
            since[present.id] = min(since.get(present.id, one.placed_at), one.placed_at)
        return present

    # --- Orders --------------------------------------------------------------------------------------------------

    def _plan_order(
        self, one: ImportedOrder, customer: Customer | None, known: Order | None, marks: dict[str, str]
    ) -> None:
        theirs = dict(one.values)
        theirs["placed_at"] = one.placed_at
        theirs["customer_id"] = customer.id if customer else None
        theirs[_CONTENT] = _content(one.total_minor, one.currency, one.lines)
        if known is None:
            order = self._new_order(one, theirs)
            settled = settle_values(theirs, {}, {}, overwrite=False)
            self.writes.orders.append(order)
            self.tally.records["orders added"] += 1
            self.tally.records["order lines added"] += len(order.lines)
            self.tally.count(Outcome.IMPORTED, one.rows)
        else:
            order, settled = self._changed_order(one, known, theirs, marks)
            self.tally.note(Note.KEPT, settled.kept)
            self.tally.records["orders changed"] += order != known
            self.tally.count(Outcome.UPDATED if order != known else Outcome.UNCHANGED, one.rows)
            if order != known:
                self.writes.changed_orders.append(order)
            if order.lines != known.lines:
                self.writes.new_lines.add((ORDER, one.number))
        if settled.marks != marks:
            self.writes.marks[ORDER, one.number] = settled.marks
        if order.customer_id is not None:
            self.orders.append(order)

    def _new_order(self, one: ImportedOrder, theirs: dict[str, Any]) -> Order:
        values = {name: value for name, value in theirs.items() if name not in (_CONTENT, "credited_order")}
        status = values.setdefault("status", self._default_status)
        if status not in _UNPAID:
            values.setdefault("paid_at", one.placed_at)
        return Order(
            number=one.number, total_minor=one.total_minor, currency=one.currency, lines=one.lines or (), **values
        )

    def _changed_order(
        self, one: ImportedOrder, known: Order, theirs: dict[str, Any], marks: dict[str, str]
    ) -> tuple[Order, Settled]:
        theirs.pop("credited_order", None)
        ours = {name: getattr(known, name) for name in theirs if name != _CONTENT}
        ours[_CONTENT] = _content(known.total_minor, known.currency, known.lines if one.lines is not None else None)
        settled = settle_values(theirs, ours, marks, overwrite=self._overwrite)
        changes, kept = dict(settled.changes), settled.kept
        status = changes.get("status", known.status)
        if is_behind(status, known.status) and not self._overwrite:
            # A status only ever moves forward.
            del changes["status"]
            status, kept = known.status, kept + 1
        if theirs.get("status", status) is not status:
            # What the file says of its steps is about a course that the order did not take.
            changes = {name: value for name, value in changes.items() if name not in _MOMENTS}
        elif status not in _UNPAID and known.status in _UNPAID and known.paid_at is None:
            changes.setdefault("paid_at", one.placed_at)
        if changes.pop(_CONTENT, None) is not None:
            changes |= {"total_minor": one.total_minor, "currency": one.currency}
            if one.lines is not None:
                changes["lines"] = one.lines
        return replace(known, **changes), Settled(changes, kept, settled.marks)

    # --- Credit notes --------------------------------------------------------------------------------------------

    def _plan_credit_note(
        self,
        one: ImportedOrder,
        customer: Customer | None,
        known: CreditNote | None,
        marks: dict[str, str],
        known_orders: set[str],
    ) -> None:
        order_number = one.values.get("credited_order")
        if order_number is not None and order_number not in known_orders:
            self.tally.note(Note.UNKNOWN_CREDITED_ORDER)
            order_number = None
        theirs: dict[str, Any] = {
            "issued_at": one.placed_at,
            "customer_id": customer.id if customer else None,
            "order_number": order_number,
            _CONTENT: _content(one.total_minor, one.currency, one.lines),
        }
        values = {name: value for name, value in theirs.items() if name != _CONTENT}
        if known is None:
            settled = settle_values(theirs, {}, {}, overwrite=False)
            note = CreditNote(
                number=one.number, total_minor=one.total_minor, currency=one.currency, lines=one.lines or (), **values
            )
            self.writes.credit_notes.append(note)
            self.tally.records["credit notes added"] += 1
            self.tally.records["credit note lines added"] += len(note.lines)
            self.tally.count(Outcome.IMPORTED, one.rows)
        else:
            ours = {name: getattr(known, name) for name in values}
            ours[_CONTENT] = _content(known.total_minor, known.currency, known.lines if one.lines is not None else None)
            settled = settle_values(theirs, ours, marks, overwrite=self._overwrite)
            changes = dict(settled.changes)
            if changes.pop(_CONTENT, None) is not None:
                changes |= {"total_minor": one.total_minor, "currency": one.currency}
                changes |= {"lines": one.lines} if one.lines is not None else {}
            note = replace(known, **changes)
            self.tally.note(Note.KEPT, settled.kept)
            self.tally.records["credit notes changed"] += note != known
            self.tally.count(Outcome.UPDATED if note != known else Outcome.UNCHANGED, one.rows)
            if note != known:
                self.writes.changed_credit_notes.append(note)
            if note.lines != known.lines:
                self.writes.new_lines.add((CREDIT_NOTE, one.number))
        if settled.marks != marks:
            self.writes.marks[CREDIT_NOTE, one.number] = settled.marks


def _content(total_minor: int, currency: str, lines: Sequence[OrderLine] | None) -> str:
    """What was bought and for how much, in one text to compare."""
    parts = [f"{total_minor}\n{currency}"]
    for line in lines or ():
        parts.append(f"{line.sku}\n{line.title}\n{line.quantity}\n{line.unit_price_minor}")
    return "\n".join(parts)
