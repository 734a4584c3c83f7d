"""Publishing: what it takes, what it leaves, what never changes afterwards."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.errors import Conflict, Fault, Invalid, NotAllowed
from evalsys.evaluation.models import Score
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.checks import checks
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import lines_of
from evalsys.publication.usecases import publish
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_cycle, rated_entry, respond
from tests.factories import NOW, actor, make_county, make_cycle, make_rules, without_notice

OFFICER = actor(Role.OFFICER)
WHY = "补入漏登的纸质问卷，重新计算。"


def scored(session: Session, **columns: object) -> Cycle:
    """A cycle with its first run."""
    cycle = rated_cycle(session, **columns)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    return cycle


def corrected(session: Session, cycle: Cycle) -> None:
    """One contract gets worse answers, and the cycle is scored again."""
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    for _ in range(12):
        respond(session, entry, all_at(cycle, "recipient", "care", 1))
    run_cycle(session, cycle, actor=OFFICER, now=NOW)


def failing(session: Session, cycle: Cycle) -> list[str]:
    """The remedies of the checks that fail."""
    return [check.remedy for check in checks(session, cycle, now=NOW) if not check.holds]


def test_the_first_edition_says_what_the_run_said(session: Session) -> None:
    cycle = scored(session)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    run = latest_run(session, cycle)
    assert (edition.number, edition.run_id, edition.reason, edition.changes) == (1, run.id, "", [])
    assert cycle.state == "published"
    lines = lines_of(session, edition)
    scores = {score.entry.contract.reference: score for score in run.scores}
    assert [line.contract_reference for line in lines] == sorted(scores)
    for line in lines:
        score = scores[line.contract_reference]
        assert (line.score, line.low, line.high, line.grade, line.rank) == (
            score.score,
            score.low,
            score.high,
            score.grade,
            score.rank,
        )
        assert line.breakdown == score.breakdown
        assert line.vendor_name == score.entry.contract.vendor.name
        assert line.region_path == score.entry.contract.region.path
    assert session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()[-2:] == [
        "publication.publish",
        "registry.move_cycle",
    ]


def test_names_stay_as_they_stood_on_the_day(session: Session) -> None:
    cycle = scored(session, contracts=1)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    line = lines_of(session, edition)[0]
    name = line.vendor_name
    session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).one().contract.vendor.name = "改名后的机构"
    session.flush()
    session.refresh(line)
    assert line.vendor_name == name


def test_a_correction_is_a_new_edition_that_names_what_changed(session: Session) -> None:
    cycle = scored(session)
    first = publish(session, cycle, actor=OFFICER, now=NOW)
    before = {line.contract_reference: (line.score, line.rank) for line in lines_of(session, first)}
    corrected(session, cycle)
    second = publish(session, cycle, reason=f"  {WHY}  ", actor=OFFICER, now=NOW)
    assert (second.number, second.reason) == (2, WHY)
    changed = {item["contract"]: item for item in second.changes}
    after = {line.contract_reference: (line.score, line.rank) for line in lines_of(session, second)}
    assert set(changed) == {reference for reference in before if before[reference] != after[reference]}
    worse = min(changed.values(), key=lambda item: item["after"]["score"] - item["before"]["score"])
    assert worse["after"]["score"] < worse["before"]["score"]
    assert {line.contract_reference: (line.score, line.rank) for line in lines_of(session, first)} == before


def test_a_contract_that_comes_or_goes_is_a_change(session: Session) -> None:
    cycle = scored(session, contracts=1)
    publish(session, cycle, actor=OFFICER, now=NOW)
    late = rated_entry(session, cycle)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, reason=WHY, actor=OFFICER, now=NOW)
    item = next(item for item in edition.changes if item["contract"] == late.contract.reference)
    assert item["before"] is None
    assert item["after"]["status"] == "rated"


@pytest.mark.parametrize("reason", ["", "   ", "错了"])
def test_a_correction_without_a_reason_is_refused(session: Session, reason: str) -> None:
    cycle = scored(session, contracts=1)
    publish(session, cycle, actor=OFFICER, now=NOW)
    corrected(session, cycle)
    with pytest.raises(Invalid) as caught:
        publish(session, cycle, reason=reason, actor=OFFICER, now=NOW)
    assert "10" in caught.value.remedy


def test_the_same_run_is_not_published_twice(session: Session) -> None:
    cycle = scored(session, contracts=1)
    publish(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict) as caught:
        publish(session, cycle, reason=WHY, actor=OFFICER, now=NOW)
    assert caught.value.details
    assert session.scalar(select(func.count()).select_from(Edition)) == 1


@pytest.mark.parametrize("state", ["draft", "collecting", "review", "closed"])
def test_a_cycle_that_is_not_scored_is_not_published(session: Session, state: str) -> None:
    cycle = make_cycle(session, state=state)
    with pytest.raises(Conflict) as caught:
        publish(session, cycle, actor=OFFICER, now=NOW)
    assert len(caught.value.details) == (1 if state == "review" else 2)
    assert all(" – " in line for line in caught.value.details)


def test_a_cycle_in_which_nobody_reaches_the_minimums_is_not_published(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    rated_entry(session, cycle, recipients=(5, 5))
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict) as caught:
        publish(session, cycle, actor=OFFICER, now=NOW)
    assert len(caught.value.details) == 1
    assert session.scalar(select(func.count()).select_from(EditionScore)) == 0


def test_ratings_that_came_after_the_run_are_noticed(session: Session) -> None:
    cycle = scored(session, contracts=1)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).one()
    assert failing(session, cycle) == []
    respond(session, entry, all_at(cycle, "recipient", "care", 5))
    assert len(failing(session, cycle)) == 1
    with pytest.raises(Conflict):
        publish(session, cycle, actor=OFFICER, now=NOW)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    assert failing(session, cycle) == []


def test_other_rules_since_the_run_are_noticed(session: Session) -> None:
    cycle = scored(session, contracts=1)
    other = without_notice().replace(b"level = 0.95", b"level = 0.90")
    cycle.rules_id = make_rules(session, other).id
    session.flush()
    session.expire(cycle)
    assert len(failing(session, cycle)) == 1


def test_ratings_that_no_longer_fit_the_rules_are_noticed(session: Session) -> None:
    cycle = scored(session, contracts=1)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).one()
    respond(session, entry, {"recipient_help": 9.0})
    assert len(failing(session, cycle)) == 1


def test_a_run_newer_than_the_one_looked_at_is_refused(session: Session) -> None:
    cycle = scored(session, contracts=1)
    seen = latest_run(session, cycle).id
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    with pytest.raises(Conflict):
        publish(session, cycle, run_id=seen, actor=OFFICER, now=NOW)


def test_somebody_of_another_region_may_not_publish(session: Session) -> None:
    cycle = scored(session, contracts=1)
    with pytest.raises(NotAllowed):
        publish(session, cycle, actor=actor(Role.OFFICER, region=make_county(session)), now=NOW)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE edition SET reason = 'x'",
        "DELETE FROM edition",
        "UPDATE edition_score SET score = 100",
        "DELETE FROM edition_score",
    ],
)
def test_what_is_published_refuses_change(session: Session, statement: str) -> None:
    publish(session, scored(session, contracts=1), actor=OFFICER, now=NOW)
    with pytest.raises(DatabaseError, match="permanent"):
        session.execute(text(statement))


def test_of_two_who_publish_at_once_one_wins(database: Database, app: object) -> None:
    with database.transaction() as session:
        number = scored(session, contracts=1).id
    ready = threading.Barrier(2)
    outcomes: list[object] = []

    def officer() -> None:
        with app.app_context():  # type: ignore[attr-defined]  # the fixture's Flask
            ready.wait(timeout=30)
            try:
                with database.transaction() as session:
                    outcomes.append(publish(session, session.get_one(Cycle, number), actor=OFFICER, now=NOW).number)
            except Fault as fault:
                outcomes.append(fault.status)

    threads = [threading.Thread(target=officer) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes, key=str) == [1, 409]


def test_publishing_while_ratings_come_in_waits_for_them_and_is_refused(database: Database, app: object) -> None:
    with database.transaction() as session:
        number = scored(session, contracts=1).id
    outcomes: list[object] = []

    def officer() -> None:
        with app.app_context():  # type: ignore[attr-defined]  # the fixture's Flask
            try:
                with database.transaction() as session:
                    outcomes.append(publish(session, session.get_one(Cycle, number), actor=OFFICER, now=NOW).number)
            except Fault as fault:
                outcomes.append(fault.details)

    thread = threading.Thread(target=officer)
    with database.transaction() as session:  # as an import holds the cycle while it writes
        cycle = session.get_one(Cycle, number)
        session.refresh(cycle, with_for_update={"read": True})
        thread.start()
        entry = session.scalars(select(Entry).where(Entry.cycle_id == number)).one()
        respond(session, entry, all_at(cycle, "recipient", "care", 1))
        thread.join(timeout=0.5)
        assert thread.is_alive()
        assert outcomes == []
    thread.join(timeout=60)
    (refused,) = outcomes
    assert len(refused) == 1  # type: ignore[arg-type]  # nothing but what came in
    assert "计分之后数据有变动" in refused[0]  # type: ignore[index]  # as above


def test_a_run_is_published_with_withheld_contracts_and_their_reasons(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    rated_entry(session, cycle)
    gap = rated_entry(session, cycle, third_party=None)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    line = next(one for one in lines_of(session, edition) if one.contract_reference == gap.contract.reference)
    assert (line.status, line.score, line.rank) == ("withheld", None, None)
    assert [reason["party"] for reason in line.breakdown["reasons"]] == ["third_party"]


BAD_ROWS = {
    "uq_edition_cycle_id_number": {"number": 1},
    "ck_edition_number_from_one": {"number": 0},
    "ck_edition_correction_has_reason": {"number": 2, "reason": ""},
}


@pytest.mark.parametrize("constraint", BAD_ROWS)
def test_a_bad_edition_is_refused_by_the_database(session: Session, constraint: str) -> None:
    cycle = scored(session, contracts=1)
    first = publish(session, cycle, actor=OFFICER, now=NOW)
    run = run_cycle(session, cycle, actor=OFFICER, now=NOW)
    columns = {"reason": WHY} | BAD_ROWS[constraint]
    session.add(
        Edition(cycle_id=first.cycle_id, run_id=run.id, published_at=NOW, published_by="x", changes=[], **columns)
    )
    with pytest.raises(IntegrityError, match="cycle_id.*number" if constraint.startswith("uq") else constraint):
        session.flush()


def test_a_run_stands_in_one_edition_only(session: Session) -> None:
    cycle = scored(session, contracts=1)
    first = publish(session, cycle, actor=OFFICER, now=NOW)
    session.add(
        Edition(
            cycle_id=first.cycle_id,
            run_id=first.run_id,
            number=2,
            reason=WHY,
            published_at=NOW,
            published_by="x",
            changes=[],
        )
    )
    with pytest.raises(IntegrityError, match="run_id"):
        session.flush()


def test_a_contract_stands_in_an_edition_once(session: Session) -> None:
    edition = publish(session, scored(session, contracts=1), actor=OFFICER, now=NOW)
    line = lines_of(session, edition)[0]
    names = [column.key for column in EditionScore.__table__.columns if column.key != "id"]
    session.add(EditionScore(**{name: getattr(line, name) for name in names}))
    with pytest.raises(IntegrityError, match="contract_reference"):
        session.flush()


BAD_SCORES = {
    "score_in_range": {"score": 101.0, "rank": 1},
    "status_known": {"status": "unknown"},
    "withheld_has_no_score": {"status": "withheld"},
    "rank_with_score": {"rank": None},
}


@pytest.mark.parametrize("constraint", BAD_SCORES)
def test_a_bad_score_is_refused_by_the_database(session: Session, constraint: str) -> None:
    cycle = scored(session, contracts=1)
    run = latest_run(session, cycle)
    entry = rated_entry(session, cycle)
    columns = {"status": "rated", "score": 80.0, "rank": 1} | BAD_SCORES[constraint]
    session.add(Score(run_id=run.id, entry_id=entry.id, peer_group="", breakdown={}, **columns))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_an_entry_has_one_score_a_run(session: Session) -> None:
    run = latest_run(session, scored(session, contracts=1))
    kept = run.scores[0]
    session.add(
        Score(run_id=run.id, entry_id=kept.entry_id, peer_group="", breakdown={}, status="rated", score=1.0, rank=1)
    )
    with pytest.raises(IntegrityError, match="entry_id"):
        session.flush()


def test_a_run_has_a_whole_hash(session: Session) -> None:
    latest_run(session, scored(session, contracts=1)).inputs_hash = "short"
    with pytest.raises(IntegrityError, match="inputs_hash_length"):
        session.flush()
