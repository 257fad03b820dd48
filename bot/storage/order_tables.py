"""The tables of orders, and of what comes back: goods and money."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    text,
)

from bot.storage.metadata import UtcDateTime, metadata

orders = Table(
    "orders",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id")),
    Column("email", String(254)),
    Column("postcode", String(20)),
    Column("status", String(12), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("total_minor", BigInteger, nullable=False),
    Column("placed_at", UtcDateTime, nullable=False),
    Column("due_on", Date),
    Column("shipped_at", UtcDateTime),
    Column("delivered_at", UtcDateTime),
    Column("carrier", String(80)),
    Column("tracking_number", String(80)),
    Column("shipping_address", Text),
    Column("cancelled_at", UtcDateTime),
    Column("paid_at", UtcDateTime),
    # What the total has less and more than the goods; unknown where only the total is.
    Column("discount_minor", BigInteger),
    Column("delivery_minor", BigInteger),
    CheckConstraint(
        "status IN ('pending', 'paid', 'preparing', 'shipped', 'delivered', 'cancelled', 'returned', 'refunded')",
        name="status",
    ),
    CheckConstraint("total_minor >= 0", name="total_minor"),
    CheckConstraint("number = upper(number)", name="number_upper_case"),
    CheckConstraint("length(currency) = 3", name="currency"),
    Index("ix_orders_customer_id_placed_at", "customer_id", "placed_at"),
    Index("ix_orders_delivered_at", "delivered_at"),
)

order_lines = Table(
    "order_lines",
    metadata,
    Column("order_number", ForeignKey("orders.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sku", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price_minor >= 0", name="unit_price_minor"),
)

returns = Table(
    "returns",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("order_number", ForeignKey("orders.number"), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("status", String(10), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("status IN ('requested', 'received', 'refunded', 'refused')", name="status"),
    Index("ix_returns_order_number", "order_number"),
    Index("ix_returns_customer_id", "customer_id"),
)

return_lines = Table(
    "return_lines",
    metadata,
    Column("return_number", ForeignKey("returns.number"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sku", String(80), nullable=False),
    Column("title", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("unit_price_minor", BigInteger, nullable=False),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("unit_price_minor >= 0", name="unit_price_minor"),
)

refunds = Table(
    "refunds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("order_number", ForeignKey("orders.number"), nullable=False),
    Column("return_number", ForeignKey("returns.number"), unique=True),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", String(10), nullable=False),
    Column("status", String(10), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("paid_at", UtcDateTime),
    # The shop's own name for it; none while it is only known here.
    Column("external_id", String(80)),
    CheckConstraint("amount_minor > 0", name="amount_minor"),
    CheckConstraint("length(currency) = 3", name="currency"),
    CheckConstraint("reason IN ('cancelled', 'returned', 'problem')", name="reason"),
    CheckConstraint("status IN ('pending', 'paid')", name="status"),
    CheckConstraint("(status = 'paid') = (paid_at IS NOT NULL)", name="paid_whole"),
    Index("ix_refunds_order_number", "order_number"),
    # A refund that the shop reports again is the same refund.
    Index("uq_refunds_external_id", "order_number", "external_id", unique=True),
    # A cancellation is refunded once, whatever the code above this does.
    Index(
        "uq_refunds_cancelled",
        "order_number",
        unique=True,
        sqlite_where=text("reason = 'cancelled'"),
        postgresql_where=text("reason = 'cancelled'"),
    ),
)
