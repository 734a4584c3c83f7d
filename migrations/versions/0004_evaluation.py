"""Runs of the scoring core and the scores they gave."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("code_version", sa.String(length=40), nullable=False),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("pooled", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("length(inputs_hash) = 64", name=op.f("ck_run_inputs_hash_length")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_run_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["rules_id"], ["rules_version.id"], name=op.f("fk_run_rules_id_rules_version")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
    )
    op.create_index(op.f("ix_run_cycle_id"), "run", ["cycle_id"], unique=False)
    op.create_table(
        "score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("peer_group", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("grade", sa.String(length=40), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("breakdown", sa.JSON(), nullable=False),
        sa.CheckConstraint("(status = 'withheld') = (score IS NULL)", name=op.f("ck_score_withheld_has_no_score")),
        sa.CheckConstraint("status IN ('rated', 'provisional', 'withheld')", name=op.f("ck_score_status_known")),
        sa.CheckConstraint("(score IS NULL) = (rank IS NULL)", name=op.f("ck_score_rank_with_score")),
        sa.CheckConstraint("score IS NULL OR (score >= 0 AND score <= 100)", name=op.f("ck_score_score_in_range")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_score_entry_id_entry")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_score_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_score")),
        sa.UniqueConstraint("run_id", "entry_id", name=op.f("uq_score_run_id_entry_id")),
    )
    op.create_index(op.f("ix_score_entry_id"), "score", ["entry_id"], unique=False)


def downgrade() -> None:
    op.drop_table("score")
    op.drop_table("run")
