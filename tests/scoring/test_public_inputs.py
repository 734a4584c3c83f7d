"""What is published recomputes every score, and tells nothing of fewer than five recipients."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring import engine
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.public_inputs import NOBODY, SMALLEST_GROUP, public_inputs, recompute
from tests.scoring.made import DIMENSIONS, PARTIES, full, make_cycle, make_rules
from tests.scoring.people import Person, make_people

LEVELS = st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0])
RATING = st.tuples(LEVELS, LEVELS, LEVELS | st.none())
TOWNS = ("East", "West", "North")

STEPS: dict[str, Any] = {"shrinkage": {}, "rank_sets": {"draws": 40}, "sensitivity": {"draws": 40}, "severity": {}}
RULES = st.sampled_from(
    [
        make_rules(),
        make_rules(**STEPS, weighting={}, status={"missing_party": "reproportion"}),
        make_rules(
            weighting={"stratum_minimum": 2}, aggregation="geometric", interval={"pool_minimum": 1}, severity={}
        ),
    ]
)


@st.composite
def cycles(draw: st.DrawFn) -> Inputs:
    people: list[Person] = []
    frames: dict[str, dict[tuple[str, ...], int]] = {}
    for contract in draw(st.lists(st.sampled_from("ABCD"), min_size=1, unique=True)):
        asked = draw(st.lists(st.tuples(RATING, st.sampled_from(TOWNS)), max_size=14))
        people += [Person(contract, y, stratum=(town, "")) for y, town in asked]
        judged = draw(st.dictionaries(st.sampled_from(["Li", "Wang", "Zhao"]), RATING, max_size=2))
        people += [Person(contract, y, party="third_party", name=name) for name, y in judged.items()]
        people.append(Person(contract, draw(RATING), party="purchaser"))
        frames[contract] = {(town, ""): draw(st.integers(15, 60)) for town in TOWNS}
    return make_people(people, frames=frames)


def assert_recomputes(inputs: Inputs, rules: Rules, seed: int = 3) -> None:
    made = engine.score(inputs, rules, seed=seed)
    again = recompute(public_inputs(inputs, rules, made.pooled), rules, made.pooled, seed=seed)
    for name in ("score", "low", "high", "chances", "dimensions", "variance"):
        np.testing.assert_allclose(getattr(again, name), getattr(made, name), atol=1e-9, err_msg=name)
    for name in ("grade", "status", "rank", "capped"):
        np.testing.assert_array_equal(getattr(again, name), getattr(made, name), err_msg=name)
    if made.shrunken is not None and again.shrunken is not None:
        np.testing.assert_allclose(again.shrunken.tau2, made.shrunken.tau2, atol=1e-6)
    if made.rank_sets is not None and again.rank_sets is not None:
        np.testing.assert_array_equal(again.rank_sets.lower, made.rank_sets.lower)
        np.testing.assert_array_equal(again.rank_sets.upper, made.rank_sets.upper)
    if made.weight_space is not None and again.weight_space is not None:
        np.testing.assert_allclose(again.weight_space.leads, made.weight_space.leads, atol=1e-6)


@settings(max_examples=60)
@given(cycles(), RULES)
def test_every_score_recomputes_from_what_is_published(inputs: Inputs, rules: Rules) -> None:
    assert_recomputes(inputs, rules)


@settings(max_examples=60)
@given(cycles(), RULES)
def test_no_group_tells_of_fewer_than_five_recipients(inputs: Inputs, rules: Rules) -> None:
    terms = engine.score(inputs, rules, seed=3).pooled
    groups = public_inputs(inputs, rules, terms).groups
    asked = groups.party == PARTIES.index("recipient")
    n = groups.n[asked]
    assert ((n == 0) | (n >= SMALLEST_GROUP)).all()
    for sums in (groups.weight, groups.sums, groups.products):
        assert not sums[asked][n == 0].any()
    assert not groups.squares[asked][np.diagonal(n, axis1=1, axis2=2) == 0].any()


def test_answers_that_are_all_alike_have_no_spread() -> None:
    inputs = make_cycle({"A": full([100 / 3] * 6), "B": full([70, 80, 90, 60, 50])}, frames={"A": 40})
    terms = engine.score(inputs, make_rules(), seed=1).pooled
    public = public_inputs(inputs, make_rules(), terms)
    row = int(np.flatnonzero((public.groups.contract == 0) & (public.groups.party == 1))[0])
    assert not public.groups.products[row].any()
    assert public.groups.centre[row].tolist() == [33.333] * 3
    assert_recomputes(inputs, make_rules())


def test_adjustments_are_recorded() -> None:
    people = [
        Person("A", (25.0 * (i % 5), 75.0, 50.0), mode="telephone" if i % 2 else "self", stratum=("East", ""))
        for i in range(12)
    ]
    people += [Person("A", (80.0, 80.0, 80.0), party=party) for party in ("purchaser", "third_party")]
    inputs = make_people(people, frames={"A": {("East", ""): 30}})
    adjustment = {
        "ground": {"zh": "据", "en": "ground"},
        "coefficients": [{"dimension": "outcomes", "mode": "telephone", "points": 4.0, "mean": 0.25}],
    }
    rules = make_rules(adjustment=adjustment)
    public = public_inputs(inputs, rules, engine.score(inputs, rules, seed=1).pooled)
    assert public.adjusted is not None
    assert public.adjusted.points[0].tolist() == pytest.approx([-4 * (0.5 - 0.25), 0, 0])
    assert_recomputes(inputs, rules)


def test_each_evaluator_is_told_apart_where_severity_is_taken_off() -> None:
    contracts = "ABCDEF"
    people = [
        Person(c, (40.0 + 8 * i + (9.0 + i % 3 if name == "Li" else i % 2), 50.0, 60.0), party="third_party", name=name)
        for i, c in enumerate(contracts)
        for name in ("Li", "Wang")
    ]
    people += [Person(c, (75.0, 50.0, 50.0 + i), stratum=("East", "")) for c in contracts for i in range(6)]
    people += [Person(c, (75.0, 50.0, 50.0), party="purchaser") for c in contracts]
    inputs = make_people(people)
    rules = make_rules(severity={}, interval={"pool_minimum": 1})
    made = engine.score(inputs, rules, seed=1)
    public = public_inputs(inputs, rules, made.pooled)
    third = public.groups.party == PARTIES.index("third_party")
    assert [public.raters[rater] for rater in public.groups.rater[third].tolist()] == ["Li", "Wang"] * 6
    assert (public.groups.rater[~third] == NOBODY).all()
    assert public.severity[0] > 1
    assert public.severity.sum() == pytest.approx(0, abs=1e-9)
    assert_recomputes(inputs, rules)


def test_a_cycle_without_recipients() -> None:
    weights = [{"dimension": d, "share": 1 / 3, "parties": {"purchaser": 1.0}} for d in DIMENSIONS]
    one = [{"code": "purchaser", "name": {"zh": "一", "en": "one"}, "minimum": 1}]
    rules = make_rules(parties=one, weights=weights, criteria=[c.model_dump() for c in make_rules().criteria[:3]])
    inputs = make_cycle({"A": {"purchaser": [[80, 70, 60]]}})
    inputs = replace(inputs, parties=("purchaser",), criteria=tuple(c.code for c in rules.criteria))
    assert_recomputes(inputs, rules)


def test_nothing_answered() -> None:
    assert_recomputes(make_people([], contracts=("A",)), make_rules(weighting={}))
