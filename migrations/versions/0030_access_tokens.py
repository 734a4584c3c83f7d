"""Access tokens, with which programs read in somebody's name."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("region_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_on", sa.Date(), nullable=True),
        sa.CheckConstraint("length(token_hash) = 64", name=op.f("ck_access_token_token_hash_length")),
        sa.CheckConstraint("length(name) > 0", name=op.f("ck_access_token_name_given")),
        sa.CheckConstraint("length(scopes) > 0", name=op.f("ck_access_token_scope_given")),
        sa.CheckConstraint("expires_at > created_at", name=op.f("ck_access_token_expires_after_creation")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_access_token_account_id_account")),
        sa.ForeignKeyConstraint(["region_id"], ["region.id"], name=op.f("fk_access_token_region_id_region")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_access_token_token_hash")),
    )
    op.create_index(op.f("ix_access_token_account_id"), "access_token", ["account_id"])


def downgrade() -> None:
    op.drop_table("access_token")
