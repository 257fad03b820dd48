"""The desk: who works there, who is signed in, and what has become of each request for a person."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_KEPT = ("id", "conversation_id", "reason", "requested_at", "closed_at")


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=10), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("presence", sa.String(length=10), nullable=False),
        sa.Column("away_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("free_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("wrong_passwords", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("presence IN ('online', 'away')", name=op.f("ck_agents_presence")),
        sa.CheckConstraint("role IN ('agent', 'admin')", name=op.f("ck_agents_role")),
        sa.CheckConstraint("capacity BETWEEN 1 AND 50", name=op.f("ck_agents_capacity")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_agents_email_lower_case")),
        sa.CheckConstraint("wrong_passwords >= 0", name=op.f("ck_agents_wrong_passwords")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("email", name=op.f("uq_agents_email")),
    )
    op.create_table(
        "agent_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_agent_sessions_agent_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_agent_sessions")),
    )
    op.create_index("ix_agent_sessions_agent_id", "agent_sessions", ["agent_id"], unique=False)
    op.create_index("ix_agent_sessions_seen_at", "agent_sessions", ["seen_at"], unique=False)
    op.add_column("conversations", sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("language", sa.String(length=20), nullable=True))
    op.add_column("messages", sa.Column("client_id", sa.String(length=64), nullable=True))
    # In SQL, because SQLite takes a reference only together with its column.
    op.execute(
        "ALTER TABLE messages ADD COLUMN agent_id VARCHAR(32) CONSTRAINT fk_messages_agent_id REFERENCES agents (id)"
    )
    op.create_index(
        "uq_messages_client_id",
        "messages",
        ["conversation_id", "client_id"],
        unique=True,
        sqlite_where=sa.text("client_id IS NOT NULL"),
        postgresql_where=sa.text("client_id IS NOT NULL"),
    )
    op.create_index(
        "ix_conversations_resolved_at",
        "conversations",
        ["resolved_at", "id"],
        unique=False,
        sqlite_where=sa.text("resolved_at IS NOT NULL"),
        postgresql_where=sa.text("resolved_at IS NOT NULL"),
    )
    op.create_index("ix_messages_at", "messages", ["at", "conversation_id", "seq", "author"], unique=False)
    # With the author, so that reports need not read the messages themselves.
    op.drop_index("ix_messages_reply_to_seq", table_name="messages")
    op.create_index("ix_messages_reply_to_seq", "messages", ["conversation_id", "reply_to_seq", "author"], unique=False)
    op.create_index(
        "ix_messages_agent_id",
        "messages",
        ["at", "agent_id"],
        unique=False,
        sqlite_where=sa.text("agent_id IS NOT NULL"),
        postgresql_where=sa.text("agent_id IS NOT NULL"),
    )
    op.create_index("ix_conversation_events_kind_at", "conversation_events", ["kind", "at"], unique=False)
    requests = _take_out()
    op.create_table(
        "handoffs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), server_default="callback", nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("topic", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=20), nullable=True),
        sa.Column("agent_id", sa.String(length=32), nullable=True),
        sa.Column("wanted_agent_id", sa.String(length=32), nullable=True),
        sa.Column("wanted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offered_to", sa.String(length=32), nullable=True),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("passed_by", sa.JSON(), server_default="[]", nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_reply_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contact", sa.String(length=254), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proof_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.JSON(), server_default="{}", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_handoffs_closed")),
        sa.CheckConstraint("offered_to IS NULL OR state = 'waiting'", name=op.f("ck_handoffs_offered_while_waiting")),
        sa.CheckConstraint(
            "reason IN ('asked', 'turn_failed', 'misunderstood', 'complaint', 'report_problem', 'callback', 'abuse', 'account', 'low_rating', 'anger', 'for_people', 'taken_over')",
            name=op.f("ck_handoffs_reason"),
        ),
        sa.CheckConstraint("state <> 'active' OR agent_id IS NOT NULL", name=op.f("ck_handoffs_agent")),
        sa.CheckConstraint("state <> 'waiting' OR waiting_since IS NOT NULL", name=op.f("ck_handoffs_waiting_since")),
        sa.CheckConstraint("state IN ('waiting', 'active', 'callback', 'closed')", name=op.f("ck_handoffs_state")),
        sa.CheckConstraint("(offered_to IS NULL) = (offered_until IS NULL)", name=op.f("ck_handoffs_offer_whole")),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_handoffs_agent_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_handoffs_conversation_id")),
        sa.ForeignKeyConstraint(["offered_to"], ["agents.id"], name=op.f("fk_handoffs_offered_to")),
        sa.ForeignKeyConstraint(["wanted_agent_id"], ["agents.id"], name=op.f("fk_handoffs_wanted_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index("ix_handoffs_agent_id", "handoffs", ["agent_id", "claimed_at"], unique=False)
    op.create_index("ix_handoffs_claimed_at", "handoffs", ["claimed_at"], unique=False)
    op.create_index("ix_handoffs_requested_at", "handoffs", ["requested_at"], unique=False)
    op.create_index("ix_handoffs_conversation_id", "handoffs", ["conversation_id", "closed_at"], unique=False)
    op.create_index(
        "ix_handoffs_state",
        "handoffs",
        ["state", "waiting_since"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        "uq_handoffs_open",
        "handoffs",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "desk_notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("after_seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_desk_notes_agent_id")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_desk_notes_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_desk_notes")),
    )
    op.create_index("ix_desk_notes_conversation_id", "desk_notes", ["conversation_id"], unique=False)
    op.create_table(
        "conversation_labels",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_conversation_labels_conversation_id")
        ),
        sa.PrimaryKeyConstraint("conversation_id", "label", name=op.f("pk_conversation_labels")),
    )
    op.create_index("ix_conversation_labels_label", "conversation_labels", ["label"], unique=False)
    op.create_table(
        "canned_replies",
        sa.Column("shortcut", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("shortcut = lower(shortcut)", name=op.f("ck_canned_replies_shortcut_lower_case")),
        sa.PrimaryKeyConstraint("shortcut", name=op.f("pk_canned_replies")),
    )
    op.create_table(
        "desk_reads",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_desk_reads_seq")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_desk_reads_conversation_id")),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_desk_reads")),
    )
    op.create_table(
        "teaching_marks",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("understood", sa.String(length=100), nullable=True),
        sa.Column("intent", sa.String(length=100), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_teaching_marks_agent_id")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_teaching_marks_conversation_id")
        ),
        sa.PrimaryKeyConstraint("conversation_id", "seq", name=op.f("pk_teaching_marks")),
    )
    op.create_index("ix_teaching_marks_at", "teaching_marks", ["at"], unique=False)
    op.create_table(
        "knowledge_drafts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_knowledge_drafts_agent_id")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_knowledge_drafts_conversation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_knowledge_drafts")),
    )
    op.create_index("ix_knowledge_drafts_at", "knowledge_drafts", ["at"], unique=False)
    op.create_index("ix_knowledge_drafts_conversation_id", "knowledge_drafts", ["conversation_id"], unique=False)
    # Until now the shop was told by mail, and answered outside of the chat.
    _put_in([{**request, "state": "closed" if request["closed_at"] else "callback"} for request in requests])


def _take_out() -> list[dict[str, object]]:
    """All requests, without their table: SQLite cannot change a table's constraints."""
    columns: list[sa.ColumnClause[object]] = [sa.column(name) for name in _KEPT]
    rows = op.get_bind().execute(sa.select(*columns).select_from(sa.table("handoffs"))).mappings().all()
    op.drop_index("uq_handoffs_open", table_name="handoffs")
    op.drop_table("handoffs")
    return [dict(row) for row in rows]


def _put_in(rows: list[dict[str, object]]) -> None:
    if rows:
        op.bulk_insert(sa.table("handoffs", *(sa.column(name) for name in rows[0])), rows)


def downgrade() -> None:
    requests = _take_out()
    op.create_table(
        "handoffs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "reason IN ('asked', 'turn_failed', 'misunderstood', 'complaint', 'report_problem', 'callback', 'abuse', "
            "'account')",
            name=op.f("ck_handoffs_reason"),
        ),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_handoffs_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoffs")),
    )
    op.create_index(
        "uq_handoffs_open",
        "handoffs",
        ["conversation_id"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    new_reasons = ("low_rating", "anger", "for_people", "taken_over")
    _put_in([{**one, "reason": "asked" if one["reason"] in new_reasons else one["reason"]} for one in requests])
    for table in (
        "knowledge_drafts",
        "teaching_marks",
        "desk_reads",
        "canned_replies",
        "conversation_labels",
        "desk_notes",
    ):
        op.drop_table(table)
    op.drop_index("ix_conversation_events_kind_at", table_name="conversation_events")
    op.drop_index("ix_messages_agent_id", table_name="messages")
    op.drop_index("ix_messages_reply_to_seq", table_name="messages")
    op.create_index("ix_messages_reply_to_seq", "messages", ["conversation_id", "reply_to_seq"], unique=False)
    op.drop_index("ix_messages_at", table_name="messages")
    op.drop_index("ix_conversations_resolved_at", table_name="conversations")
    op.drop_index("uq_messages_client_id", table_name="messages")
    op.drop_column("messages", "agent_id")
    op.drop_column("messages", "client_id")
    op.drop_column("conversations", "language")
    op.drop_column("conversations", "blocked_at")
    op.drop_column("conversations", "resolved_at")
    op.drop_table("agent_sessions")
    op.drop_table("agents")
