"""The tables of what the shop knows about a person: identities, addresses, notes, tags, consents, merges, audit."""

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
    Text,
    UniqueConstraint,
    text,
)

from bot.storage.metadata import UtcDateTime, metadata

# Counts up by itself on both databases; SQLite does so only for its own INTEGER.
Counter = BigInteger().with_variant(Integer, "sqlite")

customers = Table(
    "customers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("external_id", String(200), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("email", String(254)),
    Column("phone", String(40)),
    Column("postcode", String(20)),
    Column("birthday_month", Integer),
    Column("birthday_day", Integer),
    Column("address", Text),
    Column("created_at", UtcDateTime, nullable=False),
    Column("preferred_name", String(200)),
    Column("language", String(20)),
    Column("birthday_set_at", UtcDateTime),
    # Where they came from: import, api, chat, referral.
    Column("source", String(20)),
    # Their records are another customer's now; that customer's number, not a foreign key, because merges can be undone.
    Column("merged_into_id", String(32)),
    Column("erased_at", UtcDateTime),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("(birthday_month IS NULL) = (birthday_day IS NULL)", name="birthday_whole"),
    CheckConstraint("birthday_month BETWEEN 1 AND 12", name="birthday_month"),
    CheckConstraint("birthday_day BETWEEN 1 AND 31", name="birthday_day"),
    Index("ix_customers_email", "email"),
    # Who may be one with somebody new.
    Index("ix_customers_postcode", "postcode"),
    Index(
        "ix_customers_birthday",
        "birthday_month",
        "birthday_day",
        sqlite_where=text("birthday_month IS NOT NULL"),
        postgresql_where=text("birthday_month IS NOT NULL"),
    ),
)

customer_identities = Table(
    "customer_identities",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    # email, phone, shop (the shop's own number), or a messaging channel's name.
    Column("kind", String(20), nullable=False),
    Column("value", String(254), nullable=False),
    Column("verified_at", UtcDateTime),
    # Who says so: shop, customer, code, import.
    Column("source", String(20), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("customer_id", "kind", "value"),
    # Proven, an address belongs to one person; claimed, to anybody who says so.
    Index(
        "uq_customer_identities_verified",
        "kind",
        "value",
        unique=True,
        sqlite_where=text("verified_at IS NOT NULL"),
        postgresql_where=text("verified_at IS NOT NULL"),
    ),
    Index("ix_customer_identities_value", "kind", "value"),
)

customer_addresses = Table(
    "customer_addresses",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("address", Text, nullable=False),
    Column("used_at", UtcDateTime, nullable=False),
    Index("ix_customer_addresses_customer_id", "customer_id"),
)

customer_notes = Table(
    "customer_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("author", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_customer_notes_customer_id", "customer_id"),
)

customer_tags = Table(
    "customer_tags",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), primary_key=True),
    Column("tag", String(40), primary_key=True),
    Column("author", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("tag = lower(tag)", name="tag_lower_case"),
    Index("ix_customer_tags_tag", "tag"),
)

# Append-only. It belongs to the address, not to the person: an address that said no still says no when it comes back
# with the next import, and after its owner was erased, which is why only a hash of it is kept.
consents = Table(
    "consents",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("channel", String(20), nullable=False),
    Column("address_hash", String(64), nullable=False),
    Column("purpose", String(20), nullable=False),
    Column("granted", Boolean, nullable=False),
    # What was agreed to, in the words that were shown.
    Column("wording", Text, nullable=False),
    Column("source", String(20), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_consents_address", "address_hash", "channel", "purpose", "id"),
)

customer_merges = Table(
    "customer_merges",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kept_id", ForeignKey("customers.id"), nullable=False),
    Column("merged_id", ForeignKey("customers.id"), nullable=False),
    Column("state", String(10), nullable=False),
    # What speaks for it: verified email, same phone …
    Column("reason", String(80), nullable=False),
    # What was moved and changed, so that it can be put back.
    Column("snapshot", JSON),
    Column("author", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    CheckConstraint("state IN ('proposed', 'done', 'undone', 'dismissed')", name="state"),
    CheckConstraint("kept_id <> merged_id", name="two_customers"),
    Index("ix_customer_merges_kept_id", "kept_id"),
    Index("ix_customer_merges_merged_id", "merged_id"),
    Index(
        "uq_customer_merges_done",
        "merged_id",
        unique=True,
        sqlite_where=text("state = 'done'"),
        postgresql_where=text("state = 'done'"),
    ),
)

# Append-only: who did what to whose data, and who read it.
audit_log = Table(
    "audit_log",
    metadata,
    Column("id", Counter, primary_key=True, autoincrement=True),
    Column("at", UtcDateTime, nullable=False),
    # customer, agent:NAME, shop, system.
    Column("actor", String(200), nullable=False),
    Column("action", String(40), nullable=False),
    Column("customer_id", String(32)),
    # Without personal data: names of fields, numbers, kinds.
    Column("detail", JSON, nullable=False),
    Index("ix_audit_log_customer_id", "customer_id", "id"),
)
