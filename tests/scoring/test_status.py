import numpy as np
import pytest

from evalsys.scoring.engine import score
from evalsys.scoring.intervals import Limits
from evalsys.scoring.result import Result
from evalsys.scoring.status import STATUSES, Reason, Status, Why, decide
from tests.scoring.made import full, make_cycle, make_rules

GATES = {"rated_half_width": 10.0, "provisional_half_width": 20.0}


def run(answers: dict[str, list[list[float]]], frame: int | None = None, **rules: object) -> Result:
    frames = {} if frame is None else {"A": frame}
    return score(make_cycle({"A": answers}, frames=frames), make_rules(**rules), seed=1)


def status_of(result: Result) -> Status:
    return STATUSES[int(result.status[0])]


@pytest.mark.parametrize(
    ("half", "gates", "status"),
    [
        (10, GATES, Status.RATED),
        (10.1, GATES, Status.PROVISIONAL),
        (20, GATES, Status.PROVISIONAL),
        (20.1, GATES, Status.WITHHELD),
        (49, {}, Status.RATED),
        (49, {"rated_half_width": 10.0}, Status.PROVISIONAL),
        (15, {"provisional_half_width": 20.0}, Status.RATED),
        (21, {"provisional_half_width": 20.0}, Status.WITHHELD),
    ],
)
def test_the_half_width_decides_between_the_gates(half: float, gates: dict[str, float], status: Status) -> None:
    limits = Limits(np.array([50.0]), np.array([50 - half]), np.array([50 + half]))
    assert STATUSES[int(decide(limits, np.array([True]), make_rules(status=gates))[0])] is status
    assert STATUSES[int(decide(limits, np.array([False]), make_rules(status=gates))[0])] is Status.WITHHELD


def test_a_plain_rated_score_needs_no_reason() -> None:
    result = run(full([80] * 5))
    assert status_of(result) is Status.RATED
    assert result.reasons == ((),)


def test_too_few_answers_withhold_the_score() -> None:
    result = run(full([80] * 4))
    assert status_of(result) is Status.WITHHELD
    assert result.reasons[0] == (Reason(Why.TOO_FEW_ANSWERS, party="recipient", have=4, need=5),)
    assert np.isnan(result.score[0])
    assert np.isnan(result.low[0])
    assert (result.grade[0], result.rank[0]) == (-1, 0)
    assert not result.near_boundary[0]
    assert result.cells.weight.sum() == 0


def test_the_minimum_holds_on_every_dimension_the_party_judges() -> None:
    answers = full([80] * 5) | {"recipient": [[80, 80, None]] + [[80] * 3] * 4}
    result = run(answers)  # type: ignore[arg-type]  # None is a missing composite
    assert result.reasons[0] == (Reason(Why.TOO_FEW_ANSWERS, party="recipient", have=4, need=5),)
    assert result.respondents[0].tolist() == [1, 5, 1]


def test_a_missing_party_may_be_left_out_and_widens_the_interval() -> None:
    answers = full([80] * 8)
    del answers["purchaser"]
    result = run(answers, status={"missing_party": "reproportion"})
    assert status_of(result) is Status.RATED
    assert result.reasons[0] == (Reason(Why.PARTY_LEFT_OUT, party="purchaser", have=0, need=1),)
    outcomes = (0.5 * 80 + 0.3 * 70) / 0.8
    management = (0.1 * 80 + 0.5 * 70) / 0.6
    impact = (0.4 * 80 + 0.4 * 70) / 0.8
    assert result.score[0] == pytest.approx(0.5 * outcomes + 0.3 * management + 0.2 * impact)
    assert result.dimensions[0] == pytest.approx([outcomes, management, impact])
    assert result.cells.weight[0].sum() == pytest.approx(1)
    assert result.score[0] - result.low[0] > 1.95 * result.pooled.gap[0]


def test_a_dimension_without_any_party_withholds_even_when_reproportioning() -> None:
    result = run({"recipient": [[80, 80, 80]]}, status={"missing_party": "reproportion"})
    assert status_of(result) is Status.WITHHELD
    assert [(r.code, r.party, r.dimension) for r in result.reasons[0]] == [
        (Why.TOO_FEW_ANSWERS, "purchaser", ""),
        (Why.TOO_FEW_ANSWERS, "recipient", ""),
        (Why.TOO_FEW_ANSWERS, "third_party", ""),
        (Why.NO_PARTY_LEFT, "", "outcomes"),
        (Why.NO_PARTY_LEFT, "", "management"),
        (Why.NO_PARTY_LEFT, "", "impact"),
    ]


def test_a_party_without_weight_is_not_missed() -> None:
    weights = [{"dimension": "outcomes", "share": 1.0, "parties": {"recipient": 1.0}}]
    result = run({"recipient": [[70, 10, 10]] * 5}, weights=weights)
    assert status_of(result) is Status.RATED
    assert result.score[0] == pytest.approx(70)
    assert np.isnan(result.dimensions[0, 1:]).all()


def test_a_wide_interval_names_the_gate_it_crossed() -> None:
    answers = full([10, 100, 30, 90, 60])
    provisional = run(answers, status={"rated_half_width": 1.0, "provisional_half_width": 40.0})
    assert status_of(provisional) is Status.PROVISIONAL
    (reason,) = provisional.reasons[0]
    assert (reason.code, reason.need) == (Why.WIDE_INTERVAL, 1)
    assert reason.have == pytest.approx((provisional.high[0] - provisional.low[0]) / 2)
    withheld = run(answers, status={"rated_half_width": 0.5, "provisional_half_width": 1.0})
    assert withheld.reasons[0][0].need == 1
    assert np.isnan(withheld.score[0])


def test_a_frame_below_the_answers_is_told_and_not_used() -> None:
    result = run(full([70, 80, 90, 80, 70, 60]), frame=5)
    assert result.reasons[0] == (Reason(Why.FRAME_TOO_SMALL, have=6, need=5),)
    assert result.low[0] == run(full([70, 80, 90, 80, 70, 60])).low[0]
    assert run(full([70, 80, 90, 80, 70, 60]), frame=12).low[0] > result.low[0]
