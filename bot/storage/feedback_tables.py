"""The tables of what customers think: answers to surveys, reviews, themes, and what was done about them."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, String, Table, Text

from bot.storage.metadata import UtcDateTime, metadata

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(10), nullable=False),
    # What it is about, so that nobody is asked twice: csat:CONVERSATION:NUMBER, csat:order:TC-10001 …
    Column("key", String(200), nullable=False, unique=True),
    Column("customer_id", ForeignKey("customers.id")),
    Column("conversation_id", ForeignKey("conversations.id")),
    Column("order_number", String(32)),
    Column("asked_at", UtcDateTime),
    Column("answered_at", UtcDateTime),
    Column("declined_at", UtcDateTime),
    Column("score", Integer),
    Column("text", Text),
    # The follow-up with a person that a low score or a complaint led to.
    Column("request_number", ForeignKey("service_requests.number")),
    CheckConstraint("kind IN ('csat', 'nps', 'ces', 'review', 'complaint', 'comment')", name="kind"),
    CheckConstraint(
        "score IS NULL OR (kind IN ('csat', 'review') AND score BETWEEN 1 AND 5)"
        " OR (kind = 'nps' AND score BETWEEN 0 AND 10) OR (kind = 'ces' AND score BETWEEN 1 AND 7)",
        name="score",
    ),
    CheckConstraint("asked_at IS NOT NULL OR answered_at IS NOT NULL", name="asked_or_answered"),
    CheckConstraint("answered_at IS NULL OR score IS NOT NULL OR text IS NOT NULL", name="answer"),
    Index("ix_feedback_customer_id", "customer_id"),
    Index("ix_feedback_conversation_id", "conversation_id"),
    Index("ix_feedback_kind_answered_at", "kind", "answered_at"),
)

feedback_themes = Table(
    "feedback_themes",
    metadata,
    Column("feedback_id", ForeignKey("feedback.id"), primary_key=True),
    Column("theme", String(40), primary_key=True),
    # The words that speak for it, so that a person can see why.
    Column("because", String(200), nullable=False),
    Index("ix_feedback_themes_theme", "theme"),
)

# "You asked, we did": what was changed, and since when the ones who asked are told.
improvements = Table(
    "improvements",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("theme", String(40), nullable=False),
    Column("text", Text, nullable=False),
    Column("author", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("told", Integer, nullable=False),
    CheckConstraint("told >= 0", name="told"),
)
