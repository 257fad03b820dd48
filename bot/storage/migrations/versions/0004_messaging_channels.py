"""What is sent to messaging channels, and what came from them."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "channel_updates",
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("update_id", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("channel", "update_id", name=op.f("pk_channel_updates")),
    )
    op.create_index("ix_channel_updates_received_at", "channel_updates", ["received_at"], unique=False)
    op.create_table(
        "channel_deliveries",
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("news_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.String(length=500), nullable=True),
        sa.CheckConstraint("seq >= 0 AND parts >= 0 AND attempts >= 0", name=op.f("ck_channel_deliveries_progress")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_channel_deliveries_conversation_id")
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_channel_deliveries")),
    )
    op.create_index(
        "ix_channel_deliveries_next_attempt_at",
        "channel_deliveries",
        ["next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_table(
        "channel_buttons",
        sa.Column("token", sa.String(length=24), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name=op.f("fk_channel_buttons_conversation_id")
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_channel_buttons")),
        sa.UniqueConstraint(
            "conversation_id", "seq", "position", name=op.f("uq_channel_buttons_conversation_id_seq_position")
        ),
    )


def downgrade() -> None:
    op.drop_table("channel_buttons")
    op.drop_index(
        "ix_channel_deliveries_next_attempt_at",
        table_name="channel_deliveries",
        sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.drop_table("channel_deliveries")
    op.drop_index("ix_channel_updates_received_at", table_name="channel_updates")
    op.drop_table("channel_updates")
