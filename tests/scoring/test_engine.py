"""The whole run, by hand and by law."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring.engine import score
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.intervals import add_up, wilson
from evalsys.scoring.pooled import fit
from evalsys.scoring.result import Result
from tests.scoring.made import MATRIX, full, make_cycle, make_rules

LEVELS = st.sampled_from([0.0, 25.0, 50.0, 75.0, 100.0])
ROW = st.tuples(LEVELS, LEVELS, LEVELS | st.none()).map(list)


def rows(least: int) -> st.SearchStrategy[list[list[float | None]]]:
    return st.lists(ROW, min_size=least, max_size=7)


CONTRACT = st.fixed_dictionaries({"recipient": rows(0), "purchaser": rows(0), "third_party": rows(0)})
CYCLE = st.dictionaries(st.sampled_from("ABCDE"), CONTRACT, min_size=2, max_size=5)
RULES = st.sampled_from(
    [
        make_rules(minimums={"recipient": 2}),
        make_rules(
            minimums={"recipient": 1},
            status={"missing_party": "reproportion"},
            shrinkage={},
            rank_sets={"draws": 40},
            sensitivity={"draws": 40},
        ),
        make_rules(minimums={"recipient": 1}, aggregation="geometric", cap={"dimension_below": 40, "grade": "fair"}),
    ]
)


def plain(value: Any) -> Any:
    """Down to lists and bytes, so that equal means equal to the last bit."""
    if is_dataclass(value) and not isinstance(value, type):
        return [(f.name, plain(getattr(value, f.name))) for f in fields(value)]
    return value.tobytes() if isinstance(value, np.ndarray) else value


def one_recipient_party() -> Rules:
    return make_rules(weights=[{"dimension": "outcomes", "share": 1.0, "parties": {"recipient": 1.0}}])


def test_a_contract_by_hand() -> None:
    recipients = [100, 75, 75, 50, 100]
    result = score(make_cycle({"A": full(recipients)}, frames={"A": 50}), make_rules(), seed=7)
    share = {d: sum(w for w in parts) * s for d, (s, parts) in MATRIX.items()}
    assert sum(share.values()) == pytest.approx(1)
    expected = sum(s * (v[0] * 80 + v[1] * 80 + v[2] * 70) for s, v in MATRIX.values())
    assert result.score[0] == pytest.approx(expected)
    s2 = np.var([r / 100 for r in recipients], ddof=1)
    phi = s2 / 0.16  # the only contract: its own dispersion is the pooled one
    low, high = wilson(0.8, 5 / (phi * (1 - 5 / 50)))
    assert result.cells.low[0, 1] == pytest.approx([low * 100] * 3)
    assert result.cells.high[0, 1] == pytest.approx([high * 100] * 3)
    arms = {
        "purchaser": (0.26, 1.959963984540054 * 10),
        "recipient": (0.36, 80 - low * 100),
        "third_party": (0.38, 1.959963984540054 * 10),
    }
    down = np.sqrt(sum((weight * arm) ** 2 for weight, arm in arms.values()))
    assert result.low[0] == pytest.approx(result.score[0] - down)
    assert (result.seed, result.contracts) == (7, ("A",))


def test_the_geometric_form_takes_off_for_uneven_dimensions() -> None:
    answers = {"A": {"recipient": [[90, 40, 60]] * 5, "purchaser": [[90, 40, 60]], "third_party": [[90, 40, 60]]}}
    result = score(make_cycle(answers), make_rules(aggregation="geometric"), seed=1)
    assert result.score[0] == pytest.approx(90**0.5 * 40**0.3 * 60**0.2)
    assert result.uneven[0] == pytest.approx(result.score[0] - (45 + 12 + 12))


def test_near_a_boundary_and_capped() -> None:
    rules = make_rules(cap={"dimension_below": 40, "grade": "poor"})
    answers = {
        "A": full([80.2] * 9, purchaser=80.2, third=80.2),
        "B": {"recipient": [[100, 30, 100]] * 5, "purchaser": [[100, 30, 100]], "third_party": [[100, 30, 100]]},
    }
    result = score(make_cycle(answers), rules, seed=1)
    assert result.near_boundary.tolist() == [True, False]
    assert result.capped.tolist() == [False, True]
    assert [rules.grades[g].code for g in result.grade] == ["good", "poor"]


def test_inputs_of_other_rules_are_refused() -> None:
    cycle = make_cycle({"A": full([80] * 5)})
    with pytest.raises(ValueError, match=r"inputs.parties: .* are not those of the rules"):
        score(replace(cycle, parties=("recipient", "purchaser", "third_party")), make_rules(), seed=1)
    with pytest.raises(ValueError, match=r"inputs.criteria"):
        score(replace(cycle, criteria=()), make_rules(), seed=1)


@pytest.mark.parametrize("name", ["dispersion", "rater_variance", "correlation", "gap"])
def test_frozen_terms_of_another_shape_are_refused(name: str) -> None:
    cycle, rules = make_cycle({"A": full([80] * 5)}), make_rules()
    frozen = replace(fit(cycle, rules), **{name: np.ones(1)})
    with pytest.raises(ValueError, match=rf"frozen.{name}: must have shape"):
        score(cycle, rules, seed=1, frozen=frozen)


def test_rules_without_recipients_and_rules_of_one_party() -> None:
    judges = make_rules()
    only = judges.model_copy(
        update={
            "parties": (judges.party("purchaser"),),
            "weights": tuple(w.model_copy(update={"parties": {"purchaser": 1.0}}) for w in judges.weights),
        }
    )
    cycle = make_cycle({"A": {"purchaser": [[70, 80, 90]]}})
    result = score(replace(cycle, parties=("purchaser",)), only, seed=1)
    assert result.score[0] == pytest.approx(0.5 * 70 + 0.3 * 80 + 0.2 * 90)
    single = score(make_cycle({"A": {"recipient": [[70, 0, 0]] * 5}}), one_recipient_party(), seed=1)
    assert single.score[0] == pytest.approx(70)


@settings(deadline=None)
@given(CYCLE, RULES)
def test_the_parts_add_up_to_the_score(answers: Any, rules: Rules) -> None:
    result = score(make_cycle(answers), rules, seed=1)
    parts = add_up(result.cells.contribution) + add_up(result.cells.cut) + result.uneven
    known = ~np.isnan(result.score)
    assert np.abs(parts - result.score)[known] == pytest.approx(0, abs=1e-9)
    assert (result.low[known] <= result.score[known]).all()
    assert (result.score[known] <= result.high[known]).all()
    assert np.isfinite(result.chances[known]).all()
    assert (known == (result.rank > 0)).all()
    if rules.aggregation == "arithmetic":
        assert result.uneven[known] == pytest.approx(0, abs=1e-9)


@settings(deadline=None)
@given(CYCLE, RULES)
def test_the_same_inputs_give_the_same_bytes(answers: Any, rules: Rules) -> None:
    assert plain(score(make_cycle(answers), rules, seed=1)) == plain(score(make_cycle(answers), rules, seed=1))


@settings(deadline=None)
@given(CYCLE, RULES, st.randoms())
def test_the_order_of_rows_changes_nothing(answers: Any, rules: Rules, random: Any) -> None:
    shuffled = {
        contract: {party: random.sample(rows, len(rows)) for party, rows in parties.items()}
        for contract, parties in answers.items()
    }
    cycle = make_cycle(shuffled)
    order = random.sample(range(len(cycle.moments.contract)), len(cycle.moments.contract))
    moments = replace(cycle.moments, **{f.name: getattr(cycle.moments, f.name)[order] for f in fields(cycle.moments)})
    there = score(make_cycle(answers), rules, seed=1)
    assert plain(score(replace(cycle, moments=moments), rules, seed=1)) == plain(there)


@settings(deadline=None)
@given(CYCLE, RULES, st.floats(0.05, 1))
def test_scaling_all_weights_changes_nothing(answers: Any, rules: Rules, factor: float) -> None:
    scaled = rules.model_copy(
        update={
            "weights": tuple(
                row.model_copy(
                    update={
                        "share": row.share * factor,
                        "parties": {party: share * factor for party, share in row.parties.items()},
                    }
                )
                for row in rules.weights
            )
        }
    )
    cycle = make_cycle(answers)
    there, here = score(cycle, rules, seed=1), score(cycle, scaled, seed=1)
    for name in ("score", "low", "high"):
        assert getattr(here, name) == pytest.approx(getattr(there, name), abs=1e-9, nan_ok=True)


def of_contract(result: Result, contract: str) -> list[Any]:
    c = result.contracts.index(contract)
    names = ("score", "low", "high", "grade", "chances", "near_boundary", "capped", "status", "dimensions", "uneven")
    return [plain(getattr(result, name)[c]) for name in names] + [
        plain(value[c]) for value in (getattr(result.cells, f.name) for f in fields(result.cells))
    ]


@settings(deadline=None)
@given(CYCLE, RULES)
def test_another_contract_never_moves_this_one(answers: Any, rules: Rules) -> None:
    cycle = make_cycle(answers)
    frozen = fit(cycle, rules)
    together = score(cycle, rules, seed=1, frozen=frozen)
    for contract in answers:
        alone = score(make_cycle({contract: answers[contract]}), rules, seed=1, frozen=frozen)
        assert str(of_contract(alone, contract)) == str(of_contract(together, contract))


@settings(deadline=None)
@given(CYCLE, RULES, st.data())
def test_raising_a_rating_never_lowers_the_score(answers: Any, rules: Rules, data: st.DataObject) -> None:
    before: Inputs = make_cycle(answers)
    frozen = fit(before, rules)
    contract = data.draw(st.sampled_from(sorted(answers)))
    party = data.draw(st.sampled_from(sorted(answers[contract])))
    given_rows = answers[contract][party]
    there = score(before, rules, seed=1, frozen=frozen)
    if not given_rows:
        return
    row = data.draw(st.integers(0, len(given_rows) - 1))
    raised = [
        [None if v is None else min(100.0, v + 25) for v in r] if i == row else r for i, r in enumerate(given_rows)
    ]
    after = make_cycle(answers | {contract: answers[contract] | {party: raised}})
    c = there.contracts.index(contract)
    here = score(after, rules, seed=1, frozen=frozen)
    assert np.isnan(here.dimensions[c]).tolist() == np.isnan(there.dimensions[c]).tolist()
    if not np.isnan(there.score[c]) and not np.isnan(here.score[c]):
        assert here.score[c] >= there.score[c] - 1e-12
