"""How many answers of a contract showed signs of carelessness, while they still come in."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "early_check",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("signs", sa.JSON(), nullable=False),
        sa.CheckConstraint("answers >= 5", name=op.f("ck_early_check_enough_answers")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_early_check_entry_id_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_early_check")),
    )


def downgrade() -> None:
    op.drop_table("early_check")
