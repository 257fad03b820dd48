"""The tables, with the constraints that guard them."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC on every database. SQLite keeps no time zone, so it is put back when reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


# Named constraints, so that a migration can change them on both databases.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

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
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("(birthday_month IS NULL) = (birthday_day IS NULL)", name="birthday_whole"),
    CheckConstraint("birthday_month BETWEEN 1 AND 12", name="birthday_month"),
    CheckConstraint("birthday_day BETWEEN 1 AND 31", name="birthday_day"),
    Index("ix_customers_email", "email"),
)

channel_identities = Table(
    "channel_identities",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("created_at", UtcDateTime, nullable=False),
    UniqueConstraint("channel", "external_id"),
    Index("ix_channel_identities_customer_id", "customer_id"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("identity_id", ForeignKey("channel_identities.id"), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("verified_until", UtcDateTime),
    Column("owner", String(10), nullable=False),
    Column("last_seq", Integer, nullable=False),
    Column("read_seq", Integer, nullable=False),
    Column("next_turn_at", UtcDateTime),
    Column("lease_holder", String(64)),
    Column("lease_expires_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("owner IN ('bot', 'queue', 'agent')", name="owner"),
    CheckConstraint("last_seq >= 0", name="last_seq"),
    CheckConstraint("(lease_holder IS NULL) = (lease_expires_at IS NULL)", name="lease_whole"),
    CheckConstraint("customer_id IS NOT NULL OR verified_until IS NULL", name="verified_customer"),
    Index("ix_conversations_identity_id_created_at", "identity_id", "created_at"),
    Index("ix_conversations_customer_id", "customer_id"),
    Index(
        "ix_conversations_next_turn_at",
        "next_turn_at",
        sqlite_where=text("next_turn_at IS NOT NULL"),
        postgresql_where=text("next_turn_at IS NOT NULL"),
    ),
    Index(
        "ix_conversations_lease_holder",
        "lease_holder",
        sqlite_where=text("lease_holder IS NOT NULL"),
        postgresql_where=text("lease_holder IS NOT NULL"),
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(20), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("author", String(10), nullable=False),
    Column("author_name", String(200)),
    Column("text", Text, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("payload", Text),
    Column("external_id", String(300)),
    Column("reply_to_seq", Integer),
    Column("turn_state", String(12)),
    Column("attempts", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("conversation_id", "seq"),
    UniqueConstraint("channel", "external_id"),
    CheckConstraint("seq > 0", name="seq"),
    CheckConstraint("author IN ('customer', 'bot', 'agent', 'system')", name="author"),
    CheckConstraint("(author = 'customer') = (turn_state IS NOT NULL)", name="turn_state_inbound"),
    CheckConstraint("(author = 'customer') = (external_id IS NOT NULL)", name="external_id_inbound"),
    CheckConstraint("turn_state IN ('pending', 'handled', 'failed', 'not_for_bot')", name="turn_state"),
    Index(
        "ix_messages_pending",
        "conversation_id",
        "seq",
        sqlite_where=text("turn_state = 'pending'"),
        postgresql_where=text("turn_state = 'pending'"),
    ),
    Index("ix_messages_reply_to_seq", "conversation_id", "reply_to_seq"),
)

conversation_events = Table(
    "conversation_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_conversation_events_conversation_id", "conversation_id"),
)

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
    CheckConstraint(
        "status IN ('pending', 'paid', 'preparing', 'shipped', 'delivered', 'cancelled', 'returned', 'refunded')",
        name="status",
    ),
    CheckConstraint("total_minor >= 0", name="total_minor"),
    CheckConstraint("number = upper(number)", name="number_upper_case"),
    CheckConstraint("length(currency) = 3", name="currency"),
    Index("ix_orders_customer_id_placed_at", "customer_id", "placed_at"),
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

tracker_events = Table(
    "tracker_events",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("begins_session", Boolean, nullable=False),
    Column("event", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(
        "ix_tracker_events_sessions",
        "conversation_id",
        "position",
        sqlite_where=text("begins_session"),
        postgresql_where=text("begins_session"),
    ),
)

verification_attempts = Table(
    "verification_attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("succeeded", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_verification_attempts_conversation", "conversation_id", "kind", "at"),
    Index("ix_verification_attempts_subject", "kind", "subject", "at"),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    CheckConstraint("reason IN ('asked', 'turn_failed')", name="reason"),
    # One open request a conversation: asking twice is asking once.
    Index(
        "uq_handoffs_open",
        "conversation_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("payload", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("last_error", Text),
    CheckConstraint("sent_at IS NULL OR next_attempt_at IS NULL", name="sent_once"),
    Index(
        "ix_outbox_due",
        "next_attempt_at",
        sqlite_where=text("next_attempt_at IS NOT NULL"),
        postgresql_where=text("next_attempt_at IS NOT NULL"),
    ),
)

workers = Table(
    "workers",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("model", String(200)),
)
