"""Files and cards in messages, what visitors say before a chat, and links that connect accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_account_links_customer_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_account_links")),
    )
    op.create_index("ix_account_links_customer_id", "account_links", ["customer_id"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("conversation_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("size > 0", name=op.f("ck_attachments_size")),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_attachments_conversation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachments")),
    )
    op.create_index("ix_attachments_conversation_id", "attachments", ["conversation_id"], unique=False)
    op.create_index(
        "ix_attachments_created_at",
        "attachments",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("content IS NOT NULL"),
        postgresql_where=sa.text("content IS NOT NULL"),
    )
    op.add_column("conversations", sa.Column("visitor_details", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("conversations", sa.Column("signed_out_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("cards", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("messages", sa.Column("attachment", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("messages", sa.Column("helpful", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "helpful")
    op.drop_column("messages", "attachment")
    op.drop_column("messages", "cards")
    op.drop_column("conversations", "signed_out_at")
    op.drop_column("conversations", "visitor_details")
    op.drop_index(
        "ix_attachments_created_at",
        table_name="attachments",
        sqlite_where=sa.text("content IS NOT NULL"),
        postgresql_where=sa.text("content IS NOT NULL"),
    )
    op.drop_index("ix_attachments_conversation_id", table_name="attachments")
    op.drop_table("attachments")
    op.drop_index("ix_account_links_customer_id", table_name="account_links")
    op.drop_table("account_links")
