"""Prices are entered as they were offered, and a plan fixes its reference beforehand; points follow from both.

Price points entered by hand for plans that are not decided yet go: no price follows from them. The sheets of decisions
keep theirs.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("selection_plan") as plan:
        plan.add_column(sa.Column("reference_fen", sa.BigInteger(), nullable=True))
        plan.create_check_constraint(op.f("ck_selection_plan_reference_above_zero"), "reference_fen > 0")
    with op.batch_alter_table("selection_candidate") as candidate:
        candidate.drop_constraint(op.f("ck_selection_candidate_price_in_range"), type_="check")
        candidate.drop_column("price")
        candidate.add_column(sa.Column("offer_fen", sa.BigInteger(), nullable=True))
        candidate.create_check_constraint(op.f("ck_selection_candidate_offer_above_zero"), "offer_fen > 0")


def downgrade() -> None:
    with op.batch_alter_table("selection_candidate") as candidate:
        candidate.drop_constraint(op.f("ck_selection_candidate_offer_above_zero"), type_="check")
        candidate.drop_column("offer_fen")
        candidate.add_column(sa.Column("price", sa.Double(), nullable=True))
        candidate.create_check_constraint(
            op.f("ck_selection_candidate_price_in_range"), "price IS NULL OR (price >= 0 AND price <= 100)"
        )
    with op.batch_alter_table("selection_plan") as plan:
        plan.drop_constraint(op.f("ck_selection_plan_reference_above_zero"), type_="check")
        plan.drop_column("reference_fen")
