"""What the rows of an order say together: an order, a credit note, or both; and which rows say nothing that can be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from bot.core.customers import normalise_address
from bot.core.import_mapping import STATUS_WORDS, Cells, Layout
from bot.core.import_values import (
    MAX_MINOR,
    MOST_AHEAD,
    Reason,
    Rejected,
    Remembering,
    currency_digits,
    read_decimal,
    read_email,
    read_moment,
    read_order_number,
    read_quantity,
    read_text,
    to_minor,
)
from bot.core.imports import Note, RejectedRow, Row
from bot.core.orders import OrderLine, OrderStatus

MAX_ROWS_OF_AN_ORDER = 10_000
MAX_SKU, MAX_TITLE, MAX_NAME, MAX_POSTCODE, MAX_SHORT = 80, 200, 200, 20, 80
MAX_CUSTOMER_NUMBER = 200
_MOMENTS = frozenset({"placed_at", "paid_at", "shipped_at", "delivered_at", "cancelled_at"})
_AMOUNTS = frozenset({"total", "discount", "delivery"})
# Where rows of an order differ in these, some belong to another one.
_DECISIVE = {
    "customer": Reason.OTHER_CUSTOMER,
    "currency": Reason.OTHER_CURRENCY,
    **dict.fromkeys(_AMOUNTS, Reason.OTHER_TOTAL),
}
_LENGTHS = {"name": MAX_NAME, "postcode": MAX_POSTCODE, "carrier": MAX_SHORT, "tracking_number": MAX_SHORT}
_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class CustomerClue:
    """Who ordered, as far as the file says: the shop's number, else an e-mail address. Nobody is a guest."""

    number: str | None = None
    email: str | None = None
    name: str = ""

    @property
    def is_guest(self) -> bool:
        """Whether nothing says who it was."""
        return self.number is None and self.email is None


@dataclass(frozen=True)
class ImportedOrder:
    """An order or credit note as the file has it. `values` are its other fields that the file speaks of."""

    number: str
    is_credit_note: bool
    rows: int
    customer: CustomerClue
    placed_at: datetime
    currency: str
    total_minor: int
    # None where the file has one row for the whole order.
    lines: tuple[OrderLine, ...] | None
    values: Mapping[str, Any]


@dataclass
class _Draft:
    """One order in the making, from the rows that were accepted so far."""

    is_credit_note: bool
    said: dict[str, Any] = field(default_factory=dict)
    last_head: object = None
    digits: int = 2
    rows: list[Row] = field(default_factory=list)
    lines: list[OrderLine] = field(default_factory=list)
    goods_minor: int = 0
    gives_back: bool | None = None
    differs: bool = False
    notes: Counter[Note] = field(default_factory=Counter)


class OrderReader:
    """Reads the rows of orders. `now` is what nothing may lie beyond."""

    def __init__(self, layout: Layout, now: datetime) -> None:
        self._layout = layout
        self._mapping = layout.mapping
        self._latest = now + MOST_AHEAD
        self._head = layout.head(layout.head_fields)
        self._head_readers = {name: layout.reader(name) for name in layout.head_fields}
        self._is_credit_note = Remembering(layout.is_credit_note)
        comma = self._mapping.decimal_comma
        self._quantities = Remembering(lambda text: read_quantity(text, decimal_comma=comma))
        self._amounts: Remembering[Decimal | None] = Remembering(lambda text: read_decimal(text, decimal_comma=comma))
        self._moments = Remembering(lambda text: read_moment(text, self._mapping.date_formats, self._mapping.zone))
        self._prices: dict[int, Remembering[tuple[int, bool]]] = {}
        self._titles = Remembering(lambda text: " ".join(text.split()))
        self._price_field = "line_total" if "line_total" in self._mapping.columns else "unit_price"
        self._line_readers = [layout.reader(name) for name in ("sku", "title", "quantity", self._price_field)]
        self._has_lines = self._mapping.has_lines
        self._statuses = {word.casefold(): status for word, status in self._mapping.statuses.items()}

    def read(self, rows: Sequence[Row]) -> tuple[list[ImportedOrder], list[RejectedRow], Counter[Note]]:
        """What the rows of one number say, those that are rejected, and what is worth knowing."""
        drafts: dict[bool, _Draft] = {}
        rejected: list[RejectedRow] = []
        notes: Counter[Note] = Counter()
        for row in rows:
            is_credit_note = self._is_credit_note[self._layout.credit_note_cell(row.cells)]
            draft = drafts.get(is_credit_note)
            if draft is None:
                draft = drafts[is_credit_note] = _Draft(is_credit_note)
            try:
                self._read_head(draft, row.cells)
                if self._has_lines:
                    self._read_line(draft, row.cells)
                elif draft.rows:
                    raise Rejected(Reason.REPEATED_ORDER)
                draft.rows.append(row)
            except Rejected as refusal:
                rejected.append(RejectedRow(row.number, row.cells, refusal.reason, refusal.detail))
        found = []
        for draft in drafts.values():
            if not draft.rows:
                continue
            try:
                found.append(self._finish(draft))
                notes += draft.notes
            except Rejected as refusal:
                rejected += [RejectedRow(row.number, row.cells, refusal.reason, refusal.detail) for row in draft.rows]
        return found, rejected, notes

    # --- What a row says about its order -------------------------------------------------------------------------

    def _read_head(self, draft: _Draft, cells: Cells) -> None:
        head = self._head(cells)
        if head == draft.last_head:
            return
        said = {}
        for name, read in self._head_readers.items():
            if text := read(cells):
                said[name] = _detailed(name, self._read_value, name, text)
        if "number" not in said:
            raise Rejected(Reason.MISSING, "number")
        said.setdefault("currency", draft.said.get("currency", self._mapping.currency))
        for name, value in said.items():
            if draft.said.get(name, value) != value:
                decisive = _DECISIVE.get(name)
                if name == "email" and "customer" not in said and "customer" not in draft.said:
                    decisive = Reason.OTHER_CUSTOMER
                if decisive is not None:
                    raise Rejected(decisive, name)
                draft.differs = True
        draft.digits = _detailed("currency", currency_digits, said["currency"])
        draft.said = {**said, **draft.said}
        draft.last_head = head

    def _read_value(self, name: str, text: str) -> Any:
        if name in _MOMENTS:
            moment = self._moments[text]
            if moment > self._latest:
                raise Rejected(Reason.FUTURE_DATE)
            return moment
        if name in _AMOUNTS:
            return self._amount(text)
        if name in _LENGTHS:
            return read_text(text, _LENGTHS[name])
        match name:
            case "number" | "credited_order":
                return read_order_number(text)
            case "email":
                return read_email(text)
            case "customer":
                return read_text(text, MAX_CUSTOMER_NUMBER)
            case "currency":
                return text.upper()
            case "status":
                return self._status(text)
            case "due_on":
                return self._moments[text].astimezone(self._mapping.zone).date()
        address = normalise_address(text)
        if address is None:
            raise Rejected(Reason.TOO_LONG if any(map(str.isalpha, text)) else Reason.BAD_ADDRESS)
        return address

    def _status(self, text: str) -> OrderStatus:
        status = self._statuses.get(text.casefold()) or STATUS_WORDS.get(_NOT_ALPHANUMERIC.sub("", text.lower()))
        if status is None:
            raise Rejected(Reason.UNKNOWN_STATUS)
        return status

    def _amount(self, text: str) -> Decimal:
        amount = self._amounts[text]
        if amount is None:
            raise Rejected(Reason.BAD_AMOUNT)
        return amount

    # --- What a row says about its line --------------------------------------------------------------------------

    def _read_line(self, draft: _Draft, cells: Cells) -> None:
        # The one part that runs for every row of a long file: readings are remembered, and little is called.
        sku, title, quantity_text, price_text = [read(cells) for read in self._line_readers]
        quantity = self._quantities[quantity_text]
        price, was_rounded = self._price(price_text, draft.digits)
        if quantity == 0:
            raise Rejected(Reason.ZERO_QUANTITY, "quantity")
        if quantity < 0 or price < 0 or draft.is_credit_note:
            self._check_signs(draft, quantity, price)
            quantity, price = abs(quantity), abs(price)
        title = self._titles[title] or sku
        if not title:
            raise Rejected(Reason.MISSING, "sku and title")
        if len(sku) > MAX_SKU:
            raise Rejected(Reason.TOO_LONG, "sku")
        if self._price_field == "line_total":
            draft.goods_minor += price
            price, was_rounded = to_minor(Decimal(price) / quantity, 0)
        else:
            draft.goods_minor += price * quantity
        draft.lines.append(OrderLine(sku or title[:MAX_SKU], title[:MAX_TITLE], quantity, price))
        if was_rounded or price == 0 or len(title) > MAX_TITLE:
            draft.notes[Note.ROUNDED] += was_rounded
            draft.notes[Note.FREE] += price == 0
            draft.notes[Note.SHORTENED] += len(title) > MAX_TITLE

    def _price(self, text: str, digits: int) -> tuple[int, bool]:
        if digits not in self._prices:
            self._prices[digits] = Remembering(lambda one: to_minor(self._amount(one), digits))
        try:
            return self._prices[digits][text]
        except Rejected as refusal:
            reason = refusal.reason if text else Reason.MISSING
            raise Rejected(reason, self._price_field) from None

    def _check_signs(self, draft: _Draft, quantity: int, price: int) -> None:
        if not draft.is_credit_note:
            # A row whose total is given back has a negative total as well: then the quantity says it.
            if quantity < 0:
                is_nobodys = "customer" not in draft.said and "email" not in draft.said
                raise Rejected(Reason.STOCK_ADJUSTMENT if is_nobodys and price == 0 else Reason.NEGATIVE_QUANTITY)
            raise Rejected(Reason.NEGATIVE_PRICE)
        if quantity < 0 and price < 0 and self._price_field == "unit_price":
            raise Rejected(Reason.NEGATIVE_PRICE)
        gives_back = quantity < 0 or price < 0
        if draft.gives_back is None:
            draft.gives_back = gives_back
        elif draft.gives_back != gives_back:
            raise Rejected(Reason.MIXED_SIGNS)

    # --- What the rows say together ------------------------------------------------------------------------------

    def _finish(self, draft: _Draft) -> ImportedOrder:
        said = draft.said
        if "placed_at" not in said:
            raise Rejected(Reason.MISSING, "placed_at")
        amounts = {}
        for name in self._layout.amounts:
            if name in said:
                amounts[name], was_rounded = _detailed(name, to_minor, said[name], draft.digits)
                draft.notes[Note.ROUNDED] += was_rounded
        if draft.is_credit_note:
            amounts = {name: abs(amount) for name, amount in amounts.items()}
        elif any(amount < 0 for amount in amounts.values()):
            # Some programs write what was taken off with a minus.
            amounts["discount"] = abs(amounts.get("discount", 0))
        if not self._has_lines and "total" not in amounts:
            raise Rejected(Reason.MISSING, "total")
        total = amounts.get("total", draft.goods_minor - amounts.get("discount", 0) + amounts.get("delivery", 0))
        if total < 0 or amounts.get("delivery", 0) < 0:
            raise Rejected(Reason.NEGATIVE_TOTAL, "total")
        if total > MAX_MINOR:
            raise Rejected(Reason.TOO_LARGE, "total")
        if draft.differs:
            draft.notes[Note.DIFFERENT_ROWS] += 1
        values = {
            name: said[name]
            for name in self._layout.head_fields
            if name in said and name not in ("number", "placed_at", "customer", "name", "currency", *_AMOUNTS)
        }
        if not draft.is_credit_note:
            values |= {f"{name}_minor": amounts[name] for name in ("discount", "delivery") if name in amounts}
        return ImportedOrder(
            number=said["number"],
            is_credit_note=draft.is_credit_note,
            rows=len(draft.rows),
            customer=CustomerClue(said.get("customer"), said.get("email"), said.get("name", "")),
            placed_at=said["placed_at"],
            currency=said["currency"],
            total_minor=total,
            lines=tuple(draft.lines) if self._has_lines else None,
            values=values,
        )


def _detailed(name: str, read: Callable[..., Any], *arguments: Any) -> Any:
    """What a reading gives; where it refuses, the refusal names the field."""
    try:
        return read(*arguments)
    except Rejected as refusal:
        raise Rejected(refusal.reason, refusal.detail or name) from None
