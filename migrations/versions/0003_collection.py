"""Invitations, anonymous responses, receipts, and the assessments of named raters.

No column links a response or a receipt's leaf to an invitation; on SQLite both are kept WITHOUT ROWID.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ratings_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_ratings_import_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings_import")),
        sa.UniqueConstraint("cycle_id", "hash", name=op.f("uq_ratings_import_cycle_id_hash")),
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("stratum_id", sa.Integer(), nullable=True),
        sa.Column("roster_member_id", sa.Integer(), nullable=True),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_invitation_entry_id_entry")),
        sa.ForeignKeyConstraint(
            ["roster_member_id"],
            ["roster_member.id"],
            name=op.f("fk_invitation_roster_member_id_roster_member"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(["stratum_id"], ["stratum.id"], name=op.f("fk_invitation_stratum_id_stratum")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("code_hmac", name=op.f("uq_invitation_code_hmac")),
        sa.UniqueConstraint("roster_member_id", name=op.f("uq_invitation_roster_member_id")),
    )
    op.create_index(op.f("ix_invitation_entry_id"), "invitation", ["entry_id"], unique=False)
    op.create_index(op.f("ix_invitation_stratum_id"), "invitation", ["stratum_id"], unique=False)
    op.create_table(
        "response",
        sa.Column("key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("stratum_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("time_band", sa.String(length=15), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("mode IN ('self', 'assisted', 'telephone', 'paper')", name=op.f("ck_response_mode_known")),
        sa.CheckConstraint(
            "time_band IN ('under_20', 'from_20_to_60', 'over_60', 'unknown')", name=op.f("ck_response_time_band_known")
        ),
        sa.CheckConstraint("length(key) = 16", name=op.f("ck_response_key_length")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_response_entry_id_entry")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["ratings_import.id"], name=op.f("fk_response_import_id_ratings_import")
        ),
        sa.ForeignKeyConstraint(["stratum_id"], ["stratum.id"], name=op.f("fk_response_stratum_id_stratum")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_response")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_response_entry_id_stratum_id_mode", "response", ["entry_id", "stratum_id", "mode"], unique=False
    )
    op.create_index(op.f("ix_response_import_id"), "response", ["import_id"], unique=False)
    op.create_table(
        "response_rating",
        sa.Column("response_key", sa.LargeBinary(length=16), nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["response_key"],
            ["response.key"],
            name=op.f("fk_response_rating_response_key_response"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("response_key", "criterion", name=op.f("pk_response_rating")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "receipt_leaf",
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(leaf) = 32", name=op.f("ck_receipt_leaf_leaf_length")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_receipt_leaf_entry_id_entry")),
        sa.PrimaryKeyConstraint("leaf", name=op.f("pk_receipt_leaf")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_receipt_leaf_entry_id"), "receipt_leaf", ["entry_id"], unique=False)
    op.create_table(
        "response_day",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("count > 0", name=op.f("ck_response_day_count_positive")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_response_day_entry_id_entry")),
        sa.PrimaryKeyConstraint("entry_id", "day", name=op.f("pk_response_day")),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assignment_account_id_account")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_assignment_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("entry_id", "account_id", name=op.f("uq_assignment_entry_id_account_id")),
    )
    op.create_index(op.f("ix_assignment_account_id"), "assignment", ["account_id"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("import_id", sa.Integer(), nullable=True),
        sa.Column("rater_label", sa.String(length=60), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(state = 'submitted') = (submitted_at IS NOT NULL)", name=op.f("ck_assessment_submitted_when")
        ),
        sa.CheckConstraint("state IN ('draft', 'submitted')", name=op.f("ck_assessment_state_known")),
        sa.CheckConstraint(
            "(account_id IS NULL) = (import_id IS NOT NULL)", name=op.f("ck_assessment_account_or_import")
        ),
        sa.CheckConstraint("(import_id IS NULL) = (rater_label IS NULL)", name=op.f("ck_assessment_label_with_import")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_assessment_account_id_account")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_assessment_entry_id_entry")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["ratings_import.id"], name=op.f("fk_assessment_import_id_ratings_import")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("entry_id", "party", "account_id", name=op.f("uq_assessment_entry_id_party_account_id")),
        sa.UniqueConstraint(
            "entry_id",
            "party",
            "import_id",
            "rater_label",
            name=op.f("uq_assessment_entry_id_party_import_id_rater_label"),
        ),
    )
    op.create_index(op.f("ix_assessment_account_id"), "assessment", ["account_id"], unique=False)
    op.create_index(op.f("ix_assessment_entry_id"), "assessment", ["entry_id"], unique=False)
    op.create_index(op.f("ix_assessment_import_id"), "assessment", ["import_id"], unique=False)
    op.create_table(
        "assessment_rating",
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("not_applicable", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "NOT (not_applicable AND value IS NOT NULL)", name=op.f("ck_assessment_rating_value_or_not_applicable")
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_assessment_rating_assessment_id_assessment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assessment_id", "criterion", name=op.f("pk_assessment_rating")),
    )


def downgrade() -> None:
    op.drop_table("assessment_rating")
    op.drop_table("assessment")
    op.drop_table("assignment")
    op.drop_table("response_day")
    op.drop_table("receipt_leaf")
    op.drop_table("response_rating")
    op.drop_table("response")
    op.drop_table("invitation")
    op.drop_table("ratings_import")
