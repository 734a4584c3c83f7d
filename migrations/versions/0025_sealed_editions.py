"""The seal of each edition, the keys that editions are signed with, and the chain of the audit trail."""

import sqlalchemy as sa
from alembic import op

from evalsys.base.db import not_permanent, permanent

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEPT: dict[str, tuple[str, ...]] = {
    "audit_link": (),
    "edition_record": ("edition_id", "statement", "signatures", "hash", "root", "leaves"),
    "public_key": ("fingerprint", "key", "made_at"),
}


def upgrade() -> None:
    op.create_table(
        "audit_link",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_audit_link_hash_length")),
        sa.CheckConstraint("number > 0", name=op.f("ck_audit_link_number_from_one")),
        sa.ForeignKeyConstraint(["entry_id"], ["audit_entry.id"], name=op.f("fk_audit_link_entry_id_audit_entry")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_link")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_audit_link_entry_id")),
    )
    op.create_table(
        "edition_record",
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signatures", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("leaves", sa.Integer(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("length(hash) = 64", name=op.f("ck_edition_record_hash_length")),
        sa.CheckConstraint("length(root) = 64", name=op.f("ck_edition_record_root_length")),
        sa.CheckConstraint("leaves >= 0", name=op.f("ck_edition_record_leaves_not_negative")),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_record_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", name=op.f("pk_edition_record")),
        sa.UniqueConstraint("hash", name=op.f("uq_edition_record_hash")),
    )
    op.create_table(
        "public_key",
        sa.Column("fingerprint", sa.String(length=19), nullable=False),
        sa.Column("key", sa.String(length=44), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("length(key) = 44", name=op.f("ck_public_key_key_length")),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_public_key")),
        sa.UniqueConstraint("key", name=op.f("uq_public_key_key")),
    )
    for table, columns in KEPT.items():
        for statement in permanent(table, op.get_context().dialect.name, columns=columns):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(KEPT):
        for statement in not_permanent(table, op.get_context().dialect.name):
            op.execute(statement)
        op.drop_table(table)
