"""Flags: signs that a rating was not given with care, and what a person decided about it.

A flag knows a response by its random key alone, so it links a recipient no more than the response itself does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "integrity_flag",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("response_key", sa.LargeBinary(length=16), nullable=True),
        sa.Column("assessment_id", sa.Integer(), nullable=True),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.Column("codes", sa.String(length=200), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=True),
        sa.CheckConstraint("state IN ('open', 'held', 'released')", name=op.f("ck_integrity_flag_state_known")),
        sa.CheckConstraint("(state = 'open') = (decided_at IS NULL)", name=op.f("ck_integrity_flag_decided_when")),
        sa.CheckConstraint("(state = 'open') = (decided_by IS NULL)", name=op.f("ck_integrity_flag_decided_by_whom")),
        sa.CheckConstraint("state = 'open' OR length(reason) > 0", name=op.f("ck_integrity_flag_reason_given")),
        sa.CheckConstraint(
            "response_key IS NULL OR assessment_id IS NULL", name=op.f("ck_integrity_flag_one_rating_at_most")
        ),
        sa.CheckConstraint(
            "state <> 'held' OR response_key IS NOT NULL OR assessment_id IS NOT NULL",
            name=op.f("ck_integrity_flag_only_a_rating_is_held"),
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_integrity_flag_assessment_id_assessment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_integrity_flag_entry_id_entry")),
        sa.ForeignKeyConstraint(
            ["response_key"],
            ["response.key"],
            name=op.f("fk_integrity_flag_response_key_response"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_integrity_flag")),
        sa.UniqueConstraint("assessment_id", name=op.f("uq_integrity_flag_assessment_id")),
        sa.UniqueConstraint("response_key", name=op.f("uq_integrity_flag_response_key")),
    )
    op.create_index(op.f("ix_integrity_flag_entry_id"), "integrity_flag", ["entry_id"], unique=False)


def downgrade() -> None:
    op.drop_table("integrity_flag")
