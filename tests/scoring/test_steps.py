"""The laws of a score with steps 2 to 4 on and off in every combination."""

from dataclasses import fields, is_dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring.engine import score
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.intervals import add_up
from evalsys.scoring.pooled import fit
from evalsys.scoring.result import Result
from tests.scoring.made import make_rules, words
from tests.scoring.people import Person, make_people

PARTS = ("contribution", "weighting", "mode", "case_mix", "severity", "cut")
STEPS: dict[str, Any] = {
    "weighting": {"stratum_minimum": 2},
    "adjustment": {
        "ground": words("2025"),
        "coefficients": [
            {"dimension": "outcomes", "mode": "telephone", "points": 9.0},
            {"dimension": "impact", "criterion": "age", "points": -30.0},
            {"dimension": "outcomes", "criterion": "age", "points": 8.0, "mean": 0.25},
        ],
    },
    "severity": {},
}
AGE = {"code": "age", "party": "recipient", "source": "adjuster", "text": words("?"), "scale": "five"}


def rules_of(*on: str, **changes: Any) -> Rules:
    criteria = [c.model_dump() for c in make_rules().criteria] + [AGE]
    steps = {step: STEPS[step] for step in on}
    quiet: dict[str, Any] = {"minimums": {"recipient": 1}, "interval": {"pool_minimum": 2}}
    return make_rules(**(quiet | {"criteria": criteria} | steps | changes))


EVERY = tuple(STEPS)
RULES = st.builds(
    lambda on, changes: rules_of(*(step for step, there in zip(EVERY, on, strict=True) if there), **changes),
    st.sampled_from(list(product([True, False], repeat=3))),
    st.sampled_from(
        [
            {},
            {"aggregation": "geometric", "status": {"missing_party": "reproportion"}},
            {"minimums": {"recipient": 3}, "shrinkage": {}, "vendor_weight": "equal"},
        ]
    ),
)
LEVEL = st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0])
KEYS = {
    "contract": st.sampled_from("ABCD"),
    "y": st.tuples(LEVEL, LEVEL, LEVEL | st.none()),
    "party": st.sampled_from(["recipient", "recipient", "recipient", "third_party", "purchaser"]),
    "mode": st.sampled_from(["self", "telephone", ""]),
    "stratum": st.sampled_from([("n", "x"), ("n", "y"), ("s", "x"), ("s", "y")]),
    "x": st.tuples(LEVEL | st.none()),
    "name": st.sampled_from("abc"),
}
PEOPLE = st.lists(st.builds(Person, **KEYS), min_size=1, max_size=60)
FRAMES = {
    "A": {("n", "x"): 30, ("n", "y"): 90, ("s", "x"): 11, ("s", "y"): 60},
    "B": {("n", ""): 40, ("s", ""): 60, ("", "x"): 70, ("", "y"): 30},
    "C": {("n", ""): 50, ("s", ""): 70},
}


def cycle(people: list[Person]) -> Inputs:
    return make_people(people, frames=FRAMES, adjusters=["age"])


def plain(value: Any) -> Any:
    """Down to lists and bytes, so that equal means equal to the last bit."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(f.name, plain(getattr(value, f.name))) for f in fields(value)]
    return value.tobytes() if isinstance(value, np.ndarray) else value


@settings(deadline=None)
@given(PEOPLE, RULES)
def test_the_parts_add_up_and_a_step_that_is_off_leaves_no_trace(people: list[Person], rules: Rules) -> None:
    result = score(cycle(people), rules, seed=1)
    known = ~np.isnan(result.score)
    whole = sum(add_up(getattr(result.cells, part)) for part in PARTS) + result.uneven
    assert whole[known] == pytest.approx(result.score[known], abs=1e-9)
    if rules.aggregation == "arithmetic":
        assert result.uneven[known] == pytest.approx(0, abs=1e-9)
    assert (result.cells.n_effective <= result.cells.n + 1e-9).all()
    assert ((result.low <= result.score) & (result.score <= result.high))[known].all()
    if rules.weighting is None:
        assert not result.cells.weighting.any()
        assert (result.cells.n_effective == result.cells.n).all()
        assert not any(result.collapsed)
    if rules.adjustment is None:
        assert not result.cells.mode.any()
        assert not result.cells.case_mix.any()
        assert result.pooled.coefficient_means.size == 0
    if rules.severity is None:
        assert not result.cells.severity.any()
        assert result.pooled.raters is None


@settings(deadline=None)
@given(PEOPLE, RULES)
def test_adjusters_strata_modes_and_raters_mean_nothing_where_the_steps_are_off(
    people: list[Person], rules: Rules
) -> None:
    off = rules.model_copy(update=dict.fromkeys(EVERY))
    bare = [replace(a, mode="self", stratum=("n", "x"), x=(None,), name="a") for a in people]
    told, untold = (score(make_people(rows, adjusters=["age"]), off, seed=1) for rows in (people, bare))
    assert plain(told) == plain(untold)


@settings(deadline=None)
@given(PEOPLE, RULES, st.randoms())
def test_the_order_of_rows_changes_no_bit(people: list[Person], rules: Rules, random: Any) -> None:
    inputs = cycle(people)
    assert inputs.judged is not None
    moments, judged, frames = (shuffled(table, random) for table in (inputs.moments, inputs.judged, inputs.frames))
    turned = replace(inputs, moments=moments, judged=judged, frames=frames)
    assert plain(score(turned, rules, seed=1)) == plain(score(inputs, rules, seed=1))


def shuffled(table: Any, random: Any) -> Any:
    order = random.sample(range(len(table.contract)), len(table.contract))
    return replace(table, **{f.name: getattr(table, f.name)[order] for f in fields(table)})


@settings(deadline=None)
@given(PEOPLE, RULES, st.floats(0.05, 1))
def test_scaling_all_weights_changes_nothing(people: list[Person], rules: Rules, factor: float) -> None:
    scaled = tuple(
        row.model_copy(
            update={"share": row.share * factor, "parties": {p: share * factor for p, share in row.parties.items()}}
        )
        for row in rules.weights
    )
    inputs = cycle(people)
    there, here = (score(inputs, r, seed=1) for r in (rules, rules.model_copy(update={"weights": scaled})))
    for name in ("score", "low", "high"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), abs=1e-6, nan_ok=True)


def of_contract(result: Result, contract: str) -> list[Any]:
    c = result.contracts.index(contract)
    names = ("score", "low", "high", "grade", "chances", "status", "dimensions", "uneven", "variance", "collapsed")
    cells = [getattr(result.cells, f.name) for f in fields(result.cells)]
    return [plain(getattr(result, name)[c]) for name in names] + [plain(values[c]) for values in cells]


@settings(deadline=None)
@given(PEOPLE, RULES)
def test_another_contract_never_moves_this_one(people: list[Person], rules: Rules) -> None:
    inputs = cycle(people)
    frozen = fit(inputs, rules)
    together = score(inputs, rules, seed=1, frozen=frozen)
    for contract in {person.contract for person in people}:
        mine = [person for person in people if person.contract == contract]
        frames = {contract: FRAMES[contract]} if contract in FRAMES else {}
        alone = score(make_people(mine, frames=frames, adjusters=["age"]), rules, seed=1, frozen=frozen)
        assert str(of_contract(alone, contract)) == str(of_contract(together, contract))


@settings(deadline=None)
@given(PEOPLE, RULES, st.data())
def test_raising_a_rating_never_lowers_the_score(people: list[Person], rules: Rules, data: st.DataObject) -> None:
    inputs = cycle(people)
    frozen = fit(inputs, rules)
    one = data.draw(st.integers(0, len(people) - 1))
    up = tuple(None if v is None else min(100.0, v + 25) for v in people[one].y)
    after = cycle([*people[:one], replace(people[one], y=up), *people[one + 1 :]])
    there, here = (score(cells, rules, seed=1, frozen=frozen) for cells in (inputs, after))
    c = inputs.contracts.index(people[one].contract)
    if not np.isnan(there.score[c]) and not np.isnan(here.score[c]):
        assert here.score[c] >= there.score[c] - 1e-9


def test_frozen_terms_and_the_same_inputs_give_the_same_result() -> None:
    people = [
        Person(
            c, (25.0 * k, 50.0, 75.0), party=party, mode=("self", "telephone")[k % 2], name="abc"[k % 3], x=(25.0 * k,)
        )
        for c in "ABCD"
        for party in ("recipient", "third_party", "purchaser")
        for k in range(4)
    ]
    rules = rules_of(*EVERY)
    inputs = cycle(people)
    learned = score(inputs, rules, seed=1)
    assert plain(score(inputs, rules, seed=1, frozen=learned.pooled)) == plain(learned)
    assert learned.pooled.raters is not None
    assert learned.pooled.coefficient_means == pytest.approx([0.5, 0.375, 0.25])


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"coefficient_means": np.zeros(2)}, r"frozen.coefficient_means: must have shape \(3,\)"),
        ({"coefficient_means": np.full(3, np.nan)}, "frozen.coefficient_means: must be finite"),
        ({"gap": np.full(3, np.inf)}, "frozen.gap: must be finite"),
        ({"raters": None}, "frozen.raters: must be there"),
        ({"severity": np.zeros(1)}, r"frozen.raters.severity: must have shape \(3,\)"),
        ({"severity": np.full(3, np.nan)}, "frozen.raters.severity: must be finite"),
        ({"component": np.zeros(2, dtype=np.int64)}, r"frozen.raters.component: must have shape \(3,\)"),
        ({"sd": np.zeros(2)}, r"frozen.raters.sd: must have shape \(3,\)"),
    ],
)
def test_frozen_terms_that_do_not_fit_are_refused(change: dict[str, Any], why: str) -> None:
    rules = rules_of(*EVERY)
    inputs = cycle([Person(c, (50.0,) * 3, party="third_party", name=name) for c in "AB" for name in "abc"])
    terms = fit(inputs, rules)
    assert terms.raters is not None
    of_raters = {name for name in change if name in ("severity", "component", "sd")}
    frozen = replace(terms, raters=replace(terms.raters, **change)) if of_raters else replace(terms, **change)
    with pytest.raises(ValueError, match=why):
        score(inputs, rules, seed=1, frozen=frozen)


def test_adjusters_that_the_inputs_lack_are_refused() -> None:
    lacking = replace(make_people([Person("A", (1.0, 2.0, 3.0))]), criteria=cycle([]).criteria)
    with pytest.raises(ValueError, match=r"inputs\.adjusters: age must be a column of the moments"):
        score(lacking, rules_of(*EVERY), seed=1)
