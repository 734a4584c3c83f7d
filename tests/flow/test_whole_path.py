"""The main job from an empty database to next year's choice, through the pages that people use."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO, StringIO
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.models import PreliminaryNotice
from evalsys.base.audit import AuditEntry
from evalsys.base.clock import now
from evalsys.base.db import Database
from evalsys.collection.models import Response, ResponseRating
from evalsys.publication.models import Edition
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region
from evalsys.selection.models import Plan
from tests.collection.surveys import token_of
from tests.factories import credit_code, make_account, make_region
from tests.pages import CheckedClient

YEAR = now().year
GOOD, POOR = "青山社会工作服务中心", "蓝河家政服务有限公司"
CODES = {GOOD: credit_code(7001), POOR: credit_code(7002)}
REFERENCES = {GOOD: f"QJ{YEAR}-001", POOR: f"QJ{YEAR}-002"}
RECIPIENTS = 20
PASSWORD = "清江县评价-2026-足够长"


@dataclass
class Office:
    """The people at their browsers, and the database that says which numbers things got."""

    app: Flask
    database: Database
    browsers: dict[str, CheckedClient] = field(default_factory=dict)

    def number(self, column: Any, *conditions: Any) -> Any:
        with self.database.reading() as session:
            return session.scalars(select(column).where(*conditions)).one()

    def browser(self) -> CheckedClient:
        made = self.app.test_client()
        assert isinstance(made, CheckedClient)
        return made

    def do(self, who: str, address: str, **fields: Any) -> str:
        """Send a form that is taken, and read the page it leads to."""
        browser = self.browsers[who]
        answer = browser.post(address, data=fields)
        assert answer.status_code == 303, (who, address, re.sub(r"\s+", " ", answer.text)[:3000])
        return browser.get(answer.location).text

    def read(self, who: str, address: str) -> str:
        answer = self.browsers[who].get(address)
        assert answer.status_code == 200, (who, address, answer.status_code)
        return answer.text

    def import_file(self, kind: str, rows: Iterable[Iterable[object]], **more: str) -> str:
        """Send a file, look at its preview, and confirm it."""
        text = "\n".join(",".join(map(str, row)) for row in rows)
        file = (BytesIO(text.encode("gb18030")), "表.csv")
        sent = self.browsers["admin"].post(f"/registry/imports/{kind}", data={"file": file, **more})
        assert sent.status_code == 303, sent.text
        return self.do("admin", sent.location, fingerprint=hidden(self.read("admin", sent.location), "fingerprint"))

    def acts(self) -> set[str]:
        """What the audit trail knows of."""
        with self.database.reading() as session:
            return set(session.scalars(select(AuditEntry.act)))


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', page)
    assert found, (name, page)
    return found[1]


def levels(page: str, prefix: str, wanted: int) -> dict[str, str]:
    """An answer to every question with levels on a page: the wanted level, or the best there is below it."""
    offered: dict[str, list[int]] = {}
    for tag in re.findall(r'<input[^>]*type="?radio\b[^>]*>', page):
        name, value = re.search(r'name="?([^"\s>]+)', tag), re.search(r'value="?(\d+)', tag)
        if name and value and name[1].startswith(prefix):
            offered.setdefault(name[1], []).append(int(value[1]))
    return {name: str(max(v for v in values if v <= max(wanted, 1))) for name, values in offered.items()}


def test_from_an_empty_database_to_the_choice_of_next_year(
    app: Flask, database: Database, write: Callable[..., Any], sign_in: Callable[[Account], CheckedClient]
) -> None:
    city = write(make_region, name="岭川市")
    office = Office(app, database, {"admin": sign_in(write(make_account, region=city, username="admin"))})
    fill_the_registry(office, city)
    take_in_people(office)
    links = prepare_the_cycle(office)
    collect(office, links)
    score_and_publish(office, write)
    correct(office, write)
    choose(office)
    acts = office.acts()
    assert {"registry.pin_rules", "evaluation.run_cycle", "publication.publish", "selection.decide"} <= acts
    assert not {act for act in acts if "survey" in act or "response" in act}  # recipients leave no entry


def fill_the_registry(office: Office, city: Region) -> None:
    """Region, purchaser and evaluators' body by hand; vendors and contracts from files."""
    office.do("admin", f"/registry/regions/{city.code}/new", code=f"{city.code}21", name="清江县")
    county = office.number(Region.id, Region.name == "清江县")
    office.do("admin", "/registry/purchasers/new", name="清江县民政局", region_id=county)
    office.do(
        "admin", "/registry/evaluator-bodies/new", code=credit_code(7100), name="明鉴评价研究所", region_id=county
    )
    office.import_file("vendors", [("统一社会信用代码", "名称"), *((CODES[name], name) for name in (GOOD, POOR))])
    heads = ("合同编号", "项目名称", "统一社会信用代码", "购买主体", "地区", "服务类别", "金额", "开始日期", "结束日期")
    same = ("清江县民政局", "清江县", "照料护理", "120000", f"{YEAR}-01-01", f"{YEAR}-12-31", "公开招标", RECIPIENTS)
    rows = [(REFERENCES[name], f"{name}照料项目", CODES[name], *same) for name in (GOOD, POOR)]
    listed = office.import_file("contracts", [(*heads, "采购方式", "服务对象人数"), *rows])
    assert all(reference in listed for reference in REFERENCES.values())


def take_in_people(office: Office) -> None:
    """The administrator adds each account; each person replaces the password at the first sign-in."""
    county = office.number(Region.id, Region.name == "清江县")
    bodies = {
        "purchaser": {"purchaser_id": office.number(Purchaser.id)},
        "evaluator": {"evaluator_body_id": office.number(EvaluatorBody.id)},
        "officer": {},
        "auditor": {},
    }
    for role, body in bodies.items():
        fields = {"username": role, "name": f"测试{role}", "region_id": county} | body
        issued = office.browsers["admin"].post(f"/accounts/new?role={role}", data=fields).text
        secret = re.search(r'class="secret">([^<]+)<', issued)
        assert secret, issued
        office.browsers[role] = office.browser()
        office.do(role, "/sign-in", username=role, password=secret[1])
        desk = office.do(role, "/password", present=secret[1], fresh=PASSWORD, again=PASSWORD)
        assert f"测试{role}" in desk


def prepare_the_cycle(office: Office) -> dict[str, list[str]]:
    """A draft with rules, contracts and frame; opened, assigned, and every recipient given a code."""
    county = office.number(Region.id, Region.name == "清江县")
    facts = {"code": str(YEAR), "title": f"{YEAR}年度评价", "year": YEAR, "region_id": county}
    office.do("admin", "/registry/cycles/new", **facts, opens_on=f"{YEAR}-01-01", closes_on=f"{YEAR + 1}-01-31")
    cycle = f"/registry/cycles/{YEAR}"
    office.do("admin", f"{cycle}/rules", source="shipped", reason="")
    with office.database.reading() as session:
        contracts = session.scalars(select(Contract.id)).all()
    office.do("admin", f"{cycle}/enter", contract=contracts)
    frame = [(reference, "河东镇", "上门照料", RECIPIENTS) for reference in REFERENCES.values()]
    office.import_file("frames", [("合同编号", "乡镇（街道）", "服务内容", "人数"), *frame], cycle=str(YEAR))
    office.do("admin", f"{cycle}/move?to=collecting")
    office.do("evaluator", f"/collection/cycles/{YEAR}/interests/own", stated="none", rows="1", then="sign", signed="y")
    evaluator = office.number(Account.id, Account.username == "evaluator")
    with office.database.reading() as session:
        entries = session.scalars(select(Entry.id)).all()
    office.do("admin", f"/collection/cycles/{YEAR}/assignments", entry_ids=entries, account_id=evaluator)
    file = office.browsers["admin"].post(f"/collection/cycles/{YEAR}/invitations/", data={"kept": "y"})
    assert file.status_code == 200, file.text
    links: dict[str, list[str]] = {reference: [] for reference in REFERENCES.values()}
    for row in csv.DictReader(StringIO(file.text)):
        links[row["contract"]].append(row["code"])
    assert [len(codes) for codes in links.values()] == [RECIPIENTS, RECIPIENTS]
    return links


def collect(office: Office, links: dict[str, list[str]]) -> None:
    """Recipients answer, one of them twice; the evaluator saves a draft first; the purchaser rates."""
    for name, usual in ((GOOD, 5), (POOR, 3)):
        for n, code in enumerate(links[REFERENCES[name]]):
            recipient = office.browser()
            page = recipient.get(f"/s/{code}").text
            answers = levels(page, "", usual - (n % 5 == 0)) | {"form-token": token_of(page)}
            sent = recipient.post(f"/s/{code}", data=answers)
            assert sent.status_code == 303, sent.text
            assert recipient.post(f"/s/{code}", data=answers).location == sent.location
    assert recipient.get(f"/s/{code}").status_code == 410
    for role, work in (("evaluator", 5), ("purchaser", 4)):
        for name, less in ((GOOD, 0), (POOR, 2)):
            entry = office.number(Entry.id, Entry.contract.has(reference=REFERENCES[name]))
            assert f"/collection/entries/{entry}/rate" in office.read(role, "/collection/worklist")
            page = office.read(role, f"/collection/entries/{entry}/rate")
            answers = levels(page, "value-", work - less)
            answers |= {code.replace("value-", "comment-"): "现场查看，与记录一致" for code in answers}
            begun = dict([next(iter(answers.items()))])
            page = office.do(role, f"/collection/entries/{entry}/rate", version=hidden(page, "version"), **begun)
            check = office.do(
                role,
                f"/collection/entries/{entry}/rate",
                version=hidden(page, "version"),
                then="check",
                buy_again="yes",  # asked of the purchaser alone
                **answers,
            )
            final = office.do(role, f"/collection/entries/{entry}/check", version=hidden(check, "version"), signed="y")
            assert "提交" in final


def score_and_publish(office: Office, write: Callable[..., Any]) -> None:
    """Collecting closes, the officer scores, tells the vendors, waits and publishes; the better vendor is first."""
    assert office.browser().get("/rankings").status_code == 200
    office.do("admin", f"/registry/cycles/{YEAR}/move?to=review")
    office.do("officer", f"/evaluation/cycles/{YEAR}/run")
    assert office.number(Cycle.state) == "preliminary"
    assert "将初步结果告知承接主体" in office.read("officer", f"/publication/cycles/{YEAR}/publish")
    office.do("officer", f"/appeals/cycles/{YEAR}/notice")
    assert "前仍可提出异议" in office.read("officer", f"/publication/cycles/{YEAR}/publish")
    write(let_the_notice_period_pass)
    publish(office)
    page = office.browser().get("/rankings").text
    assert page.index(REFERENCES[GOOD]) < page.index(REFERENCES[POOR])
    assert vendors_in(page) == [GOOD, POOR]
    for address in (f"/vendors/{CODES[GOOD]}", f"/contracts/{REFERENCES[POOR]}", "/methodology"):
        assert office.browser().get(address).status_code == 200, address


def let_the_notice_period_pass(session: Session) -> None:
    notice = session.scalars(select(PreliminaryNotice)).one()
    notice.issued_at -= timedelta(days=30)


def vendors_in(page: str) -> list[str]:
    """The vendors of a ranking in its order."""
    return [name for name in re.findall(r'href="/vendors/[^"]+">([^<]+)<', page) if name in CODES]


def publish(office: Office, **more: str) -> None:
    form = office.read("officer", f"/publication/cycles/{YEAR}/publish")
    office.do("officer", f"/publication/cycles/{YEAR}/publish", run=hidden(form, "run"), sure="y", **more)


def correct(office: Office, write: Callable[..., Any]) -> None:
    """Answers that turn out to be false are held; the second edition says what it changed, the first stays."""
    first = office.number(Edition.id)
    write(hold_the_best_of, REFERENCES[GOOD])
    office.do("officer", f"/evaluation/cycles/{YEAR}/run")
    publish(office, reason="复核发现 12 份问卷并非本人填写，予以剔除。")
    second = office.number(Edition.id, Edition.number == 2)
    page = office.browser().get(f"/editions/{second}").text
    assert "复核发现 12 份问卷并非本人填写" in page
    assert REFERENCES[GOOD] in page
    old = office.browser().get(f"/editions/{first}").text
    assert f'href="/editions/{second}"' in old
    assert office.browser().get(f"/rankings?edition={first}").status_code == 200


def hold_the_best_of(session: Session, reference: str) -> None:
    """No page holds answers back yet."""
    best = select(ResponseRating.response_key).where(
        ResponseRating.criterion == "recipient_satisfied", ResponseRating.value == 5
    )
    entry = select(Entry.id).where(Entry.contract.has(reference=reference))
    for response in session.scalars(
        select(Response).where(Response.key.in_(best), Response.entry_id.in_(entry)).order_by(Response.key).limit(12)
    ):
        response.held = True


def choose(office: Office) -> None:
    """Next year's plan reads the published result; a person decides, here against the order, and says why."""
    facts = {"title": f"{YEAR + 1}年度照料护理服务", "year": YEAR + 1, "service_type": "care", "use": "renewal"}
    shares = {"technical": "50", "price": "20", "past": "30", "reference": "600,000"}
    office.do("officer", "/selection/new", **facts, **shares, purchaser_id=office.number(Purchaser.id))
    plan = f"/selection/{office.number(Plan.id)}"
    for code in CODES.values():
        office.do("officer", f"{plan}/candidates", credit_code=code)
    points = office.read("officer", f"{plan}/points")
    fields = dict.fromkeys(re.findall(r'name="((?:technical|offer)_\d+)"', points), "80")
    sheet = office.do("officer", f"{plan}/points", **fields)
    assert sheet.index(GOOD) < sheet.index(POOR)  # only the published result sets them apart
    seen = hidden(office.read("officer", f"{plan}/decision"), "seen")
    choice = {"credit_code": CODES[POOR], "ground": "青山中心明年人员不足，书面放弃续签。", "seen": seen}
    asked = office.browsers["officer"].post(f"{plan}/decision", data=choice)
    assert asked.status_code == 200, "the decision is read once more before it is kept"
    decided = office.do("officer", f"{plan}/decision", **choice, confirmed="1")
    assert "书面放弃续签" in decided
    assert office.browsers["officer"].get(f"{plan}/points").status_code == 409
