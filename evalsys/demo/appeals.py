"""Simulated objections to a preliminary result: one examined, one rejected."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals import objections
from evalsys.appeals.notices import issue, note_reading
from evalsys.appeals.objections import Filing
from evalsys.base.access import COMMAND_LINE, Actor
from evalsys.registry.models import Contract, Cycle, Entry


def tell_and_answer(session: Session, cycle: Cycle, *, year: int, objecting: bool) -> None:
    """Tell the vendors on 10 January; with `objecting`, the vendor that can sign in objects twice."""

    def day(number: int) -> datetime:
        return datetime(year, 1, number, 2, tzinfo=UTC)

    notice = issue(session, cycle, actor=COMMAND_LINE, now=day(10))
    if not objecting:
        return
    vendor, office = _account(session, "vendor"), _account(session, "admin")
    note_reading(session, notice, actor=vendor, now=day(11))
    own = session.scalars(
        select(Entry)
        .join(Entry.contract)
        .where(Entry.cycle_id == cycle.id, Contract.vendor_id == vendor.vendor_id)
        .order_by(Contract.reference)
        .limit(2)
    ).all()
    for place, entry in enumerate(own):
        statement = (
            "第三方评价员未核对我机构二季度的入户记录，“记录完整”一项评分偏低，附件为原始记录。"
            if place == 0
            else "希望提高本项目的得分，具体理由以后补充。"
        )
        filed = objections.file(
            session, entry.id, Filing("record" if place == 0 else "other", statement), actor=vendor, now=day(12)
        )
        if place == 0:
            objections.accept(session, filed, actor=office, now=day(13))
        objections.decide(
            session,
            filed,
            "upheld" if place == 0 else "rejected",
            "经调阅入户记录和评价底稿，二季度记录确有缺项，评分有据，维持原结果。"
            if place == 0
            else "未写明需要复核的事实和理由，不予受理。",
            no_tie=True,
            actor=office,
            now=day(16 if place == 0 else 14),
        )


def _account(session: Session, username: str) -> Actor:
    return session.scalars(select(Account).where(Account.username == username)).one().as_actor()
