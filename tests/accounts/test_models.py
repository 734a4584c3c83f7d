"""Each constraint of the accounts' tables, by a row that breaks it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.accounts.models import SignIn
from evalsys.base.access import Role
from tests.factories import NOW, make_account, make_vendor


@pytest.mark.parametrize(
    ("role", "columns", "constraint"),
    [
        (Role.PURCHASER, {"purchaser_id": None}, "purchaser_named"),
        (Role.VENDOR, {"vendor_id": None}, "vendor_named"),
        (Role.EVALUATOR, {"evaluator_body_id": None}, "evaluator_body_named"),
        (Role.AUDITOR, {"username": "Chen"}, "username_in_lower_case"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(
    session: Session, role: Role, columns: dict[str, Any], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        make_account(session, role, **columns)


def test_a_role_that_acts_for_nobody_names_no_body(session: Session) -> None:
    with pytest.raises(IntegrityError, match="vendor_named"):
        make_account(session, Role.AUDITOR, vendor_id=make_vendor(session).id)


def test_a_vendor_may_employ_an_interviewer(session: Session) -> None:
    vendor = make_vendor(session)
    employed = make_account(session, Role.INTERVIEWER, vendor_id=vendor.id).as_actor()
    assert (employed.role, employed.vendor_id) == (Role.INTERVIEWER, vendor.id)
    assert make_account(session, Role.INTERVIEWER).as_actor().vendor_id is None


def test_an_unknown_role_is_refused(session: Session) -> None:
    account = make_account(session)
    account.role = "king"
    with pytest.raises(IntegrityError, match="role_known"):
        session.flush()


def test_a_user_name_is_taken_once(session: Session) -> None:
    make_account(session, username="liwei")
    with pytest.raises(IntegrityError, match="username"):
        make_account(session, username="liwei")


def test_a_sign_in_holds_a_sha_256(session: Session) -> None:
    session.add(SignIn(token_hash="short", account_id=make_account(session).id, at=NOW))
    with pytest.raises(IntegrityError, match="token_hash_length"):
        session.flush()
