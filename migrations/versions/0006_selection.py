"""Plans for next year's lots, their candidates and the decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "selection_plan",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("purchaser_id", sa.Integer(), nullable=False),
        sa.Column("service_type", sa.String(length=40), nullable=False),
        sa.Column("use", sa.String(length=40), nullable=False),
        sa.Column("rules_id", sa.Integer(), nullable=False),
        sa.Column("weight_technical", sa.Double(), nullable=False),
        sa.Column("weight_price", sa.Double(), nullable=False),
        sa.Column("weight_past", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "abs(weight_technical + weight_price + weight_past - 1) < 0.000001",
            name=op.f("ck_selection_plan_weights_sum_to_one"),
        ),
        sa.CheckConstraint(
            "weight_technical >= 0 AND weight_price >= 0 AND weight_past >= 0",
            name=op.f("ck_selection_plan_weights_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["purchaser_id"], ["purchaser.id"], name=op.f("fk_selection_plan_purchaser_id_purchaser")
        ),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_selection_plan_region_id_region")),
        sa.ForeignKeyConstraint(
            ["rules_id"], ["rules_version.id"], name=op.f("fk_selection_plan_rules_id_rules_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_plan")),
    )
    op.create_index(op.f("ix_selection_plan_region_id"), "selection_plan", ["region_id"], unique=False)
    op.create_table(
        "selection_candidate",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("technical", sa.Double(), nullable=True),
        sa.Column("price", sa.Double(), nullable=True),
        sa.CheckConstraint(
            "price IS NULL OR (price >= 0 AND price <= 100)", name=op.f("ck_selection_candidate_price_in_range")
        ),
        sa.CheckConstraint(
            "technical IS NULL OR (technical >= 0 AND technical <= 100)",
            name=op.f("ck_selection_candidate_technical_in_range"),
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["selection_plan.id"], name=op.f("fk_selection_candidate_plan_id_selection_plan")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_selection_candidate_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_candidate")),
        sa.UniqueConstraint("plan_id", "vendor_id", name=op.f("uq_selection_candidate_plan_id_vendor_id")),
    )
    op.create_index(op.f("ix_selection_candidate_vendor_id"), "selection_candidate", ["vendor_id"], unique=False)
    op.create_table(
        "selection_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("sheet", sa.JSON(), nullable=False),
        sa.CheckConstraint("length(ground) >= 10", name=op.f("ck_selection_decision_ground_given")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["selection_plan.id"], name=op.f("fk_selection_decision_plan_id_selection_plan")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_selection_decision_vendor_id_vendor")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selection_decision")),
        sa.UniqueConstraint("plan_id", name=op.f("uq_selection_decision_plan_id")),
    )


def downgrade() -> None:
    op.drop_table("selection_decision")
    op.drop_table("selection_candidate")
    op.drop_table("selection_plan")
