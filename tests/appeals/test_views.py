"""The pages: a vendor reads, objects, goes on; an office tells and decides; everybody reads how it went."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.models import AppealFile, Objection, PreliminaryNotice
from evalsys.base.access import Role
from evalsys.base.db import Database
from evalsys.evaluation.models import IntegrityFlag, Score
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.appeals.makers import WHY, Told, person, scored_again, told_cycle
from tests.factories import NOW, actor
from tests.pages import CheckedClient

OBJECTION = {"ground": "record", "statement": WHY, "sure": "y"}
REASONS = "经调阅底稿和入户记录，评分有据。"


@dataclass(frozen=True)
class Office:
    """Everybody with a browser; ids, for rows belong to a session."""

    cycle: str
    entry: int
    score: float
    vendor: CheckedClient
    rival: CheckedClient
    officer: CheckedClient
    scorer: CheckedClient
    above: CheckedClient

    @property
    def result(self) -> str:
        return f"/appeals/results/{self.entry}"


@pytest.fixture
def office(write: Callable[..., Any], sign_in: Callable[[Account], CheckedClient]) -> Office:
    def make(session: Session) -> tuple[str, int, float, list[Account]]:
        told = told_cycle(session)
        score = session.scalars(
            select(Score.score).where(Score.entry_id == told.entry.id, Score.run_id == told.notice.run_id)
        ).one()
        rival = session.scalars(select(Entry).where(Entry.cycle_id == told.cycle.id, Entry.id != told.entry.id)).first()
        other = person(session, Role.VENDOR, vendor_id=rival.contract.vendor_id, region=told.cycle.region)
        scorer = session.scalars(select(Account).where(Account.role == "administrator")).first()
        ids = [told.vendor.account_id, other.account_id, told.office.account_id, scorer.id, told.above.account_id]
        return told.cycle.code, told.entry.id, score, [session.get_one(Account, number) for number in ids]

    code, entry, score, accounts = write(make)
    return Office(code, entry, score, *map(sign_in, accounts))


@pytest.fixture(autouse=True)
def in_the_notice_period() -> Any:
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        yield


def filed(office: Office, **changes: Any) -> str:
    """The page of a new objection."""
    answer = office.vendor.post(f"{office.result}/objection", data=OBJECTION | changes)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_vendor_reads_its_result_with_the_days_that_are_left(office: Office) -> None:
    assert "您还没有阅读" in office.vendor.get("/desk").text
    listed = office.vendor.get("/appeals/results").text
    assert f'href="{office.result}"' in listed
    assert "2026年11月9日" in listed
    page = office.vendor.get(office.result).text
    assert "距异议期满还有 6 个工作日" in page
    assert f"{office.score:.2f}" in page
    assert "从头到尾同一答案: 2" in page
    assert "<svg" in office.vendor.get(f"{office.result}/waterfall.svg").text
    assert "您还没有阅读" not in office.vendor.get("/desk").text
    assert "首次阅读" in office.officer.get(f"/appeals/cycles/{office.cycle}").text


def test_another_vendor_reads_nothing_of_it(office: Office) -> None:
    objection = filed(office)
    for path in (office.result, f"{office.result}/waterfall.svg", f"{office.result}/objection", objection):
        assert office.rival.get(path).status_code == 404
    assert f'href="{office.result}"' not in office.rival.get("/appeals/results").text
    assert office.rival.post(f"{office.result}/objection", data=OBJECTION).status_code == 404
    assert office.rival.post(f"{objection}/withdraw").status_code == 404
    assert office.vendor.get(f"/appeals/cycles/{office.cycle}").status_code == 403


def test_flags_are_counted_without_saying_whose_they_are(office: Office, write: Callable[..., Any]) -> None:
    write(lambda session: session.execute(delete(IntegrityFlag)))
    assert "没有评分出现疑点" in office.vendor.get(office.result).text
    write(
        lambda session: session.add(
            IntegrityFlag(
                entry_id=office.entry,
                signs=[],
                codes=" busy_day ",
                weight=1,
                state="released",
                reason="集中填写，经核实无误",
                decided_at=NOW,
                decided_by="核查员甲",
            )
        )
    )
    page = office.vendor.get(office.result).text
    assert len(re.findall(r"<li>[^<]+: 1</li>", page)) == 1
    assert "核查员甲" not in page
    assert "0 份评分已搁置" in page


def test_an_objection_from_filing_to_its_decision(office: Office, write: Callable[..., Any]) -> None:
    page = filed(office, files=(io.BytesIO(b"%PDF-1.7\n%%EOF"), "记录.pdf"))
    assert f"{office.cycle}-F001" in office.vendor.get(page).text
    assert "1" in office.officer.get("/desk").text
    listed = office.officer.get("/appeals/objections?state=open").text
    assert f"{office.cycle}-F001" in listed
    assert "2026年11月5日" in listed
    assert office.officer.get("/appeals/objections?state=decided").text.count("F001") == 0
    shown = office.officer.get(page).text
    assert WHY in shown
    file = re.search(r"/appeals/files/\d+", shown)
    assert file
    download = office.officer.get(file[0])
    assert (download.data, download.headers["Content-Disposition"][:10]) == (b"%PDF-1.7\n%%EOF", "attachment")
    assert office.rival.get(file[0]).status_code == 404
    assert office.officer.post(f"{page}/accept").status_code == 303
    assert office.officer.post(f"{page}/extend", data={"extension-reason": "需外出核实原始单据。"}).status_code == 303
    decision = {"outcome": "upheld", "reasons": REASONS, "no_tie": "y"}
    assert office.officer.post(f"{page}/decide", data=decision).status_code == 303
    seen = office.vendor.get(page).text
    assert REASONS in seen
    assert "向上一级申请再复核" in seen
    answer = office.vendor.post(f"{page}/second", data=OBJECTION)
    assert answer.status_code == 303
    assert "由上一级决定" in office.officer.get(answer.location).text
    assert office.above.post(f"{answer.location}/accept").status_code == 303
    write(publish_marked, office.cycle)
    assert "复核中" in office.vendor.get("/rankings").text
    assert office.above.post(f"{answer.location}/decide", data=decision).status_code == 303
    assert "复核中" not in office.vendor.get("/rankings").text
    contract = office.vendor.get(office.result)
    public = re.search(r'href="(/contracts/[^"]+)"', contract.text)
    assert public
    told = office.vendor.get(public[1]).text
    assert told.count(REASONS) == 2
    assert WHY not in told
    statistics = office.vendor.get("/objections").text
    assert "2 件中 2 件" in statistics


def publish_marked(session: Session, code: str) -> None:
    cycle = session.scalars(select(Cycle).where(Cycle.code == code)).one()
    publish(session, cycle, marked=True, actor=actor(Role.OFFICER), now=NOW + timedelta(days=10))


def test_a_withdrawn_objection_stays_in_the_list(office: Office) -> None:
    page = filed(office)
    assert office.vendor.post(f"{page}/withdraw").status_code == 303
    assert "申请人已撤回" in office.vendor.get(page).text
    assert office.vendor.post(f"{page}/withdraw").status_code == 409
    assert "F001" in office.officer.get("/appeals/objections?state=withdrawn").text


def test_forms_that_are_refused_come_back_with_what_was_typed(office: Office) -> None:
    empty = office.vendor.post(f"{office.result}/objection", data={"statement": "短"})
    assert empty.status_code == 422
    assert "请选择" in empty.text
    short = office.vendor.post(f"{office.result}/objection", data=OBJECTION | {"statement": "短"})
    assert (short.status_code, "陈述共 1 字" in short.text) == (422, True)
    page = filed(office)
    early = office.officer.post(f"{page}/decide", data={"outcome": "upheld", "reasons": REASONS, "no_tie": "y"})
    assert early.status_code == 409
    assert REASONS in early.text
    nothing = office.officer.post(f"{page}/decide", data={})
    assert (nothing.status_code, "请写明理由" in nothing.text) == (422, True)
    assert office.officer.post(f"{page}/recuse", data={"recusal-why": ""}).status_code == 422
    again = office.vendor.post(f"{office.result}/objection", data=OBJECTION)
    assert again.status_code == 409
    refused = office.vendor.post(f"{page}/second", data=OBJECTION)
    assert refused.status_code == 409
    assert office.vendor.post(f"{page}/second", data={}).status_code == 422


def test_who_scored_or_stands_aside_gets_no_form(office: Office) -> None:
    page = filed(office)
    assert "您参与了本年度的计分" in office.scorer.get(page).text
    assert office.scorer.post(f"{page}/accept").status_code == 403
    assert office.officer.post(f"{page}/recuse", data={"recusal-why": "亲属在该机构任职"}).status_code == 303
    assert "您已回避" in office.officer.get(page).text


def test_after_the_last_day_the_page_says_so(office: Office, write: Callable[..., Any]) -> None:
    early = datetime(2026, 10, 23, 9, tzinfo=UTC)
    write(lambda session: session.execute(update(PreliminaryNotice).values(issued_at=early)))
    page = office.vendor.get(office.result).text
    assert "异议期限已于 2026年10月30日 届满" in page
    assert f"{office.result}/objection" not in page
    assert office.vendor.post(f"{office.result}/objection", data=OBJECTION).status_code == 410


def test_telling_the_vendors_by_a_click(office: Office, database: Database, write: Callable[..., Any]) -> None:
    def change(session: Session) -> None:
        cycle = session.scalars(select(Cycle).where(Cycle.code == office.cycle)).one()
        entry = session.get_one(Entry, office.entry)
        told = Told(cycle, session.scalars(select(PreliminaryNotice)).one(), entry, *[actor()] * 3)
        scored_again(session, told)

    assert "现在告知承接主体" not in office.officer.get(f"/appeals/cycles/{office.cycle}").text
    write(change)
    page = office.officer.get(f"/appeals/cycles/{office.cycle}").text
    assert "请重新告知" in page
    assert office.officer.post(f"/appeals/cycles/{office.cycle}/notice").status_code == 303
    assert office.officer.post(f"/appeals/cycles/{office.cycle}/notice").status_code == 409
    with database.reading() as session:
        assert len(session.scalars(select(PreliminaryNotice)).all()) == 2


def test_before_anything_happened_the_pages_say_what_comes(
    write: Callable[..., Any], sign_in: Callable[[Account], CheckedClient]
) -> None:
    from tests.evaluation.rated import rated_cycle

    def make(session: Session) -> tuple[str, Account, Account]:
        cycle = rated_cycle(session)
        officer = person(session, Role.OFFICER, region=cycle.region)
        vendor = person(session, Role.VENDOR)
        return cycle.code, session.get_one(Account, officer.account_id), session.get_one(Account, vendor.account_id)

    code, officer, vendor = write(make)
    browser = sign_in(officer)
    assert "请先计算得分" in browser.get(f"/appeals/cycles/{code}").text
    assert "还没有承接主体提出异议" in browser.get("/appeals/objections").text
    assert "没有符合条件的异议" in browser.get("/appeals/objections?q=x").text
    assert "还没有公告的结果" in browser.get("/objections").text
    assert "还没有告知您的结果" in sign_in(vendor).get("/appeals/results").text

    def score(session: Session) -> None:
        run_cycle(session, session.scalars(select(Cycle).where(Cycle.code == code)).one(), actor=actor(), now=NOW)

    write(score)
    assert "将“" in browser.get("/desk").text
    assert "现在告知承接主体" in browser.get(f"/appeals/cycles/{code}").text


def test_a_file_that_belongs_to_no_objection_is_not_given_here(office: Office, write: Callable[..., Any]) -> None:
    def make(session: Session) -> int:
        objection = session.scalars(select(Objection)).first()
        assert objection is None
        from evalsys.appeals.models import Reply

        reply = Reply(entry_id=office.entry, text="说明", state="submitted", submitted_at=NOW, submitted_by="谢婷")
        reply.files = [
            AppealFile(name="a.pdf", media_type="application/pdf", size=1, hash="0" * 64, content=b"x", added_at=NOW)
        ]
        session.add(reply)
        session.flush()
        return reply.files[0].id

    number = write(make)
    assert office.officer.get(f"/appeals/files/{number}").status_code == 404
    assert office.officer.get("/appeals/files/999999").status_code == 404
