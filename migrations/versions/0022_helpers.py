"""An answer that was given with help tells by which kind of helper.

One statement for both engines: SQLite would otherwise make the table anew, and lose its triggers.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "ALTER TABLE response ADD COLUMN helper VARCHAR(12)"
        " CONSTRAINT ck_response_helper_known"
        " CHECK (helper IN ('relative', 'worker', 'interviewer', 'volunteer', 'other'))"
        " CONSTRAINT ck_response_helped_is_not_alone CHECK (helper IS NULL OR mode <> 'self')"
    )


def downgrade() -> None:
    op.execute("ALTER TABLE response DROP COLUMN helper")
