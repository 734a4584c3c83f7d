"""A county with a published result of which two contracts' grades ask for a rectification."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.models import Rectification
from evalsys.appeals.rectifications import needed
from evalsys.appeals.rectifying import AT_ONCE, Demand, open_items, report
from evalsys.base.access import Actor, Role
from evalsys.evaluation.models import Score
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.models import Edition
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import rated_entry
from tests.factories import NOW, make_account, make_contract, make_county, make_cycle, make_purchaser, make_vendor

DUE = date(2026, 12, 31)
DEMAND = "请按约定的次数上门，并逐次登记。"
REPORT = "已增配两名护理员，10 月起按约定次数上门。"
NOTE = "现场核查台账，情况属实。"


@dataclass
class World:
    """Ids and people; `worst` and `weak` ask for a rectification, the others are fine."""

    cycle_id: int
    worst: int
    weak: int
    officer: Account
    vendor: Account
    purchaser: Account
    auditor: Account
    stranger: Account  # another vendor

    def cycle(self, session: Session) -> Cycle:
        return session.get_one(Cycle, self.cycle_id)

    @property
    def acting(self) -> Actor:
        return self.officer.as_actor()


def make_world(session: Session) -> World:
    county = make_county(session, name="测试县")
    cycle = make_cycle(session, region=county, state="review", code="2026")
    vendor, purchaser = make_vendor(session, name="好帮手服务中心"), make_purchaser(session, region=county)

    def entry(level: int, **columns: object) -> Entry:
        contract = make_contract(session, region=county, recipients_served=60, **columns)
        recipients = (level,) * 14 + (level - 1, min(level + 1, 5))
        return rated_entry(session, cycle, recipients=recipients, purchaser=level, third_party=level, contract=contract)

    worst = entry(2, vendor=vendor, purchaser=purchaser, title="送医陪护服务", reference="QX-1")
    weak = entry(3, title="照料护理服务", reference="QX-2")
    entry(5, reference="QX-3")
    run_cycle(session, cycle, actor=Actor(None, "何敏", Role.OFFICER), now=NOW)
    publish(session, cycle, actor=Actor(None, "何敏", Role.OFFICER), now=NOW)

    def person(role: Role, **columns: object) -> Account:
        account = make_account(session, role, region=county, **columns)
        assert account.as_actor().region_path  # loads what is asked for after the session's end
        return account

    return World(
        cycle_id=cycle.id,
        worst=worst.id,
        weak=weak.id,
        officer=person(Role.OFFICER),
        vendor=person(Role.VENDOR, vendor_id=vendor.id),
        purchaser=person(Role.PURCHASER, purchaser_id=purchaser.id),
        auditor=person(Role.AUDITOR),
        stranger=person(Role.VENDOR),
    )


def opened(session: Session, world: World) -> Rectification:
    """The worst contract's item, open."""
    return open_items(
        session, world.cycle(session), [Demand(world.worst, DEMAND)], due_on=DUE, actor=world.acting, now=NOW
    )[0]


def reported(session: Session, world: World) -> Rectification:
    """The same after the vendor's report."""
    item = opened(session, world)
    return report(session, item.id, REPORT, [], actor=world.vendor.as_actor(), now=NOW)


def waiting(session: Session, world: World) -> list[str]:
    """Contracts that need an item, the worst first."""
    found = needed(session, world.cycle(session), actor=world.acting, most=AT_ONCE)
    return [one.line.contract_reference for one in found]


def corrected(session: Session, world: World, number: int, grade: str) -> Edition:
    """Another edition, in which a contract's grade is another one."""
    cycle = world.cycle(session)
    run = run_cycle(session, cycle, actor=world.acting, now=NOW)
    score = session.scalars(select(Score).where(Score.run_id == run.id, Score.entry_id == number)).one()
    score.grade = grade
    session.flush()
    return publish(session, cycle, reason="补入漏登的纸质问卷，重新计算。", actor=world.acting, now=NOW)
