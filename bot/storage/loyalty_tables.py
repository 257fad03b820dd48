"""The tables of the points ledger, the stamps of punch cards, and referrals.

Entries, allocations and stamps are append-only: triggers refuse to change or delete them (see migration 0003). What is
left of each entry stands in `ledger_open`, which only triggers write, in the transaction of the entry or allocation.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from bot.storage.customer_tables import Counter
from bot.storage.metadata import UtcDateTime, metadata

# One row a customer, locked by whatever changes their points, stamps or referral.
loyalty_accounts = Table(
    "loyalty_accounts",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), primary_key=True),
    Column("opened_at", UtcDateTime, nullable=False),
    # What the customer passes on to friends.
    Column("referral_code", String(16), unique=True),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("customer_id", ForeignKey("loyalty_accounts.customer_id"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("points", Integer, nullable=False),
    # The event that this entry stands for: the same event again is the same entry.
    Column("key", String(200), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    # Of points that came in: pending until then, and gone from then on.
    Column("available_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    # An order's number, a reward's name …; never anything personal.
    Column("source", String(80)),
    Column("reverses_id", ForeignKey("ledger_entries.id")),
    CheckConstraint("points <> 0", name="points"),
    CheckConstraint(
        "(kind IN ('order', 'referral', 'birthday', 'feedback', 'surprise', 'goodwill', 'opening', 'restore')"
        " AND points > 0)"
        " OR (kind IN ('redeem', 'refund', 'expire', 'correction') AND points < 0) OR kind = 'transfer'",
        name="kind_and_sign",
    ),
    # Only points that came in as points to spend wait and expire; what a taken-back redemption restores does so itself.
    CheckConstraint("(points > 0 AND kind <> 'restore') = (available_at IS NOT NULL)", name="available_at"),
    CheckConstraint("expires_at IS NULL OR available_at IS NOT NULL", name="expires_at"),
    CheckConstraint("expires_at > available_at", name="expires_after_available"),
    CheckConstraint("kind NOT IN ('restore', 'refund') OR reverses_id IS NOT NULL", name="reverses"),
    Index("ix_ledger_entries_customer_id_id", "customer_id", "id"),
    # For timelines, which are in the order of time.
    Index("ix_ledger_entries_customer_id_at", "customer_id", "at", "id"),
    Index("ix_ledger_entries_reverses_id", "reverses_id"),
    Index("ix_ledger_entries_at", "at"),
)

# Which lot (points that came in) pays for which entry. Negative: given back to the lot.
ledger_allocations = Table(
    "ledger_allocations",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("entry_id", ForeignKey("ledger_entries.id"), nullable=False),
    Column("lot_id", ForeignKey("ledger_entries.id"), nullable=False),
    Column("points", Integer, nullable=False),
    CheckConstraint("points <> 0", name="points"),
    Index("ix_ledger_allocations_entry_id", "entry_id"),
    Index("ix_ledger_allocations_lot_id", "lot_id"),
)

ledger_open = Table(
    "ledger_open",
    metadata,
    Column("entry_id", ForeignKey("ledger_entries.id"), primary_key=True),
    Column("customer_id", String(32), nullable=False),
    # A lot has points left to spend; a debt is a debit that no lot has paid for yet; a restore gives back to lots.
    Column("side", String(8), nullable=False),
    Column("points", Integer, nullable=False),
    Column("remaining", Integer, nullable=False),
    Column("available_at", UtcDateTime),
    Column("expires_at", UtcDateTime),
    CheckConstraint("side IN ('lot', 'debt', 'restore')", name="side"),
    CheckConstraint("points > 0", name="points"),
    CheckConstraint("remaining BETWEEN 0 AND points", name="remaining"),
    # All that a balance needs, so that it is read from the index alone.
    Index(
        "ix_ledger_open_customer_id",
        "customer_id",
        "side",
        "expires_at",
        "available_at",
        "remaining",
        sqlite_where=text("remaining > 0"),
        postgresql_where=text("remaining > 0"),
    ),
    Index(
        "ix_ledger_open_expires_at",
        "expires_at",
        sqlite_where=text("remaining > 0 AND expires_at IS NOT NULL"),
        postgresql_where=text("remaining > 0 AND expires_at IS NOT NULL"),
    ),
)

# Why somebody was given or denied points, in a person's words: apart from the ledger, because it can be erased.
ledger_notes = Table(
    "ledger_notes",
    metadata,
    Column("entry_id", ForeignKey("ledger_entries.id"), primary_key=True),
    Column("author", String(200), nullable=False),
    Column("role", String(20), nullable=False),
    Column("text", Text, nullable=False),
)

stamps = Table(
    "stamps",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("customer_id", ForeignKey("loyalty_accounts.customer_id"), nullable=False),
    # The card's id in business.yml.
    Column("card", String(40), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("stamps", Integer, nullable=False),
    Column("key", String(200), nullable=False, unique=True),
    Column("at", UtcDateTime, nullable=False),
    Column("source", String(80)),
    Column("reverses_id", ForeignKey("stamps.id")),
    CheckConstraint(
        "(kind IN ('stamp', 'opening', 'voided') AND stamps > 0) OR (kind IN ('completed', 'refund') AND stamps < 0)"
        " OR (kind = 'transfer' AND stamps <> 0)",
        name="kind_and_sign",
    ),
    Index("ix_stamps_customer_id_card", "customer_id", "card", "id"),
    Index("ix_stamps_source", "source"),
    # A stamp is taken back once.
    Index(
        "uq_stamps_reverses_id",
        "reverses_id",
        unique=True,
        sqlite_where=text("reverses_id IS NOT NULL"),
        postgresql_where=text("reverses_id IS NOT NULL"),
    ),
)

# Whoever was brought by a friend: once, and never by themselves.
referrals = Table(
    "referrals",
    metadata,
    Column("referee_id", ForeignKey("customers.id"), primary_key=True),
    Column("referrer_id", ForeignKey("customers.id"), nullable=False),
    Column("joined_at", UtcDateTime, nullable=False),
    # The friend's first paid order, and the end of the hold after it.
    Column("order_number", ForeignKey("orders.number")),
    Column("due_at", UtcDateTime),
    Column("rewarded_at", UtcDateTime),
    # Why there is no reward: same_address, same_name, cap, order_taken_back …
    Column("refused", String(20)),
    CheckConstraint("referee_id <> referrer_id", name="two_people"),
    CheckConstraint("(order_number IS NULL) = (due_at IS NULL)", name="order_and_hold"),
    CheckConstraint("rewarded_at IS NULL OR refused IS NULL", name="one_end"),
    Index("ix_referrals_referrer_id", "referrer_id"),
    Index(
        "ix_referrals_due_at",
        "due_at",
        sqlite_where=text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
        postgresql_where=text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
    ),
)
