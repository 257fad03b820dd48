"""The tables of the desk: who works there, who is signed in, and what they are asked for."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text, text

from bot.storage.metadata import UtcDateTime, metadata

agents = Table(
    "agents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(80), nullable=False),
    Column("role", String(10), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("presence", String(10), nullable=False),
    Column("away_since", UtcDateTime),
    # How many conversations at once; what they know and speak, all of it where the list is empty.
    Column("capacity", Integer, nullable=False),
    Column("skills", JSON, nullable=False),
    Column("languages", JSON, nullable=False),
    # When their desk was last seen; and since when they have been free for the next.
    Column("seen_at", UtcDateTime),
    Column("free_since", UtcDateTime, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("wrong_passwords", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("role IN ('agent', 'admin')", name="role"),
    CheckConstraint("presence IN ('online', 'away')", name="presence"),
    CheckConstraint("wrong_passwords >= 0", name="wrong_passwords"),
    CheckConstraint("capacity BETWEEN 1 AND 50", name="capacity"),
)

agent_sessions = Table(
    "agent_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_agent_sessions_agent_id", "agent_id"),
    Index("ix_agent_sessions_seen_at", "seen_at"),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("state", String(10), nullable=False, server_default="callback"),
    Column("requested_at", UtcDateTime, nullable=False),
    # The place in the line.
    Column("waiting_since", UtcDateTime),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("topic", String(40)),
    Column("language", String(20)),
    Column("agent_id", ForeignKey("agents.id")),
    Column("wanted_agent_id", ForeignKey("agents.id")),
    Column("wanted_until", UtcDateTime),
    Column("offered_to", ForeignKey("agents.id")),
    Column("offered_until", UtcDateTime),
    Column("passed_by", JSON, nullable=False, server_default="[]"),
    Column("claimed_at", UtcDateTime),
    Column("first_reply_at", UtcDateTime),
    Column("asked_at", UtcDateTime),
    Column("heard_at", UtcDateTime),
    Column("contact", String(254)),
    Column("due_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Column("proof_until", UtcDateTime),
    Column("summary", JSON, nullable=False, server_default="{}"),
    Column("closed_at", UtcDateTime),
    Column("outcome", String(20)),
    CheckConstraint(
        "reason IN ('asked', 'turn_failed', 'misunderstood', 'complaint', 'report_problem', 'callback', 'abuse', "
        "'account', 'low_rating', 'anger', 'for_people', 'taken_over')",
        name="reason",
    ),
    CheckConstraint("state IN ('waiting', 'active', 'callback', 'closed')", name="state"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
    CheckConstraint("state <> 'active' OR agent_id IS NOT NULL", name="agent"),
    CheckConstraint("state <> 'waiting' OR waiting_since IS NOT NULL", name="waiting_since"),
    CheckConstraint("(offered_to IS NULL) = (offered_until IS NULL)", name="offer_whole"),
    CheckConstraint("offered_to IS NULL OR state = 'waiting'", name="offered_while_waiting"),
    # One open request a conversation: asking twice is asking once.
    Index(
        "uq_handoffs_open",
        "conversation_id",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index(
        "ix_handoffs_state",
        "state",
        "waiting_since",
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_handoffs_agent_id", "agent_id", "claimed_at"),
    Index("ix_handoffs_conversation_id", "conversation_id", "closed_at"),
    Index("ix_handoffs_claimed_at", "claimed_at"),
    Index("ix_handoffs_requested_at", "requested_at"),
)

# What agents write for each other; customers never see it.
desk_notes = Table(
    "desk_notes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("text", Text, nullable=False),
    # After which message it was written.
    Column("after_seq", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_desk_notes_conversation_id", "conversation_id"),
)

conversation_labels = Table(
    "conversation_labels",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("label", String(40), primary_key=True),
    Index("ix_conversation_labels_label", "label"),
)

# What agents often write, under a word that calls it up.
canned_replies = Table(
    "canned_replies",
    metadata,
    Column("shortcut", String(40), primary_key=True),
    Column("text", Text, nullable=False),
    Column("changed_by", String(32), nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("shortcut = lower(shortcut)", name="shortcut_lower_case"),
)

# How far a conversation has been read at the desk, by whoever read furthest.
desk_reads = Table(
    "desk_reads",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, nullable=False),
    CheckConstraint("seq >= 0", name="seq"),
)

# What the assistant misunderstood, with the right wish, as somebody at the desk says.
teaching_marks = Table(
    "teaching_marks",
    metadata,
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("understood", String(100)),
    Column("intent", String(100), nullable=False),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_teaching_marks_at", "at"),
)

# Questions to which the assistant should have an answer.
knowledge_drafts = Table(
    "knowledge_drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id")),
    Column("question", Text, nullable=False),
    Column("agent_id", ForeignKey("agents.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_knowledge_drafts_conversation_id", "conversation_id"),
    Index("ix_knowledge_drafts_at", "at"),
)
