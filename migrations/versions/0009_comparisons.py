"""What peers say of a score: shrunken values, rank sets and bands; and a run's analyses of the whole cycle."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = ("score", "edition_score")
COLUMNS = {
    "shrunk": sa.Double,
    "shrunk_sd": sa.Double,
    "rank_low": sa.Integer,
    "rank_high": sa.Integer,
    "band": sa.Integer,
}


def upgrade() -> None:
    op.add_column("run", sa.Column("analyses", sa.JSON(), server_default=sa.text("'{}'"), nullable=False))
    for table in TABLES:
        for name, kind in COLUMNS.items():
            op.add_column(table, sa.Column(name, kind(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        for name in COLUMNS:
            op.drop_column(table, name)
    op.drop_column("run", "analyses")
