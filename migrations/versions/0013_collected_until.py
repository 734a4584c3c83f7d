"""A cycle keeps when collecting ended, for the forms that are still open then. Of cycles past it nobody knows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("cycle") as cycle:
        cycle.add_column(sa.Column("collected_until", sa.DateTime(timezone=True), nullable=True))
        cycle.create_check_constraint(
            op.f("ck_cycle_collected_when_over"), "collected_until IS NULL OR state NOT IN ('draft', 'collecting')"
        )


def downgrade() -> None:
    with op.batch_alter_table("cycle") as cycle:
        cycle.drop_constraint(op.f("ck_cycle_collected_when_over"), type_="check")
        cycle.drop_column("collected_until")
