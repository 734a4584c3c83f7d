"""How roles are called on screen."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from evalsys.base.access import Role

ROLES: dict[Role, LazyString] = {
    Role.ADMINISTRATOR: _l("Administrator"),
    Role.OFFICER: _l("Procurement officer"),
    Role.PURCHASER: _l("Purchaser"),
    Role.EVALUATOR: _l("Third-party evaluator"),
    Role.VENDOR: _l("Vendor"),
    Role.AUDITOR: _l("Auditor"),
}

DUTIES: dict[Role, LazyString] = {
    Role.ADMINISTRATOR: _l("Keeps the registers, the yearly cycles, the assignments and the accounts of the branch."),
    Role.OFFICER: _l("Previews and publishes results, and chooses next year's vendors."),
    Role.PURCHASER: _l("Rates the contracts of the own department."),
    Role.EVALUATOR: _l("Assesses the contracts assigned to the own body."),
    Role.VENDOR: _l("Reads the published results of the own contracts."),
    Role.AUDITOR: _l("Reads everything in the branch, the audit trail included."),
}


def role(value: str) -> LazyString:
    """The role's name in the reader's language; also a template filter."""
    return ROLES[Role(value)]
