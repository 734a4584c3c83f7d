"""The words that a rater signed at submission; assessments from before, and from files, were signed by no words."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assessment", sa.Column("declaration", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("assessment", "declaration")  # no new table: its triggers would be lost
