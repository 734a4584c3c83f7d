"""Step 4: severity learned from what evaluators judged together, and taken off."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evalsys.rules.model import Rules
from evalsys.scoring.cells import spread_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.raters import Raters, fit_raters, without_severity
from evalsys.scoring.severity import fit_crossed
from tests.scoring.made import MATRIX, make_rules
from tests.scoring.people import Person, make_people

THIRD = 2
WEIGHTS = np.array([share * parts[THIRD] for share, parts in MATRIX.values()])


def severe(**changes: Any) -> Rules:
    return make_rules(severity={}, interval={"pool_minimum": 3}, **changes)


def rated(contract: str, name: str, *y: float | None) -> Person:
    return Person(contract, y, party="third_party", name=name)


def crossed(*, contracts: int, raters: str, level: float = 60, seed: int = 3, prefix: str = "C") -> list[Person]:
    """Every contract judged by two of the raters in turn, each rater 4 points above the one before."""
    random = np.random.default_rng(seed)
    quality = random.normal(level, 8, contracts)
    return [
        rated(
            f"{prefix}{c}",
            raters[k],
            *np.clip(np.round(quality[c] + 4 * k + random.normal(0, 2, 3), 3), 0, 100).tolist(),
        )
        for c in range(contracts)
        for k in (c % len(raters), (c + 1) % len(raters))
    ]


def fitted(people: list[Person], rules: Rules | None = None) -> tuple[Inputs, Raters]:
    inputs = make_people(people)
    raters = fit_raters(inputs, rules or severe())
    assert raters is not None
    return inputs, raters


def composites(people: list[Person]) -> np.ndarray[Any, Any]:
    return np.array([a.y for a in people], dtype=np.float64) @ WEIGHTS / WEIGHTS.sum()


def test_severity_is_that_of_one_crossed_fit() -> None:
    people = crossed(contracts=20, raters="abcd")
    _, raters = fitted(people)
    fit = fit_crossed(composites(people), [a.contract for a in people], [a.name for a in people])
    effects = fit.rater_effects.values
    assert raters.labels == ("a", "b", "c", "d")
    assert raters.severity == pytest.approx(effects - effects.mean(), abs=1e-6)  # each judged equally many
    assert raters.sd == pytest.approx(fit.rater_effects.sd, rel=1e-5)
    assert (raters.overlapping, raters.assumed) == (20, False)
    assert raters.variance_rater == pytest.approx(fit.variance_rater, rel=1e-4)
    assert (np.diff(raters.severity) > 1).all()


def test_parts_that_nothing_connects_are_not_moved_against_each_other() -> None:
    low = crossed(contracts=9, raters="abc", level=40)
    high = crossed(contracts=8, raters="xyz", level=85, prefix="D", seed=4)
    inputs, raters = fitted([*low, *high, rated("E0", "n", 50, 50, 50)])
    assert raters.labels == tuple("abcnxyz")
    assert raters.component.tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert raters.severity[3] == 0
    assert np.isnan(raters.sd[3])
    spread = spread_of(inputs)
    after = without_severity(inputs, severe(), spread, raters)
    count = spread.answers[:, THIRD, 0]
    for part in ("C", "D", "E"):
        mine = np.array([c.startswith(part) for c in inputs.contracts])
        before, now = (count[mine] @ s.mean[mine, THIRD] for s in (spread, after))
        assert now == pytest.approx(before)
    assert np.abs(after.moves.severity[:, THIRD]).max() > 1
    assert not after.moves.severity[:, :THIRD].any()


def test_a_contract_moves_by_the_mean_severity_of_its_raters_on_each_dimension() -> None:
    inputs = make_people(
        [rated("A", "a", 80, 80, None), rated("A", "b", 60, None, None), rated("A", "late", 70, 70, None)]
    )
    terms = fitted(crossed(contracts=20, raters="ab"))[1]
    raters = replace(terms, severity=np.array([-3.0, 5.0]))
    after = without_severity(inputs, severe(), spread_of(inputs), raters)
    assert after.moves.severity[0, THIRD] == pytest.approx([-(5 - 3) / 3, 3 / 2, 0])
    assert after.mean[0, THIRD] == pytest.approx([70 - 2 / 3, 76.5, 0])
    assert after.cross.tolist() == spread_of(inputs).cross.tolist()


@pytest.mark.parametrize(
    "people",
    [
        crossed(contracts=2, raters="ab"),
        [rated(f"C{c}", name, 50, 50, 50) for c in range(6) for name in "ab"],
        [rated(f"C{c}", f"r{c}", 50 + c, 50, 50) for c in range(6)],
        [rated(f"C{c}", name, None, None, None) for c in range(6) for name in "ab"],
        [Person("A", (1, 2, 3))],
    ],
)
def test_too_little_overlap_takes_nothing_off(people: list[Person]) -> None:
    inputs, raters = fitted(people)
    assert raters.assumed
    assert raters.variance_rater == 100
    assert not raters.severity.any()
    assert np.isnan([*raters.sd, raters.variance_target, raters.variance_residual]).all()
    spread = spread_of(inputs)
    assert without_severity(inputs, severe(), spread, raters).mean.tolist() == spread.mean.tolist()


def test_off_or_raters_that_are_not_told_apart() -> None:
    inputs = make_people(crossed(contracts=20, raters="abcd"))
    assert fit_raters(inputs, make_rules()) is None
    spread = spread_of(inputs)
    assert without_severity(inputs, make_rules(), spread, None) is spread
    nobody = replace(inputs, raters=(), judged=None)
    raters = fit_raters(nobody, severe())
    assert raters is not None
    assert (raters.labels, raters.assumed, raters.overlapping) == ((), True, 0)
    assert without_severity(nobody, severe(), spread, raters) is spread


def test_rows_of_one_rater_add_up_and_a_label_is_one_rater() -> None:
    inputs, raters = fitted(crossed(contracts=20, raters="abcd"))
    judged = inputs.judged
    assert judged is not None
    order = np.random.default_rng(1).permutation(len(judged.rater))
    twice = {name: getattr(judged, name)[order] for name in ("contract", "n", "y", "yy")}
    # the labels backwards, and "a" under two positions
    rater = 3 - judged.rater[order]
    rater = np.where((rater == 3) & (np.arange(len(rater)) % 2 == 0), 4, rater)
    turned = replace(judged, rater=rater, **twice)
    names = ("d", "c", "b", "a", "a")
    again = fit_raters(replace(inputs, raters=names, judged=turned), severe())
    assert again is not None
    assert again.severity.tobytes() == raters.severity.tobytes()


def test_more_ratings_than_the_party_gave_are_refused() -> None:
    inputs, raters = fitted(crossed(contracts=20, raters="abcd"))
    judged = inputs.judged
    assert judged is not None
    more = replace(judged, **{name: getattr(judged, name) * 2 for name in ("n", "y", "yy")})
    with pytest.raises(ValueError, match=r"judged\.n: contract C0 has more ratings by rater than its party gave"):
        without_severity(replace(inputs, judged=more), severe(), spread_of(inputs), raters)
