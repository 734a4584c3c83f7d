"""Signs in answers while they come in: told of contracts, never of two looks' difference of one person."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.collection.models import TimeBand
from evalsys.evaluation.early_checks import early_table, look_early
from evalsys.evaluation.models import EarlyCheck, IntegrityFlag
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, respond
from tests.factories import NOW, actor, make_account, make_county, make_cycle, make_entry, make_rules
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


def fast(session: Session, entry: Entry, count: int) -> None:
    """Answers that took less than 20 seconds."""
    for _one in range(count):
        given = all_at(entry.cycle, "recipient", entry.contract.service_type, 4)
        respond(session, entry, given).time_band = TimeBand.UNDER_20.value
    session.flush()


def look(session: Session, cycle: Cycle, **who: Any) -> int:
    return look_early(session, cycle, actor=who.get("actor", COMMAND_LINE), now=NOW)


def kept(session: Session) -> list[tuple[int, int]]:
    checks = session.scalars(select(EarlyCheck).execution_options(populate_existing=True))
    return [(check.answers, check.signs.get("too_fast", 0)) for check in checks]


def test_a_contract_is_looked_at_every_five_answers(session: Session) -> None:
    cycle = make_cycle(session)
    entry = make_entry(session, cycle=cycle)
    fast(session, entry, 4)
    assert (look(session, cycle), kept(session)) == (0, [])
    fast(session, entry, 1)
    assert (look(session, cycle), kept(session)) == (1, [(5, 5)])
    fast(session, entry, 4)
    assert (look(session, cycle), kept(session)) == (0, [(5, 5)])  # the difference would be that of a few
    fast(session, entry, 2)
    assert (look(session, cycle), kept(session)) == (1, [(11, 11)])
    assert session.scalars(select(IntegrityFlag)).all() == []
    assert session.scalars(select(AuditEntry.detail).order_by(AuditEntry.id)).all()[-1] == {"contracts": 1}


def test_after_collecting_there_are_flags_instead(session: Session) -> None:
    with pytest.raises(Conflict, match="does not collect"):
        look(session, make_cycle(session, state="review"))


def test_rules_may_look_for_no_signs(session: Session) -> None:
    text = make_rules(session).text
    start = text.index("\n[integrity]")
    without = text[:start] + text[text.index("\n[", start + 1) :]
    with pytest.raises(Conflict, match="the step is off"):
        look(session, make_cycle(session, rules=make_rules(session, without.encode())))


def test_another_branch_neither_looks_nor_sees(session: Session) -> None:
    cycle, elsewhere = make_cycle(session), actor(Role.ADMINISTRATOR, region=make_county(session))
    with pytest.raises(NotAllowed):
        look(session, cycle, actor=elsewhere)
    with pytest.raises(NotAllowed):
        early_table(session, cycle, actor=elsewhere)


@pytest.mark.parametrize(("entry_id", "answers"), [(None, 4), (999_999, 5)])
def test_a_bad_row_is_refused(session: Session, entry_id: int | None, answers: int) -> None:
    session.add(EarlyCheck(entry_id=entry_id or make_entry(session).id, answers=answers, signs={}))
    with pytest.raises(IntegrityError, match="enough_answers" if entry_id is None else "(?i)foreign key"):
        session.flush()


def test_the_page_looks_and_shows_shares(write: Write, sign_in: SignIn) -> None:
    def make(session: Session) -> tuple[Account, Account]:
        cycle = make_cycle(session, code="2026")
        fast(session, make_entry(session, cycle=cycle), 6)
        people = [make_account(session, role, region=cycle.region) for role in (Role.ADMINISTRATOR, Role.AUDITOR)]
        assert all(person.as_actor().region_path for person in people)  # loads what is asked for later
        return people[0], people[1]

    administrator, auditor = write(make)
    browser, address = sign_in(administrator), "/evaluation/cycles/2026/early/"
    assert "核查已收答卷的质量" in browser.get("/collection/cycles/2026/desk/").text
    assert "尚未核查" in browser.get(address).text
    assert "已更新 1 个项目" in browser.post(address, follow_redirects=True).text
    assert "没有与“无此项目”相符的内容" in browser.get(f"{address}?q=无此项目").text
    rows = list(csv.DictReader(io.StringIO(browser.get(f"{address}?format=csv&lang=en").data.decode("utf-8-sig"))))
    assert [(row["Answers looked at"], row["Answered too fast (%)"]) for row in rows] == [("6", "100.0")]
    reader = sign_in(auditor)
    assert "<button" not in reader.get(address).text.split("<h1>")[1].split("搜索")[0].split("<form class")[0]
    assert reader.post(address).status_code == 403
