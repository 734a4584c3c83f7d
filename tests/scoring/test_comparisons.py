"""Scores beside their peers: by hand, at the edges, and by law."""

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalsys.rules.model import Rules
from evalsys.scoring import comparisons
from evalsys.scoring.comparisons import Made
from evalsys.scoring.engine import score
from evalsys.scoring.ranking import Peers, competition_ranks, peers_of, rank_sets, ranks_among
from evalsys.scoring.result import Ranked, Result, Shrunken, WeightSpace
from evalsys.scoring.sensitivity import over_weights, sensitivity
from evalsys.scoring.shrinkage import shrink
from tests.scoring.made import full, make_cycle, make_rules, words

Step = TypeVar("Step")
ON: dict[str, Any] = {"shrinkage": {}, "rank_sets": {"draws": 99}, "sensitivity": {"draws": 99}}
TREE: dict[str, Any] = {
    "peer_groups": [
        {"code": c, "name": words(c), "parent": p} for c, p in [("care", "all"), ("training", "all"), ("all", None)]
    ],
    "peer_group_minimum": 3,
}
ANSWERS = {
    "A": full([80] * 6),
    "B": full([40] * 6, purchaser=60),
    "C": full([90] * 6, third=80),
    "D": full([70, 90, 80, 75, 60]),
    "E": full([20, 90, 80, 75, 60]),
    "W": full([90] * 2),
}

members = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from([0.0, 0.25, 4.0, 9.0]), st.sampled_from(["care", "training", "x"])),
    min_size=1,
    max_size=9,
)


def compared(answers: Any = ANSWERS, *, groups: Any = None, vendors: Any = None, **changes: Any) -> Result:
    with np.errstate(all="raise"):
        return score(make_cycle(answers, groups=groups, vendors=vendors), make_rules(**ON | changes), seed=3)


def steps(result: Result) -> tuple[Shrunken, Ranked, WeightSpace]:
    return on(result.shrunken), on(result.rank_sets), on(result.weight_space)


def on(step: Step | None) -> Step:
    """The result of a step that is on."""
    assert step is not None
    return step


def columns(rows: Any) -> tuple[Any, Any, Peers, Rules]:
    rules = make_rules(**ON, **TREE)
    groups = ("care", "training", "x")
    points, variances = (np.array([row[k] for row in rows], dtype=np.float64) for k in (0, 1))
    return points, variances, peers_of(groups, np.array([groups.index(row[2]) for row in rows]), rules), rules


def test_a_step_the_rules_switch_off_leaves_nothing() -> None:
    result = score(make_cycle(ANSWERS), make_rules(), seed=1)
    assert [result.shrunken, result.rank_sets, result.weight_space, result.vendor_sets] == [None] * 4


def test_scores_are_drawn_towards_their_own_group() -> None:
    result = compared()
    got, known = on(result.shrunken), ~np.isnan(result.score)
    fit = shrink(result.score[known], result.variance[known])
    assert got.values[known].tolist() == fit.values.tolist()
    assert got.sd[known].tolist() == fit.sd.tolist()
    assert got.reliability[known].tolist() == fit.reliability.tolist()
    assert (got.mean[0], got.tau2[0]) == (fit.mean, fit.tau2)
    assert [bool(np.isnan(getattr(got, name)[-1])) for name in ("values", "sd", "low", "high", "reliability")] == [
        True
    ] * 5
    assert (got.low[known] <= got.values[known]).all()
    assert (got.high[known] <= 100).all()


def test_a_small_group_is_drawn_towards_all_below_its_parent_and_ranked_among_them() -> None:
    groups = {"A": "care", "B": "care", "C": "care", "D": "training", "E": "training"}
    answers = {contract: ANSWERS[contract] for contract in groups}
    result = compared(answers, groups=groups, **TREE)
    shrunken, sets, space = steps(result)
    care, training, everybody = (result.peer_groups.index(code) for code in ("care", "training", "all"))
    of_all, of_care = shrink(result.score, result.variance), shrink(result.score[:3], result.variance[:3])
    assert shrunken.values.tolist() == [*of_care.values, *of_all.values[3:]]
    assert shrunken.mean[[care, everybody]].tolist() == [of_care.mean, of_all.mean]
    assert np.isnan(shrunken.tau2[training])
    assert np.isnan(sets.critical[training])
    assert sets.critical[everybody] > sets.critical[care] > 0
    assert sets.upper.max() > 3
    assert (sets.upper[:3] <= 3).all()
    order = np.argsort(-result.score)  # of all five; who comes next may be compared further down
    for place in np.flatnonzero(order >= 3):
        assert space.next[order[place]] == (order[place + 1] if place < 4 else -1)


def test_one_alone_stays_where_it_is_and_says_that_nothing_can_be_learned() -> None:
    result = compared({"A": ANSWERS["A"]})
    shrunken, sets, space = steps(result)
    assert shrunken.values.tolist() == pytest.approx(result.score.tolist())
    assert shrunken.sd**2 == pytest.approx(result.variance)
    assert (shrunken.reliability.tolist(), shrunken.tau2.tolist()) == ([0], [0])
    assert (sets.lower.tolist(), sets.upper.tolist(), sets.band.tolist()) == ([1], [1], [1])
    assert (space.lower.tolist(), space.upper.tolist(), space.first.tolist()) == ([1], [1], [1])
    assert space.next.tolist() == [-1]
    assert np.isnan(space.leads).all()


def test_two_members_all_equal_and_certain_ones_have_defined_results() -> None:
    peers, rules = peers_of(("x",), np.zeros(4, dtype=np.int64), make_rules(**ON)), make_rules(**ON)
    with np.errstate(all="raise"):
        for points, variances in (
            ([80.0] * 4, [0.0] * 4),
            ([80.0] * 4, [1.0, 2, 0, 0]),
            ([60.0, 70, 70, 90], [0.0] * 4),
        ):
            got = on(comparisons.shrunken(np.array(points), np.array(variances), peers, rules))
            assert got.values == pytest.approx(points)
            assert np.isfinite(got.sd).all()
        assert got.reliability == pytest.approx([1] * 4)
        sets = on(comparisons.rank_sets(np.array(points), np.zeros(4), peers, rules, seed=1))
        assert (sets.lower.tolist(), sets.upper.tolist(), sets.band.tolist()) == (
            [4, 2, 2, 1],
            [4, 3, 3, 1],
            [3, 2, 2, 1],
        )
    two = on(compared({"A": ANSWERS["A"], "B": ANSWERS["B"]}).shrunken)
    assert np.isfinite(two.reliability).all()


def test_nobody_is_compared_in_an_empty_cycle_or_where_all_are_withheld() -> None:
    for result in (compared({}), compared({"W": ANSWERS["W"]})):
        shrunken, sets, space = steps(result)
        assert np.isnan(shrunken.mean).all()
        assert np.isnan(sets.critical).all()
        assert sets.lower.tolist() == sets.band.tolist() == [0] * len(result.score)
        assert np.isnan(space.first).all()


def test_vendors_have_sets_for_each_row_of_their_group() -> None:
    groups = {"A": "care", "B": "training", "C": "care", "D": "care", "E": "care", "W": "care"}
    vendors = {"A": "one", "B": "one", "C": "two", "D": "two", "E": "three", "W": "four"}
    result = compared(groups=groups, vendors=vendors, vendor_weight="equal", **TREE)
    rows, sets = result.vendors_in_groups, on(result.vendor_sets)
    assert len(sets.lower) == len(rows.vendor) == 5
    ranked = rows.rank > 0
    assert (sets.lower[~ranked].tolist(), sets.band[~ranked].tolist()) == ([0], [0])
    assert ((sets.lower <= rows.rank) & (rows.rank <= sets.upper))[ranked].all()
    care, everybody = (result.peer_groups.index(code) for code in ("care", "all"))
    here = ranked & (rows.group == care)
    stream = comparisons._stream(3, "vendors", "care")
    expected = rank_sets(rows.score[here], np.sqrt(rows.variance[here]), draws=99, seed=stream)
    assert sets.lower[here].tolist() == expected.lower.tolist()
    assert sets.upper[here].tolist() == expected.upper.tolist()
    assert sets.critical[everybody] > 0


def test_the_space_of_weights_is_that_of_the_cells() -> None:
    result = compared()
    got, known = on(result.weight_space), ~np.isnan(result.score)
    cells, weights = result.cells.estimate[known].reshape(5, 9), result.cells.weight[0].ravel()
    _, sd = over_weights(cells, weights)
    assert got.sd[known] == pytest.approx(sd)
    expected = sensitivity(cells, weights, draws=99, seed=comparisons._stream(3, "weights", "all"))
    assert got.lower[known].tolist() == expected.lower.tolist()
    assert got.upper[known].tolist() == expected.upper.tolist()
    assert got.first[known].tolist() == expected.first.tolist()
    order = expected.order
    assert got.next[order].tolist() == [*order[1:], -1]
    assert got.leads[order[:-1]].tolist() == expected.leads.tolist()
    assert (got.lower[-1], got.upper[-1], got.next[-1]) == (0, 0, -1)
    assert np.isnan([got.sd[-1], got.first[-1], got.leads[-1]]).all()


def test_a_missing_partys_weights_are_drawn_for_nobody() -> None:
    # without the purchaser, only the recipients' 90 and the evaluators' 70 are weighed against each other
    parts = {"outcomes": {"purchaser": 0.5, "recipient": 0.25, "third_party": 0.25}}
    rules: dict[str, Any] = {
        "status": {"missing_party": "reproportion"},
        "weights": [{"dimension": d, "share": 1.0, "parties": p} for d, p in parts.items()],
        "sensitivity": {"draws": 20_000, "concentration": 8},
    }
    without = {party: rows for party, rows in full([90] * 6).items() if party != "purchaser"}
    got = on(compared({"A": without, "B": full([79] * 6, purchaser=79, third=79)}, **rules).weight_space)
    # w_recipient/(w_recipient + w_third) is Beta(2, 2); P(70 + 20w > 79) = P(w > .45) = 1 - (3·.45² - 2·.45³)
    assert got.first[0] == pytest.approx(1 - (3 * 0.45**2 - 2 * 0.45**3), abs=0.01)
    assert got.sd.tolist() == pytest.approx([np.sqrt(2 * 0.25 * (2 * 10) ** 2 / 9), 0])


def test_a_geometric_score_varies_with_the_weights_of_its_dimensions() -> None:
    def answers(*points: float) -> dict[str, list[list[float]]]:
        return {"recipient": [list(points)] * 5, "purchaser": [list(points)], "third_party": [list(points)]}

    cycle = {"A": answers(90, 40, 60), "B": answers(64, 64, 64), "C": answers(0, 100, 100), "D": answers(100, 0, 50)}
    result = compared(cycle, aggregation="geometric")
    got = on(result.weight_space)
    assert result.score[2:].tolist() == [0, 0]
    logs = np.log([90, 40, 60])
    spread = np.array([0.5, 0.3, 0.2]) @ (logs - np.log(result.score[0])) ** 2
    assert got.sd.tolist() == pytest.approx([result.score[0] * np.sqrt(spread / 51), 0, 0, 0], abs=1e-9)
    assert (got.lower[2:].tolist(), got.upper[2:].tolist()) == ([3, 3], [3, 3])
    assert 0 < got.first[0] < 1
    assert (result.rank[:2] >= got.lower[:2]).all()


@settings(deadline=None)
@given(members)
def test_sets_hold_the_rank_and_bands_are_in_order(rows: Any) -> None:
    points, variances, peers, rules = columns(rows)
    ranks, ranked = ranks_among(points, peers)
    got = on(comparisons.rank_sets(points, variances, peers, rules, seed=5))
    assert ((got.lower >= 1) & (got.lower <= ranks) & (ranks <= got.upper) & (got.upper <= ranked)).all()
    for group in np.unique(peers.group):
        among = np.flatnonzero(peers.group == group)
        downwards = among[np.argsort(-points[among], kind="stable")]
        assert (np.diff(got.band[downwards]) >= 0).all()
    assert not got.conservative.any()


@settings(deadline=None)
@given(members, st.sampled_from([1.0, 2.25, 16.0]))
def test_larger_variances_never_narrow_a_set(rows: Any, times: float) -> None:
    points, variances, peers, rules = columns(rows)
    narrow, wide = (on(comparisons.rank_sets(points, v, peers, rules, seed=5)) for v in (variances, times * variances))
    assert (wide.lower <= narrow.lower).all()
    assert (wide.upper >= narrow.upper).all()


@settings(deadline=None)
@given(members, st.randoms(use_true_random=False))
def test_the_order_of_members_and_groups_changes_nothing(rows: Any, random: Any) -> None:
    order = random.sample(range(len(rows)), len(rows))
    points, variances, peers, rules = columns(rows)
    groups = ("x", "training", "care")
    moved = peers_of(groups, np.array([groups.index(rows[place][2]) for place in order]), rules)
    there = on(comparisons.rank_sets(points, variances, peers, rules, seed=5))
    here = on(comparisons.rank_sets(points[order], variances[order], moved, rules, seed=5))
    for name in ("lower", "upper", "band"):
        assert getattr(here, name).tolist() == getattr(there, name)[order].tolist()
    drawn, again = (
        on(comparisons.shrunken(points[o], variances[o], p, rules))
        for o, p in ((np.arange(len(rows)), peers), (order, moved))
    )
    assert again.values == pytest.approx(drawn.values[order], abs=1e-6)
    assert (again.reliability >= 0).all()


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 100), min_size=9, max_size=9), min_size=1, max_size=6),
    st.sampled_from([0.25, 0.5, 2.0]),
    st.sampled_from(["arithmetic", "geometric"]),
)
def test_scaling_all_weights_changes_nothing_and_the_range_holds_the_rank(rows: Any, factor: float, form: str) -> None:
    rules = make_rules(**ON, aggregation=form)
    scaled = rules.model_copy(
        update={"weights": tuple(row.model_copy(update={"share": row.share * factor}) for row in rules.weights)}
    )
    weights = np.array([[rules.weight(d.code, p.code) for d in rules.dimensions] for p in rules.parties])
    cells = np.array(rows, dtype=np.float64).reshape(-1, 3, 3)
    dimensions = (cells * weights).sum(axis=1) / weights.sum(axis=0)
    total = (
        (cells * weights).sum(axis=(1, 2)) if form == "arithmetic" else (dimensions ** weights.sum(axis=0)).prod(axis=1)
    )
    made = Made(total, np.ones_like(total), cells, np.broadcast_to(weights, cells.shape), dimensions)
    peers = peers_of(("x",), np.zeros(len(rows), dtype=np.int64), rules)
    there, here = (on(comparisons.weight_space(made, peers, how, seed=2)) for how in (rules, scaled))
    for field in fields(there):
        assert getattr(here, field.name).tolist() == pytest.approx(getattr(there, field.name).tolist(), nan_ok=True)
    ranks = competition_ranks(total)
    assert ((there.lower <= ranks) & (ranks <= there.upper)).all()
    assert there.first.sum() == pytest.approx(1)
