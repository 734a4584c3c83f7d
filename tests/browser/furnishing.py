"""What pages need that only appear half way: drafts, points for every candidate, an interview to be checked."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.follow_up import follow_up_key
from evalsys.appeals.models import FollowUpCode, Rectification
from evalsys.base.access import COMMAND_LINE, Actor, Role
from evalsys.base.clock import now
from evalsys.base.outbox import Message
from evalsys.collection.assessment_models import Cosigning, SiteVisit
from evalsys.collection.assessments import save_draft, task_of
from evalsys.collection.codes import code_hash
from evalsys.collection.interview_marks import interview_key, note
from evalsys.collection.messages.models import Mailing
from evalsys.collection.models import Assessment, AssessmentVersion, Assignment, Invitation
from evalsys.collection.rechecks import draw
from evalsys.collection.tasks import PARTY_OF, Answer
from evalsys.publication.models import Edition, OrderedBy
from evalsys.publication.withdrawals import Order, enter
from evalsys.registry.models import Contract, Cycle, Entry, RosterMember
from evalsys.selection.models import Plan
from tests.browser.conftest import Site
from tests.factories import make_account

YEAR = "2026"
FOLLOW_UP_CODE = "2222222222"


def furnish(site: Site) -> None:
    """Put it into a county."""
    database = site.app.extensions["database"]
    with site.app.app_context(), database.transaction() as session:
        for plan in session.scalars(select(Plan)):
            for candidate in plan.candidates:
                candidate.technical, candidate.offer_fen = 88.0, 61_500_000
        _interview(session, site)
        _write_to_some(session)
        _order_to_withdraw(session)
        _rectification(session, site)
        for username in ("evaluator", "purchaser"):
            account = session.scalars(select(Account).where(Account.username == username)).one()
            rater = Actor(
                account.id, account.name, Role(account.role), account.region.path, purchaser_id=account.purchaser_id
            )
            collecting = Entry.cycle.has(Cycle.code == YEAR)
            if account.purchaser_id is None:
                theirs = Entry.id.in_(select(Assignment.entry_id).where(Assignment.account_id == account.id))
            else:
                theirs = Entry.contract.has(Contract.purchaser_id == account.purchaser_id)
            done = select(Assessment.entry_id).where(Assessment.account_id == account.id)
            open_ones = select(Entry.id).where(collecting, theirs, Entry.id.not_in(done)).order_by(Entry.id)
            entry_id = session.scalars(open_ones).first()
            assert entry_id is not None
            task = task_of(session, entry_id, actor=rater)
            first = next(iter(task.questionnaire))
            given = {first.code: Answer(1, comment="现场查看了台账。\n缺少 3 月份的签到表。")}
            save_draft(session, entry_id, given, version=task.version, actor=rater, now=now())
            drafted = select(Assessment.id).where(Assessment.entry_id == entry_id, Assessment.account_id == account.id)
            ratings = {first.code: {"value": 1.0, "not_applicable": False, "comment": "现场查看了台账。"}}
            session.add(
                AssessmentVersion(
                    assessment_id=session.scalars(drafted).one(),
                    number=1,
                    content={"ratings": ratings, "declaration": "情况属实。", "evidence": []},
                    submitted_at=now(),
                    returned_at=now(),
                    returned_by="管理员",
                    reason="请补充 3 月份的签到表。",
                )
            )
            colleague = _colleague(session, account)
            session.add(
                Assessment(
                    entry_id=entry_id,
                    party=PARTY_OF[rater.role],
                    account_id=colleague.id,
                    saved_at=now(),
                    declaration="情况属实。",
                    visits=[SiteVisit(number=1, visited_on=now().date(), place="清江镇服务站", notes="抽查 12 户。")],
                    cosigning=Cosigning(asked_at=now()),
                )
            )


def _order_to_withdraw(session: Session) -> None:
    """One that waits to be confirmed."""
    officer = session.scalars(select(Account).where(Account.username == "officer")).one()
    edition = session.scalars(select(Edition).order_by(Edition.id)).first()
    assert edition is not None
    order = Order(OrderedBy.COURT, "清江市法院", "（2026）行终 1 号", now().date(), "判决撤销本次评价结果公告。")
    enter(session, edition.id, order, actor=officer.as_actor(), now=now())


def _colleague(session: Session, account: Account) -> Account:
    """Somebody else of the same body."""
    body = {"purchaser_id": account.purchaser_id, "evaluator_body_id": account.evaluator_body_id}
    return make_account(session, Role(account.role), region=account.region, name="同事", **body)


def _write_to_some(session: Session) -> None:
    """A batch of messages of which one failed, one is unknown and one was not needed any more."""
    cycle = session.scalars(select(Cycle).where(Cycle.code == YEAR)).one()
    batch = Mailing(
        cycle_id=cycle.id, kind="invitation", branch=cycle.region.path, started_at=now(), started_by="管理员"
    )
    session.add(batch)
    session.flush()
    ends = (("failed", "refused", "550 no such user"), ("unknown", "stopped", ""), ("dropped", "answered", ""))
    for number, (state, why, said) in enumerate(ends):
        told = {"kind": "invitation", "channel": "sms", "state": state, "why": why, "said": said}
        session.add(Message(**told, about=number, batch=batch.id, attempts=1, due_at=now(), changed_at=now()))


def _interview(session: Session, site: Site) -> None:
    """A recipient with a name whom a third person interviewed, drawn to be checked."""
    key = interview_key(site.settings.require_secret_key())
    asked = Invitation.entry.has(Entry.cycle.has(Cycle.code == YEAR))
    invitation = session.scalars(select(Invitation).where(asked, Invitation.used).order_by(Invitation.id)).first()
    interviewer = session.scalars(select(Account).where(Account.username == "interviewer")).one()
    assert invitation is not None
    assert invitation.stratum_id is not None
    member = RosterMember(stratum_id=invitation.stratum_id, name="陈伯", contact="13800000001")
    session.add(member)
    session.flush()
    invitation.roster_member_id = member.id
    note(session, invitation.id, key=key, actor=_colleague(session, interviewer).as_actor())
    session.flush()
    draw(session, invitation.entry.cycle, seed="2026-11-23", share=1, key=key, actor=COMMAND_LINE, now=now())


def _rectification(session: Session, site: Site) -> None:
    """One that the vendor reads, about which recipients are being asked."""
    vendor = session.scalars(select(Account).where(Account.username == "vendor")).one()
    theirs = Entry.contract.has(Contract.vendor_id == vendor.vendor_id)
    entry = session.scalars(select(Entry).where(theirs, Entry.cycle.has(Cycle.code == "2025"))).first()
    edition = session.scalars(select(Edition).where(Edition.cycle.has(Cycle.code == "2025"))).first()
    assert entry is not None
    assert edition is not None
    item = Rectification(
        entry=entry,
        edition=edition,
        grade="fair",
        demand="请按约定的次数上门，并逐次登记。",
        due_on=now().date(),
        state="open",
        opened_at=now(),
        opened_by="何敏",
        history=[],
        asked_at=now(),
    )
    session.add(item)
    session.flush()
    key = follow_up_key(site.settings.require_secret_key())
    session.add(FollowUpCode(code_hash=code_hash(FOLLOW_UP_CODE, key), rectification_id=item.id))
