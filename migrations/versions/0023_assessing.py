"""What an assessment holds beside its ratings: site visits, buying again, a second signature, the record's values.

`assessment` is not made anew: its triggers would be lost.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("assessment", sa.Column("buy_again", sa.Boolean(), nullable=True))
    with op.batch_alter_table("evidence") as evidence:
        evidence.add_column(sa.Column("kind", sa.String(length=12), nullable=False, server_default="general"))
        evidence.create_check_constraint(op.f("ck_evidence_kind_known"), "kind IN ('general', 'acceptance')")
    with op.batch_alter_table("evidence") as evidence:
        evidence.alter_column("kind", server_default=None)
    op.create_table(
        "site_visit",
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=True),
        sa.Column("place", sa.String(length=120), nullable=False),
        sa.Column("met", sa.String(length=120), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_site_visit_number_positive")),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_site_visit_assessment_id_assessment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("assessment_id", "number", name=op.f("pk_site_visit")),
    )
    op.create_table(
        "cosigning",
        sa.Column("assessment_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("declaration", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'signed', 'refused')", name=op.f("ck_cosigning_state_known")),
        sa.CheckConstraint("(state = 'asked') = (account_id IS NULL)", name=op.f("ck_cosigning_answered_by")),
        sa.CheckConstraint("(state = 'asked') = (answered_at IS NULL)", name=op.f("ck_cosigning_answered_when")),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name=op.f("ck_cosigning_refused_why")),
        sa.CheckConstraint("(state = 'signed') = (declaration IS NOT NULL)", name=op.f("ck_cosigning_signed_what")),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessment.id"],
            name=op.f("fk_cosigning_assessment_id_assessment"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_cosigning_account_id_account")),
        sa.PrimaryKeyConstraint("assessment_id", name=op.f("pk_cosigning")),
    )
    op.create_index(op.f("ix_cosigning_account_id"), "cosigning", ["account_id"], unique=False)
    op.create_table(
        "measured_value",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("criterion", sa.String(length=40), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("length(source) > 0", name=op.f("ck_measured_value_source_given")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_measured_value_entry_id_entry")),
        sa.PrimaryKeyConstraint("entry_id", "criterion", name=op.f("pk_measured_value")),
    )


def downgrade() -> None:
    for table in ("measured_value", "cosigning", "site_visit"):
        op.drop_table(table)
    with op.batch_alter_table("evidence") as evidence:
        evidence.drop_constraint(op.f("ck_evidence_kind_known"), type_="check")
        evidence.drop_column("kind")
    op.drop_column("assessment", "buy_again")
