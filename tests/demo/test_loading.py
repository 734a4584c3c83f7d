"""The simulated county: whole, consistent, and the same every time."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.appeals.models import FollowUpCount, Rectification
from evalsys.appeals.rectifications import count_needed
from evalsys.base.access import COMMAND_LINE
from evalsys.base.db import Database
from evalsys.base.errors import Conflict
from evalsys.base.outbox import Message
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.collection.interview_marks import interview_key, interviewers
from evalsys.collection.interview_models import LEAST_SHARE
from evalsys.collection.messages.models import KeptCode
from evalsys.collection.models import (
    Assessment,
    Assignment,
    Invitation,
    ReceiptLeaf,
    Response,
    ResponseDay,
    ResponseRating,
)
from evalsys.collection.paper_models import PaperBatch, PaperForm
from evalsys.collection.sample_models import SamplePart
from evalsys.config import Settings
from evalsys.demo import county, samples, years
from evalsys.demo.loading import is_loaded, load, ready_link
from evalsys.demo.people import SIGN_INS
from evalsys.evaluation.models import Run, Score
from evalsys.publication.models import Edition, EditionScore
from evalsys.registry import credit_code
from evalsys.registry.models import Contract, Cycle, Entry, RosterMember, Stratum
from tests.factories import make_region
from tests.pages import CheckedClient

COLLECTING = str(county.YEARS[-1])


def test_the_county_is_whole_and_has_a_link_to_give(
    database: Database, client: CheckedClient, settings: Settings
) -> None:
    load(database, password="!", say=lambda _line: None)
    with database.reading() as session:
        assert is_loaded(session)
        states = dict(session.execute(select(Cycle.code, Cycle.state)).all())
        assert states == {"2024": "published", "2025": "published", "2026": "collecting"}
        assert all(session.scalars(select(Cycle.simulated)))
        assert session.scalar(select(func.count()).select_from(Edition)) == 2
        assert session.scalar(select(func.count()).select_from(EditionScore)) == 2 * county.CONTRACTS_A_YEAR
        assert set(session.scalars(select(Score.status))) <= {"rated", "provisional"}
        assert {"excellent", "good", "fair"} <= set(session.scalars(select(Score.grade)))
        assert_steps_have_something_to_show(session)
        assert_rectifications_have_something_to_show(session)
        # what came in is the same number wherever it is counted
        answers = session.scalar(select(func.count()).select_from(Response))
        assert answers == session.scalar(select(func.count()).select_from(ReceiptLeaf))
        assert answers == session.scalar(select(func.count()).where(Invitation.used))
        on_paper = session.scalar(select(func.count()).where(PaperForm.released)) or 0  # nobody knows their days
        assert answers == on_paper + (session.scalar(select(func.sum(ResponseDay.count))) or 0)
        assert set(session.scalars(select(PaperBatch.state))) == {"released", "checking"}
        # the year that collects has evaluators waiting, and enough recipients without a code
        of_year = select(Entry.id).join(Cycle).where(Cycle.code == COLLECTING)
        assigned = session.scalar(select(func.count()).where(Assignment.entry_id.in_(of_year)))
        assert assigned is not None
        assert assigned >= county.CONTRACTS_A_YEAR
        assert_some_have_assessed(session)
        assert_all_have_declared(session)
        frame = session.scalar(select(func.sum(Stratum.size)).where(Stratum.entry_id.in_(of_year)))
        invited = session.scalar(select(func.count()).where(Invitation.entry_id.in_(of_year)))
        assert frame is not None
        assert invited is not None
        assert frame - invited >= 10_000
        assert_samples_have_something_to_show(session)
        assert_interviews_have_something_to_show(session, settings)
        states = set(session.scalars(select(Message.state)))
        assert states == {"sent", "failed", "unknown"}  # nothing waits that a worker would send
        assert session.scalar(select(func.count()).select_from(KeptCode))
    assert "模拟数据" in client.get("/rankings").text
    with database.transaction() as session:
        link = ready_link(session, settings)
    assert link is not None
    assert client.get(link.removeprefix(settings.base_url)).status_code == 200
    with database.transaction() as session:
        session.scalars(select(Cycle).where(Cycle.code == COLLECTING)).one().state = "review"
        session.flush()
        assert ready_link(session, settings) is None  # the county has stopped collecting


def assert_all_have_declared(session: Session) -> None:
    """Every year; in the one that collects, the evaluator who favours a vendor says so and gets none of its work."""
    signed = session.scalars(select(InterestDeclaration)).all()
    assert len(signed) == len(county.YEARS) * len(county.EVALUATORS)
    (tie,) = session.scalars(select(InterestTie))
    assert tie.declaration.cycle.code == COLLECTING
    mine = select(func.count(Assignment.id)).join(Entry).join(Contract).where(Contract.vendor_id == tie.vendor_id)
    assert session.scalar(mine.where(Assignment.account_id == tie.declaration.account_id)) != 0
    of_year = select(Cycle.id).where(Cycle.code == COLLECTING).scalar_subquery()
    own = mine.where(Assignment.account_id == tie.declaration.account_id, Entry.cycle_id == of_year)
    assert session.scalar(own) == 0


def assert_steps_have_something_to_show(session: Session) -> None:
    for run in session.scalars(select(Run)):
        raters = run.pooled["raters"]
        assert raters["overlapping"] >= 12
        assert set(raters["component"]) == {0}
        assert not raters["assumed"]
        assert min(raters["severity"]) == raters["severity"][0] < -5, "the first evaluator is severe"
        assert max(raters["severity"]) == raters["severity"][2] > 5, "the third is lenient"
    kept = [score.breakdown for score in session.scalars(select(Score))]
    assert any(cell["weighting"] for breakdown in kept for cell in breakdown["cells"])
    in_stratum = select(func.count(Response.key).label("answers")).group_by(Response.stratum_id).subquery()
    assert session.scalar(select(func.min(in_stratum.c.answers))) < 5, "a stratum too thin to stand for itself"
    assert all("shrunken" in breakdown and "rank_set" in breakdown for breakdown in kept)
    assert set(session.scalars(select(Stratum.item))) == {"", *years.ITEMS}
    modes = set(session.scalars(select(Response.mode)))
    assert modes == set(years.MODE_TEMPER)
    worse = select(ResponseRating.response_key).where(ResponseRating.value < 5)
    best = select(func.count()).where(Response.time_band == "under_20", Response.key.not_in(worse))
    stuffed = select(Entry.id).join(Contract).where(Contract.reference.endswith(f"-{years.STUFFED[0] + 1:03d}"))
    assert session.scalar(best.where(Response.entry_id.in_(stuffed))) == len(county.YEARS) * years.STUFFED[1]


def assert_samples_have_something_to_show(session: Session) -> None:
    parts = session.scalars(select(SamplePart)).all()
    assert len({part.sample_id for part in parts}) == len(samples.SAMPLED)
    numbered = select(Invitation).where(Invitation.number.is_not(None))
    cases = session.scalars(numbered).all()
    assert len(cases) == sum(part.drawn for part in parts) == len(samples.SAMPLED) * samples.SIZE
    assert all(case.roster_member_id for case in cases)
    assert {case.outcome for case in cases} == {None, "refused", "unreachable", "moved"}
    assert {case.used for case in cases} == {True, False}
    assert all(name.startswith(samples.NAME) for name in session.scalars(select(RosterMember.name)))


def assert_some_have_assessed(session: Session) -> None:
    of_year = Entry.cycle.has(Cycle.code == COLLECTING)
    assessed = set(session.scalars(select(Assessment.entry_id).join(Entry).where(of_year)))
    assert len(assessed) == county.CONTRACTS_A_YEAR / years.HANDED_IN
    due = dict(session.execute(select(Assignment.entry_id, Assignment.due_on).join(Entry).where(of_year)).all())
    assert len(set(due.values())) == 2
    assert [entry for entry, day in due.items() if day == min(due.values()) and entry not in assessed], "some are late"
    assigned = set(session.execute(select(Assignment.entry_id, Assignment.account_id)))
    by_evaluators = select(Assessment.entry_id, Assessment.account_id).where(Assessment.party == "third_party")
    assert set(session.execute(by_evaluators)) <= assigned


def assert_rectifications_have_something_to_show(session: Session) -> None:
    last = Rectification.entry.has(Entry.cycle.has(Cycle.code == "2025"))
    items = session.scalars(select(Rectification).where(last)).all()
    assert {item.state for item in items} == {"open", "reported", "done"}
    assert any(step["step"] == "return" for item in items for step in item.history)
    assert session.scalars(select(FollowUpCount.count).order_by(FollowUpCount.count.desc())).first()
    assert set(session.scalars(select(Rectification.state).where(~last))) == {"done"}
    officer = session.scalars(select(Account).where(Account.username == "officer")).one().as_actor()
    assert list(count_needed(session, actor=officer)) == ["2025"]


def assert_interviews_have_something_to_show(session: Session, settings: Settings) -> None:
    cycle = session.scalars(select(Cycle).where(Cycle.code == COLLECTING)).one()
    lines = interviewers(session, cycle, key=interview_key(settings.require_secret_key()), actor=COMMAND_LINE)
    assert sorted(line.name for line in lines) == sorted(county.INTERVIEWERS)
    for line in lines:
        assert line.worked > line.answered > 0
        assert line.share is not None
        assert line.share >= LEAST_SHARE
        assert 0 < line.checked < line.drawn, "some wait to be asked about"
    assert {line.name: line.not_confirmed for line in lines}[county.INTERVIEWERS[-1]] == 1


def test_a_database_with_other_data_is_left_alone(app: Flask, database: Database) -> None:
    with database.transaction() as session:
        assert not is_loaded(session)
        make_region(session)
        with pytest.raises(Conflict) as refused:
            is_loaded(session)
    assert "EVALSYS_INSTANCE" in refused.value.remedy


def test_invented_credit_codes_hold_their_check_digit() -> None:
    for number in (1, 12, 501):
        made = county.credit_code(number)
        assert credit_code.checked(made) == made


def test_one_sign_in_a_role() -> None:
    assert len({entry.role for entry in SIGN_INS}) == len(SIGN_INS) == 7
