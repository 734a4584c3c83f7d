"""`evalsys account create`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from evalsys.accounts import passwords
from evalsys.accounts.commands import account
from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Invalid, NotFound
from tests.factories import make_county, make_evaluator_body, make_purchaser, make_vendor

Write = Callable[..., Any]
PASSWORD = "清远 2026 服务评价"


@pytest.fixture
def create(database: Database, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setenv("EVALSYS_DATABASE_URL", database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("EVALSYS_LANGUAGE", "en")

    def run(*arguments: str, typed: str = f"{PASSWORD}\n{PASSWORD}\n") -> Result:
        return CliRunner().invoke(account, ["create", *arguments], input=typed)

    return run


def stored(database: Database, username: str) -> Account:
    with database.reading() as session:
        return session.scalars(select(Account).where(Account.username == username)).one()


def test_the_first_administrator_is_added(create: Callable[..., Result], write: Write, database: Database) -> None:
    region = write(make_county, name="清城区")
    done = create("Boss", "--name", "王主任", "--role", "administrator", "--region", region.code)
    assert (done.exit_code, done.exception) == (0, None)
    assert "Account “boss” added: 王主任, Administrator, 清城区." in done.output
    made = stored(database, "boss")
    assert passwords.matches(made.password, PASSWORD)
    assert not made.password_is_temporary
    with database.reading() as session:
        assert session.scalars(select(AuditEntry)).one().account_id is None


def test_the_password_is_asked_twice(create: Callable[..., Result], write: Write) -> None:
    region = write(make_county)
    done = create("boss", "--name", "王", "--role", "auditor", "--region", region.code, typed=f"{PASSWORD}\nother\n")
    assert done.exit_code == 1
    assert PASSWORD not in done.output


def test_each_body_is_named_its_own_way(create: Callable[..., Result], write: Write, database: Database) -> None:
    region = write(make_county)
    purchaser = write(make_purchaser, region=region)
    vendor, body = write(make_vendor), write(make_evaluator_body, region=region)
    common = ("--name", "某人", "--region", region.code, "--password-stdin")
    for role, option, value in (
        (Role.PURCHASER, "--purchaser", purchaser.name),
        (Role.VENDOR, "--vendor", vendor.credit_code),
        (Role.EVALUATOR, "--body", body.credit_code),
    ):
        done = create(role.value, "--role", role.value, option, value, *common, typed=f"{PASSWORD}\n")
        assert done.exception is None, done.exception
    assert stored(database, "purchaser").purchaser_id == purchaser.id
    assert stored(database, "vendor").vendor_id == vendor.id
    assert stored(database, "evaluator").evaluator_body_id == body.id


def test_what_will_not_do_is_said(create: Callable[..., Result], write: Write) -> None:
    region = write(make_county)
    common = ("boss", "--name", "王", "--role", "auditor", "--password-stdin", "--region")
    assert isinstance(create(*common, "000000", typed=f"{PASSWORD}\n").exception, NotFound)
    assert isinstance(create(*common, region.code, typed="short\n").exception, Invalid)
    assert create("boss", "--name", "王", "--role", "king", "--region", region.code).exit_code == 2
