"""How roles and acts are called on screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

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

ACTS: dict[str, LazyString] = {
    "accounts.change_own_password": _l("Own password changed"),
    "accounts.close_account": _l("Account closed"),
    "accounts.create_account": _l("Account added"),
    "accounts.edit_account": _l("Account changed"),
    "accounts.reopen_account": _l("Account opened again"),
    "accounts.reset_password": _l("Password reset"),
    "accounts.sign_in": _l("Signed in"),
    "accounts.sign_in_refused": _l("Sign-in refused"),
    "accounts.sign_out": _l("Signed out"),
}
"""Every act that any room writes into the audit trail."""


def act(code: str) -> str:
    """The act's name in the reader's language; an unknown one by its code."""
    return str(ACTS.get(code, code))


def detail(given: Mapping[str, Any]) -> str:
    """What an audit entry says beyond act and subject, on one line."""
    return "; ".join(f"{key}: {_plain(value)}" for key, value in given.items())


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def role(value: str) -> LazyString:
    """The role's name in the reader's language; also a template filter."""
    return ROLES[Role(value)]


def role_or_none(value: str) -> Role | None:
    """The role that an address names, if there is one."""
    return Role(value) if value in set(Role) else None
