"""What became of the demo's weak results: one rectification in each state, and recipients asked about those done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.demands import draft
from evalsys.appeals.follow_up import count_answer, end_asking, follow_up_key, make_codes
from evalsys.appeals.models import Better, Rectification
from evalsys.appeals.rectifications import default_due_on, names_of, needed
from evalsys.appeals.rectifying import AT_ONCE, Demand, find_done, open_items, report, send_back
from evalsys.base.access import Actor, Role
from evalsys.collection.codes import code_hash
from evalsys.demo import county
from evalsys.registry.models import Cycle

STATES = ("done", "open", "reported", "returned", "asked", "late")
"""Of the worst contracts of the last year, in turn; the others wait to be demanded. Of years before, all is done."""

REPORT = """对照整改要求，已完成以下工作：
一、增配护理员两名，四月起每周上门不少于两次，上门情况逐次登记。
二、设立并公布服务监督电话，来电当日回复。
三、每月由机构负责人抽查台账，发现缺项当周补正。"""
MISSING = "台账中四月下旬的上门登记不全，监督电话未在服务点公示。请补正后重新报告。"
FOUND = "电话回访并抽查台账，上门登记完整，监督电话已在各服务点公示，整改到位。"
SLIPS = 40
ANSWERED = 0.7  # of the slips
SHARES = {Better.BETTER: 0.62, Better.SAME: 0.22, Better.WORSE: 0.06, Better.UNKNOWN: 0.1}


def put_right(session: Session, cycle: Cycle) -> None:
    """Demand them two days after publication, and take each as far as its turn says."""
    officer = session.scalars(select(Account).where(Account.username == "officer")).one().as_actor()
    waiting = needed(session, cycle, actor=officer, most=AT_ONCE)
    states = STATES if cycle.year == county.YEARS[-2] else ("long done",) * len(waiting)
    for one, state in zip(waiting, states, strict=False):
        now = _day(cycle, 1, 22)
        due_on = default_due_on(one.edition, now) if state != "open" else date(cycle.year + 1, 12, 31)
        demand = Demand(one.entry.id, draft(one.line, names_of(one.edition)))
        item = open_items(session, cycle, [demand], due_on=due_on, actor=officer, now=now)[0]
        if state not in {"open", "late"}:
            _report(session, item, state, officer)


def _report(session: Session, item: Rectification, state: str, officer: Actor) -> None:
    cycle = item.entry.cycle
    vendor = item.entry.contract.vendor
    writer = Actor(None, f"{vendor.name}经办人", Role.VENDOR, vendor_id=vendor.id)
    report(session, item.id, REPORT, [], actor=writer, now=_day(cycle, 3, 12))
    if state == "returned":
        due_on = date(cycle.year + 1, 12, 15)
        send_back(session, item.id, MISSING, due_on=due_on, actor=officer, now=_day(cycle, 3, 18))
    if state in {"done", "asked"}:
        _ask(session, item, officer)
    if state in {"done", "long done"}:
        find_done(session, item.id, FOUND, actor=officer, now=_day(cycle, 4, 20))
    if state == "done":
        end_asking(session, item.id, actor=officer, now=_day(cycle, 5, 20))


def _ask(session: Session, item: Rectification, officer: Actor) -> None:
    key = follow_up_key(current_app.config["SETTINGS"].require_secret_key())
    now, generator = _day(item.entry.cycle, 4, 8), np.random.default_rng(item.entry.cycle.year)
    codes = make_codes(session, item.id, SLIPS, key=key, actor=officer, now=now).codes
    answers: Sequence[Better] = list(SHARES)
    for code in codes[: round(SLIPS * ANSWERED)]:
        answer = answers[int(generator.choice(len(answers), p=list(SHARES.values())))]
        count_answer(session, code_hash(code, key), answer, now=now)


def _day(cycle: Cycle, month: int, number: int) -> datetime:
    return datetime(cycle.year + 1, month, number, 2, tzinfo=UTC)
