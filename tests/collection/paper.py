"""A county that hands out forms on paper, the people who key them, and keys to type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.db import Database
from evalsys.collection.paper_batches import finish_keying, open_batch
from evalsys.collection.paper_forms import PaperKeys, Printed, give
from evalsys.collection.paper_keying import key_form
from evalsys.collection.paper_models import PaperBatch, PaperForm, PaperKeying, PaperSheet
from evalsys.registry.models import Cycle, Entry, Stratum, Vendor
from tests.collection.surveys import SECRET
from tests.factories import (
    NOW,
    make_account,
    make_contract,
    make_county,
    make_cycle,
    make_entry,
    make_region,
    make_stratum,
    make_vendor,
)

KEYS = PaperKeys.of(SECRET)
TYPED = {
    "recipient_satisfied": "5",
    "recipient_help": "4",
    "recipient_respect": "5",
    "recipient_safe": "3",
    "recipient_on_time": "2",
    "recipient_reachable": "0",
    "recipient_life": "1",
    "recipient_proxy": "-",
}
"""What stands on a form about a service of care."""


@dataclass
class Office:
    cycle: Cycle
    entry: Entry
    stratum: Stratum
    vendor: Vendor
    administrator: Account
    clerk: Account
    colleague: Account
    employed: Account
    elsewhere: Account
    township: Account

    @property
    def admin(self) -> Actor:
        return self.administrator.as_actor()


def make_office(session: Session, *, size: int = 20) -> Office:
    county = make_county(session, name="测试县")
    township = make_region(session, name="三坑镇", parent=county)
    vendor = make_vendor(session, name="仁爱社工服务中心")
    contract = make_contract(session, region=county, vendor=vendor, title="居家照料项目")
    cycle = make_cycle(session, region=county)
    entry = make_entry(session, cycle=cycle, contract=contract)
    assert entry.contract.reference  # loads what is asked for after the session's end

    def person(role: Role, region: Any = county, **columns: Any) -> Account:
        account = make_account(session, role, region=region, **columns)
        assert account.as_actor().region_path
        return account

    return Office(
        cycle=cycle,
        entry=entry,
        stratum=make_stratum(session, entry=entry, township="山塘镇", size=size),
        vendor=vendor,
        administrator=person(Role.ADMINISTRATOR, name="管理员"),
        clerk=person(Role.INTERVIEWER, name="录入员甲"),
        colleague=person(Role.INTERVIEWER, name="录入员乙"),
        employed=person(Role.INTERVIEWER, vendor_id=vendor.id),
        elsewhere=person(Role.INTERVIEWER, make_county(session)),
        township=person(Role.INTERVIEWER, township),
    )


def printed(session: Session, office: Office, copies: int) -> list[Printed]:
    return give(session, office.stratum.id, copies, keys=KEYS, actor=office.admin, now=NOW)


def keyed_batch(session: Session, office: Office, forms: list[Printed], *, share: float = 0.1) -> PaperBatch:
    """A batch in which the clerk has keyed the forms."""
    cycle = session.get_one(Cycle, office.cycle.id)
    batch = open_batch(session, cycle, share, actor=office.admin, now=NOW)
    for form in forms:
        key_form(session, batch.id, form.serial, TYPED, keys=KEYS, actor=office.clerk.as_actor())
    return batch


def checked_batch(session: Session, office: Office, copies: int, **second: str) -> tuple[PaperBatch, list[Printed]]:
    """A batch whose sample the colleague has keyed too, with some answers changed on the first form that was drawn."""
    forms = printed(session, office, copies)
    batch = keyed_batch(session, office, forms)
    finish_keying(session, batch.id, actor=office.admin, now=NOW)
    changes, colleague = second, office.colleague.as_actor()
    for form in [form for form in forms if sheet_of(session, form).twice]:  # as it was drawn, whatever differs
        key_form(session, batch.id, form.serial, TYPED | changes, keys=KEYS, actor=colleague)
        changes = {}
    return batch, forms


def sheet_of(session: Session, form: Printed) -> PaperSheet:
    return session.get_one(PaperSheet, KEYS.hashed(form.serial))


def staged(database: Database) -> dict[str, int]:
    """How many rows stand in the staging, and how many forms were released."""
    with database.reading() as session:
        return {
            table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
            for table in (PaperSheet, PaperKeying)
        } | {"released": session.scalar(select(func.count()).where(PaperForm.released)) or 0}
