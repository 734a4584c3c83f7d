"""SQL and the scoring core agree to the last digit, on both engines."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest
from sqlalchemy.orm import Session

from evalsys import config
from evalsys.base.errors import Invalid
from evalsys.collection.models import Mode, RatingsImport, Response
from evalsys.evaluation.aggregations import levels_of
from evalsys.evaluation.arrays import entries_of, fingerprint, inputs_of
from evalsys.evaluation.sums import order_of
from evalsys.registry.models import Cycle, Region
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Rules, Source
from evalsys.scoring.composite import NOT_APPLICABLE, answer_points, composites, scheme
from evalsys.scoring.inputs import moments_of
from tests.evaluation.rated import Answers, all_at, assess, rated_cycle, respond
from tests.factories import NOW, make_contract, make_cycle, make_entry, make_rules, make_stratum


def some_answers(rules: Rules, party: str, service_type: str, luck: random.Random) -> Answers:
    """Half filled, with "not applicable" here and there, and measured values anywhere."""
    given: dict[str, float | None] = {}
    for criterion in rules.criteria_for(party, service_type):
        if luck.random() < 0.35:
            continue
        levels = levels_of(rules, criterion.code)
        value = float(luck.randint(1, levels)) if levels else luck.choice([0.3, 0.5, 0.7123456789, 1 / 3 + 0.5, 1.4])
        given[criterion.code] = None if luck.random() < 0.15 else value
    return given


def truth(rules: Rules, party: str, service_type: str, answers: list[Answers]) -> np.ndarray:
    """Composites by the scoring core alone."""
    how = scheme(rules, party)
    points = np.empty((len(answers), len(how.criteria)), dtype=np.int64)
    for row, given in enumerate(answers):
        for place, criterion in enumerate(how.criteria):
            asked = not criterion.service_types or service_type in criterion.service_types
            value = given.get(criterion.code, np.nan)
            if not asked or value is None:
                points[row, place] = NOT_APPLICABLE
            else:
                points[row, place] = answer_points(rules.scale_of(criterion), [value])[0]
    return composites(points, how)


@pytest.mark.parametrize("seed", range(4))
def test_sql_adds_up_what_the_scoring_core_would(session: Session, seed: int) -> None:
    luck = random.Random(seed)
    cycle = make_cycle(session)
    rules = rules_of(cycle)
    region = session.get_one(Region, cycle.region_id)
    expected = {}
    for service_type in ("care", "screening", "a type the rules do not name"):
        entry = make_entry(
            session, cycle=cycle, contract=make_contract(session, region=region, service_type=service_type)
        )
        for party in ("recipient", "purchaser", "third_party"):
            given = [some_answers(rules, party, service_type, luck) for _ in range(luck.randint(1, 25))]
            for answers in given:
                if party == "recipient":
                    respond(session, entry, answers)
                else:
                    assess(session, entry, party, answers)
            values = truth(rules, party, service_type, given)
            expected[entry.contract.reference, party] = moments_of(values, np.zeros(len(values), dtype=np.int64), 1)
    inputs = inputs_of(session, cycle, rules)
    table = inputs.moments
    assert len(table.contract) == len(expected)
    for row in range(len(table.contract)):
        key = inputs.contracts[table.contract[row]], inputs.parties[table.party[row]]
        respondents, n, y, yy = expected[key]
        assert table.respondents[row] == respondents[0], key
        for have, want in ((table.n, n), (table.y, y), (table.yy, yy)):
            assert have[row].tolist() == want[0].tolist(), key


def test_levels_are_counted_and_not_applicable_with_them(session: Session) -> None:
    entry = make_entry(session)
    rules = rules_of(entry.cycle)
    for value in (5.0, 5.0, 2.0, None):
        respond(session, entry, {"recipient_reachable": value})
    levels = inputs_of(session, entry.cycle, rules).levels
    assert dict(zip(levels.level.tolist(), levels.count.tolist(), strict=True)) == {5: 2, 2: 1, 0: 1}
    assert {inputs_of(session, entry.cycle, rules).criteria[c] for c in levels.criterion} == {"recipient_reachable"}


def test_strata_and_modes_are_told_apart(session: Session) -> None:
    entry = make_entry(session)
    one, two = make_stratum(session, entry=entry, size=40), make_stratum(session, entry=entry, size=7)
    best = all_at(entry.cycle, "recipient", "care", 5)
    respond(session, entry, best, stratum=one)
    respond(session, entry, best, stratum=one, mode=Mode.PAPER)
    respond(session, entry, best, stratum=two)
    respond(session, entry, best)
    inputs = inputs_of(session, entry.cycle, rules_of(entry.cycle))
    assert len(inputs.moments.contract) == 4
    assert inputs.modes == ("paper", "self")
    assert sorted(inputs.frames.size.tolist()) == [7, 40]


def test_the_contract_says_whom_it_serves_where_there_is_no_frame(session: Session) -> None:
    cycle = make_cycle(session)
    region = session.get_one(Region, cycle.region_id)
    for served in (120, 0):
        make_entry(session, cycle=cycle, contract=make_contract(session, region=region, recipients_served=served))
    assert inputs_of(session, cycle, rules_of(cycle)).frames.size.tolist() == [120]


def test_held_answers_and_drafts_are_counted_nowhere(session: Session) -> None:
    entry = make_entry(session)
    cycle, rules = entry.cycle, rules_of(entry.cycle)
    nothing = fingerprint(inputs_of(session, cycle, rules))
    respond(session, entry, all_at(cycle, "recipient", "care", 5)).held = True
    assess(session, entry, "third_party", all_at(cycle, "third_party", "care", 5), submitted=False)
    assess(session, entry, "purchaser", all_at(cycle, "purchaser", "care", 5)).held = True
    session.flush()
    assert fingerprint(inputs_of(session, cycle, rules)) == nothing
    session.query(Response).one().held = False
    session.flush()
    assert fingerprint(inputs_of(session, cycle, rules)) != nothing


def test_another_cycle_is_left_alone(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    before = fingerprint(inputs_of(session, cycle, rules_of(cycle)))
    rated_cycle(session, contracts=2)
    assert fingerprint(inputs_of(session, cycle, rules_of(cycle))) == before


def test_the_order_of_answers_changes_nothing(session: Session) -> None:
    luck = random.Random(7)
    rows = [some_answers(_shipped(session), "recipient", "care", luck) for _ in range(12)]
    prints = set()
    for order in (rows, rows[::-1]):
        entry = make_entry(session)
        entry.contract.reference, kept = "HT-SAME", entry.contract.reference
        entry.contract.vendor.credit_code, code = "91441802MA4XAAAAAA", entry.contract.vendor.credit_code
        for answers in order:
            respond(session, entry, answers)
        session.flush()
        prints.add(fingerprint(inputs_of(session, entry.cycle, rules_of(entry.cycle))))
        entry.contract.reference, entry.contract.vendor.credit_code = kept, code
        session.flush()
    assert len(prints) == 1


def _shipped(session: Session) -> Rules:
    return rules_of(make_cycle(session, rules=make_rules(session)))


def test_ratings_that_do_not_fit_the_rules_are_refused_by_name(session: Session) -> None:
    entry = make_entry(session)
    respond(session, entry, {"recipient_help": 6.0, "recipient_life": 2.5})
    respond(session, entry, {"recipient_help": 6.0, "no_such_thing": None, "purchaser_of_nothing": 1.0})
    respond(session, entry, {"recipient_help": 5.0, "recipient_life": None})
    with pytest.raises(Invalid) as caught:
        inputs_of(session, entry.cycle, rules_of(entry.cycle))
    told = "\n".join(caught.value.details)
    assert "recipient_help = 6" in told
    assert "2" in next(line for line in caught.value.details if line.startswith("recipient_help"))
    assert "recipient_life = 2.5" in told
    assert "no_such_thing = —" in told
    assert "recipient_help = 5" not in told
    assert "recipient_life = —" not in told
    assert caught.value.remedy


def test_a_cycle_without_contracts_gives_empty_arrays(session: Session) -> None:
    cycle = make_cycle(session)
    inputs = inputs_of(session, cycle, rules_of(cycle))
    assert inputs.contracts == ()
    assert len(fingerprint(inputs)) == 64


def test_an_unscored_question_weighs_nothing(session: Session) -> None:
    entry = make_entry(session)
    rules = rules_of(entry.cycle)
    adjuster = next(c for c in rules.criteria if c.source is Source.ADJUSTER)
    respond(session, entry, {adjuster.code: 1.0})
    inputs = inputs_of(session, entry.cycle, rules)
    assert inputs.moments.respondents.tolist() in ([], [0])
    assert inputs.levels.count.tolist() == [1]


def test_measured_values_that_are_not_there_leave_the_composite(session: Session) -> None:
    entry = make_entry(session)
    cycle, rules = entry.cycle, rules_of(entry.cycle)
    measured = [c for c in rules.criteria if not levels_of(rules, c.code)]
    assert measured, "the shipped rules measure something"
    party = measured[0].party
    answers = {
        code: value for code, value in all_at(cycle, party, "care", 5).items() if code not in {c.code for c in measured}
    }
    assess(session, entry, party, answers)
    table = inputs_of(session, cycle, rules).moments
    assert table.y[0].diagonal().tolist() == [100_000] * 3


def steps(session: Session, **sections: object) -> Cycle:
    """A cycle whose rules have only some of the later steps."""
    text = config.SHIPPED_RULES.read_text()
    for name in ("severity", "adjustment", "weighting"):
        text = re.sub(rf"(?m)^\[{name}\](\n(?!\[).*)*", "", text)
    return make_cycle(session, rules=make_rules(session, "\n".join([text, *map(str, sections.values())]).encode()))


ADJUSTED = """
[adjustment]
ground = { zh = "2025", en = "2025" }
coefficients = [{ dimension = "outcomes", criterion = "recipient_proxy", points = 4 }]
"""
SEVERE = """
[severity]
party = "third_party"
"""


def test_an_adjuster_is_a_column_of_the_moments(session: Session) -> None:
    cycle = steps(session, adjustment=ADJUSTED)
    rules, entry = rules_of(cycle), make_entry(session, cycle=cycle)
    best = all_at(cycle, "recipient", "care", 5)
    top = levels_of(rules, "recipient_proxy")
    respond(session, entry, best | {"recipient_proxy": float(top)})
    respond(session, entry, best | {"recipient_proxy": 1.0})
    respond(session, entry, best)
    respond(session, entry, {"recipient_proxy": float(top)})
    inputs = inputs_of(session, cycle, rules)
    assert inputs.adjusters == ("recipient_proxy",)
    table = inputs.moments
    assert table.respondents.tolist() == [3]
    assert table.n[0][3].tolist() == [2, 2, 2, 2]
    assert table.y[0][3, 3] == 100_000
    assert table.yy[0][0, 3] == 100_000 * 100_000


def test_evaluators_are_told_apart_where_severity_is_taken_off(session: Session) -> None:
    cycle = steps(session, severity=SEVERE)
    entry = make_entry(session, cycle=cycle)
    one = assess(session, entry, "third_party", all_at(cycle, "third_party", "care", 5))
    assess(session, entry, "third_party", all_at(cycle, "third_party", "care", 1))
    filed = RatingsImport(cycle_id=cycle.id, hash="0" * 64, rows=1, imported_at=NOW, imported_by="x")
    session.add(filed)
    session.flush()
    two = assess(session, entry, "third_party", all_at(cycle, "third_party", "care", 5))
    two.account_id, two.import_id, two.rater_label = None, filed.id, "王某"
    session.flush()
    inputs = inputs_of(session, cycle, rules_of(cycle))
    assert list(inputs.raters) == sorted(inputs.raters)
    assert f"account:{one.account_id}" in inputs.raters
    assert "王某" not in "".join(inputs.raters)
    assert sum(rater.startswith("file:") for rater in inputs.raters) == 1
    own = inputs.judged.rater.tolist().index(inputs.raters.index(f"account:{one.account_id}"))
    assert (inputs.judged.n[own].tolist(), inputs.judged.y[own].tolist()) == ([1, 1, 1], [100_000] * 3)
    assert inputs.judged.yy.max() == 100_000**2
    assert sorted(inputs.judged.y[:, 0].tolist()) == [0, 100_000, 100_000]


def test_raters_are_not_told_apart_where_severity_is_not_taken_off(session: Session) -> None:
    cycle = steps(session)
    assess(session, make_entry(session, cycle=cycle), "third_party", all_at(cycle, "third_party", "care", 5))
    inputs = inputs_of(session, cycle, rules_of(cycle))
    assert (inputs.judged, inputs.raters, inputs.adjusters) == (None, (), ())


def test_strata_say_what_they_are_made_of(session: Session) -> None:
    entry = make_entry(session)
    make_stratum(session, entry=entry, township="A", size=4).item = "x"
    make_stratum(session, entry=entry, township="B", size=7)
    session.flush()
    inputs = inputs_of(session, entry.cycle, rules_of(entry.cycle))
    assert inputs.parts == (("", ""), ("A", "x"), ("B", ""))
    assert inputs.strata == ("", '["A", "x"]', '["B", ""]')
    assert inputs.frames.stratum.tolist() == [1, 2]


def test_an_infinite_measured_value_is_refused(session: Session) -> None:
    entry = make_entry(session)
    assess(session, entry, "purchaser", {"purchaser_staff_share": float("inf")})
    with pytest.raises(Invalid) as caught:
        inputs_of(session, entry.cycle, rules_of(entry.cycle))
    assert "purchaser_staff_share = inf" in "\n".join(caught.value.details)


def test_rows_ascend_however_far_apart_their_keys_are() -> None:
    near = np.array([[2, 1], [1, 9], [1, 2]])
    assert order_of(near).tolist() == [2, 1, 0]
    assert order_of(near * 2**40 - 2**60).tolist() == [2, 1, 0]
    assert order_of(near[:0]).tolist() == []


def test_more_raters_than_fit_at_once_add_up_all_the_same(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    cycle = rated_cycle(session, contracts=2)
    whole = fingerprint(inputs_of(session, cycle, rules_of(cycle)))
    monkeypatch.setattr("evalsys.evaluation.sums.AT_ONCE", 3)
    monkeypatch.setattr("evalsys.evaluation.aggregations._ENTRIES_AT_ONCE", 1)
    assert fingerprint(inputs_of(session, cycle, rules_of(cycle))) == whole
    everything = [entry.id for entry in entries_of(session, cycle)]
    assert fingerprint(inputs_of(session, cycle, rules_of(cycle), entries=everything)) == whole
