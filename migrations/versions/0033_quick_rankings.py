"""Choices of a ranking and the contracts of its vendors found by index, for the lines themselves are long."""

from alembic import op

revision = "0033"
down_revision = "0030"
branch_labels = None
depends_on = None

CHOICES = ("edition_id", "peer_group", "service_type", "region_path", "grade", "recipients_served", "rank", "score")


def upgrade() -> None:
    op.create_index("ix_edition_score_choices", "edition_score", list(CHOICES))
    op.create_index("ix_edition_score_vendors", "edition_score", ["edition_id", "vendor_credit_code"])


def downgrade() -> None:
    op.drop_index("ix_edition_score_vendors", "edition_score")
    op.drop_index("ix_edition_score_choices", "edition_score")
