import numpy as np
import pytest

from evalsys.scoring.arrays import floats, indices, integers, share


def test_floats_take_whole_numbers_and_flags() -> None:
    assert floats("x", [1, 2]).dtype == np.float64
    assert floats("x", np.array([True, False])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([float("nan")], "x: must be finite"),
        ([float("inf")], "x: must be finite"),
        (["a"], "x: must be numbers"),
        ([[1], [1, 2]], "x: is not a rectangular array"),
    ],
)
def test_floats_refuse_what_is_no_number(values: list[object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        floats("x", values)  # type: ignore[arg-type]  # wrong on purpose


def test_floats_refuse_another_shape() -> None:
    with pytest.raises(ValueError, match=r"x: must have shape \(2,\), has \(1,\)"):
        floats("x", [1.0], shape=(2,))


def test_integers_of_nothing_are_whole_numbers() -> None:
    assert integers("x", []).dtype == np.int64
    assert integers("x", np.array([3], dtype=np.uint8)).tolist() == [3]


@pytest.mark.parametrize(
    ("values", "why"),
    [([1.5], "must be whole numbers"), (np.array([2**63], dtype=np.uint64), "beyond 64 bits")],
)
def test_integers_refuse_what_does_not_fit(values: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        integers("x", values)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("values", [[-1], [2]])
def test_indices_lie_in_their_list(values: list[int]) -> None:
    with pytest.raises(ValueError, match="x: an index is outside 0 to 1"):
        indices("x", values, below=2)


def test_indices_are_a_line() -> None:
    with pytest.raises(ValueError, match="x: must be one-dimensional, has 2"):
        indices("x", [[0]], below=2)
    assert indices("x", [], below=0).tolist() == []


@pytest.mark.parametrize("value", [0, 1, float("nan")])
def test_a_share_lies_strictly_between(value: float) -> None:
    with pytest.raises(ValueError, match="level: must lie between 0 and 1"):
        share("level", value)
