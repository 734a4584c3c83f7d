"""What the demo's vendor wants to stand beside its scores: one reply published, one that waits to be checked."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals import replies
from evalsys.base.access import COMMAND_LINE, Actor
from evalsys.registry.models import Contract, Cycle, Entry

PUBLISHED = """感谢各方的评价。得分偏低的“服务响应”，主要是二季度两名护理员离职后一度人手不足。
我机构已于七月补齐人员，并公布了服务电话 0763-3361234；今后缺员超过一周即报告购买主体。"""
WAITING = """评价所说的“记录不全”，是因为部分老人由家属代签。老人张三的女儿（13812345678）可以证明服务按时完成。
补签的记录已交购买主体备查。"""


def reply(session: Session, cycle: Cycle) -> None:
    """Of the cycle's contracts of the vendor that can sign in, the first two; the office checks the first."""
    vendor = _account(session, "vendor")
    own = session.scalars(
        select(Entry.id)
        .join(Entry.contract)
        .where(Entry.cycle_id == cycle.id, Contract.vendor_id == vendor.vendor_id)
        .order_by(Contract.reference)
        .limit(2)
    ).all()
    for entry_id, text in zip(own, (PUBLISHED, WAITING), strict=False):
        made = replies.submit(session, entry_id, text, actor=vendor, now=_day(cycle, 22))
        if text is PUBLISHED:
            seen = replies.fingerprint(made)
            replies.publish(session, entry_id, seen=seen, actor=COMMAND_LINE, now=_day(cycle, 24))


def _day(cycle: Cycle, number: int) -> datetime:
    return datetime(cycle.year + 1, 1, number, 2, tzinfo=UTC)


def _account(session: Session, username: str) -> Actor:
    return session.scalars(select(Account).where(Account.username == username)).one().as_actor()
