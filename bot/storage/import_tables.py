"""The tables of imports: how far each has come, and credit notes, which only imports know."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from bot.storage.metadata import UtcDateTime, metadata

import_runs = Table(
    "import_runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(10), nullable=False),
    # The file's and the mapping's content: the same ones again go on where the last run ended.
    Column("file_hash", String(64), nullable=False),
    Column("mapping_hash", String(64), nullable=False),
    Column("rows_done", BigInteger, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    UniqueConstraint("kind", "file_hash", "mapping_hash"),
    CheckConstraint("kind IN ('customers', 'orders')", name="kind"),
    CheckConstraint("rows_done >= 0", name="rows_done"),
)

# Money that a shop's books gave back without saying for which order.
credit_notes = Table(
    "credit_notes",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id")),
    Column("order_number", ForeignKey("orders.number")),
    Column("total_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    CheckConstraint("total_minor >= 0", name="total_minor"),
    CheckConstraint("number = upper(number)", name="number_upper_case"),
    Index("ix_credit_notes_customer_id", "customer_id"),
    Index("ix_credit_notes_order_number", "order_number"),
)

credit_note_lines = Table(
    "credit_note_lines",
    metadata,
    Column("credit_note_number", ForeignKey("credit_notes.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sku", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price_minor >= 0", name="unit_price_minor"),
)

# What the last import of a record said, as marks of its values: so that the next one sees what is new in the file, and
# what was changed here. Marks are too short to tell a value, and go with the customer who is erased.
import_marks = Table(
    "import_marks",
    metadata,
    Column("kind", String(12), primary_key=True),
    # A customer's id, an order's or credit note's number; not a foreign key, because there are three kinds.
    Column("record_id", String(32), primary_key=True),
    Column("marks", JSON, nullable=False),
    CheckConstraint("kind IN ('customer', 'order', 'credit_note')", name="kind"),
)
