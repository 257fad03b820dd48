"""The tables of what is worth something at the till: vouchers (rewards, coupons, treats) and gift cards."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    text,
)

from bot.storage.customer_tables import Counter
from bot.storage.metadata import UtcDateTime, metadata

vouchers = Table(
    "vouchers",
    metadata,
    Column("code", String(24), primary_key=True),
    Column("kind", String(12), nullable=False),
    # Whose it is; nobody's is a coupon for everybody who knows the code.
    Column("customer_id", ForeignKey("customers.id")),
    # The reward's or campaign's id in business.yml.
    Column("name", String(40), nullable=False),
    Column("title", String(200), nullable=False),
    # {"type": "amount_off", "amount_minor": …} | {"type": "percent_off", "percent": …} | {"type": "item", "item": …}
    Column("effect", JSON, nullable=False),
    Column("minimum_minor", BigInteger, nullable=False),
    Column("stackable", Boolean, nullable=False),
    Column("use_limit", Integer, nullable=False),
    # Reserved and redeemed uses together. Only ever changed with a condition, and the row count checked.
    Column("uses", Integer, nullable=False),
    Column("uses_per_customer", Integer),
    # The event that it was made for: the same event again makes no second one.
    Column("key", String(200), nullable=False, unique=True),
    # The redemption that paid for it, in points.
    Column("entry_id", ForeignKey("ledger_entries.id"), unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("starts_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    Column("cancelled_at", UtcDateTime),
    CheckConstraint(
        "kind IN ('reward', 'punch_card', 'birthday', 'referral', 'surprise', 'goodwill', 'coupon')", name="kind"
    ),
    CheckConstraint("code = upper(code)", name="code_upper_case"),
    CheckConstraint("use_limit > 0", name="use_limit"),
    CheckConstraint("uses BETWEEN 0 AND use_limit", name="uses"),
    CheckConstraint("minimum_minor >= 0", name="minimum_minor"),
    Index("ix_vouchers_customer_id_created_at", "customer_id", "created_at"),
)

voucher_uses = Table(
    "voucher_uses",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("code", ForeignKey("vouchers.code"), nullable=False),
    # The checkout or order that it is used for, by the shop's own name for it; several vouchers can be used on one.
    Column("key", String(200), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("state", String(10), nullable=False),
    # Of the whole checkout, before any voucher.
    Column("total_minor", BigInteger, nullable=False),
    Column("discount_minor", BigInteger, nullable=False),
    Column("reserved_at", UtcDateTime, nullable=False),
    # A reservation that nobody redeems ends by itself.
    Column("reserved_until", UtcDateTime),
    Column("ended_at", UtcDateTime),
    CheckConstraint("state IN ('reserved', 'redeemed', 'released')", name="state"),
    CheckConstraint("(state = 'reserved') = (reserved_until IS NOT NULL)", name="reserved_until"),
    CheckConstraint("(state = 'reserved') = (ended_at IS NULL)", name="ended_at"),
    CheckConstraint("discount_minor BETWEEN 0 AND total_minor", name="discount_minor"),
    UniqueConstraint("key", "code"),
    Index("ix_voucher_uses_code_customer_id", "code", "customer_id"),
    # For merges, and for what is known of a customer.
    Index("ix_voucher_uses_customer_id", "customer_id"),
    Index(
        "ix_voucher_uses_reserved_until",
        "reserved_until",
        sqlite_where=text("reserved_until IS NOT NULL"),
        postgresql_where=text("reserved_until IS NOT NULL"),
    ),
)

gift_cards = Table(
    "gift_cards",
    metadata,
    Column("id", String(32), primary_key=True),
    # Only a hash: whoever reads the database cannot spend what is on the cards.
    Column("code_hash", String(64), nullable=False, unique=True),
    Column("last_characters", String(4), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("blocked_at", UtcDateTime),
    CheckConstraint("length(currency) = 3", name="currency"),
    Index("ix_gift_cards_customer_id", "customer_id"),
    Index(
        "ix_gift_cards_expires_at",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
)

# Append-only; a card's value is the sum of its entries.
gift_card_entries = Table(
    "gift_card_entries",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("card_id", ForeignKey("gift_cards.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("source", String(80)),
    Column("at", UtcDateTime, nullable=False),
    CheckConstraint(
        "(kind IN ('issue', 'top_up', 'refund') AND amount_minor > 0)"
        " OR (kind IN ('spend', 'expire') AND amount_minor < 0)",
        name="kind_and_sign",
    ),
    Index("ix_gift_card_entries_card_id", "card_id", "id"),
)
