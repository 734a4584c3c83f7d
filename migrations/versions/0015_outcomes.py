"""An invitation may say why no answer came: refused, not reached, moved, died."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("invitation") as invitation:
        invitation.add_column(sa.Column("outcome", sa.String(length=12), nullable=True))
        invitation.create_check_constraint(
            op.f("ck_invitation_outcome_known"), "outcome IN ('refused', 'unreachable', 'moved', 'died')"
        )


def downgrade() -> None:
    with op.batch_alter_table("invitation") as invitation:
        invitation.drop_constraint(op.f("ck_invitation_outcome_known"), type_="check")
        invitation.drop_column("outcome")
