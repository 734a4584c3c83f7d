"""Adding, changing and closing accounts: what is done, what is refused, what the trail says."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts import passwords, signing_in
from evalsys.accounts.models import Account, SignIn
from evalsys.accounts.usecases import (
    CreateAccount,
    EditAccount,
    close_account,
    create_account,
    edit_account,
    reopen_account,
    reset_password,
)
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import (
    NOW,
    actor,
    make_account,
    make_county,
    make_evaluator_body,
    make_purchaser,
    make_region,
    make_vendor,
)

pytestmark = pytest.mark.usefixtures("app")


def asked(region_id: int, role: Role = Role.AUDITOR, **given: Any) -> CreateAccount:
    return CreateAccount(**{"username": "chenjing", "name": "陈静", "role": role, "region_id": region_id} | given)


def test_an_account_gets_a_temporary_password_and_an_entry(session: Session) -> None:
    region = make_county(session)
    account, password = create_account(
        session, asked(region.id, username=" ChenJing "), actor=actor(region=region), now=NOW
    )
    assert password is not None
    assert passwords.matches(account.password, password)
    assert (account.username, account.password_is_temporary, account.active) == ("chenjing", True, True)
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.subject) == ("accounts.create_account", "account:chenjing")
    assert entry.detail == {"name": "陈静", "role": "auditor", "region": region.code}


def test_a_given_password_is_not_temporary(session: Session) -> None:
    region = make_county(session)
    request = asked(region.id, password="秋天的山城真的很好看")
    account, password = create_account(session, request, actor=actor(), now=NOW)
    assert password is None
    assert not account.password_is_temporary


def test_each_role_takes_its_body(session: Session) -> None:
    region = make_county(session)
    vendor, purchaser = make_vendor(session), make_purchaser(session, region=region)
    body = make_evaluator_body(session, region=region)
    for role, given, column, key in (
        (Role.VENDOR, {"vendor_credit_code": f" {vendor.credit_code.lower()} "}, "vendor_id", vendor.id),
        (Role.PURCHASER, {"purchaser_id": purchaser.id}, "purchaser_id", purchaser.id),
        (Role.EVALUATOR, {"evaluator_body_id": body.id}, "evaluator_body_id", body.id),
    ):
        request = asked(region.id, role, username=role.value, **given)
        account, _password = create_account(session, request, actor=actor(region=region), now=NOW)
        assert getattr(account, column) == key


@pytest.mark.parametrize(
    ("role", "given"),
    [
        (Role.VENDOR, {"vendor_credit_code": "91441802MA00000000"}),
        (Role.PURCHASER, {}),
        (Role.EVALUATOR, {"evaluator_body_id": 4711}),
        (Role.AUDITOR, {"username": "a b"}),
        (Role.AUDITOR, {"username": "ab"}),
        (Role.AUDITOR, {"username": ".abc"}),
        (Role.AUDITOR, {"password": "short"}),
        (Role.AUDITOR, {"password": "chenjing-2026-qy"}),
    ],
)
def test_what_will_not_do_is_refused_with_a_remedy(session: Session, role: Role, given: dict[str, Any]) -> None:
    region = make_county(session)
    with pytest.raises(Invalid) as caught:
        create_account(session, asked(region.id, role, **given), actor=actor(), now=NOW)
    assert caught.value.remedy
    assert session.scalars(select(Account)).all() == []


def test_an_e_mail_address_is_kept_and_the_trail_does_not_name_it(session: Session) -> None:
    region = make_county(session)
    account, _password = create_account(session, asked(region.id, email=" li@example.cn "), actor=actor(), now=NOW)
    assert account.email == "li@example.cn"
    same = {"name": account.name, "region_id": region.id}
    edit_account(session, account, EditAccount(**same, email="ming@example.cn"), actor=actor(), now=NOW)
    assert account.email == "ming@example.cn"
    details = [str(detail) for detail in session.scalars(select(AuditEntry.detail))]
    assert len(details) == 2
    assert "'e-mail': 'changed'" in details[1]
    assert "@" not in "".join(details)
    with pytest.raises(Invalid) as caught:
        edit_account(session, account, EditAccount(**same, email="ming"), actor=actor(), now=NOW)
    assert caught.value.remedy


def test_a_user_name_is_taken_whatever_its_case(session: Session) -> None:
    make_account(session, username="chenjing")
    with pytest.raises(Conflict):
        create_account(session, asked(make_county(session).id, username="CHENJING"), actor=actor(), now=NOW)


def test_nobody_gives_a_branch_or_a_body_beyond_the_own(session: Session) -> None:
    city = make_region(session)
    county, other = make_region(session, parent=city), make_region(session, parent=city)
    me = actor(region=county)
    for region in (city, other):
        with pytest.raises(NotAllowed):
            create_account(session, asked(region.id), actor=me, now=NOW)
    body = make_purchaser(session, region=other)
    with pytest.raises(NotAllowed):
        create_account(session, asked(county.id, Role.PURCHASER, purchaser_id=body.id), actor=me, now=NOW)
    with pytest.raises(NotFound):
        create_account(session, asked(4711), actor=me, now=NOW)
    township = make_region(session, parent=county)
    assert create_account(session, asked(township.id), actor=me, now=NOW)[0].region_id == township.id


def test_editing_says_what_was_and_what_is(session: Session) -> None:
    city = make_region(session)
    county = make_region(session, parent=city)
    account = make_account(session, region=city, name="旧名")
    edit_account(session, account, EditAccount("新名 ", county.id), actor=actor(region=city), now=NOW)
    assert (account.name, account.region_id) == ("新名", county.id)
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.detail == {
        "before": {"name": "旧名", "region": city.code},
        "after": {"name": "新名", "region": county.code},
    }
    edit_account(session, account, EditAccount("新名", county.id), actor=actor(region=city), now=NOW)
    assert len(session.scalars(select(AuditEntry)).all()) == 1


def test_an_account_moves_only_inside_the_branch(session: Session) -> None:
    city = make_region(session)
    county, other = make_region(session, parent=city), make_region(session, parent=city)
    account = make_account(session, region=county)
    with pytest.raises(NotAllowed):
        edit_account(session, account, EditAccount("某人", city.id), actor=actor(region=county), now=NOW)
    with pytest.raises(NotAllowed):
        edit_account(session, account, EditAccount("某人", other.id), actor=actor(region=other), now=NOW)
    with pytest.raises(NotAllowed):
        edit_account(session, account, EditAccount("某人", city.id), actor=account.as_actor(), now=NOW)


def test_nobody_moves_the_own_account(session: Session) -> None:
    city = make_region(session)
    account = make_account(session, region=city)
    below = make_region(session, parent=city)
    with pytest.raises(NotAllowed):
        edit_account(session, account, EditAccount(account.name, below.id), actor=account.as_actor(), now=NOW)


def test_closing_ends_every_sign_in_and_can_be_taken_back(session: Session) -> None:
    region = make_county(session)
    account, me = make_account(session, region=region), actor(region=region)
    signing_in.open_session(session, account, now=NOW)
    close_account(session, account, actor=me, now=NOW)
    assert not account.active
    assert session.scalar(select(func.count()).select_from(SignIn)) == 0
    with pytest.raises(Conflict):
        close_account(session, account, actor=me, now=NOW)
    reopen_account(session, account, actor=me, now=NOW)
    assert account.active
    with pytest.raises(Conflict):
        reopen_account(session, account, actor=me, now=NOW)
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts == ["accounts.close_account", "accounts.reopen_account"]


def test_a_reset_password_works_once_handed_over(session: Session) -> None:
    region = make_county(session)
    account = make_account(session, region=region, password=passwords.hashed("an old password of theirs"))
    signing_in.open_session(session, account, now=NOW)
    temporary = reset_password(session, account, actor=actor(region=region), now=NOW)
    assert account.password_is_temporary
    assert passwords.matches(account.password, temporary)
    assert session.scalar(select(func.count()).select_from(SignIn)) == 0
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.act == "accounts.reset_password"
    assert temporary not in str(entry.detail)


def test_another_branch_and_the_own_account_are_left_alone(session: Session, app: Flask) -> None:
    account = make_account(session)
    stranger = actor(region=make_county(session))
    for act in (close_account, reopen_account, reset_password):
        with pytest.raises(NotAllowed):
            act(session, account, actor=stranger, now=NOW)
    for act in (close_account, reset_password):
        with pytest.raises(NotAllowed):
            act(session, account, actor=account.as_actor(), now=NOW)
