"""The simulated county's regions, bodies and people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Role
from evalsys.demo import county
from evalsys.registry.models import EvaluatorBody, Purchaser, Region, Vendor


@dataclass(frozen=True)
class Cast:
    """Who takes part, by what the later steps look them up with."""

    county: Region
    townships: dict[str, Region]
    purchasers: dict[str, Purchaser]
    vendors: tuple[Vendor, ...]
    evaluators: tuple[Account, ...]
    buyers: dict[int, Account]  # by purchaser


@dataclass(frozen=True)
class SignIn:
    """One line of what `evalsys demo` prints."""

    role: Role
    username: str


SIGN_INS = (
    SignIn(Role.ADMINISTRATOR, "admin"),
    SignIn(Role.PURCHASER, "purchaser"),
    SignIn(Role.EVALUATOR, "evaluator"),
    SignIn(Role.OFFICER, "officer"),
    SignIn(Role.VENDOR, "vendor"),
    SignIn(Role.AUDITOR, "auditor"),
    SignIn(Role.INTERVIEWER, "interviewer"),
)


def make_cast(session: Session, *, password: str, now: datetime) -> Cast:
    """Add everybody.

    Args:
        password: the hash that every demo account gets.
        now: when the accounts were made.
    """
    city, home, townships = _regions(session)
    purchasers = {county.BUREAU: Purchaser(name=county.BUREAU, region_id=home.id)}
    for name in county.BUYING_TOWNSHIPS:
        office = f"{name}人民政府" if name.endswith(("镇", "乡")) else f"{name}办事处"
        purchasers[name] = Purchaser(name=office, region_id=townships[name].id)
    vendors = tuple(
        Vendor(credit_code=county.credit_code(n), name=vendor.name, address=f"{home.name}城关镇", contact="", phone="")
        for n, vendor in enumerate(county.VENDORS, start=1)
    )
    bodies = [
        EvaluatorBody(credit_code=county.credit_code(500 + n), name=name, region_id=city.id)
        for n, name in enumerate(county.EVALUATOR_BODIES)
    ]
    session.add_all([*purchasers.values(), *vendors, *bodies])
    session.flush()

    def account(username: str, name: str, role: Role, region: Region, **body: int) -> Account:
        made = Account(
            username=username,
            name=name,
            password=password,
            active=True,
            role=role.value,
            region_id=region.id,
            created_at=now,
            **body,
        )
        session.add(made)
        return made

    evaluators = tuple(
        account(f"evaluator{n or ''}", name, Role.EVALUATOR, home, evaluator_body_id=bodies[n % len(bodies)].id)
        for n, name in enumerate(county.EVALUATORS)
    )
    buyers = {
        purchaser.id: account(
            f"purchaser{n or ''}", f"{purchaser.name}经办人", Role.PURCHASER, home, purchaser_id=purchaser.id
        )
        for n, purchaser in enumerate(purchasers.values())
    }
    account("admin", "杜海", Role.ADMINISTRATOR, city)
    account("officer", "何敏", Role.OFFICER, home)
    account("vendor", "谢婷", Role.VENDOR, home, vendor_id=vendors[0].id)
    account("auditor", "罗建国", Role.AUDITOR, city)
    for n, name in enumerate(county.INTERVIEWERS):
        account(f"interviewer{n or ''}", name, Role.INTERVIEWER, home)
    session.flush()
    return Cast(home, townships, purchasers, vendors, evaluators, buyers)


def _regions(session: Session) -> tuple[Region, Region, dict[str, Region]]:
    def region(code: str, name: str, level: str, parent: Region | None) -> Region:
        path = f"{parent.path if parent else ''}{code}/"
        made = Region(code=code, name=name, level=level, parent_id=parent.id if parent else None, path=path)
        session.add(made)
        session.flush()
        return made

    city = region(*county.CITY, "city", None)
    home = region(*county.COUNTY, "county", city)
    townships = {
        name: region(f"{county.COUNTY[0]}{n:03d}", name, "township", home)
        for n, name in enumerate(county.TOWNSHIPS, start=101)
    }
    return city, home, townships
