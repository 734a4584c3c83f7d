import numpy as np
import pytest

from evalsys.scoring.engine import score
from evalsys.scoring.grades import NO_GRADE
from evalsys.scoring.ranking import NO_RANK
from evalsys.scoring.result import Result
from evalsys.scoring.vendors import EVERY_GROUP
from tests.scoring.made import full, make_cycle, make_rules, words

ANSWERS = {"A": full([80] * 6), "B": full([40] * 6), "C": full([90] * 6), "D": full([90] * 2)}
VENDORS = {"A": "both", "B": "both", "C": "one", "D": "none"}
SIZES = {"A": 300.0, "B": 100.0, "C": 50.0, "D": 10.0}


def scored(weight: str, **changes: object) -> Result:
    arguments = {"vendors": VENDORS, "served": SIZES, "amount": {"A": 1.0, "B": 1.0}} | changes
    return score(make_cycle(ANSWERS, **arguments), make_rules(vendor_weight=weight), seed=1)  # type: ignore[arg-type]  # a mix


def test_a_vendor_is_the_weighted_mean_of_its_scored_contracts() -> None:
    got = scored("recipients")
    both, none, one = range(3)
    assert got.vendors.score[both] == pytest.approx(0.75 * got.score[0] + 0.25 * got.score[1])
    down = np.hypot(0.75 * (got.score[0] - got.low[0]), 0.25 * (got.score[1] - got.low[1]))
    assert got.vendors.low[both] == pytest.approx(got.vendors.score[both] - down)
    assert got.vendors.score[one] == pytest.approx(got.score[2])
    assert np.isnan(got.vendors.score[none])
    assert got.vendors.grade[none] == NO_GRADE
    assert got.vendors.contracts.tolist() == [2, 1, 1]
    assert got.vendors.scored.tolist() == [2, 0, 1]
    assert set(got.vendors.group.tolist()) == {EVERY_GROUP}
    assert set(got.vendors.rank.tolist()) == {NO_RANK}


def test_contracts_count_the_same_where_the_rules_say_so_or_a_size_is_not_known() -> None:
    equal = scored("equal")
    assert not equal.vendors.equal_weights.any()
    assert equal.vendors.score[0] == pytest.approx(equal.score[:2].mean())
    unknown = scored("amount", amount={"A": 1.0})
    assert unknown.vendors.equal_weights.tolist() == [True, False, True]
    assert unknown.vendors.score[0] == pytest.approx(equal.vendors.score[0])
    zero = scored("amount", amount={"A": 1.0, "B": 0.0, "C": 1.0})
    assert zero.vendors.equal_weights.tolist() == [True, False, False]
    assert scored("amount", amount={"A": 1.0, "B": 3.0}).vendors.score[0] < equal.vendors.score[0]


def test_vendors_are_ranked_inside_each_peer_group() -> None:
    rules = make_rules(
        peer_group_minimum=2,
        peer_groups=[
            {"code": c, "name": words(c), "parent": p} for c, p in [("x", "all"), ("y", "all"), ("all", None)]
        ],
        vendor_weight="equal",
    )
    groups = {"A": "x", "B": "y", "C": "x", "D": "x"}
    got = score(make_cycle(ANSWERS, vendors=VENDORS, groups=groups), rules, seed=1).vendors_in_groups
    names = ("x", "y", "all")
    rows = list(zip(got.vendor.tolist(), [names[g] for g in got.group], got.rank.tolist(), got.ranked, strict=True))
    # B alone is too few: its vendor stands among all, with both its contracts
    assert rows == [(0, "x", 2, 2), (1, "x", NO_RANK, 2), (2, "x", 1, 2), (0, "all", 2, 2)]
    assert got.contracts.tolist() == [1, 1, 1, 2]


def test_an_empty_cycle_has_no_vendors() -> None:
    got = score(make_cycle({}), make_rules(), seed=1)
    assert got.vendors.score.size == got.vendors_in_groups.score.size == got.score.size == 0
