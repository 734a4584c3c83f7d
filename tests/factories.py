"""Rows for tests: each maker fills in everything a test does not name."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.registry.models import (
    Contract,
    Cycle,
    Entry,
    EvaluatorBody,
    Purchaser,
    Region,
    RulesVersion,
    Stratum,
    Vendor,
)
from evalsys.rules.loading import rules_hash

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
_numbers = itertools.count(1)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(number: int) -> str:
    """A valid 统一社会信用代码 (GB 32100-2015) made from a number."""
    body = "91441800MA" + "".join(_ALPHABET[number // 31**k % 31] for k in range(6, -1, -1))
    total = sum(_ALPHABET.index(c) * (3**k % 31) for k, c in enumerate(body))
    return body + _ALPHABET[-total % 31]


def actor(role: Role = Role.ADMINISTRATOR, *, region: Region | None = None, **bodies: Any) -> Actor:
    """Somebody who acts, without an account."""
    return Actor(account_id=None, name="测试员", role=role, region_path=region.path if region else "", **bodies)


def make_region(session: Session, *, name: str = "", parent: Region | None = None) -> Region:
    """A city without a parent, a county under a city, a township under a county."""
    n = next(_numbers)
    level = "city" if parent is None else {"city": "county", "county": "township"}[parent.level]
    code = f"44{n:04d}"
    region = Region(
        code=code,
        name=name or f"测试地区{n}",
        level=level,
        parent_id=parent.id if parent else None,
        path=f"{parent.path if parent else ''}{code}/",
    )
    session.add(region)
    session.flush()
    return region


def make_county(session: Session, *, name: str = "") -> Region:
    """A county with its city."""
    return make_region(session, name=name, parent=make_region(session))


def make_purchaser(session: Session, *, region: Region | None = None, name: str = "") -> Purchaser:
    purchaser = Purchaser(name=name or f"测试民政局{next(_numbers)}", region_id=(region or make_county(session)).id)
    session.add(purchaser)
    session.flush()
    return purchaser


def make_vendor(session: Session, *, name: str = "", code: str = "") -> Vendor:
    n = next(_numbers)
    vendor = Vendor(credit_code=code or credit_code(n), name=name or f"测试社工服务中心{n}")
    session.add(vendor)
    session.flush()
    return vendor


def make_evaluator_body(session: Session, *, region: Region | None = None) -> EvaluatorBody:
    n = next(_numbers)
    body = EvaluatorBody(
        credit_code=credit_code(n), name=f"测试评估中心{n}", region_id=(region or make_county(session)).id
    )
    session.add(body)
    session.flush()
    return body


def make_contract(
    session: Session,
    *,
    vendor: Vendor | None = None,
    purchaser: Purchaser | None = None,
    region: Region | None = None,
    amount_fen: int = 10_000_000,
    service_type: str = "care",
    **columns: Any,
) -> Contract:
    n = next(_numbers)
    region = region or (purchaser.region if purchaser else make_county(session))
    contract = Contract(
        reference=columns.pop("reference", f"HT-{n:05d}"),
        title=columns.pop("title", f"测试服务项目{n}"),
        vendor_id=(vendor or make_vendor(session)).id,
        purchaser_id=(purchaser or make_purchaser(session, region=region)).id,
        region_id=region.id,
        service_type=service_type,
        amount_fen=amount_fen,
        starts_on=columns.pop("starts_on", date(2026, 1, 1)),
        ends_on=columns.pop("ends_on", date(2026, 12, 31)),
        procurement_method=columns.pop("procurement_method", "open_tender"),
        recipients_served=columns.pop("recipients_served", 200),
        **columns,
    )
    session.add(contract)
    session.flush()
    return contract


def without_notice() -> bytes:
    """The shipped rules, but a result may be published at once."""
    return config.SHIPPED_RULES.read_bytes().replace(b"\nnotice_working_days = 5 ", b"\nnotice_working_days = 0 ")


def make_rules(session: Session, data: bytes | None = None) -> RulesVersion:
    """The shipped rules without a notice period (or others) as a version; the same row for the same content."""
    data = without_notice() if data is None else data
    digest = rules_hash(data)
    kept = session.scalar(select(RulesVersion).where(RulesVersion.hash == digest))
    if kept is None:
        kept = RulesVersion(hash=digest, text=data.decode(), added_at=NOW)
        session.add(kept)
        session.flush()
    return kept


def make_cycle(session: Session, *, region: Region | None = None, state: str = "collecting", **columns: Any) -> Cycle:
    n = next(_numbers)
    rules = columns.pop("rules", None) or (make_rules(session) if state != "draft" else None)
    cycle = Cycle(
        code=columns.pop("code", f"c{n}"),
        title=columns.pop("title", f"测试评价年度{n}"),
        year=columns.pop("year", 2026),
        region_id=(region or make_county(session)).id,
        state=state,
        opens_on=columns.pop("opens_on", date(2026, 10, 1)),
        closes_on=columns.pop("closes_on", date(2026, 11, 30)),
        rules_id=rules.id if rules else None,
        **columns,
    )
    session.add(cycle)
    session.flush()
    return cycle


def make_entry(session: Session, *, cycle: Cycle | None = None, contract: Contract | None = None) -> Entry:
    cycle = cycle or make_cycle(session)
    contract = contract or make_contract(session, region=session.get_one(Region, cycle.region_id))
    entry = Entry(cycle_id=cycle.id, contract_id=contract.id)
    session.add(entry)
    session.flush()
    return entry


def make_stratum(session: Session, *, entry: Entry | None = None, size: int = 50, township: str = "") -> Stratum:
    stratum = Stratum(
        entry_id=(entry or make_entry(session)).id, township=township or f"测试镇{next(_numbers)}", item="", size=size
    )
    session.add(stratum)
    session.flush()
    return stratum


def make_account(
    session: Session, role: Role = Role.ADMINISTRATOR, *, region: Region | None = None, **columns: Any
) -> Account:
    """Somebody who can sign in; a body is made for the roles that act for one. The password does not verify."""
    n = next(_numbers)
    region = region or make_county(session)
    if role == Role.PURCHASER and "purchaser_id" not in columns:
        columns["purchaser_id"] = make_purchaser(session, region=region).id
    if role == Role.VENDOR and "vendor_id" not in columns:
        columns["vendor_id"] = make_vendor(session).id
    if role == Role.EVALUATOR and "evaluator_body_id" not in columns:
        columns["evaluator_body_id"] = make_evaluator_body(session, region=region).id
    account = Account(
        username=columns.pop("username", f"user{n}"),
        name=columns.pop("name", f"测试用户{n}"),
        password=columns.pop("password", "!"),
        active=columns.pop("active", True),
        role=role.value,
        region_id=region.id,
        created_at=NOW,
        **columns,
    )
    session.add(account)
    session.flush()
    return account
