"""What step 0 found of each entry, kept until a rating of the entry changes; triggers count what changes.

Responses and their ratings are only counted when they change or go: a new response shows in their number, and sending
one in stays as quick as it was.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

EVENTS = {
    "response": ("UPDATE", "DELETE"),
    "response_rating": ("UPDATE", "DELETE"),
    "assessment": ("INSERT", "UPDATE", "DELETE"),
    "assessment_rating": ("INSERT", "UPDATE", "DELETE"),
}
ENTRIES = {  # of the changed rows; a rating that goes with its response or assessment finds none, which was counted
    "response": "SELECT entry_id FROM {rows} WHERE true",
    "response_rating": "SELECT entry_id FROM response WHERE key IN (SELECT response_key FROM {rows})",
    "assessment": "SELECT entry_id FROM {rows} WHERE true",
    "assessment_rating": "SELECT entry_id FROM assessment WHERE id IN (SELECT assessment_id FROM {rows})",
}
COUNT = "INSERT INTO entry_change (entry_id, count)"
AGAIN = "ON CONFLICT (entry_id) DO UPDATE SET count = entry_change.count + 1"


def upgrade() -> None:
    op.create_table(
        "entry_change",
        sa.Column("entry_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_entry_change")),
    )
    op.create_table(
        "kept_sums",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("made_from", sa.String(length=64), nullable=False),
        sa.Column("levels", sa.LargeBinary(), nullable=False),
        sa.Column("moments", sa.LargeBinary(), nullable=False),
        sa.Column("judged", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["entry.id"], name=op.f("fk_kept_sums_entry_id_entry"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_kept_sums")),
    )
    sqlite = op.get_context().dialect.name == "sqlite"
    for table, events in EVENTS.items():
        for event in events:
            for statement in _sqlite(table, event) if sqlite else _postgresql(table, event):
                op.execute(statement)


def downgrade() -> None:
    sqlite = op.get_context().dialect.name == "sqlite"
    for table, events in EVENTS.items():
        for event in events:
            name = f"{table}_{event.lower()}_counted"
            op.execute(f"DROP TRIGGER {name}" if sqlite else f"DROP FUNCTION {name}() CASCADE")
    op.drop_table("kept_sums")
    op.drop_table("entry_change")


def _sqlite(table: str, event: str) -> list[str]:
    """A trigger that counts every row."""
    versions = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}[event]
    column = {"response_rating": "response_key", "assessment_rating": "assessment_id"}.get(table, "entry_id")
    found = (ENTRIES[table].format(rows=f"(SELECT {row}.{column} AS {column})") for row in versions)
    acts = " ".join(f"{COUNT} SELECT entry_id, 1 FROM ({entries}) WHERE true {AGAIN};" for entries in found)  # noqa: S608 - our names
    return [f"CREATE TRIGGER {table}_{event.lower()}_counted AFTER {event} ON {table} BEGIN {acts} END"]


def _postgresql(table: str, event: str) -> list[str]:
    """A trigger that counts once for each entry of a statement."""
    name = f"{table}_{event.lower()}_counted"
    rows = {"INSERT": ("come",), "UPDATE": ("gone", "come"), "DELETE": ("gone",)}[event]
    entries = " UNION ".join(ENTRIES[table].format(rows=one) for one in rows)
    seen = {"come": "NEW TABLE AS come", "gone": "OLD TABLE AS gone"}
    count = f"{COUNT} SELECT DISTINCT entry_id, 1 FROM ({entries}) AS changed ORDER BY entry_id {AGAIN};"  # noqa: S608 - our names
    body = f"$$ BEGIN {count} RETURN NULL; END $$"
    tables, each = " ".join(seen[one] for one in rows), "FOR EACH STATEMENT EXECUTE FUNCTION"
    return [
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {tables} {each} {name}()",
    ]
