"""Tables of what is sent to messaging channels and came from them, of files, and of links that connect accounts."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from bot.storage.metadata import UtcDateTime, metadata

# How far each conversation has been told on its channel.
channel_deliveries = Table(
    "channel_deliveries",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    # Told of something new while it was being delivered.
    Column("news_at", UtcDateTime),
    Column("stopped_at", UtcDateTime),
    Column("last_error", String(500)),
    CheckConstraint("seq >= 0 AND parts >= 0 AND attempts >= 0", name="progress"),
    Index(
        "ix_channel_deliveries_next_attempt_at",
        "next_attempt_at",
        sqlite_where=text("next_attempt_at IS NOT NULL"),
        postgresql_where=text("next_attempt_at IS NOT NULL"),
    ),
)

# Updates that were taken in, so that none is taken in twice; forgotten once no platform would repeat them.
channel_updates = Table(
    "channel_updates",
    metadata,
    Column("channel", String(20), primary_key=True),
    Column("update_id", String(64), primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Index("ix_channel_updates_received_at", "received_at"),
)

# What stands for a choice outside: short, and worth nothing to whoever makes one up.
channel_buttons = Table(
    "channel_buttons",
    metadata,
    Column("token", String(24), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("conversation_id", "seq", "position"),
)

# Files that customers and agents sent. In the database, so that a file is there exactly if its message is.
attachments = Table(
    "attachments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # None once it was erased. The last column, because SQLite would read through it to whatever comes after it.
    Column("content", LargeBinary),
    CheckConstraint("size > 0", name="size"),
    Index("ix_attachments_conversation_id", "conversation_id"),
    Index(
        "ix_attachments_created_at",
        "created_at",
        sqlite_where=text("content IS NOT NULL"),
        postgresql_where=text("content IS NOT NULL"),
    ),
)

# Links that connect an account on a messaging channel with a customer: each works once, and only its hash is kept.
account_links = Table(
    "account_links",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("channel", String(20), nullable=False),
    Column("customer_id", ForeignKey("customers.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Index("ix_account_links_customer_id", "customer_id"),
)
