"""A county with everything in it, for tests of the registry's pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.base.db import Database
from tests import factories as f
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
CODE = f.credit_code(8_000_001)


class County:
    """A county with a township, a purchaser, a vendor, a contract, and somebody of each role."""

    def __init__(self, session: Session) -> None:
        self.county = f.make_county(session, name="清新区")
        self.township = f.make_region(session, name="太平镇", parent=self.county)
        self.purchaser = f.make_purchaser(session, region=self.county, name="清新区民政局")
        self.vendor = f.make_vendor(session, code=CODE, name="晨光社工中心")
        self.contract = f.make_contract(
            session,
            vendor=self.vendor,
            purchaser=self.purchaser,
            region=self.county,
            reference="HT-1",
            title="照料项目",
        )
        bodies = {Role.VENDOR: {"vendor_id": self.vendor.id}, Role.PURCHASER: {"purchaser_id": self.purchaser.id}}
        self.people = {role: f.make_account(session, role, region=self.county, **bodies.get(role, {})) for role in Role}


@pytest.fixture
def county(write: Write) -> County:
    made: County = write(County)
    return made


@pytest.fixture
def admin(county: County, sign_in: SignIn) -> CheckedClient:
    return sign_in(county.people[Role.ADMINISTRATOR])


def only(database: Database, model: Any, *where: Any) -> Any:
    with database.reading() as session:
        return session.scalars(select(model).where(*where)).one()
