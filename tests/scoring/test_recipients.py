"""Steps 2 and 3 against the same sums done person by person."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring.cells import Spread, spread_of
from evalsys.scoring.circumstances import coefficient_means
from evalsys.scoring.frame_weights import frame_weights
from evalsys.scoring.frames import frame_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.recipients import corrected
from tests.scoring.made import DIMENSIONS, make_rules, words
from tests.scoring.people import Person, make_people

AGE = {"code": "age", "party": "recipient", "source": "adjuster", "text": words("?"), "scale": "five"}
HEALTH = AGE | {"code": "health"}
COEFFICIENTS = [
    {"dimension": "outcomes", "mode": "telephone", "points": 6.0},
    {"dimension": "outcomes", "mode": "paper", "points": -4.0, "mean": 0.3},
    {"dimension": "impact", "mode": "telephone", "points": 2.0},
    {"dimension": "outcomes", "criterion": "age", "points": 12.0},
    {"dimension": "outcomes", "criterion": "health", "points": -9.0},
    {"dimension": "management", "criterion": "age", "points": -5.0, "mean": 0.4},
]


def rules_with(*coefficients: dict[str, Any], weighted: bool = False) -> Rules:
    plain = make_rules()
    criteria = [c.model_dump() for c in plain.criteria] + [AGE, HEALTH]
    adjustment = {"ground": words("2025"), "coefficients": list(coefficients)} if coefficients else None
    return make_rules(criteria=criteria, adjustment=adjustment, weighting={} if weighted else None)


def run(people: Sequence[Person], rules: Rules, **more: Any) -> tuple[Inputs, Spread]:
    inputs = make_people(people, adjusters=("age", "health"), **more)
    spread = spread_of(inputs)
    return inputs, corrected(inputs, frame_of(inputs), rules, spread, coefficient_means(inputs, rules))[0]


LEVEL = st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0])
PERSON = st.builds(
    Person,
    contract=st.sampled_from("AB"),
    y=st.tuples(LEVEL, LEVEL, LEVEL),
    mode=st.sampled_from(["self", "telephone", "paper", ""]),
    stratum=st.sampled_from([("n", "i"), ("s", "i")]),
    x=st.tuples(LEVEL, LEVEL),
)


def by_person(inputs: Inputs, people: Sequence[Person], rules: Rules) -> tuple[Any, Any]:
    """Weights, and ỹ of every person, shape (people, dimensions)."""
    weights = np.ones(len(people))
    if rules.weighting:
        rows = inputs.moments
        found, _ = frame_weights(inputs, frame_of(inputs), rows, rules.weighting)
        keys = zip(rows.contract, rows.stratum, strict=True)
        of = {(inputs.contracts[c], inputs.strata[s]): w for (c, s), w in zip(keys, found, strict=True)}
        weights = np.array([of[a.contract, "/".join(a.stratum)] for a in people])
    y = np.array([[np.nan if v is None else v for v in a.y] for a in people])
    means = coefficient_means(inputs, rules)
    for coefficient, mean in zip(rules.adjustment.coefficients if rules.adjustment else (), means, strict=True):
        if coefficient.mode:
            x = np.array([mean if a.mode == "" else a.mode == coefficient.mode for a in people])
        else:
            column = inputs.adjusters.index(coefficient.criterion or "")
            x = np.array([mean if (v := a.x[column]) is None else v / 100 for a in people])
        y[:, DIMENSIONS.index(coefficient.dimension)] -= coefficient.points * (x - mean)
    return weights, y


@settings(deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=40), st.booleans(), st.booleans())
def test_every_person_counts_as_by_hand(people: list[Person], weighted: bool, adjusted: bool) -> None:
    rules = rules_with(*(COEFFICIENTS if adjusted else ()), weighted=weighted)
    frames = {"A": {("n", "i"): 100, ("s", "i"): 300}}
    inputs, spread = run(people, rules, frames=frames)
    weights, y = by_person(inputs, people, rules)
    for c, contract in enumerate(inputs.contracts):
        mine = np.array([a.contract == contract for a in people])
        n, w, values = mine.sum(), weights[mine], y[mine]
        if not n:
            assert spread.mean[c, 1].tolist() == [0, 0, 0]
            continue
        mean = w @ values / w.sum()
        cross = ((values - mean) * w[:, None]).T @ (values - mean) / w.sum() * n
        assert spread.mean[c, 1] == pytest.approx(mean, abs=1e-9)
        assert spread.cross[c, 1] == pytest.approx(cross, abs=1e-6)
        assert spread.n_effective[c, 1] == pytest.approx([w.sum() ** 2 / (w @ w)] * 3)
        moved = sum(getattr(spread.moves, name) for name in ("weighting", "mode", "case_mix", "severity"))
        assert spread.plain + moved == pytest.approx(spread.mean, abs=1e-12)
    if not weighted:
        assert not spread.moves.weighting.any()
    if not adjusted:
        assert not spread.moves.mode.any()
        assert not spread.moves.case_mix.any()


def test_what_is_not_known_of_a_respondent_counts_as_the_mean() -> None:
    people = [
        Person("A", (80.0, 60.0, None), x=(100.0, None)),
        Person("A", (40.0, None, 50.0), x=(None, 50.0), mode="telephone"),
        Person("A", (90.0, 70.0, 20.0), x=(None, None), mode=""),
    ]
    rules = rules_with(*COEFFICIENTS)
    inputs, spread = run(people, rules)
    _, y = by_person(inputs, people, rules)
    assert spread.mean[0, 1] == pytest.approx(np.nanmean(y, axis=0))
    assert coefficient_means(inputs, rules).tolist() == [0.5, 0.3, 0.5, 1.0, 0.5, 0.4]
    assert (spread.variance >= 0).all()


def test_off_means_untouched_and_equal_weights_change_no_bit() -> None:
    people = [Person("A", (10.0 * k, 33.0, 7.7), stratum=(f"t{k % 3}", "i")) for k in range(9)]
    inputs = make_people(people, frames={"A": {("t0", "i"): 10, ("t1", "i"): 10, ("t2", "i"): 10}})
    spread = spread_of(inputs)
    assert corrected(inputs, frame_of(inputs), make_rules(), spread, np.zeros(0))[0] is spread
    rules = make_rules(weighting={"stratum_minimum": 1})
    weighted = corrected(inputs, frame_of(inputs), rules, spread, np.zeros(0))[0]
    assert weighted.mean.tobytes() == spread.mean.tobytes()
    assert weighted.n_effective.tolist() == spread.n_effective.tolist()
    assert weighted.cross == pytest.approx(spread.cross)


def test_equal_answers_have_no_spread_however_they_are_weighted() -> None:
    people = [Person("A", (81.3, 100.0, 0.0), stratum=(f"t{k % 2}", "i")) for k in range(13)]
    inputs = make_people(people, frames={"A": {("t0", "i"): 10, ("t1", "i"): 97}})
    rules = make_rules(weighting={"stratum_minimum": 1})
    weighted = corrected(inputs, frame_of(inputs), rules, spread_of(inputs), np.zeros(0))[0]
    assert weighted.mean[0, 1].tolist() == [81.3, 100, 0]
    assert not weighted.cross.any()
    assert weighted.n_effective[0, 1, 0] < 13


def test_nobody_who_answers_in_a_mode_teaches_nothing() -> None:
    rules = rules_with(*COEFFICIENTS)
    inputs = make_people([Person("A", (1.0, 1.0, 1.0), party="purchaser")], adjusters=("age", "health"))
    assert coefficient_means(inputs, rules).tolist() == [0, 0.3, 0, 0, 0, 0.4]
