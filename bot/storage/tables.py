"""The tables, with the constraints that guard them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
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

from bot.storage.channel_tables import account_links, attachments, channel_buttons, channel_deliveries, channel_updates
from bot.storage.customer_tables import (
    audit_log,
    consents,
    customer_addresses,
    customer_identities,
    customer_merges,
    customer_notes,
    customer_tags,
    customers,
)
from bot.storage.desk_tables import (
    agent_sessions,
    agents,
    canned_replies,
    conversation_labels,
    desk_notes,
    desk_reads,
    handoffs,
    knowledge_drafts,
    teaching_marks,
)
from bot.storage.feedback_tables import feedback, feedback_themes, improvements
from bot.storage.import_tables import credit_note_lines, credit_notes, import_marks, import_runs
from bot.storage.loyalty_tables import (
    ledger_allocations,
    ledger_entries,
    ledger_notes,
    ledger_open,
    loyalty_accounts,
    referrals,
    stamps,
)
from bot.storage.metadata import UtcDateTime, metadata
from bot.storage.order_tables import order_lines, orders, refunds, return_lines, returns
from bot.storage.reward_tables import gift_card_entries, gift_cards, voucher_uses, vouchers

__all__ = [
    "UtcDateTime",
    "account_links",
    "agent_sessions",
    "agents",
    "attachments",
    "audit_log",
    "canned_replies",
    "channel_buttons",
    "channel_deliveries",
    "channel_updates",
    "consents",
    "conversation_labels",
    "credit_note_lines",
    "credit_notes",
    "customer_addresses",
    "customer_identities",
    "customer_merges",
    "customer_notes",
    "customer_tags",
    "customers",
    "desk_notes",
    "desk_reads",
    "feedback",
    "feedback_themes",
    "gift_card_entries",
    "gift_cards",
    "handoffs",
    "import_marks",
    "import_runs",
    "improvements",
    "knowledge_drafts",
    "ledger_allocations",
    "ledger_entries",
    "ledger_notes",
    "ledger_open",
    "loyalty_accounts",
    "metadata",
    "order_lines",
    "orders",
    "referrals",
    "refunds",
    "return_lines",
    "returns",
    "stamps",
    "teaching_marks",
    "voucher_uses",
    "vouchers",
]

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
    # What the customer answered before the chat began. Nothing of it is proven.
    Column("visitor_details", JSON(none_as_null=True)),
    # When a person had dealt with it; nobody has written since.
    Column("resolved_at", UtcDateTime),
    # Since when nobody answers any more, because somebody at the desk said so.
    Column("blocked_at", UtcDateTime),
    # When the customer logged out there: from then on it is history, and their account begins another one.
    Column("signed_out_at", UtcDateTime),
    # In which the customer reads the chat, or uses the app.
    Column("language", String(20)),
    CheckConstraint("owner IN ('bot', 'queue', 'agent')", name="owner"),
    CheckConstraint("last_seq >= 0", name="last_seq"),
    CheckConstraint("(lease_holder IS NULL) = (lease_expires_at IS NULL)", name="lease_whole"),
    CheckConstraint("customer_id IS NOT NULL OR verified_until IS NULL", name="verified_customer"),
    Index("ix_conversations_identity_id_created_at", "identity_id", "created_at"),
    Index("ix_conversations_customer_id", "customer_id"),
    Index(
        "ix_conversations_resolved_at",
        "resolved_at",
        "id",
        sqlite_where=text("resolved_at IS NOT NULL"),
        postgresql_where=text("resolved_at IS NOT NULL"),
    ),
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
    # {"url": …, "alt": …}: a picture that goes with the text.
    Column("image", JSON),
    # The same once more as boxes for the eye; the text says it all.
    Column("cards", JSON(none_as_null=True)),
    # {"id": …, "name": …, "media_type": …, "size": …}: a file that the customer or an agent sent.
    Column("attachment", JSON(none_as_null=True)),
    # Whether the customer found a bot's answer helpful, if they said so.
    Column("helpful", Boolean),
    # What the writer's own desk calls it, so that sending it again is sending it once.
    Column("client_id", String(64)),
    Column("agent_id", ForeignKey("agents.id")),
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
    Index("ix_messages_reply_to_seq", "conversation_id", "reply_to_seq", "author"),
    # What happened last, and what was said in some days.
    Index("ix_messages_at", "at", "conversation_id", "seq", "author"),
    Index(
        "ix_messages_agent_id",
        "at",
        "agent_id",
        sqlite_where=text("agent_id IS NOT NULL"),
        postgresql_where=text("agent_id IS NOT NULL"),
    ),
    Index(
        "uq_messages_client_id",
        "conversation_id",
        "client_id",
        unique=True,
        sqlite_where=text("client_id IS NOT NULL"),
        postgresql_where=text("client_id IS NOT NULL"),
    ),
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
    Index("ix_conversation_events_kind_at", "kind", "at"),
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

service_requests = Table(
    "service_requests",
    metadata,
    Column("number", String(12), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    # As the customer named it; nobody has checked that there is such an order.
    Column("order_number", String(32)),
    Column("text", Text, nullable=False),
    Column("contact", String(254)),
    Column("rating", Integer),
    Column("created_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    CheckConstraint(
        "kind IN ('change_order', 'report_problem', 'complaint', 'feedback', 'review', 'callback', 'account', "
        "'privacy', 'other')",
        name="kind",
    ),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    Index("ix_service_requests_conversation_id", "conversation_id"),
    Index("ix_service_requests_customer_id", "customer_id"),
)

verification_codes = Table(
    "verification_codes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("email", String(254), nullable=False),
    Column("customer_id", ForeignKey("customers.id")),
    Column("code_hash", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("used_at", UtcDateTime),
    CheckConstraint("attempts >= 0", name="attempts"),
    Index("ix_verification_codes_conversation_id_created_at", "conversation_id", "created_at"),
    Index("ix_verification_codes_email_created_at", "email", "created_at"),
    Index("ix_verification_codes_customer_id", "customer_id"),
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
