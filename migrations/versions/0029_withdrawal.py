"""Editions that a court or a superior ordered to take back; a bundle goes with such an order only."""

import sqlalchemy as sa
from alembic import op

from evalsys.base.db import not_permanent, permanent

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ORDER = (
    *("id", "edition_id", "ordered_by", "authority", "document", "ordered_on", "ground"),
    *("entered_at", "entered_by", "entered_by_id"),
)


def upgrade() -> None:
    op.create_table(
        "withdrawal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("edition_id", sa.Integer(), nullable=False),
        sa.Column("ordered_by", sa.String(length=10), nullable=False),
        sa.Column("authority", sa.String(length=120), nullable=False),
        sa.Column("document", sa.String(length=80), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entered_by", sa.String(length=120), nullable=False),
        sa.Column("entered_by_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("why_refused", sa.Text(), nullable=False),
        sa.Column("leaves", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("ordered_by IN ('court', 'superior')", name=op.f("ck_withdrawal_ordered_by_known")),
        sa.CheckConstraint("state IN ('entered', 'confirmed', 'refused')", name=op.f("ck_withdrawal_state_known")),
        sa.CheckConstraint("length(ground) > 0", name=op.f("ck_withdrawal_ground_given")),
        sa.CheckConstraint(
            "(state = 'entered') = (decided_by_id IS NULL)", name=op.f("ck_withdrawal_decided_by_somebody")
        ),
        sa.CheckConstraint(
            "(decided_by_id IS NULL) = (decided_at IS NULL)", name=op.f("ck_withdrawal_decided_at_some_time")
        ),
        sa.CheckConstraint("decided_by_id <> entered_by_id", name=op.f("ck_withdrawal_decided_by_another")),
        sa.CheckConstraint(
            "state <> 'refused' OR length(why_refused) > 0", name=op.f("ck_withdrawal_refusal_has_reason")
        ),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_withdrawal_edition_id_edition")),
        sa.ForeignKeyConstraint(["entered_by_id"], ["account.id"], name=op.f("fk_withdrawal_entered_by_id_account")),
        sa.ForeignKeyConstraint(["decided_by_id"], ["account.id"], name=op.f("fk_withdrawal_decided_by_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawal")),
    )
    valid = sa.text("state <> 'refused'")
    op.create_index(
        "uq_withdrawal_edition_id",
        "withdrawal",
        ["edition_id"],
        unique=True,
        sqlite_where=valid,
        postgresql_where=valid,
    )
    dialect = op.get_context().dialect.name
    for statement in permanent("withdrawal", dialect, columns=ORDER):
        op.execute(statement)
    op.execute(_decided_once(dialect))
    for statement in _bundles_stay(dialect):
        op.execute(statement)


def _decided_once(dialect: str) -> str:
    refuse = "EXECUTE FUNCTION withdrawal_refuse()"
    if dialect == "sqlite":
        refuse = "BEGIN SELECT RAISE(ABORT, 'withdrawal is permanent'); END"
    when = "BEFORE UPDATE ON withdrawal FOR EACH ROW WHEN (OLD.state <> 'entered')"
    return f"CREATE TRIGGER withdrawal_decided {when} {refuse}"


def _bundles_stay(dialect: str) -> list[str]:
    """A bundle can be taken away with its edition, and not be changed."""
    ordered = "EXISTS (SELECT 1 FROM withdrawal WHERE edition_id = OLD.edition_id AND state = 'confirmed')"
    wrong = f"NEW.bundle IS NOT NULL OR NOT {ordered}"
    trigger = "CREATE TRIGGER edition_record_bundle BEFORE UPDATE OF bundle ON edition_record FOR EACH ROW"
    if dialect == "sqlite":
        return [f"{trigger} WHEN {wrong} BEGIN SELECT RAISE(ABORT, 'edition_record is permanent'); END"]
    refuse = "RAISE EXCEPTION 'edition_record is permanent' USING ERRCODE = 'restrict_violation'"
    body = f"$$ BEGIN IF {wrong} THEN {refuse}; END IF; RETURN NEW; END $$"
    return [
        f"CREATE FUNCTION edition_record_keep_bundle() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"{trigger} EXECUTE FUNCTION edition_record_keep_bundle()",
    ]


def downgrade() -> None:
    if op.get_bind().scalar(sa.text("SELECT count(*) FROM withdrawal WHERE state = 'confirmed'")):
        raise RuntimeError("an edition is withdrawn by order; the program before this revision would show it again")
    dialect = op.get_context().dialect.name
    if dialect == "sqlite":
        op.execute("DROP TRIGGER edition_record_bundle")
        op.execute("DROP TRIGGER withdrawal_decided")
    else:
        op.execute("DROP FUNCTION edition_record_keep_bundle() CASCADE")
    for statement in not_permanent("withdrawal", dialect):
        op.execute(statement)
    op.drop_table("withdrawal")
