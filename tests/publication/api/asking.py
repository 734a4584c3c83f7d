"""A published county, and programs that ask about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.access_tokens import CreateToken, create_token
from evalsys.accounts.models import Account, Scope
from evalsys.base.access import Role
from evalsys.base.clock import now
from evalsys.registry.models import Cycle, Region
from tests.factories import make_account


def token_of(session: Session, account: Account, *, region: Region | None = None, scopes: Any = tuple(Scope)) -> str:
    """A token of the account; of its whole branch unless a region is given."""
    asked = CreateToken("测试程序", (region or account.region).id, scopes, 30)
    return create_token(session, asked, actor=session.merge(account).as_actor(), now=now())


def overseer(session: Session, *, scopes: Any = tuple(Scope)) -> dict[str, str]:
    """The header of an auditor's program, in the branch of the published cycle 2025."""
    cycle = session.scalars(select(Cycle).where(Cycle.code == "2025")).one()
    account = make_account(session, Role.AUDITOR, region=cycle.region)
    return {"Authorization": f"Bearer {token_of(session, account, scopes=scopes)}"}


def bearer(write: Callable[..., Any], *, scopes: Any = tuple(Scope)) -> dict[str, str]:
    header: dict[str, str] = write(overseer, scopes=scopes)
    return header
