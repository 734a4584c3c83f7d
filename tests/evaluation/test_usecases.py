"""Runs: what they keep, what they refuse, and the laws of the method on stored data."""

from __future__ import annotations

import json
import random
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.access import Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.collection.models import Invitation
from evalsys.evaluation import pooled_terms
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.usecases import run_cycle, seed_of
from evalsys.registry.cycles import move
from evalsys.registry.models import Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of
from tests.evaluation.rated import all_at, assess, rated_cycle, rated_entry, respond
from tests.evaluation.test_aggregations import some_answers
from tests.factories import NOW, actor, make_county, make_cycle, make_entry, make_rules

CONTROLLER = actor()


def score(session: Session, cycle: Cycle, **arguments: object) -> Run:
    return run_cycle(session, cycle, actor=CONTROLLER, now=NOW, **arguments)


def scores(run: Run) -> dict[int, Score]:
    return {kept.entry_id: kept for kept in run.scores}


def told(run: Run) -> str:
    """Everything a run says, as text."""
    return json.dumps(
        [[s.entry_id, s.score, s.low, s.high, s.grade, s.status, s.rank, s.breakdown] for s in run.scores]
        + [run.pooled, run.inputs_hash, run.seed, run.code_version],
        sort_keys=True,
    )


def test_a_run_scores_every_contract_and_makes_the_cycle_preliminary(session: Session) -> None:
    cycle = rated_cycle(session, contracts=3)
    run = score(session, cycle)
    assert cycle.state == "preliminary"
    assert [s.rank for s in run.scores] == [1, 2, 3]
    assert all(s.status == "rated" and 0 <= s.low <= s.score <= s.high <= 100 for s in run.scores)
    assert run.rules_id == cycle.rules_id
    assert run.seed == seed_of(cycle)
    assert run.code_version.startswith("evalsys ")
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts == ["evaluation.run_cycle", "registry.move_cycle"]


def test_the_parts_of_an_explanation_add_up_to_the_score(session: Session) -> None:
    luck = random.Random(3)
    cycle = make_cycle(session, state="review")
    rules = rules_of(cycle)
    for _ in range(4):
        entry = make_entry(session, cycle=cycle)
        for party, count in (("recipient", 30), ("purchaser", 2), ("third_party", 3)):
            for _ in range(count):
                answers = all_at(cycle, party, "care", 3) | dict(some_answers(rules, party, "care", luck))
                respond(session, entry, answers) if party == "recipient" else assess(session, entry, party, answers)
    run = score(session, cycle)
    assert any(s.score is not None for s in run.scores)
    for kept in run.scores:
        if kept.score is None:
            continue
        parts = sum(cell["contribution"] + cell["cut"] for cell in kept.breakdown["cells"] if cell["weight"])
        assert parts + kept.breakdown["uneven"] == pytest.approx(kept.score, abs=1e-9)
        assert sum(kept.breakdown["chances"].values()) == pytest.approx(1)
        assert sum(cell["weight"] for cell in kept.breakdown["cells"]) == pytest.approx(1)


def test_the_same_inputs_give_the_same_bytes(session: Session) -> None:
    cycle = rated_cycle(session, contracts=3)
    assert told(score(session, cycle, refit=True)) == told(score(session, cycle, refit=True))


def test_another_contracts_ratings_never_move_a_score(session: Session) -> None:
    cycle = rated_cycle(session, contracts=3)
    before = score(session, cycle)
    mine, other = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).all()[:2]
    for _ in range(9):
        respond(session, other, all_at(cycle, "recipient", "care", 1))
    after = score(session, cycle)
    kept, moved = scores(before), scores(after)
    assert moved[other.id].score < kept[other.id].score
    assert moved[mine.id].score == kept[mine.id].score
    assert (moved[mine.id].low, moved[mine.id].high) == (kept[mine.id].low, kept[mine.id].high)


def test_pooled_terms_are_reused_unless_told_otherwise(session: Session) -> None:
    cycle = rated_cycle(session, contracts=3)
    first = score(session, cycle)
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).first()
    for level in (1, 5) * 6:
        respond(session, entry, all_at(cycle, "recipient", "care", level))
    assert score(session, cycle).pooled == first.pooled
    assert score(session, cycle, refit=True).pooled != first.pooled
    assert pooled_terms.to_json(pooled_terms.from_json(first.pooled)) == first.pooled


def test_other_rules_learn_their_own_terms(session: Session) -> None:
    cycle = rated_cycle(session, contracts=2)
    score(session, cycle)
    text = config.SHIPPED_RULES.read_bytes().replace(b"assumed_rater_sd = 10", b"assumed_rater_sd = 12")
    cycle.rules_id = make_rules(session, text).id
    session.flush()
    session.expire(cycle)
    assert latest_run(session, cycle).pooled != score(session, cycle).pooled


def test_too_few_recipients_withhold_the_score_and_are_not_told(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    rated_entry(session, cycle, recipients=(5, 1, 5))
    kept = score(session, cycle).scores[0]
    assert (kept.status, kept.score, kept.rank, kept.grade) == ("withheld", None, None, None)
    assert {"code": "too_few_answers", "party": "recipient", "dimension": "", "have": 3, "need": 5} in kept.breakdown[
        "reasons"
    ]
    recipients = [cell for cell in kept.breakdown["cells"] if cell["party"] == "recipient"]
    assert all(cell["estimate"] is None and cell["n"] == 3 for cell in recipients)
    assert not any(code.startswith("recipient") for code in kept.breakdown["levels"])
    others = [cell["estimate"] for cell in kept.breakdown["cells"] if cell["party"] == "purchaser"]
    assert None not in others


def test_a_missing_party_withholds_the_score(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    rated_entry(session, cycle, purchaser=None)
    kept = score(session, cycle).scores[0]
    assert kept.status == "withheld"
    assert [reason["party"] for reason in kept.breakdown["reasons"]] == ["purchaser"]


def test_levels_frame_and_what_was_collected_are_kept(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    entry = rated_entry(session, cycle, recipients=(5,) * 6 + (4,) * 2)
    respond(session, entry, all_at(cycle, "recipient", "care", 1)).held = True
    known = dict(enumerate(["refused", "unreachable", "unreachable", "moved", "died", "died"]))
    session.add_all(
        Invitation(code_hmac=bytes([n]) * 32, entry_id=entry.id, outcome=known.get(n), used=n in {0, 19})
        for n in range(20)
    )
    session.flush()
    kept = score(session, cycle).scores[0].breakdown
    assert kept["levels"]["recipient_help"] == {"counts": [0, 0, 0, 2, 6], "not_applicable": 0}
    assert kept["collected"] == {
        "invited": 20,
        "received": 9,
        "held": 1,
        "answered": 2,
        "refused": 0,  # the one who refused answered after all
        "unreachable": 2,
        "moved": 1,
        "died": 2,
        "ways": {"self": 8},
    }
    assert kept["frame"] == 60
    assert kept["respondents"] == {"purchaser": 1, "recipient": 8, "third_party": 1}


def test_without_a_frame_none_is_made_up(session: Session) -> None:
    cycle = make_cycle(session, state="review")
    entry = rated_entry(session, cycle)
    entry.contract.recipients_served = 0
    session.flush()
    assert score(session, cycle).scores[0].breakdown["frame"] is None


@pytest.mark.parametrize("state", ["draft", "collecting", "closed"])
def test_a_cycle_in_another_state_is_not_scored(session: Session, state: str) -> None:
    cycle = make_cycle(session, state=state)
    with pytest.raises(Conflict) as caught:
        score(session, cycle)
    assert caught.value.remedy
    assert session.scalar(select(func.count()).select_from(Run)) == 0


def test_a_published_cycle_is_scored_again_and_stays_published(session: Session) -> None:
    cycle = rated_cycle(session, state="published", contracts=1)
    score(session, cycle)
    assert cycle.state == "published"


def test_a_cycle_without_contracts_gives_an_empty_run(session: Session) -> None:
    assert score(session, make_cycle(session, state="review")).scores == []


def test_somebody_of_another_region_may_not_run(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    with pytest.raises(NotAllowed):
        run_cycle(session, cycle, actor=actor(Role.OFFICER, region=make_county(session)), now=NOW)


HALF_AN_HOUR = timedelta(minutes=30)


def just_closed(session: Session, *, used: bool = False) -> Cycle:
    """A cycle whose collecting ends at NOW, with one invitation more than there are answers."""
    cycle = rated_cycle(session, contracts=2, state="collecting")
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id)).first()
    assert entry is not None
    session.add(Invitation(code_hmac=b"1" * 32, entry_id=entry.id, used=used))
    move(session, cycle, CycleState.REVIEW, actor=CONTROLLER, now=NOW)
    return cycle


def test_a_run_waits_for_the_forms_that_are_still_open(session: Session) -> None:
    cycle = just_closed(session)
    with pytest.raises(Conflict) as waits:
        run_cycle(session, cycle, actor=CONTROLLER, now=NOW + HALF_AN_HOUR)
    assert "18:00" in waits.value.message
    with pytest.raises(Conflict):  # only an administrator says so
        run_cycle(session, cycle, early=True, actor=actor(Role.OFFICER), now=NOW)
    assert cycle.state == "review"
    run_cycle(session, cycle, actor=CONTROLLER, now=NOW + HALF_AN_HOUR + timedelta(seconds=1))
    assert cycle.state == "preliminary"


def test_a_run_does_not_wait_where_nobody_can_answer(session: Session) -> None:
    assert run_cycle(session, just_closed(session, used=True), actor=CONTROLLER, now=NOW).scores


def test_not_waiting_is_in_the_trail(session: Session) -> None:
    run_cycle(session, just_closed(session), early=True, actor=CONTROLLER, now=NOW)
    acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert acts[-3:] == ["evaluation.run_early", "evaluation.run_cycle", "registry.move_cycle"]
