"""Declarations of interests: what evaluators and their organisations say of their ties, every version as signed."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

KINDS = "kind IN ('employment', 'shares', 'service_contract', 'kinship', 'other')"


def upgrade() -> None:
    op.create_table(
        "interest_declaration",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("body_id", sa.Integer(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("signed_by", sa.String(length=60), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(account_id IS NULL) = (body_id IS NOT NULL)", name=op.f("ck_interest_declaration_person_or_body")
        ),
        sa.CheckConstraint("number > 0", name=op.f("ck_interest_declaration_number_positive")),
        sa.CheckConstraint("length(words) > 0", name=op.f("ck_interest_declaration_words_given")),
        sa.CheckConstraint("length(signed_by) > 0", name=op.f("ck_interest_declaration_signer_named")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_interest_declaration_cycle_id_cycle")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_interest_declaration_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["body_id"], ["evaluator_body.id"], name=op.f("fk_interest_declaration_body_id_evaluator_body")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_declaration")),
        sa.UniqueConstraint(
            "cycle_id", "account_id", "number", name=op.f("uq_interest_declaration_cycle_id_account_id_number")
        ),
        sa.UniqueConstraint(
            "cycle_id", "body_id", "number", name=op.f("uq_interest_declaration_cycle_id_body_id_number")
        ),
    )
    for column in ("account_id", "body_id"):
        op.create_index(op.f(f"ix_interest_declaration_{column}"), "interest_declaration", [column])
    op.create_table(
        "interest_tie",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("declaration_id", sa.Integer(), nullable=False),
        sa.Column("vendor_id", sa.Integer(), nullable=True),
        sa.Column("purchaser_id", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("of_body", sa.Boolean(), nullable=False),
        sa.Column("started_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.CheckConstraint(
            "(vendor_id IS NULL) = (purchaser_id IS NOT NULL)", name=op.f("ck_interest_tie_vendor_or_purchaser")
        ),
        sa.CheckConstraint("ended_on IS NULL OR ended_on >= started_on", name=op.f("ck_interest_tie_ends_after_start")),
        sa.CheckConstraint(KINDS, name=op.f("ck_interest_tie_kind_known")),
        sa.ForeignKeyConstraint(
            ["declaration_id"],
            ["interest_declaration.id"],
            name=op.f("fk_interest_tie_declaration_id_interest_declaration"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_interest_tie_vendor_id_vendor")),
        sa.ForeignKeyConstraint(
            ["purchaser_id"], ["purchaser.id"], name=op.f("fk_interest_tie_purchaser_id_purchaser")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_interest_tie")),
    )
    for column in ("declaration_id", "vendor_id", "purchaser_id"):
        op.create_index(op.f(f"ix_interest_tie_{column}"), "interest_tie", [column])


def downgrade() -> None:
    op.drop_table("interest_tie")
    op.drop_table("interest_declaration")
