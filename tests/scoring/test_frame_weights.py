"""Recipients weighted to their frames: against each contract taken by itself, and by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Weighting
from evalsys.scoring.cells import frame_sizes
from evalsys.scoring.frame_weights import frame_weights
from evalsys.scoring.frames import RAKED, WHOLE, frame_of
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.weighting import poststratify, rake, trim
from tests.scoring.people import Person, Stratum, make_people

Counts = Mapping[Stratum, int]
NORTH, SOUTH, EAST = (("north", "care"), ("south", "care"), ("east", "care"))


def asked(counts: Mapping[str, Counts], frames: Mapping[str, Counts], **more: Any) -> Inputs:
    people = [
        Person(contract, (50.0,) * 3, stratum=stratum)
        for contract, strata in counts.items()
        for stratum, n in strata.items()
        for _ in range(n)
    ]
    return make_people(people, frames=frames, contracts=tuple(counts), **more)


def weigh(inputs: Inputs, **rule: Any) -> tuple[dict[tuple[str, str], float], tuple[tuple[str, ...], ...]]:
    """Weights by contract and stratum, and what was taken together."""
    rows = inputs.moments
    weights, together = frame_weights(inputs, frame_of(inputs), rows, Weighting(**rule))
    names = [(inputs.contracts[c], inputs.strata[s]) for c, s in zip(rows.contract, rows.stratum, strict=True)]
    return dict(zip(names, weights.tolist(), strict=True)), together


def test_respondents_stand_for_their_stratum() -> None:
    weights, together = weigh(asked({"A": {NORTH: 10, SOUTH: 5}}, {"A": {NORTH: 200, SOUTH: 50}}))
    assert weights == {("A", "north/care"): 1, ("A", "south/care"): 0.5}
    assert together == ((),)


def test_thin_strata_are_taken_together_and_named() -> None:
    counts = {"A": {NORTH: 10, SOUTH: 2, EAST: 3}, "B": {NORTH: 9}}
    weights, together = weigh(asked(counts, {"A": {NORTH: 100, SOUTH: 30, EAST: 70}, "B": {NORTH: 90, SOUTH: 90}}))
    assert weights["A", "south/care"] == weights["A", "east/care"] == 1
    assert weights["A", "north/care"] == pytest.approx(0.5)
    assert weights["B", "north/care"] == 1
    assert together == (("east · care", "south · care"), ("north · care", "south · care"))
    assert weigh(asked(counts, {"A": {NORTH: 100, SOUTH: 30, EAST: 70}}), stratum_minimum=1)[1] == ((), ())


def test_weights_are_cut_and_the_median_counts_people() -> None:
    weights, _ = weigh(asked({"A": {NORTH: 30, SOUTH: 5}}, {"A": {NORTH: 30, SOUTH: 500}}))
    assert weights == {("A", "north/care"): 0.25, ("A", "south/care"): 1}


@pytest.mark.parametrize(
    "frames", [{}, {"A": {EAST: 40}}, {"A": {("", ""): 40}}, {"A": {NORTH: 0, SOUTH: 0}}, {"A": {("east", ""): 9}}]
)
def test_a_frame_that_says_nothing_of_those_who_answered_weighs_nobody(frames: Any) -> None:
    weights, together = weigh(asked({"A": {NORTH: 6, SOUTH: 7}}, frames))
    assert set(weights.values()) == {1}
    assert together == ((),)


def test_an_unknown_stratum_is_taken_with_a_known_one() -> None:
    weights, together = weigh(
        asked({"A": {NORTH: 6, SOUTH: 6, ("", ""): 6}}, {"A": {NORTH: 60, SOUTH: 24}}, whole=True)
    )
    assert weights == {("A", "/"): 1, ("A", "north/care"): 1, ("A", "south/care"): pytest.approx(0.8)}
    assert together == (("/", "north/care"),)


def test_a_frame_by_township_weighs_strata_by_township() -> None:
    counts = {"A": {("north", "care"): 5, ("north", "meals"): 5, ("south", "care"): 5}}
    inputs = asked(counts, {"A": {("north", ""): 60, ("south", ""): 60}})
    assert frame_of(inputs).axis.tolist() == [0]
    weights, together = weigh(inputs)
    assert weights == {("A", "north/care"): 0.5, ("A", "north/meals"): 0.5, ("A", "south/care"): 1}
    assert together == ((),)


TABLE = {("n", "x"): 12, ("n", "y"): 6, ("s", "x"): 6, ("s", "y"): 9}
MARGINS = {("n", ""): 150, ("s", ""): 300, ("", "x"): 90, ("", "y"): 360}


def test_margins_are_raked() -> None:
    inputs = asked({"A": TABLE}, {"A": MARGINS})
    assert (frame_of(inputs).axis.tolist(), frame_sizes(inputs).tolist()) == ([RAKED], [450])
    weights, together = weigh(inputs, trim=1000)
    table = rake([[12, 6], [6, 9]], [[150, 300], [90, 360]]) / [[12, 6], [6, 9]]
    assert list(weights.values()) == pytest.approx((table / table.max()).ravel().tolist())
    assert together == ((),)


def test_a_margin_nobody_answered_from_is_taken_with_another() -> None:
    margins = {("n", ""): 150, ("s", ""): 200, ("e", ""): 100, ("", "x"): 90, ("", "y"): 360}
    weights, together = weigh(asked({"A": TABLE}, {"A": margins}), trim=1000)
    table = rake([[12, 6], [6, 9]], [[150, 300], [90, 360]]) / [[12, 6], [6, 9]]
    assert together == (("e", "s"),)
    assert list(weights.values()) == pytest.approx((table / table.max()).ravel().tolist())


def test_margins_that_no_table_has_leave_the_first_axis() -> None:
    apart = {("n", "x"): 10, ("s", "y"): 10}
    margins = {("n", ""): 100, ("s", ""): 200, ("", "x"): 200, ("", "y"): 100}
    weights, together = weigh(asked({"A": apart}, {"A": margins}))
    assert list(weights.values()) == [0.5, 1]
    assert together == (("x", "y"),)


def test_margins_of_strangers_weigh_nobody() -> None:
    margins = {("e", ""): 100, ("", "z"): 100}
    assert set(weigh(asked({"A": TABLE}, {"A": margins}))[0].values()) == {1}
    assert weigh(asked({"A": {}, "B": TABLE}, {"A": MARGINS, "B": MARGINS}))[1] == ((), ())


def test_margins_add_up_to_one_frame() -> None:
    inputs = asked({"A": TABLE}, {"A": MARGINS | {("n", ""): 151}})
    with pytest.raises(ValueError, match=r"frames\.size: the margins of contract A add up to 451, 450; each must"):
        frame_of(inputs)
    mixed = asked({"A": TABLE}, {"A": MARGINS | {("n", "x"): 40}})
    assert (frame_of(mixed).axis.tolist(), frame_sizes(mixed).tolist()) == ([WHOLE], [940])
    one = asked({"A": TABLE}, {"A": {("n", ""): 40}, "B": {("", ""): 7}})
    assert (frame_of(one).axis.tolist(), frame_sizes(one).tolist()) == ([0, WHOLE], [40, 7])
    assert frame_sizes(asked({"A": TABLE}, {})).tolist() == [np.inf]


strata = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 300)), min_size=1, max_size=4)


@settings(deadline=None)
@given(st.lists(strata, min_size=1, max_size=4), st.floats(1, 5), st.integers(1, 6))
def test_every_contract_is_weighted_as_by_itself(
    cycle: Sequence[Sequence[tuple[int, int]]], times: float, minimum: int
) -> None:
    counts = {f"C{c}": {(f"t{h}", "i"): n for h, (n, _) in enumerate(rows)} for c, rows in enumerate(cycle)}
    frames = {f"C{c}": {(f"t{h}", "i"): size for h, (_, size) in enumerate(rows)} for c, rows in enumerate(cycle)}
    got, together = weigh(asked(counts, frames, whole=True), trim=times, stratum_minimum=minimum)
    for c, rows in enumerate(cycle):
        n, size = np.array([row for row in rows if any(row)], dtype=np.int64).reshape(-1, 2).T
        answered = n > 0
        if not (answered & (size > 0)).any():
            expected, names = np.ones(answered.sum()), 0
        else:
            found = poststratify(n, size, minimum=minimum)
            people = trim(np.repeat(found.weights, n), times)
            expected, names = people[np.cumsum(n[answered]) - 1] / people.max(), len(found.collapsed)
        assert [w for (contract, _), w in got.items() if contract == f"C{c}"] == pytest.approx(expected.tolist())
        assert len(together[c]) == names


def test_nobody_at_all() -> None:
    weights, together = weigh(asked({"A": {}}, {"A": {NORTH: 10}}))
    assert (weights, together) == ({}, ((),))
