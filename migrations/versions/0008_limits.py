"""Counters of tries, so that several servers in front of one database slow a guesser together."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "try_count",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(key) = 32", name=op.f("ck_try_count_key_length")),
        sa.CheckConstraint("count > 0", name=op.f("ck_try_count_count_positive")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_try_count")),
    )
    op.create_index(op.f("ix_try_count_ends_at"), "try_count", ["ends_at"], unique=False)


def downgrade() -> None:
    op.drop_table("try_count")
