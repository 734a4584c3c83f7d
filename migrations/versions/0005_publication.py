"""Editions: what was published, word for word."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.CheckConstraint("number = 1 OR length(reason) > 0", name=op.f("ck_edition_correction_has_reason")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_edition_number_from_one")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_edition_cycle_id_cycle")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_edition_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition")),
        sa.UniqueConstraint("cycle_id", "number", name=op.f("uq_edition_cycle_id_number")),
        sa.UniqueConstraint("run_id", name=op.f("uq_edition_run_id")),
    )
    op.create_table(
        "edition_score",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("contract_reference", sa.String(length=40), nullable=False),
        sa.Column("contract_title", sa.String(length=200), nullable=False),
        sa.Column("vendor_credit_code", sa.String(length=18), nullable=False),
        sa.Column("vendor_name", sa.String(length=120), nullable=False),
        sa.Column("purchaser_name", sa.String(length=120), nullable=False),
        sa.Column("region_path", sa.String(length=60), nullable=False),
        sa.Column("region_name", sa.String(length=60), nullable=False),
        sa.Column("service_type", sa.String(length=40), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("recipients_served", sa.Integer(), nullable=False),
        sa.Column("peer_group", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("score", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("grade", sa.String(length=40), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("breakdown", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_score_edition_id_edition")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_edition_score")),
        sa.UniqueConstraint(
            "edition_id", "contract_reference", name=op.f("uq_edition_score_edition_id_contract_reference")
        ),
    )
    op.create_index(op.f("ix_edition_score_contract_reference"), "edition_score", ["contract_reference"], unique=False)
    op.create_index(op.f("ix_edition_score_vendor_credit_code"), "edition_score", ["vendor_credit_code"], unique=False)


def downgrade() -> None:
    op.drop_table("edition_score")
    op.drop_table("edition")
