"""Samples: the seed, what is drawn by it, and the number of the list under which a recipient is invited."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _make_seeds()
    _make_samples()
    _make_parts()
    with op.batch_alter_table("invitation") as invitation:
        invitation.add_column(sa.Column("number", sa.Integer(), nullable=True))
        invitation.create_check_constraint(
            op.f("ck_invitation_number_in_a_stratum"), "number IS NULL OR (number > 0 AND stratum_id IS NOT NULL)"
        )
        invitation.create_unique_constraint(op.f("uq_invitation_stratum_id_number"), ["stratum_id", "number"])


def _make_seeds() -> None:
    op.create_table(
        "sample_seed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("cycle_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=100), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fixed_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("length(seed) > 0", name=op.f("ck_sample_seed_seed_given")),
        sa.ForeignKeyConstraint(["cycle_id"], ["cycle.id"], name=op.f("fk_sample_seed_cycle_id_cycle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample_seed")),
    )
    op.create_index(op.f("ix_sample_seed_cycle_id"), "sample_seed", ["cycle_id"])


def _make_samples() -> None:
    op.create_table(
        "sample",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("seed_id", sa.Integer(), nullable=False),
        sa.Column("design", sa.String(length=12), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("size_is_percent", sa.Boolean(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("spare_percent", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("drawn_by", sa.String(length=120), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_because", sa.String(length=500), nullable=True),
        sa.CheckConstraint("design IN ('simple', 'proportional', 'equal')", name=op.f("ck_sample_design_known")),
        sa.CheckConstraint("size > 0", name=op.f("ck_sample_size_positive")),
        sa.CheckConstraint("least >= 0", name=op.f("ck_sample_least_not_negative")),
        sa.CheckConstraint("spare_percent BETWEEN 0 AND 100", name=op.f("ck_sample_spare_is_a_share")),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawn_because IS NULL)", name=op.f("ck_sample_withdrawn_with_a_reason")
        ),
        sa.CheckConstraint("length(withdrawn_because) > 0", name=op.f("ck_sample_reason_given")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_sample_entry_id_entry"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["seed_id"], ["sample_seed.id"], name=op.f("fk_sample_seed_id_sample_seed")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
    )
    op.create_index(op.f("ix_sample_entry_id"), "sample", ["entry_id"])
    in_force = sa.text("withdrawn_at IS NULL")
    op.create_index(
        "ix_sample_in_force", "sample", ["entry_id"], unique=True, sqlite_where=in_force, postgresql_where=in_force
    )


def _make_parts() -> None:
    op.create_table(
        "sample_part",
        sa.Column("sample_id", sa.Integer(), nullable=False),
        sa.Column("stratum_id", sa.Integer(), nullable=False),
        sa.Column("frame", sa.Integer(), nullable=False),
        sa.Column("drawn", sa.Integer(), nullable=False),
        sa.Column("spare", sa.Integer(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.CheckConstraint("drawn >= 0", name=op.f("ck_sample_part_drawn_not_negative")),
        sa.CheckConstraint("spare >= 0", name=op.f("ck_sample_part_spare_not_negative")),
        sa.CheckConstraint("drawn + spare <= frame", name=op.f("ck_sample_part_no_more_than_the_frame")),
        sa.CheckConstraint("released BETWEEN 0 AND spare", name=op.f("ck_sample_part_released_are_spare")),
        sa.ForeignKeyConstraint(
            ["sample_id"], ["sample.id"], name=op.f("fk_sample_part_sample_id_sample"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["stratum_id"], ["stratum.id"], name=op.f("fk_sample_part_stratum_id_stratum"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("sample_id", "stratum_id", name=op.f("pk_sample_part")),
    )
    op.create_index(op.f("ix_sample_part_stratum_id"), "sample_part", ["stratum_id"])


def downgrade() -> None:
    with op.batch_alter_table("invitation") as invitation:
        invitation.drop_constraint(op.f("uq_invitation_stratum_id_number"), type_="unique")
        invitation.drop_constraint(op.f("ck_invitation_number_in_a_stratum"), type_="check")
        invitation.drop_column("number")
    for table in ("sample_part", "sample", "sample_seed"):
        op.drop_table(table)
