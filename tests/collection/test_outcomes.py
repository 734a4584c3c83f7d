"""Why invitations stayed without an answer, and the response rate that follows."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.base.tables import TableFaulty
from evalsys.cli import run
from evalsys.collection.codes import code_hash, code_key, grouped
from evalsys.collection.counting import Figures, figures, rr1
from evalsys.collection.invitations import invite, withdraw_unused
from evalsys.collection.models import Invitation, Outcome
from evalsys.collection.outcomes import record_outcome, take_in_outcomes
from evalsys.config import Settings
from evalsys.registry.models import Cycle
from tests.collection.surveys import SECRET
from tests.collection.world import make_world
from tests.factories import NOW, actor, make_county, make_cycle, make_entry, make_stratum
from tests.pages import CheckedClient

KEY = code_key(SECRET)
SILENT = [outcome for outcome in Outcome if outcome != Outcome.PAPER]
Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]


def invited(session: Session, *, size: int = 6, cycle: Cycle | None = None) -> tuple[Cycle, list[str]]:
    """A cycle with a contract whose recipients were invited, and their codes."""
    cycle = cycle or make_cycle(session)
    make_stratum(session, entry=make_entry(session, cycle=cycle), size=size)
    return cycle, [one.code for one in invite(session, cycle, key=KEY, actor=COMMAND_LINE, now=NOW)]


def say(session: Session, cycle: Cycle, code: str, outcome: Outcome | None, **who: Any) -> None:
    record_outcome(session, cycle, code, outcome, key=KEY, actor=who.get("actor", COMMAND_LINE), now=NOW)


def answer(session: Session, code: str) -> None:
    session.execute(select(Invitation).where(Invitation.code_hmac == code_hash(code, KEY))).scalar_one().used = True
    session.flush()


def counted(session: Session, cycle: Cycle) -> Figures:
    return figures(session, cycle, actor=COMMAND_LINE)


def test_the_rate_leaves_out_who_was_no_recipient_any_more(session: Session) -> None:
    cycle, codes = invited(session)
    for code, outcome in zip(codes, SILENT, strict=False):
        say(session, cycle, grouped(code.lower(), 5), outcome)
    answer(session, codes[4])
    found = counted(session, cycle)
    assert found == Figures(frame=6, invited=6, used=1, refused=1, unreachable=1, moved=1, died=1)
    assert found.rate == 1 / 4  # one answered; one refused, one was not reached, of one nothing is known
    assert found.unused == 1


def test_no_rate_is_made_up() -> None:
    assert rr1(0, 0, gone=0) is None
    assert rr1(0, 2, gone=2) is None
    assert rr1(1, 3, gone=1) == 1 / 2


def test_an_answer_counts_whatever_was_said_before(app: Flask, session: Session) -> None:
    cycle, codes = invited(session)
    say(session, cycle, codes[0], Outcome.REFUSED)
    answer(session, codes[0])
    found = counted(session, cycle)
    assert (found.used, found.refused) == (1, 0)
    with pytest.raises(Conflict, match="已作答"):
        say(session, cycle, codes[0], Outcome.DIED)


def test_what_was_said_is_changed_and_taken_back(session: Session) -> None:
    cycle, codes = invited(session)
    say(session, cycle, codes[0], Outcome.MOVED)
    say(session, cycle, codes[0], Outcome.REFUSED)
    assert (counted(session, cycle).moved, counted(session, cycle).refused) == (0, 1)
    say(session, cycle, codes[0], None)
    assert counted(session, cycle) == Figures(frame=6, invited=6)


def test_codes_of_nobody_and_of_others_are_refused(session: Session) -> None:
    cycle, _codes = invited(session)
    _other, theirs = invited(session)
    for code in ("", "A2C4E-F7H9X", theirs[0]):
        with pytest.raises(Invalid):
            say(session, cycle, code, Outcome.REFUSED)
    with pytest.raises(NotAllowed):
        say(session, cycle, theirs[0], Outcome.REFUSED, actor=actor(region=make_county(session)))


@pytest.mark.parametrize(("state", "allowed"), [("review", True), ("preliminary", False), ("published", False)])
def test_outcomes_are_recorded_until_there_is_a_result(session: Session, state: str, *, allowed: bool) -> None:
    cycle, codes = invited(session)
    cycle.state = state
    session.flush()
    if allowed:
        say(session, cycle, codes[0], Outcome.DIED)
        assert counted(session, cycle).died == 1
    else:
        with pytest.raises(Conflict):
            say(session, cycle, codes[0], Outcome.DIED)


def test_the_audit_trail_counts_and_names_no_case(session: Session) -> None:
    cycle, codes = invited(session)
    say(session, cycle, codes[0], Outcome.MOVED)
    say(session, cycle, codes[0], None)
    take_in_outcomes(session, cycle, sheet((codes[1], "拒绝")), key=KEY, actor=COMMAND_LINE, now=NOW)
    told = session.scalars(
        select(AuditEntry.detail).where(AuditEntry.act == "collection.record_outcomes").order_by(AuditEntry.id)
    )
    assert told.all() == [{"moved": 1}, {"none": 1}, {"refused": 1}]


def test_who_refused_is_not_asked_again_when_a_list_is_lost(session: Session) -> None:
    cycle, codes = invited(session)
    say(session, cycle, codes[0], Outcome.REFUSED)
    assert withdraw_unused(session, cycle, actor=COMMAND_LINE, now=NOW) == 6
    assert counted(session, cycle) == Figures(frame=6, invited=1, refused=1)
    assert session.scalar(select(func.count()).where(Invitation.code_hmac == code_hash(codes[0], KEY))) == 0
    assert len(invite(session, cycle, key=KEY, actor=COMMAND_LINE, now=NOW)) == 5


def sheet(*rows: tuple[str, str]) -> bytes:
    return "\n".join(["code,outcome", *(",".join(row) for row in rows)]).encode()


def test_a_file_is_taken_in(session: Session) -> None:
    cycle, codes = invited(session)
    rows = [
        (codes[0], "拒绝"),
        (grouped(codes[1], 5), "MOVED"),
        (codes[2], "去世"),
        (codes[3], "联系不上"),
        (codes[4], "纸质"),
    ]
    found = take_in_outcomes(session, cycle, sheet(*rows), key=KEY, actor=COMMAND_LINE, now=NOW)
    assert found == Counter(Outcome)
    assert counted(session, cycle).rate == 0
    assert counted(session, cycle).unused == 1
    assert session.scalar(select(func.count()).where(Invitation.code_hmac == code_hash(codes[4], KEY))) == 0


def test_a_faulty_file_is_told_by_cell_and_changes_nothing(app: Flask, session: Session) -> None:
    cycle, codes = invited(session)
    answer(session, codes[1])
    rows = [
        (codes[0], "拒绝"),
        (codes[0], "去世"),
        (codes[1], "拒绝"),
        ("XX", "拒绝"),
        (codes[2], "出差"),
        ("", "拒绝"),
    ]
    with pytest.raises(TableFaulty) as caught:
        take_in_outcomes(session, cycle, sheet(*rows), key=KEY, actor=COMMAND_LINE, now=NOW)
    assert [(fault.row, fault.wrong) for fault in caught.value.faults] == [
        (3, "该问卷码在文件中出现两次。"),
        (4, "这个问卷码已作答。"),
        (5, "您在本评价年度邀请的服务对象中没有这个问卷码。"),
        (6, "这不是可用的结果。"),
        (7, "单元格为空。"),
    ]
    assert counted(session, cycle).refused == 0


def test_the_command_takes_a_file_in(
    settings: Settings,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in (
        ("DATABASE_URL", settings.database_url),
        ("INSTANCE", str(settings.instance)),
        ("SECRET_KEY", SECRET),
        ("LANGUAGE", "en"),
    ):
        monkeypatch.setenv(f"EVALSYS_{name}", value)
    cycle, codes = write(invited)
    file = tmp_path / "came-back.csv"
    file.write_bytes(sheet((codes[0], "refused"), (codes[1], "died")))
    assert run(["outcomes", cycle.code, str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "Refused: 1",
        "Not reached: 0",
        "Moved away before being asked: 0",
        "Died before being asked: 1",
        "Got a form on paper instead: 0",
    ]
    file.write_bytes(sheet((codes[0], "fled")))
    assert run(["outcomes", cycle.code, str(file)]) == 2


URL = "/collection/cycles/2026/outcomes"


def test_the_page_records_a_case_and_a_file(app: Flask, write: Write, sign_in: SignIn) -> None:
    def made(session: Session) -> tuple[Any, list[str]]:
        world = make_world(session, code="2026")
        make_stratum(session, entry=world.entry, size=4)
        key = code_key(app.config["SECRET_KEY"])
        return world, [one.code for one in invite(session, world.cycle, key=key, actor=COMMAND_LINE, now=NOW)]

    world, codes = write(made)
    browser = sign_in(world.administrator)
    assert "登记未作答情况" in browser.get("/collection/cycles/2026/invitations/").text
    assert browser.get(URL).status_code == 200
    assert browser.post(URL).status_code == 422
    assert browser.post(URL, data={"code": "XX", "outcome": "moved"}).status_code == 422
    assert "已登记" in browser.post(URL, data={"code": codes[0], "outcome": "moved"}, follow_redirects=True).text
    assert browser.post(URL, data={"code": codes[0], "outcome": "none"}).status_code == 303
    assert browser.post(f"{URL}/file").status_code == 422
    for content, status, said in (
        (sheet((codes[1], "出差")), 422, "这不是可用的结果"),
        (b"PK nothing", 422, "Excel"),
        (sheet((codes[1], "去世")), 200, "已登记 1 个"),
    ):
        sent = browser.post(f"{URL}/file", data={"file": (io.BytesIO(content), "came-back.csv")}, follow_redirects=True)
        assert sent.status_code == status
        assert said in sent.text
    assert browser.get("/collection/outcomes-template.csv").status_code == 200
    assert "0.0%" in browser.get("/collection/cycles/2026/invitations/").text
    auditor = sign_in(world.auditor)
    assert "登记未作答情况" not in auditor.get("/collection/cycles/2026/invitations/").text
    assert auditor.get(URL).status_code == 403
