"""What is kept of step 0 is never stale: after any edit the inputs are those that reading everything gives."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState, Response, ResponseRating
from evalsys.evaluation import kept_sums
from evalsys.evaluation.aggregations import Scope
from evalsys.evaluation.arrays import fingerprint, inputs_of
from evalsys.evaluation.models import KeptSums
from evalsys.registry.models import Cycle, Entry
from evalsys.registry.pins import rules_of
from tests.evaluation.rated import all_at, assess, rated_cycle, respond
from tests.factories import make_rules, make_stratum

Edit = Callable[[Session, Entry], object]


def entries(session: Session, cycle: Cycle) -> list[Entry]:
    return list(session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)))


def from_kept(session: Session, cycle: Cycle) -> str:
    session.flush()
    return fingerprint(inputs_of(session, cycle, rules_of(cycle), keep=True))


def afresh(session: Session, cycle: Cycle) -> str:
    session.execute(delete(KeptSums))
    return fingerprint(inputs_of(session, cycle, rules_of(cycle)))


def one_response(entry: Entry) -> object:
    return select(Response.key).where(Response.entry_id == entry.id).order_by(Response.key).limit(1).scalar_subquery()


def one_assessment(entry: Entry) -> object:
    return select(func.min(Assessment.id)).where(Assessment.entry_id == entry.id).scalar_subquery()


def of_response(entry: Entry) -> object:
    return ResponseRating.response_key == one_response(entry)


def of_assessment(entry: Entry) -> object:
    return AssessmentRating.assessment_id == one_assessment(entry)


def add_response(session: Session, entry: Entry) -> None:
    respond(session, entry, all_at(entry.cycle, "recipient", "care", 1))


def replace_response(session: Session, entry: Entry) -> None:
    session.execute(delete(Response).where(Response.key == one_response(entry)))
    add_response(session, entry)


def pin_other_rules(session: Session, entry: Entry) -> None:
    text = config.SHIPPED_RULES.read_bytes().replace(b"answered_share = 0.5", b"answered_share = 0.6")
    assert text != config.SHIPPED_RULES.read_bytes()
    entry.cycle.rules_id = make_rules(session, text).id
    session.flush()
    session.expire(entry.cycle)


def answers(change: object) -> Edit:
    return lambda session, entry: session.execute(change(entry))


EDITS: dict[str, Edit] = {
    "a response comes": add_response,
    "a response goes": answers(lambda e: delete(Response).where(Response.key == one_response(e))),
    "a response is replaced": replace_response,
    "a response is held": answers(lambda e: update(Response).where(Response.key == one_response(e)).values(held=True)),
    "its mode is put right": answers(
        lambda e: update(Response).where(Response.key == one_response(e)).values(mode="paper")
    ),
    "an answer is put right": answers(lambda e: update(ResponseRating).where(of_response(e)).values(value=1)),
    "an answer goes": answers(lambda e: delete(ResponseRating).where(of_response(e))),
    "an assessment comes": lambda session, e: assess(
        session, e, "third_party", all_at(e.cycle, "third_party", "care", 1)
    ),
    "an assessment goes": answers(lambda e: delete(Assessment).where(Assessment.id == one_assessment(e))),
    "an assessment is held": answers(
        lambda e: update(Assessment).where(Assessment.id == one_assessment(e)).values(held=True)
    ),
    "an assessment is taken back": answers(
        lambda e: (
            update(Assessment)
            .where(Assessment.id == one_assessment(e))
            .values(state=AssessmentState.DRAFT.value, submitted_at=None)
        )
    ),
    "an assessment says otherwise": answers(
        lambda e: update(AssessmentRating).where(of_assessment(e)).values(value=1, not_applicable=False)
    ),
    "a line of an assessment goes": answers(lambda e: delete(AssessmentRating).where(of_assessment(e))),
    "the service is of another type": lambda _session, e: setattr(e.contract, "service_type", "screening"),
    "the frame is another": lambda session, e: make_stratum(session, entry=e, size=99),
    "the contract serves others": lambda _session, e: setattr(e.contract, "recipients_served", 61),
    "other rules are pinned": pin_other_rules,
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_no_edit_leaves_a_stale_sum(session: Session, edit: Edit) -> None:
    cycle = rated_cycle(session, contracts=2)
    before = from_kept(session, cycle)
    edit(session, entries(session, cycle)[0])
    after = from_kept(session, cycle)
    assert after == afresh(session, cycle)
    assert after != before or edit is pin_other_rules


def test_released_answers_count_again(session: Session) -> None:
    cycle = rated_cycle(session, contracts=2)
    before = from_kept(session, cycle)
    session.execute(update(Response).values(held=True))
    assert from_kept(session, cycle) != before
    session.execute(update(Response).values(held=False))
    assert from_kept(session, cycle) == before


def test_only_entries_that_changed_are_read(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = rated_cycle(session, contracts=3)
    read: list[Scope] = []
    add_up = kept_sums.add_up
    monkeypatch.setattr(kept_sums, "add_up", lambda *args: read.append(args[1]) or add_up(*args))
    from_kept(session, cycle)
    from_kept(session, cycle)
    assert [scope.entries for scope in read] == [None, []]
    chosen = entries(session, cycle)[1]
    add_response(session, chosen)
    from_kept(session, cycle)
    assert [scope.entries for scope in read[2:]] == [[chosen.id]]


def test_a_reader_keeps_nothing(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    inputs_of(session, cycle, rules_of(cycle))
    assert session.scalar(select(func.count()).select_from(KeptSums)) == 0


def test_held_answers_are_read_where_asked_for_and_not_kept(session: Session) -> None:
    cycle = rated_cycle(session, contracts=2)
    whole = from_kept(session, cycle)
    session.execute(update(Response).values(held=True))
    without = from_kept(session, cycle)
    everything = inputs_of(session, cycle, rules_of(cycle), with_held=True)
    assert fingerprint(everything) == whole != without
    assert from_kept(session, cycle) == without


def test_some_entries_are_read_alone(session: Session) -> None:
    cycle = rated_cycle(session, contracts=3)
    chosen = entries(session, cycle)[2]
    some = inputs_of(session, cycle, rules_of(cycle), entries=[chosen.id])
    whole = inputs_of(session, cycle, rules_of(cycle))
    assert some.contracts == (chosen.contract.reference,)
    place = whole.contracts.index(chosen.contract.reference)
    assert some.moments.y.tolist() == whole.moments.y[whole.moments.contract == place].tolist()
    assert len(some.frames.size) == 1


@pytest.mark.parametrize("seed", range(2))
def test_any_row_of_edits_ends_where_reading_everything_ends(session: Session, seed: int) -> None:
    luck = random.Random(seed)
    cycle = rated_cycle(session, contracts=2)
    for _ in range(8):
        for _ in range(luck.randint(0, 3)):
            name = luck.choice([name for name in EDITS if name != "the frame is another"])
            EDITS[name](session, luck.choice(entries(session, cycle)))
        kept = from_kept(session, cycle)
        assert fingerprint(inputs_of(session, cycle, rules_of(cycle))) == kept
    assert from_kept(session, cycle) == afresh(session, cycle)
