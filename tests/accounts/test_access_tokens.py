"""Access tokens: making, revoking and ending them, and their pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.accounts import usecases
from evalsys.accounts.access_tokens import (
    MOST,
    OWNERS,
    CreateToken,
    create_token,
    own_token,
    revoke_token,
    scopes_of,
    token_held,
    tokens_of,
)
from evalsys.accounts.models import AccessToken, Account, Scope
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.factories import NOW, actor, make_account, make_county, make_region
from tests.pages import CheckedClient

Write = Callable[..., Any]


@pytest.fixture
def owner(session: Session) -> Account:
    return make_account(session, Role.OFFICER, name="王采购")


def asked(account: Account, **changes: Any) -> CreateToken:
    request = CreateToken("报表程序", account.region_id, [Scope.SCORES, Scope.CYCLES], 90)
    return replace(request, **changes)


def make(session: Session, account: Account, **changes: Any) -> str:
    return create_token(session, asked(account, **changes), actor=account.as_actor(), now=NOW)


def test_a_token_is_kept_as_its_hash_alone(session: Session, owner: Account) -> None:
    token = make(session, owner)
    [kept] = tokens_of(session, actor=owner.as_actor())
    assert token.startswith("evalsys_")
    assert token not in str(vars(kept))
    assert kept.expires_at == NOW + timedelta(days=90)
    assert scopes_of(kept) == {Scope.CYCLES, Scope.SCORES}
    assert token_held(session, token, now=NOW) is kept
    entry = session.scalars(select(AuditEntry)).one()
    assert (entry.act, entry.subject) == ("accounts.create_token", owner.subject)
    assert token not in str(entry.detail)


def test_a_token_ends_on_its_day(session: Session, owner: Account) -> None:
    token = make(session, owner, days=30)
    assert token_held(session, token, now=NOW + timedelta(days=30, seconds=-1))
    assert token_held(session, token, now=NOW + timedelta(days=30)) is None
    assert token_held(session, token[:-1], now=NOW) is None
    assert token_held(session, "", now=NOW) is None


@pytest.mark.parametrize("changes", [{"name": " "}, {"scopes": []}, {"days": 366}, {"days": 0}])
def test_a_token_that_would_not_do(session: Session, owner: Account, changes: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        make(session, owner, **changes)


def test_a_token_reads_no_other_branch_than_its_owner(session: Session, owner: Account) -> None:
    with pytest.raises(NotAllowed):
        make(session, owner, region_id=make_county(session).id)
    with pytest.raises(NotFound):
        make(session, owner, region_id=0)
    town = make_region(session, parent=owner.region)
    token = make(session, owner, region_id=town.id)
    assert token_held(session, token, now=NOW)
    owner.region = make_county(session)
    session.flush()
    assert token_held(session, token, now=NOW) is None


def test_a_person_has_so_many_tokens_at_most(session: Session, owner: Account) -> None:
    for _ in range(MOST):
        make(session, owner)
    with pytest.raises(Conflict, match=str(MOST)):
        make(session, owner)


def test_a_role_without_oversight_holds_no_token(session: Session, owner: Account) -> None:
    token = make(session, owner)
    owner.role = Role.INTERVIEWER.value
    session.flush()
    assert token_held(session, token, now=NOW) is None


def test_only_the_owner_revokes(session: Session, owner: Account) -> None:
    token = make(session, owner)
    kept = tokens_of(session, actor=owner.as_actor())[0]
    with pytest.raises(NotFound):
        own_token(session, kept.id, actor=make_account(session).as_actor())
    with pytest.raises(NotFound):
        own_token(session, kept.id + 1, actor=owner.as_actor())
    revoke_token(session, own_token(session, kept.id, actor=owner.as_actor()), actor=owner.as_actor(), now=NOW)
    session.flush()
    assert token_held(session, token, now=NOW) is None
    assert session.scalars(select(AuditEntry.act).order_by(AuditEntry.id.desc())).first() == "accounts.revoke_token"


@pytest.mark.usefixtures("app")
def test_tokens_end_with_the_account_and_with_its_password(session: Session, owner: Account) -> None:
    token = make(session, owner)
    usecases.close_account(session, owner, actor=actor(), now=NOW)
    usecases.reopen_account(session, owner, actor=actor(), now=NOW)
    assert token_held(session, token, now=NOW) is None
    token = make(session, owner)
    usecases.reset_password(session, owner, actor=actor(), now=NOW)
    assert token_held(session, token, now=NOW) is None


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"token_hash": "short"}, "token_hash_length"),
        ({"name": ""}, "name_given"),
        ({"scopes": ""}, "scope_given"),
        ({"expires_at": NOW}, "expires_after_creation"),
    ],
)
def test_a_row_that_breaks_a_rule_is_refused(
    session: Session, owner: Account, columns: dict[str, Any], constraint: str
) -> None:
    good = {"name": "x", "token_hash": "a" * 64, "scopes": "read:cycles", "expires_at": NOW + timedelta(days=1)}
    session.add(AccessToken(account_id=owner.id, region_id=owner.region_id, created_at=NOW, **(good | columns)))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_a_hash_stands_for_one_token(session: Session, owner: Account) -> None:
    same = {"name": "x", "token_hash": "a" * 64, "scopes": "read:cycles", "expires_at": NOW + timedelta(days=1)}
    for _ in range(2):
        session.add(AccessToken(account_id=owner.id, region_id=owner.region_id, created_at=NOW, **same))
    with pytest.raises(IntegrityError, match="token_hash"):
        session.flush()


def test_somebody_makes_a_token_and_revokes_it(
    write: Write, sign_in: Callable[[Account], CheckedClient], client: CheckedClient
) -> None:
    account = write(make_account, Role.AUDITOR)
    browser = sign_in(account)
    assert "/tokens/" in browser.get("/desk").text
    assert "您还没有访问令牌" in browser.get("/tokens/").text
    form = {"name": "统计程序", "region_id": str(account.region_id), "days": "30", "scopes": ["read:cycles"]}
    boxes = re.findall(r'<input[^>]*type="checkbox"[^>]*>', browser.get("/tokens/new").text)
    assert len(boxes) == len(Scope)
    assert not any("required" in box for box in boxes), "one is enough"
    page = browser.post("/tokens/new", data=form)
    found = re.search(r"evalsys_[\w-]{43}", page.text)
    assert found, page.text
    header = {"Authorization": f"Bearer {found[0]}"}
    assert client.get("/api/v1/staff/cycles", headers=header).status_code == 200
    listed = browser.get("/tokens/").text
    assert "统计程序" in listed
    assert found[0] not in listed
    address = re.search(r"/tokens/\d+/revoke", listed)
    assert address
    assert "统计程序" in browser.get(address[0]).text
    assert browser.post(address[0]).status_code == 303
    assert browser.get(address[0]).status_code == 404
    assert client.get("/api/v1/staff/cycles", headers=header).status_code == 401


def test_a_form_that_says_too_little(write: Write, sign_in: Callable[[Account], CheckedClient]) -> None:
    account = write(make_account, Role.OFFICER)
    browser = sign_in(account)
    assert browser.post("/tokens/new", data={"name": "x", "region_id": str(account.region_id)}).status_code == 422
    form = {"name": " ", "region_id": str(account.region_id), "days": "30", "scopes": ["read:cycles"]}
    answer = browser.post("/tokens/new", data=form)
    assert answer.status_code == 422
    form |= {"name": "x", "scopes": ["write:all"]}
    assert browser.post("/tokens/new", data=form).status_code == 422


def test_an_ended_token_is_listed_as_such(write: Write, sign_in: Callable[[Account], CheckedClient]) -> None:
    account = write(make_account, Role.OFFICER)

    def old(session: Session) -> None:
        token = {"name": "旧程序", "token_hash": "a" * 64, "scopes": "read:cycles read:scores"}
        times = {"created_at": NOW - timedelta(days=400), "expires_at": NOW - timedelta(days=35)}
        session.add(AccessToken(account_id=account.id, region_id=account.region_id, **token, **times))

    write(old)
    assert "已到期" in sign_in(account).get("/tokens/").text


@pytest.mark.parametrize("role", [role for role in Role if role not in OWNERS])
def test_others_have_no_tokens(write: Write, sign_in: Callable[[Account], CheckedClient], role: Role) -> None:
    browser = sign_in(write(make_account, role))
    assert "/tokens/" not in browser.get("/desk").text
    assert browser.get("/tokens/").status_code == 403
