"""Every page of every role, on a phone and on a desk: by the rules of WCAG 2.2 AA (axe), nothing to scroll sideways."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from evalsys.accounts.access_tokens import CreateToken, create_token, tokens_of
from evalsys.accounts.models import Account, Scope
from evalsys.appeals.models import Objection, Rectification, Reply
from evalsys.appeals.rectifications import visible_to
from evalsys.base.access import EVERYBODY, Actor, Role, allowed_roles
from evalsys.base.clock import now
from evalsys.base.problems import PLACE
from evalsys.base.tables import Sheet, write_csv
from evalsys.collection.codes import receipt_of
from evalsys.collection.messages.models import Mailing
from evalsys.collection.models import Assessment, AssessmentVersion, Invitation
from evalsys.collection.paper_models import PaperBatch
from evalsys.collection.ratings_files import stage_ratings
from evalsys.collection.sample_models import Sample
from evalsys.collection.tasks import PARTY_OF
from evalsys.collection.worksheet import sheet_of
from evalsys.publication.models import Edition, Withdrawal
from evalsys.registry.imports import KINDS, uploads
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region, Stratum, Vendor
from evalsys.registry.pins import rules_of
from evalsys.selection.models import Plan
from tests.browser.conftest import PHONE, Site
from tests.browser.furnishing import FOLLOW_UP_CODE, furnish
from tests.factories import credit_code

pytestmark = pytest.mark.browser

YEAR = "2026"
ANYBODY = "anybody"
READERS = (ANYBODY, *Role)
USERNAMES = {role: "admin" if role is Role.ADMINISTRATOR else role.value for role in Role}
NOT_PAGES = {
    "healthz",
    "appeals.file",
    "appeals.waterfall",
    "evidence.download",
    "rectification.file",
    "replies.file",
    "replies.public_file",
    "static",
    "bootstrap.static",
    "registry.import_template",
    "survey.script",
    "survey.style",
} | {
    "publication.bulletin",
    "publication.bundle",
    "publication.compare",  # without two to compare it refuses: see ALSO
    "publication.consistency",
    "publication.keys",
    "publication.proof",
    "publication.receipt",  # without an answer it is not found: see ALSO
    "publication.statement",
}
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
WIDTHS = (320, 1280)


@dataclass(frozen=True)
class Reader:
    """Who opens a page, and the database in which its example is looked up."""

    site: Site
    session: Session
    account: Account | None

    def first(self, column: Any, *conditions: Any) -> Any:
        """The first value of a column; the demo has one of everything."""
        return self.session.scalars(select(column).where(*conditions).order_by(column)).first()

    def entry(self) -> int:
        """An entry that the reader has begun to rate."""
        assert self.account is not None
        return int(
            self.first(Assessment.entry_id, Assessment.account_id == self.account.id, Assessment.state == "draft")
        )

    def party(self) -> str:
        assert self.account is not None
        return PARTY_OF[Role(self.account.role)]

    def submitted(self) -> int:
        own = self.account is not None and Role(self.account.role) in PARTY_OF
        mine = [Assessment.account_id == self.account.id] if own and self.account else []
        return int(self.first(Assessment.id, Assessment.state == "submitted", *mine))


def _plan(reader: Reader) -> dict[str, object]:
    return {"plan_id": reader.first(Plan.id)}


def _contract_number(reader: Reader) -> dict[str, object]:
    return {"number": reader.first(Contract.id)}


def _purchaser(reader: Reader) -> dict[str, object]:
    return {"number": reader.first(Purchaser.id)}


def _body(reader: Reader) -> dict[str, object]:
    return {"code": reader.first(EvaluatorBody.credit_code)}


def _vendor(reader: Reader) -> dict[str, object]:
    return {"code": reader.first(Vendor.credit_code)}


def _upload(reader: Reader) -> dict[str, object]:
    """A file of one new vendor that waits to be confirmed."""
    assert reader.account is not None
    columns = [column for column in KINDS["vendors"].columns if column.required]
    values = {column.heading: str(column.example) for column in columns} | {columns[0].heading: credit_code(900)}
    data = f"{','.join(values)}\n{','.join(values.values())}\n".encode()
    sender = Actor(reader.account.id, reader.account.name, Role.ADMINISTRATOR)
    instance = reader.site.settings.instance
    token = uploads.keep(
        instance, data, kind="vendors", filename="承接主体.csv", cycle_code=None, actor=sender, now=now()
    )
    return {"token": token}


def _ratings_file(reader: Reader) -> dict[str, object]:
    """A file with a paper answer of one recipient, likewise."""
    assert reader.account is not None
    sender = Actor(reader.account.id, reader.account.name, Role.ADMINISTRATOR)
    entry = reader.session.scalars(select(Entry).where(Entry.cycle.has(Cycle.code == YEAR))).first()
    assert entry is not None
    asked = rules_of(entry.cycle).criteria_for("recipient", entry.contract.service_type)
    rows = [f"{entry.contract.reference},recipient,1,{criterion.code},1" for criterion in asked]
    data = BytesIO("\n".join(["contract,party,rater,criterion,value", *rows]).encode())
    staging = stage_ratings(reader.session, data, entry.cycle, actor=sender)
    instance, content = reader.site.settings.instance, staging.content()
    staging.close()
    token = uploads.keep(
        instance, content, kind="ratings", filename="纸质问卷.csv", cycle_code=YEAR, actor=sender, now=now()
    )
    return {"token": token}


def _waiting(reader: Reader, data: bytes, **about: Any) -> dict[str, object]:
    """A file of the reader's own that waits to be confirmed."""
    assert reader.account is not None
    sender, instance = reader.account.as_actor(), reader.site.settings.instance
    return {"token": uploads.keep(instance, data, **about, actor=sender, now=now())}


def _measured_file(reader: Reader) -> dict[str, object]:
    reference = reader.first(Contract.reference, Contract.id.in_(select(Entry.contract_id).where(OF_THE_YEAR)))
    data = f"合同编号,评价指标,数值,来源\n{reference},purchaser_staff_share,0.72,人员台账 10 月\n".encode()
    return _waiting(reader, data, kind="measured", filename="台账.csv", cycle_code=YEAR)


def _worksheet_file(reader: Reader) -> dict[str, object]:
    """With a rating of another level in its first row."""
    assert reader.account is not None
    with reader.site.app.app_context():
        sheet = sheet_of(reader.session, actor=reader.account.as_actor())
    rows = [list(row) for row in sheet.rows]
    rows[0][sheet.headings.index("评分")] = "3"
    data = write_csv(Sheet("", sheet.headings, rows))
    return _waiting(reader, data, kind="worksheet", filename="评价.csv", cycle_code=None)


def _receipt(reader: Reader) -> dict[str, object]:
    return {"receipt": receipt_of("a nonce", reader.site.app.extensions["survey_desk"].receipt_key)}


def _token(reader: Reader) -> dict[str, object]:
    """A token of the reader's own."""
    assert reader.account is not None
    sender = reader.account.as_actor()
    asked = CreateToken("统计报表程序", reader.account.region_id, tuple(Scope), 90)
    with reader.site.app.extensions["database"].transaction() as session:
        create_token(session, asked, actor=sender, now=now())
        return {"number": tokens_of(session, actor=sender)[0].id}


def _recheck(reader: Reader) -> dict[str, object]:
    """The one recipient with a name who has answered."""
    return {"case_id": reader.first(Invitation.id, Invitation.roster_member_id.is_not(None), Invitation.used)}


def _edition(reader: Reader) -> dict[str, object]:
    return {"number": reader.first(Edition.id)}


def _reply(reader: Reader) -> dict[str, object]:
    """A vendor's own, to be checked by everybody else."""
    return {"entry_id": reader.first(Reply.entry_id, Reply.state == "submitted")}


def _told(reader: Reader) -> dict[str, object]:
    """A vendor's own contract whose result was told, and nobody has objected to."""
    own = Contract.vendor_id == (reader.account.vendor_id if reader.account else None)
    return {"entry_id": reader.first(Entry.id, Entry.cycle.has(Cycle.code == "2024"), Entry.contract.has(own))}


def _objection(reader: Reader) -> dict[str, object]:
    return {"objection_id": reader.first(Objection.id)}


def _rectification(reader: Reader) -> dict[str, object]:
    """One that the reader may see."""
    assert reader.account is not None
    own = Contract.id.in_(select(Contract.id).join(Region).where(visible_to(reader.account.as_actor())))
    return {"number": reader.first(Rectification.id, Rectification.entry.has(Entry.contract.has(own)))}


def _batch(reader: Reader) -> dict[str, object]:
    return {"code": YEAR, "number": reader.first(Mailing.id, Mailing.cycle.has(Cycle.code == YEAR))}


SCORED = Contract.id.in_(select(Entry.contract_id).where(Entry.cycle.has(Cycle.code == "2025")))
OF_2026 = {"code": YEAR}
OF_THE_YEAR = Entry.cycle.has(Cycle.code == YEAR)
SOMEBODY = {"username": "evaluator"}
THE_COUNTY = {"code": "449921"}
EXAMPLES: dict[str, dict[str, str] | Callable[[Reader], dict[str, object]]] = {
    "accounts.close_account": SOMEBODY,
    "accounts.person": SOMEBODY,
    "accounts.reset_password": SOMEBODY,
    "better.question": {"code": FOLLOW_UP_CODE},
    "collection.assessment": lambda reader: {"assessment_id": reader.submitted()},
    "collection.assigned": OF_2026,
    "collection.check": lambda reader: {"entry_id": reader.entry()},
    "collection.rate": lambda reader: {"entry_id": reader.entry()},
    "collection.submitted": {"code": "2025"},
    "desk.calls": OF_2026,
    "desk.show": OF_2026 | {"kind": "township"},
    "cosigning.read": lambda reader: {
        "assessment_id": reader.first(Assessment.id, Assessment.cosigning.has(), Assessment.party == reader.party())
    },
    "early.show": OF_2026,
    "evaluation.contract": lambda reader: {"code": "2025", "reference": reader.first(Contract.reference, SCORED)},
    "evaluation.distribution": {"code": "2025"},
    "evaluation.run": OF_2026,
    "evaluation.sensitivity": {"code": "2025"},
    "evaluation.show": {"code": "2025"},
    "evidence.files": lambda reader: {"entry_id": reader.entry()},
    "integrity.contract": lambda reader: {
        "code": "2025",
        "entry_id": reader.first(Entry.id, Entry.cycle.has(Cycle.code == "2025")),
    },
    "integrity.flags": {"code": "2025"},
    "interests.of_body": lambda reader: OF_2026 | {"credit_code": reader.first(EvaluatorBody.credit_code)},
    "interests.overview": OF_2026,
    "interests.own": OF_2026,
    "interviews.thanks": _receipt,
    "invitations.invitations": OF_2026,
    "messages.batch": _batch,
    "messages.batches": OF_2026,
    "messages.preview": OF_2026 | {"kind": "reminder"},
    "appeals.escalate": _objection,
    "appeals.file_objection": _told,
    "appeals.notice": {"code": "2025"},
    "appeals.objection": _objection,
    "appeals.result": _told,
    "letters.overview": {"code": "2025"},
    "measured.preview": _measured_file,
    "measured.upload": OF_2026,
    "outcomes.record": OF_2026,
    "late.show": OF_2026,
    "plans.plan": OF_2026,
    "paper.batch": lambda reader: {"batch_id": reader.first(PaperBatch.id, PaperBatch.state == "checking")},
    "paper.differences": lambda reader: {"batch_id": reader.first(PaperBatch.id, PaperBatch.state == "checking")},
    "paper_forms.ask": lambda reader: {"stratum_id": reader.first(Stratum.id, Stratum.entry.has(OF_THE_YEAR))},
    "paper_forms.list_parts": OF_2026,
    "publication.contract": lambda reader: {"reference": reader.first(Contract.reference)},
    "publication.distribution": _edition,
    "publication.edition": _edition,
    "publication.reliability": _edition,
    "publication.sensitivity": _edition,
    "publication.vendor": lambda reader: {"credit_code": reader.first(Vendor.credit_code)},
    "publishing.publish": {"code": "2025"},
    "publishing.show": {"code": "2025"},
    "ratings.confirm": _ratings_file,
    "ratings.upload": OF_2026,
    "ratings_export.show": {"code": "2025"},
    "rechecks.check": _recheck,
    "rechecks.interviewers": OF_2026,
    "rectification.open_several": {"code": "2025"},
    "rectification.show": _rectification,
    "registry.contract": _contract_number,
    "registry.cycle": OF_2026,
    "registry.cycle_rules": OF_2026,
    "registry.edit_contract": _contract_number,
    "registry.edit_cycle": OF_2026,
    "registry.edit_evaluator_body": _body,
    "registry.edit_purchaser": _purchaser,
    "registry.edit_region": THE_COUNTY,
    "registry.edit_vendor": _vendor,
    "registry.enter_contracts": OF_2026,
    "registry.entry": lambda reader: {
        "code": YEAR,
        "number": reader.first(Entry.id, Entry.cycle.has(Cycle.code == YEAR)),
    },
    "registry.evaluator_body": _body,
    "registry.import_file": {"kind_name": "frames"},
    "registry.import_preview": _upload,
    "registry.move_cycle": OF_2026 | {"to": "review"},
    "registry.new_region": THE_COUNTY,
    "registry.purchaser": _purchaser,
    "registry.vendor": _vendor,
    "reliability.show": {"code": "2025"},
    "replies.check": _reply,
    "replies.show": _reply,
    "returns.versions": lambda reader: {"assessment_id": reader.first(AssessmentVersion.assessment_id)},
    "samples.preview": OF_2026,
    "samples.sample": OF_2026,
    "samples.withdraw": lambda reader: {"code": YEAR, "entry_id": reader.first(Sample.entry_id)},
    "selection.candidates": _plan,
    "selection.decision": _plan,
    "selection.edit_plan": _plan,
    "selection.points": _plan,
    "selection.show": _plan,
    "survey.quiet": lambda reader: {"code": reader.site.new_link().rsplit("/", 1)[1]},
    "tokens.ask_to_revoke": _token,
    "withdrawing.enter": _edition,
    "withdrawing.show": lambda reader: {"key": reader.first(Withdrawal.id)},
    "worksheet.preview": _worksheet_file,
    "survey.survey": lambda reader: {"code": reader.site.new_link().rsplit("/", 1)[1]},
    "survey.thanks": _receipt,
}


def _example(rule: Rule, reader: Reader) -> Mapping[str, object]:
    """Arguments for an address that has some."""
    example = EXAMPLES[rule.endpoint] if rule.arguments else {}
    return example(reader) if callable(example) else example


# Pages that an address alone does not show: nothing found, refusals, the second step of a form.
ALSO: dict[str, tuple[tuple[str, int], ...]] = {
    ANYBODY: (
        ("/nowhere", 404),
        ("/receipt/AAAA-AAAA-AAAA-AAAA-AAAA", 404),
        ("/s/?code=ABC", 404),
        ("/rankings?q=没有", 200),
        ("/rankings?edition=1&sort=-amount", 200),
        ("/rankings?print=1", 200),
        ("/rankings?edition=1", 200),
        ("/compare?contract=QH2025-001&contract=QH2025-002&contract=QH2025-003&contract=QH2025-004", 200),
        ("/compare?vendor=52449921MJ00000012&vendor=52449921MJ00000126", 200),
        ("/compare?contract=QH2025-001", 422),
        ("/methodology?lang=en", 200),
    ),
    Role.ADMINISTRATOR: (
        ("/accounts/new?role=evaluator", 200),
        ("/accounts/?q=没有", 200),
        ("/selection/new", 403),
        ("/collection/cycles/2026/plan?share=30&seed=1", 200),
        ("/collection/cycles/2026/late?all=1", 200),
    ),
    Role.EVALUATOR: (
        ("/collection/cycles/2026/interests/own?change=1", 200),
        ("/collection/worklist?q=没有", 200),
        ("/collection/entries/0/rate", 404),
    ),
    Role.AUDITOR: (("/audit?q=没有", 200),),
}


def _pages(app: Flask) -> list[Rule]:
    """Every address that answers GET with a page."""
    files = ("<any(", "template.", ".svg")
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and rule.endpoint not in NOT_PAGES
        and not any(f in rule.rule for f in files)
        and not rule.rule.startswith(PLACE)
    ]


def _open_to(app: Flask, rule: Rule, reader: str) -> bool:
    roles = allowed_roles(app.view_functions[rule.endpoint])
    assert roles is not None, f"{rule.endpoint} names nobody"
    if reader == ANYBODY:
        return roles == EVERYBODY
    return Role(reader) in roles


@pytest.fixture(scope="module")
def furnished(site: Site) -> Site:
    """The county with what pages need that only appear half way."""
    furnish(site)
    return site


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page at its present width, a line each."""
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(r => r.violations)", RULES
    )
    lines = [f"{fault['id']}: {node['html'][:200]}" for fault in found for node in fault["nodes"][:3]]
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if wide > 0:
        lines.append(f"scrolls sideways by {wide} px: {page.evaluate(WIDEST)}")
    return lines


WIDEST = """() => [...document.querySelectorAll('body *')]
    .filter(e => !e.closest('.table-wrap'))
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .slice(0, 4).map(e => e.outerHTML.slice(0, 120)).join(' | ')"""

_checked: set[str] = set()


def faults_at(page: Page, address: str, status: int = 200) -> list[str]:
    """Open an address and look at it on every width; what was seen with another menu already is not looked at again."""
    answer = page.goto(address, wait_until="load")
    assert answer is not None
    if answer.status != status:
        return [f"{address}: answers {answer.status}, not {status}"]
    content = re.sub(r'value="[\w.-]{60,}"|aria-current="page"', "", page.inner_html("body > main"))
    if content in _checked:
        return []
    _checked.add(content)
    page.evaluate(AXE_SCRIPT)
    lines = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        lines += [f"{address} at {width} px: {line}" for line in faults_of(page)]
    return lines


def test_every_page_with_arguments_has_an_example(site: Site) -> None:
    with_arguments = {rule.endpoint for rule in _pages(site.app) if rule.arguments}
    assert with_arguments == set(EXAMPLES), "add the page to EXAMPLES above, or take it out"


@pytest.mark.parametrize("reader", READERS, ids=str)
def test_pages_are_accessible(furnished: Site, open_browser: Callable[..., Page], reader: str) -> None:
    username = "" if reader == ANYBODY else USERNAMES[Role(reader)]
    page = open_browser(username, viewport=PHONE)
    adapter = furnished.app.url_map.bind("localhost")
    faults: list[str] = []
    with furnished.app.extensions["database"].reading() as session:
        account = session.scalars(select(Account).where(Account.username == username)).first()
        told = Reader(furnished, session, account)
        addresses = [
            (adapter.build(rule.endpoint, _example(rule, told)), 200)
            for rule in _pages(furnished.app)
            if _open_to(furnished.app, rule, reader)
        ]
    for address, status in (*addresses, *ALSO.get(reader, ())):
        faults += faults_at(page, address, status)
    assert not faults, "\n" + "\n".join(faults)


FORMS = (
    ("", "/sign-in"),
    ("admin", "/registry/vendors/new"),
    ("admin", "/registry/imports/vendors"),
    ("admin", "/accounts/new?role=purchaser"),
    ("officer", "/selection/new"),
    ("officer", "/tokens/new"),
)


@pytest.mark.parametrize(("username", "address"), FORMS)
def test_forms_sent_empty_are_accessible(open_browser: Callable[..., Page], username: str, address: str) -> None:
    page = open_browser(username, viewport=PHONE)
    page.goto(address)
    page.eval_on_selector("main form[method=post]", "form => { form.noValidate = true; form.requestSubmit(); }")
    page.wait_for_selector(".field-error, .alert-danger")
    page.evaluate(AXE_SCRIPT)
    assert not faults_of(page)
