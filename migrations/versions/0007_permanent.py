"""The audit trail, published editions and decisions refuse update and delete.

A trigger holds on both engines whoever writes: the application, a script or a person at the database's prompt.
"""

from alembic import op

from evalsys.base.db import not_permanent, permanent

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("audit_entry", "rules_version", "rules_pin", "edition", "edition_score", "selection_decision")


def upgrade() -> None:
    for table in TABLES:
        for statement in permanent(table, op.get_context().dialect.name):
            op.execute(statement)


def downgrade() -> None:
    for table in reversed(TABLES):
        for statement in not_permanent(table, op.get_context().dialect.name):
            op.execute(statement)
