"""Forms on paper: which were printed, and batches in which they are keyed; an invitation may be answered on paper."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

BEFORE = "outcome IN ('refused', 'unreachable', 'moved', 'died')"
SINCE = "outcome IN ('refused', 'unreachable', 'moved', 'died', 'paper')"


def upgrade() -> None:
    _outcomes(SINCE)
    op.create_table(
        "paper_form",
        sa.Column("serial_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("stratum_id", sa.Integer(), nullable=False),
        sa.Column("released", sa.Boolean(), nullable=False),
        sa.CheckConstraint("length(serial_hmac) = 32", name=op.f("ck_paper_form_serial_length")),
        sa.ForeignKeyConstraint(["stratum_id"], ["stratum.id"], name=op.f("fk_paper_form_stratum_id_stratum")),
        sa.PrimaryKeyConstraint("serial_hmac", name=op.f("pk_paper_form")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_paper_form_stratum_id"), "paper_form", ["stratum_id"])
    op.create_table(
        "paper_batch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=120), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(length=120), nullable=True),
        sa.Column("forms", sa.Integer(), nullable=False),
        sa.Column("twice", sa.Integer(), nullable=False),
        sa.Column("compared", sa.Integer(), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('keying', 'checking', 'released')", name=op.f("ck_paper_batch_state_known")),
        sa.CheckConstraint("share >= 0.1 AND share <= 1", name=op.f("ck_paper_batch_share_of_some")),
        sa.CheckConstraint(
            "(state = 'released') = (released_at IS NOT NULL)", name=op.f("ck_paper_batch_released_when")
        ),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)", name=op.f("ck_paper_batch_released_by_whom")
        ),
        sa.CheckConstraint("twice <= forms AND differing <= compared", name=op.f("ck_paper_batch_parts_of_wholes")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_paper_batch_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_paper_batch_region_id_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_paper_batch")),
    )
    op.create_index(op.f("ix_paper_batch_cycle_id"), "paper_batch", ["cycle_id"])
    op.create_index(op.f("ix_paper_batch_region_id"), "paper_batch", ["region_id"])
    op.create_table(
        "paper_sheet",
        sa.Column("serial_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("twice", sa.Boolean(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_paper_sheet_number_positive")),
        sa.ForeignKeyConstraint(
            ["serial_hmac"], ["paper_form.serial_hmac"], name=op.f("fk_paper_sheet_serial_hmac_paper_form")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["paper_batch.id"], name=op.f("fk_paper_sheet_batch_id_paper_batch"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("serial_hmac", name=op.f("pk_paper_sheet")),
        sa.UniqueConstraint("batch_id", "number", name=op.f("uq_paper_sheet_batch_id_number")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "paper_keying",
        sa.Column("serial_hmac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("turn", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.CheckConstraint("turn IN (1, 2, 3)", name=op.f("ck_paper_keying_turn_known")),
        sa.ForeignKeyConstraint(
            ["serial_hmac"],
            ["paper_sheet.serial_hmac"],
            name=op.f("fk_paper_keying_serial_hmac_paper_sheet"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_paper_keying_account_id_account")),
        sa.PrimaryKeyConstraint("serial_hmac", "turn", name=op.f("pk_paper_keying")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_paper_keying_account_id"), "paper_keying", ["account_id"])


def downgrade() -> None:
    for table in ("paper_keying", "paper_sheet", "paper_batch", "paper_form"):
        op.drop_table(table)
    op.execute("UPDATE invitation SET outcome = NULL WHERE outcome = 'paper'")
    _outcomes(BEFORE)


def _outcomes(condition: str) -> None:
    with op.batch_alter_table("invitation") as invitation:
        invitation.drop_constraint(op.f("ck_invitation_outcome_known"), type_="check")
        invitation.create_check_constraint(op.f("ck_invitation_outcome_known"), condition)
