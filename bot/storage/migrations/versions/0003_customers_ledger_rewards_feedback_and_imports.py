"""What the shop knows about its customers: identities, consents, a ledger of points, rewards, feedback, imports."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_entries", "ledger_allocations", "stamps", "gift_card_entries", "consents", "audit_log")


def upgrade() -> None:
    # The tables and columns.
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index("ix_audit_log_customer_id", "audit_log", ["customer_id", "id"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index("ix_consents_address", "consents", ["address_hash", "channel", "purpose", "id"], unique=False)
    op.create_table(
        "import_marks",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("record_id", sa.String(length=32), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.CheckConstraint("kind IN ('customer', 'order', 'credit_note')", name=op.f("ck_import_marks_kind")),
        sa.PrimaryKeyConstraint("kind", "record_id", name=op.f("pk_import_marks")),
    )
    op.create_table(
        "import_runs",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("file_hash", sa.String(length=64), nullable=False),
        sa.Column("mapping_hash", sa.String(length=64), nullable=False),
        sa.Column("rows_done", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('customers', 'orders')", name=op.f("ck_import_runs_kind")),
        sa.CheckConstraint("rows_done >= 0", name=op.f("ck_import_runs_rows_done")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_runs")),
        sa.UniqueConstraint(
            "kind", "file_hash", "mapping_hash", name=op.f("uq_import_runs_kind_file_hash_mapping_hash")
        ),
    )
    op.create_table(
        "improvements",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("theme", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Integer(), nullable=False),
        sa.CheckConstraint("told >= 0", name=op.f("ck_improvements_told")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_improvements")),
    )
    op.create_table(
        "customer_addresses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_addresses_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_addresses")),
    )
    op.create_index("ix_customer_addresses_customer_id", "customer_addresses", ["customer_id"], unique=False)
    op.create_table(
        "customer_identities",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_identities_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_identities")),
        sa.UniqueConstraint("customer_id", "kind", "value", name=op.f("uq_customer_identities_customer_id_kind_value")),
    )
    op.create_index("ix_customer_identities_value", "customer_identities", ["kind", "value"], unique=False)
    op.create_index(
        "uq_customer_identities_verified",
        "customer_identities",
        ["kind", "value"],
        unique=True,
        sqlite_where=sa.text("verified_at IS NOT NULL"),
        postgresql_where=sa.text("verified_at IS NOT NULL"),
    )
    op.create_table(
        "customer_merges",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kept_id", sa.String(length=32), nullable=False),
        sa.Column("merged_id", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=False),
        sa.Column("snapshot", sa.JSON(), nullable=True),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'done', 'undone', 'dismissed')", name=op.f("ck_customer_merges_state")
        ),
        sa.CheckConstraint("kept_id <> merged_id", name=op.f("ck_customer_merges_two_customers")),
        sa.ForeignKeyConstraint(["kept_id"], ["customers.id"], name=op.f("fk_customer_merges_kept_id")),
        sa.ForeignKeyConstraint(["merged_id"], ["customers.id"], name=op.f("fk_customer_merges_merged_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_merges")),
    )
    op.create_index("ix_customer_merges_kept_id", "customer_merges", ["kept_id"], unique=False)
    op.create_index("ix_customer_merges_merged_id", "customer_merges", ["merged_id"], unique=False)
    op.create_index(
        "uq_customer_merges_done",
        "customer_merges",
        ["merged_id"],
        unique=True,
        sqlite_where=sa.text("state = 'done'"),
        postgresql_where=sa.text("state = 'done'"),
    )
    op.create_table(
        "customer_notes",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_notes_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_notes")),
    )
    op.create_index("ix_customer_notes_customer_id", "customer_notes", ["customer_id"], unique=False)
    op.create_table(
        "customer_tags",
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("tag", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("tag = lower(tag)", name=op.f("ck_customer_tags_tag_lower_case")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_customer_tags_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", "tag", name=op.f("pk_customer_tags")),
    )
    op.create_index("ix_customer_tags_tag", "customer_tags", ["tag"], unique=False)
    op.create_table(
        "gift_cards",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("last_characters", sa.String(length=4), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(currency) = 3", name=op.f("ck_gift_cards_currency")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_gift_cards_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_cards")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_gift_cards_code_hash")),
    )
    op.create_index("ix_gift_cards_customer_id", "gift_cards", ["customer_id"], unique=False)
    op.create_index(
        "ix_gift_cards_expires_at",
        "gift_cards",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "loyalty_accounts",
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("referral_code", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_loyalty_accounts_customer_id")),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_loyalty_accounts")),
        sa.UniqueConstraint("referral_code", name=op.f("uq_loyalty_accounts_referral_code")),
    )
    op.create_table(
        "credit_notes",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("order_number", sa.String(length=32), nullable=True),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number = upper(number)", name=op.f("ck_credit_notes_number_upper_case")),
        sa.CheckConstraint("total_minor >= 0", name=op.f("ck_credit_notes_total_minor")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_credit_notes_customer_id")),
        sa.ForeignKeyConstraint(["order_number"], ["orders.number"], name=op.f("fk_credit_notes_order_number")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_credit_notes")),
    )
    op.create_index("ix_credit_notes_customer_id", "credit_notes", ["customer_id"], unique=False)
    op.create_index("ix_credit_notes_order_number", "credit_notes", ["order_number"], unique=False)
    op.create_table(
        "gift_card_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("card_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind IN ('issue', 'top_up', 'refund') AND amount_minor > 0) OR (kind IN ('spend', 'expire') AND amount_minor < 0)",
            name=op.f("ck_gift_card_entries_kind_and_sign"),
        ),
        sa.ForeignKeyConstraint(["card_id"], ["gift_cards.id"], name=op.f("fk_gift_card_entries_card_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_card_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_gift_card_entries_key")),
    )
    op.create_index("ix_gift_card_entries_card_id", "gift_card_entries", ["card_id", "id"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(kind IN ('order', 'referral', 'birthday', 'feedback', 'surprise', 'goodwill', 'opening', 'restore') AND points > 0) OR (kind IN ('redeem', 'refund', 'expire', 'correction') AND points < 0) OR kind = 'transfer'",
            name=op.f("ck_ledger_entries_kind_and_sign"),
        ),
        sa.CheckConstraint(
            "(points > 0 AND kind <> 'restore') = (available_at IS NOT NULL)",
            name=op.f("ck_ledger_entries_available_at"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('restore', 'refund') OR reverses_id IS NOT NULL", name=op.f("ck_ledger_entries_reverses")
        ),
        sa.CheckConstraint("expires_at > available_at", name=op.f("ck_ledger_entries_expires_after_available")),
        sa.CheckConstraint("expires_at IS NULL OR available_at IS NOT NULL", name=op.f("ck_ledger_entries_expires_at")),
        sa.CheckConstraint("points <> 0", name=op.f("ck_ledger_entries_points")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["loyalty_accounts.customer_id"], name=op.f("fk_ledger_entries_customer_id")
        ),
        sa.ForeignKeyConstraint(["reverses_id"], ["ledger_entries.id"], name=op.f("fk_ledger_entries_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_ledger_entries_key")),
    )
    op.create_index("ix_ledger_entries_at", "ledger_entries", ["at"], unique=False)
    op.create_index("ix_ledger_entries_customer_id_at", "ledger_entries", ["customer_id", "at", "id"], unique=False)
    op.create_index("ix_ledger_entries_customer_id_id", "ledger_entries", ["customer_id", "id"], unique=False)
    op.create_index("ix_ledger_entries_reverses_id", "ledger_entries", ["reverses_id"], unique=False)
    op.create_table(
        "referrals",
        sa.Column("referee_id", sa.String(length=32), nullable=False),
        sa.Column("referrer_id", sa.String(length=32), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("order_number", sa.String(length=32), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rewarded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refused", sa.String(length=20), nullable=True),
        sa.CheckConstraint("(order_number IS NULL) = (due_at IS NULL)", name=op.f("ck_referrals_order_and_hold")),
        sa.CheckConstraint("referee_id <> referrer_id", name=op.f("ck_referrals_two_people")),
        sa.CheckConstraint("rewarded_at IS NULL OR refused IS NULL", name=op.f("ck_referrals_one_end")),
        sa.ForeignKeyConstraint(["order_number"], ["orders.number"], name=op.f("fk_referrals_order_number")),
        sa.ForeignKeyConstraint(["referee_id"], ["customers.id"], name=op.f("fk_referrals_referee_id")),
        sa.ForeignKeyConstraint(["referrer_id"], ["customers.id"], name=op.f("fk_referrals_referrer_id")),
        sa.PrimaryKeyConstraint("referee_id", name=op.f("pk_referrals")),
    )
    op.create_index(
        "ix_referrals_due_at",
        "referrals",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
    )
    op.create_index("ix_referrals_referrer_id", "referrals", ["referrer_id"], unique=False)
    op.create_table(
        "stamps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("card", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("stamps", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=True),
        sa.Column("reverses_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(kind IN ('stamp', 'opening', 'voided') AND stamps > 0) OR (kind IN ('completed', 'refund') AND stamps < 0) OR (kind = 'transfer' AND stamps <> 0)",
            name=op.f("ck_stamps_kind_and_sign"),
        ),
        sa.ForeignKeyConstraint(["customer_id"], ["loyalty_accounts.customer_id"], name=op.f("fk_stamps_customer_id")),
        sa.ForeignKeyConstraint(["reverses_id"], ["stamps.id"], name=op.f("fk_stamps_reverses_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stamps")),
        sa.UniqueConstraint("key", name=op.f("uq_stamps_key")),
    )
    op.create_index("ix_stamps_customer_id_card", "stamps", ["customer_id", "card", "id"], unique=False)
    op.create_index("ix_stamps_source", "stamps", ["source"], unique=False)
    op.create_index(
        "uq_stamps_reverses_id",
        "stamps",
        ["reverses_id"],
        unique=True,
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "credit_note_lines",
        sa.Column("credit_note_number", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price_minor", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_credit_note_lines_quantity")),
        sa.CheckConstraint("unit_price_minor >= 0", name=op.f("ck_credit_note_lines_unit_price_minor")),
        sa.ForeignKeyConstraint(
            ["credit_note_number"], ["credit_notes.number"], name=op.f("fk_credit_note_lines_credit_note_number")
        ),
        sa.PrimaryKeyConstraint("credit_note_number", "position", name=op.f("pk_credit_note_lines")),
    )
    op.create_table(
        "ledger_allocations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.CheckConstraint("points <> 0", name=op.f("ck_ledger_allocations_points")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entries.id"], name=op.f("fk_ledger_allocations_entry_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["ledger_entries.id"], name=op.f("fk_ledger_allocations_lot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_allocations")),
    )
    op.create_index("ix_ledger_allocations_entry_id", "ledger_allocations", ["entry_id"], unique=False)
    op.create_index("ix_ledger_allocations_lot_id", "ledger_allocations", ["lot_id"], unique=False)
    op.create_table(
        "ledger_notes",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entries.id"], name=op.f("fk_ledger_notes_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_notes")),
    )
    op.create_table(
        "ledger_open",
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("remaining", sa.Integer(), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("side IN ('lot', 'debt', 'restore')", name=op.f("ck_ledger_open_side")),
        sa.CheckConstraint("points > 0", name=op.f("ck_ledger_open_points")),
        sa.CheckConstraint("remaining BETWEEN 0 AND points", name=op.f("ck_ledger_open_remaining")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entries.id"], name=op.f("fk_ledger_open_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_ledger_open")),
    )
    op.create_index(
        "ix_ledger_open_customer_id",
        "ledger_open",
        ["customer_id", "side", "expires_at", "available_at", "remaining"],
        unique=False,
        sqlite_where=sa.text("remaining > 0"),
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_index(
        "ix_ledger_open_expires_at",
        "ledger_open",
        ["expires_at"],
        unique=False,
        sqlite_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "vouchers",
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.Column("minimum_minor", sa.BigInteger(), nullable=False),
        sa.Column("stackable", sa.Boolean(), nullable=False),
        sa.Column("use_limit", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("uses_per_customer", sa.Integer(), nullable=True),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("entry_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('reward', 'punch_card', 'birthday', 'referral', 'surprise', 'goodwill', 'coupon')",
            name=op.f("ck_vouchers_kind"),
        ),
        sa.CheckConstraint("code = upper(code)", name=op.f("ck_vouchers_code_upper_case")),
        sa.CheckConstraint("minimum_minor >= 0", name=op.f("ck_vouchers_minimum_minor")),
        sa.CheckConstraint("use_limit > 0", name=op.f("ck_vouchers_use_limit")),
        sa.CheckConstraint("uses BETWEEN 0 AND use_limit", name=op.f("ck_vouchers_uses")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_vouchers_customer_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["ledger_entries.id"], name=op.f("fk_vouchers_entry_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_vouchers_entry_id")),
        sa.UniqueConstraint("key", name=op.f("uq_vouchers_key")),
    )
    op.create_index("ix_vouchers_customer_id_created_at", "vouchers", ["customer_id", "created_at"], unique=False)
    op.create_table(
        "feedback",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("conversation_id", sa.String(length=32), nullable=True),
        sa.Column("order_number", sa.String(length=32), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("declined_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("request_number", sa.String(length=12), nullable=True),
        sa.CheckConstraint(
            "kind IN ('csat', 'nps', 'ces', 'review', 'complaint', 'comment')", name=op.f("ck_feedback_kind")
        ),
        sa.CheckConstraint(
            "score IS NULL OR (kind IN ('csat', 'review') AND score BETWEEN 1 AND 5) OR (kind = 'nps' AND score BETWEEN 0 AND 10) OR (kind = 'ces' AND score BETWEEN 1 AND 7)",
            name=op.f("ck_feedback_score"),
        ),
        sa.CheckConstraint(
            "answered_at IS NULL OR score IS NOT NULL OR text IS NOT NULL", name=op.f("ck_feedback_answer")
        ),
        sa.CheckConstraint(
            "asked_at IS NOT NULL OR answered_at IS NOT NULL", name=op.f("ck_feedback_asked_or_answered")
        ),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=op.f("fk_feedback_conversation_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_feedback_customer_id")),
        sa.ForeignKeyConstraint(
            ["request_number"], ["service_requests.number"], name=op.f("fk_feedback_request_number")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
        sa.UniqueConstraint("key", name=op.f("uq_feedback_key")),
    )
    op.create_index("ix_feedback_conversation_id", "feedback", ["conversation_id"], unique=False)
    op.create_index("ix_feedback_customer_id", "feedback", ["customer_id"], unique=False)
    op.create_index("ix_feedback_kind_answered_at", "feedback", ["kind", "answered_at"], unique=False)
    op.create_table(
        "voucher_uses",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=24), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("discount_minor", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'reserved') = (ended_at IS NULL)", name=op.f("ck_voucher_uses_ended_at")),
        sa.CheckConstraint(
            "(state = 'reserved') = (reserved_until IS NOT NULL)", name=op.f("ck_voucher_uses_reserved_until")
        ),
        sa.CheckConstraint("state IN ('reserved', 'redeemed', 'released')", name=op.f("ck_voucher_uses_state")),
        sa.CheckConstraint("discount_minor BETWEEN 0 AND total_minor", name=op.f("ck_voucher_uses_discount_minor")),
        sa.ForeignKeyConstraint(["code"], ["vouchers.code"], name=op.f("fk_voucher_uses_code")),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name=op.f("fk_voucher_uses_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_uses")),
        sa.UniqueConstraint("key", "code", name=op.f("uq_voucher_uses_key_code")),
    )
    op.create_index("ix_voucher_uses_code_customer_id", "voucher_uses", ["code", "customer_id"], unique=False)
    op.create_index("ix_voucher_uses_customer_id", "voucher_uses", ["customer_id"], unique=False)
    op.create_index(
        "ix_voucher_uses_reserved_until",
        "voucher_uses",
        ["reserved_until"],
        unique=False,
        sqlite_where=sa.text("reserved_until IS NOT NULL"),
        postgresql_where=sa.text("reserved_until IS NOT NULL"),
    )
    op.create_table(
        "feedback_themes",
        sa.Column("feedback_id", sa.String(length=32), nullable=False),
        sa.Column("theme", sa.String(length=40), nullable=False),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["feedback_id"], ["feedback.id"], name=op.f("fk_feedback_themes_feedback_id")),
        sa.PrimaryKeyConstraint("feedback_id", "theme", name=op.f("pk_feedback_themes")),
    )
    op.create_index("ix_feedback_themes_theme", "feedback_themes", ["theme"], unique=False)
    op.add_column("customers", sa.Column("preferred_name", sa.String(length=200), nullable=True))
    op.add_column("customers", sa.Column("language", sa.String(length=20), nullable=True))
    op.add_column("customers", sa.Column("birthday_set_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customers", sa.Column("source", sa.String(length=20), nullable=True))
    op.add_column("customers", sa.Column("merged_into_id", sa.String(length=32), nullable=True))
    op.add_column("customers", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_customers_birthday",
        "customers",
        ["birthday_month", "birthday_day"],
        unique=False,
        sqlite_where=sa.text("birthday_month IS NOT NULL"),
        postgresql_where=sa.text("birthday_month IS NOT NULL"),
    )
    op.create_index("ix_customers_postcode", "customers", ["postcode"], unique=False)
    op.add_column("messages", sa.Column("image", sa.JSON(), nullable=True))
    op.add_column("orders", sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("orders", sa.Column("discount_minor", sa.BigInteger(), nullable=True))
    op.add_column("orders", sa.Column("delivery_minor", sa.BigInteger(), nullable=True))
    op.create_index("ix_orders_delivered_at", "orders", ["delivered_at"], unique=False)
    op.add_column("refunds", sa.Column("external_id", sa.String(length=80), nullable=True))
    op.create_index("uq_refunds_external_id", "refunds", ["order_number", "external_id"], unique=True)
    op.create_index("ix_returns_customer_id", "returns", ["customer_id"], unique=False)
    op.create_index("ix_verification_codes_customer_id", "verification_codes", ["customer_id"], unique=False)
    # What only triggers can promise.
    if op.get_bind().dialect.name == "postgresql":
        _add_postgresql_triggers()
    else:
        _add_sqlite_triggers()
    _note_what_customers_are_known_by()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in _POSTGRESQL_FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    # The tables and columns, the other way round.
    op.drop_index("ix_verification_codes_customer_id", table_name="verification_codes")
    op.drop_index("ix_returns_customer_id", table_name="returns")
    op.drop_index("uq_refunds_external_id", table_name="refunds")
    op.drop_column("refunds", "external_id")
    op.drop_index("ix_orders_delivered_at", table_name="orders")
    op.drop_column("orders", "delivery_minor")
    op.drop_column("orders", "discount_minor")
    op.drop_column("orders", "paid_at")
    op.drop_column("messages", "image")
    op.drop_index("ix_customers_postcode", table_name="customers")
    op.drop_index(
        "ix_customers_birthday",
        table_name="customers",
        sqlite_where=sa.text("birthday_month IS NOT NULL"),
        postgresql_where=sa.text("birthday_month IS NOT NULL"),
    )
    op.drop_column("customers", "erased_at")
    op.drop_column("customers", "merged_into_id")
    op.drop_column("customers", "source")
    op.drop_column("customers", "birthday_set_at")
    op.drop_column("customers", "language")
    op.drop_column("customers", "preferred_name")
    op.drop_index("ix_feedback_themes_theme", table_name="feedback_themes")
    op.drop_table("feedback_themes")
    op.drop_index(
        "ix_voucher_uses_reserved_until",
        table_name="voucher_uses",
        sqlite_where=sa.text("reserved_until IS NOT NULL"),
        postgresql_where=sa.text("reserved_until IS NOT NULL"),
    )
    op.drop_index("ix_voucher_uses_customer_id", table_name="voucher_uses")
    op.drop_index("ix_voucher_uses_code_customer_id", table_name="voucher_uses")
    op.drop_table("voucher_uses")
    op.drop_index("ix_feedback_kind_answered_at", table_name="feedback")
    op.drop_index("ix_feedback_customer_id", table_name="feedback")
    op.drop_index("ix_feedback_conversation_id", table_name="feedback")
    op.drop_table("feedback")
    op.drop_index("ix_vouchers_customer_id_created_at", table_name="vouchers")
    op.drop_table("vouchers")
    op.drop_index(
        "ix_ledger_open_expires_at",
        table_name="ledger_open",
        sqlite_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
        postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
    )
    op.drop_index(
        "ix_ledger_open_customer_id",
        table_name="ledger_open",
        sqlite_where=sa.text("remaining > 0"),
        postgresql_where=sa.text("remaining > 0"),
    )
    op.drop_table("ledger_open")
    op.drop_table("ledger_notes")
    op.drop_index("ix_ledger_allocations_lot_id", table_name="ledger_allocations")
    op.drop_index("ix_ledger_allocations_entry_id", table_name="ledger_allocations")
    op.drop_table("ledger_allocations")
    op.drop_table("credit_note_lines")
    op.drop_index(
        "uq_stamps_reverses_id",
        table_name="stamps",
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.drop_index("ix_stamps_source", table_name="stamps")
    op.drop_index("ix_stamps_customer_id_card", table_name="stamps")
    op.drop_table("stamps")
    op.drop_index("ix_referrals_referrer_id", table_name="referrals")
    op.drop_index(
        "ix_referrals_due_at",
        table_name="referrals",
        sqlite_where=sa.text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL AND rewarded_at IS NULL AND refused IS NULL"),
    )
    op.drop_table("referrals")
    op.drop_index("ix_ledger_entries_reverses_id", table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_customer_id_id", table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_customer_id_at", table_name="ledger_entries")
    op.drop_index("ix_ledger_entries_at", table_name="ledger_entries")
    op.drop_table("ledger_entries")
    op.drop_index("ix_gift_card_entries_card_id", table_name="gift_card_entries")
    op.drop_table("gift_card_entries")
    op.drop_index("ix_credit_notes_order_number", table_name="credit_notes")
    op.drop_index("ix_credit_notes_customer_id", table_name="credit_notes")
    op.drop_table("credit_notes")
    op.drop_table("loyalty_accounts")
    op.drop_index(
        "ix_gift_cards_expires_at",
        table_name="gift_cards",
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.drop_index("ix_gift_cards_customer_id", table_name="gift_cards")
    op.drop_table("gift_cards")
    op.drop_index("ix_customer_tags_tag", table_name="customer_tags")
    op.drop_table("customer_tags")
    op.drop_index("ix_customer_notes_customer_id", table_name="customer_notes")
    op.drop_table("customer_notes")
    op.drop_index(
        "uq_customer_merges_done",
        table_name="customer_merges",
        sqlite_where=sa.text("state = 'done'"),
        postgresql_where=sa.text("state = 'done'"),
    )
    op.drop_index("ix_customer_merges_merged_id", table_name="customer_merges")
    op.drop_index("ix_customer_merges_kept_id", table_name="customer_merges")
    op.drop_table("customer_merges")
    op.drop_index(
        "uq_customer_identities_verified",
        table_name="customer_identities",
        sqlite_where=sa.text("verified_at IS NOT NULL"),
        postgresql_where=sa.text("verified_at IS NOT NULL"),
    )
    op.drop_index("ix_customer_identities_value", table_name="customer_identities")
    op.drop_table("customer_identities")
    op.drop_index("ix_customer_addresses_customer_id", table_name="customer_addresses")
    op.drop_table("customer_addresses")
    op.drop_table("improvements")
    op.drop_table("import_runs")
    op.drop_table("import_marks")
    op.drop_index("ix_consents_address", table_name="consents")
    op.drop_table("consents")
    op.drop_index("ix_audit_log_customer_id", table_name="audit_log")
    op.drop_table("audit_log")


# What came in counts as a lot, what went out as a debt until lots have paid for it.
_OPEN_ENTRY = """
    INSERT INTO ledger_open (entry_id, customer_id, side, points, remaining, available_at, expires_at)
    VALUES (
        NEW.id, NEW.customer_id,
        CASE WHEN NEW.kind = 'restore' THEN 'restore' WHEN NEW.points > 0 THEN 'lot' ELSE 'debt' END,
        ABS(NEW.points), ABS(NEW.points), NEW.available_at, NEW.expires_at
    );
"""
# One customer's lot pays for the same customer's debit; a restore gives back, and what takes an earning back may be paid
# by another lot later.
_FITTING = """
    SELECT COUNT(*) FROM ledger_open AS entry JOIN ledger_open AS lot ON lot.customer_id = entry.customer_id
    WHERE entry.entry_id = NEW.entry_id AND lot.entry_id = NEW.lot_id AND lot.side = 'lot'
    AND (
        (NEW.points > 0 AND entry.side = 'debt') OR (NEW.points < 0 AND entry.side = 'restore')
        OR (NEW.points < 0 AND EXISTS (
            SELECT 1 FROM ledger_entries WHERE id = NEW.entry_id AND kind IN ('refund', 'transfer') AND points < 0
        ))
    )
"""
# Points are spent while they are there to be spent, to the instant.
_UNTIMELY = """
    SELECT COUNT(*) FROM ledger_entries AS entry JOIN ledger_open AS lot ON lot.entry_id = NEW.lot_id
    WHERE entry.id = NEW.entry_id AND entry.kind = 'redeem'
    AND (lot.available_at > entry.at OR lot.expires_at <= entry.at)
"""
_ALLOCATE = """
    UPDATE ledger_open SET remaining = remaining - CASE WHEN side = 'restore' THEN -NEW.points ELSE NEW.points END
    WHERE entry_id = NEW.entry_id;
    UPDATE ledger_open SET remaining = remaining - NEW.points WHERE entry_id = NEW.lot_id;
"""
_CARD_BALANCE = "SELECT COALESCE(SUM(amount_minor), 0) FROM gift_card_entries WHERE card_id = NEW.card_id"

_POSTGRESQL_FUNCTIONS = {
    "kasuki_refuse_change": "RAISE EXCEPTION '% is append-only: nothing in it is changed or deleted', TG_TABLE_NAME;",
    "kasuki_refuse_by_hand": """
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'ledger_open follows from the ledger: nobody else writes it';
        END IF;
        RETURN COALESCE(NEW, OLD);
    """,
    "kasuki_open_entry": f"{_OPEN_ENTRY} RETURN NULL;",
    "kasuki_allocate": f"""
        IF ({_FITTING}) <> 1 THEN
            RAISE EXCEPTION 'points of one lot pay for one debit of the same customer';
        END IF;
        IF ({_UNTIMELY}) > 0 THEN
            RAISE EXCEPTION 'points that are not there yet, or expired, cannot be spent';
        END IF;
        {_ALLOCATE}
        RETURN NULL;
    """,
    "kasuki_card_balance": f"""
        PERFORM 1 FROM gift_cards WHERE id = NEW.card_id FOR UPDATE;
        IF ({_CARD_BALANCE}) + NEW.amount_minor < 0 THEN
            RAISE EXCEPTION 'a gift card pays for no more than is on it';
        END IF;
        RETURN NEW;
    """,
}


def _note_what_customers_are_known_by() -> None:
    """Identities of the customers there are: the shop vouches for its numbers, and for addresses that one of them has.

    Telephones follow when a customer is saved next: their normal form is not SQL's to find.
    """
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    new_id = "replace(gen_random_uuid()::text, '-', '')" if is_postgresql else "lower(hex(randomblob(16)))"
    customers = sa.table("customers", *map(sa.column, ("id", "external_id", "email", "address", "created_at")))
    c, other = customers.c, customers.alias("other").c
    nobody_elses = ~sa.select(other.id).where(other.email == c.email, other.id != c.id).exists()
    for kind, value, proven in (("shop", c.external_id, sa.true()), ("email", c.email, nobody_elses)):
        verified_at = sa.case((proven, c.created_at))
        rows = (sa.text(new_id), c.id, sa.literal(kind), value, verified_at, sa.literal("shop"), c.created_at)
        _fill("customer_identities", _IDENTITY_COLUMNS, sa.select(*rows).where(value.is_not(None)))
    used = (sa.text(new_id), c.id, c.address, c.created_at)
    _fill("customer_addresses", _ADDRESS_COLUMNS, sa.select(*used).where(c.address.is_not(None)))


_IDENTITY_COLUMNS = ("id", "customer_id", "kind", "value", "verified_at", "source", "created_at")
_ADDRESS_COLUMNS = ("id", "customer_id", "address", "used_at")


def _fill(table: str, columns: tuple[str, ...], rows: sa.sql.Select[Any]) -> None:
    op.execute(sa.table(table, *map(sa.column, columns)).insert().from_select(list(columns), rows))


def _add_postgresql_triggers() -> None:
    for name, body in _POSTGRESQL_FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN {body} END $body$")
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION kasuki_refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION kasuki_refuse_change()"
        )
    op.execute(
        "CREATE TRIGGER ledger_open_by_hand BEFORE INSERT OR UPDATE OR DELETE ON ledger_open "
        "FOR EACH ROW EXECUTE FUNCTION kasuki_refuse_by_hand()"
    )
    for table, moment, function in (
        ("ledger_entries", "AFTER", "kasuki_open_entry"),
        ("ledger_allocations", "AFTER", "kasuki_allocate"),
        ("gift_card_entries", "BEFORE", "kasuki_card_balance"),
    ):
        op.execute(f"CREATE TRIGGER {function} {moment} INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()")


def _add_sqlite_triggers() -> None:
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} BEGIN "
                f"SELECT RAISE(ABORT, '{table} is append-only: nothing in it is changed or deleted'); END"
            )
    op.execute(f"CREATE TRIGGER kasuki_open_entry AFTER INSERT ON ledger_entries BEGIN {_OPEN_ENTRY} END")
    op.execute(
        f"""
        CREATE TRIGGER kasuki_allocate AFTER INSERT ON ledger_allocations BEGIN
            SELECT RAISE(ABORT, 'points of one lot pay for one debit of the same customer') WHERE ({_FITTING}) <> 1;
            SELECT RAISE(ABORT, 'points that are not there yet, or expired, cannot be spent') WHERE ({_UNTIMELY}) > 0;
            {_ALLOCATE}
        END
        """
    )
    op.execute(
        f"""
        CREATE TRIGGER kasuki_card_balance BEFORE INSERT ON gift_card_entries BEGIN
            SELECT RAISE(ABORT, 'a gift card pays for no more than is on it')
            WHERE ({_CARD_BALANCE}) + NEW.amount_minor < 0;
        END
        """
    )
