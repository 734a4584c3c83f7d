"""Which interviewer worked at which case, known by keyed hashes alone; draws of interviews to check again."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "interview",
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(mark) = 32", name=op.f("ck_interview_mark_length")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_interview_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_interview_account_id_account")),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_interview")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_interview_account_id"), "interview", ["account_id"], unique=False)
    op.create_index(op.f("ix_interview_cycle_id"), "interview", ["cycle_id"], unique=False)
    op.create_table(
        "recheck_draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=80), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("drawn_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("cases > 0", name=op.f("ck_recheck_draw_cases_positive")),
        sa.CheckConstraint("length(seed) > 0", name=op.f("ck_recheck_draw_seed_given")),
        sa.CheckConstraint("share >= 0.3 AND share <= 1", name=op.f("ck_recheck_draw_share_large_enough")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_recheck_draw_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recheck_draw")),
    )
    op.create_index(op.f("ix_recheck_draw_cycle_id"), "recheck_draw", ["cycle_id"], unique=False)
    op.create_table(
        "recheck",
        sa.Column("mark", sa.LargeBinary(length=32), nullable=False),
        sa.Column("draw_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(length=15), nullable=True),
        sa.Column("how", sa.String(length=10), nullable=True),
        sa.Column("with_whom", sa.String(length=10), nullable=True),
        sa.Column("lasted", sa.String(length=15), nullable=True),
        sa.Column("suggested", sa.String(length=10), nullable=True),
        sa.Column("checked_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("checked_by_id <> account_id", name=op.f("ck_recheck_checked_by_another")),
        sa.CheckConstraint("(result IS NULL) = (checked_by_id IS NULL)", name=op.f("ck_recheck_checked_by_whom")),
        sa.CheckConstraint("how IN ('in_person', 'telephone')", name=op.f("ck_recheck_how_known")),
        sa.CheckConstraint(
            "(coalesce(result, '') = 'confirmed') = (how IS NOT NULL)", name=op.f("ck_recheck_how_when_confirmed")
        ),
        sa.CheckConstraint(
            "lasted IN ('under_5', 'from_5_to_15', 'over_15', 'unknown')", name=op.f("ck_recheck_lasted_known")
        ),
        sa.CheckConstraint("(how IS NULL) = (lasted IS NULL)", name=op.f("ck_recheck_lasted_when_confirmed")),
        sa.CheckConstraint("length(mark) = 32", name=op.f("ck_recheck_mark_length")),
        sa.CheckConstraint(
            "result IN ('confirmed', 'not_confirmed', 'unreachable')", name=op.f("ck_recheck_result_known")
        ),
        sa.CheckConstraint("suggested IN ('no', 'yes', 'unknown')", name=op.f("ck_recheck_suggested_known")),
        sa.CheckConstraint("(how IS NULL) = (suggested IS NULL)", name=op.f("ck_recheck_suggested_when_confirmed")),
        sa.CheckConstraint("with_whom IN ('recipient', 'relative', 'other')", name=op.f("ck_recheck_with_whom_known")),
        sa.CheckConstraint("(how IS NULL) = (with_whom IS NULL)", name=op.f("ck_recheck_with_whom_when_confirmed")),
        sa.ForeignKeyConstraint(["draw_id"], ["recheck_draw.id"], name=op.f("fk_recheck_draw_id_recheck_draw")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_recheck_account_id_account")),
        sa.ForeignKeyConstraint(["checked_by_id"], ["account.id"], name=op.f("fk_recheck_checked_by_id_account")),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_recheck")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_recheck_account_id"), "recheck", ["account_id"], unique=False)
    op.create_index(op.f("ix_recheck_checked_by_id"), "recheck", ["checked_by_id"], unique=False)
    op.create_index(op.f("ix_recheck_draw_id"), "recheck", ["draw_id"], unique=False)


def downgrade() -> None:
    op.drop_table("recheck")
    op.drop_table("recheck_draw")
    op.drop_table("interview")
