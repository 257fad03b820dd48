"""The tables of the desk: who works there, and who is signed in."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

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
    Column("must_change_password", Boolean, nullable=False),
    Column("wrong_passwords", Integer, nullable=False),
    Column("locked_until", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("email = lower(email)", name="email_lower_case"),
    CheckConstraint("role IN ('agent', 'admin')", name="role"),
    CheckConstraint("presence IN ('online', 'away')", name="presence"),
    CheckConstraint("wrong_passwords >= 0", name="wrong_passwords"),
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
