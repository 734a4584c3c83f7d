"""A role for those who ask recipients on the telephone or in person; a vendor may employ such a person.

No former role would fit an interviewer, so going down refuses while there is an interviewer's account.
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

FORMER_ROLES = "'administrator', 'purchaser', 'evaluator', 'officer', 'vendor', 'auditor'"


def upgrade() -> None:
    _constrain(f"{FORMER_ROLES}, 'interviewer'", "role = 'interviewer' OR (role = 'vendor') = (vendor_id IS NOT NULL)")


def downgrade() -> None:
    _constrain(FORMER_ROLES, "(role = 'vendor') = (vendor_id IS NOT NULL)")


def _constrain(roles: str, vendor_named: str) -> None:
    with op.batch_alter_table("account") as account:
        for name, rule in (("role_known", f"role IN ({roles})"), ("vendor_named", vendor_named)):
            account.drop_constraint(op.f(f"ck_account_{name}"), type_="check")
            account.create_check_constraint(op.f(f"ck_account_{name}"), rule)
