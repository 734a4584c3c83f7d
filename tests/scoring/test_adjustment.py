from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalsys.scoring.adjustment import within_entity

# Two entities, worked by hand: within both a step of x is worth 10; b's respondents are two steps older
Y, ENTITY, X = [50, 60, 80, 90], ["a", "a", "b", "b"], [1, 2, 3, 4]

cycles = st.lists(
    st.tuples(st.integers(0, 3), st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 100)), min_size=8, max_size=30
)


def test_means_are_compared_as_of_the_same_respondents() -> None:
    got = within_entity(Y, ENTITY, X)
    assert got.coefficients.tolist() == pytest.approx([10])
    assert got.grand_means.tolist() == [2.5]
    assert got.entities.tolist() == ["a", "b"]
    assert got.raw_means.tolist() == [55, 85]
    assert got.entity_means.tolist() == [[1.5], [3.5]]
    assert got.adjusted_means.tolist() == pytest.approx([65, 75])


def test_frozen_coefficients_are_used_as_they_are() -> None:
    got = within_entity(Y, ENTITY, X, coefficients=[5])
    assert got.adjusted_means.tolist() == pytest.approx([60, 80])
    flat = within_entity(Y, ENTITY, [1, 1, 1, 1], coefficients=[5])
    assert flat.adjusted_means.tolist() == [55, 85]


def test_without_adjusters_means_stay() -> None:
    got = within_entity(Y, ENTITY, np.zeros((4, 0)))
    assert got.adjusted_means.tolist() == [55, 85]
    assert got.coefficients.size == 0


@given(cycles)
def test_the_regression_is_that_with_an_effect_for_each_entity(rows: list[tuple[int, float, float, float]]) -> None:
    entity, x1, x2, y = (np.array(column) for column in zip(*rows, strict=True))
    x = np.column_stack([x1, x2])
    dummies = (entity[:, None] == np.unique(entity)).astype(float)
    design = np.column_stack([x, dummies])
    try:
        got = within_entity(y, entity, x)
    except ValueError:
        return
    fitted = design @ np.linalg.lstsq(design, y, rcond=None)[0]
    effects = got.raw_means - got.entity_means @ got.coefficients
    place = np.searchsorted(got.entities, entity)
    assert effects[place] + x @ got.coefficients == pytest.approx(fitted, abs=1e-4)
    assert (got.adjusted_means * np.bincount(place)).sum() == pytest.approx(y.sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (([], [], []), "y: must be a line of at least one"),
        (([[1]], [1], [1]), "y: must be a line"),
        (([1, np.nan], [1, 1], [1, 2]), "y: must be finite"),
        (([1, 2], [1], [1, 2]), "entity: must have shape"),
        (([1, 2], [1, 1], [1]), "adjusters: must have shape"),
        (([1, 2], [1, 2], [3, 4]), "adjusters: number 0 does not vary within any entity"),
        (([1, 2, 3], [1, 1, 1], [[1, 2], [2, 4], [3, 6]]), "adjusters: one follows from the others"),
    ],
)
def test_faulty_rows_are_refused(arguments: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        within_entity(*arguments)


def test_frozen_coefficients_are_one_an_adjuster() -> None:
    with pytest.raises(ValueError, match=r"coefficients: must have shape \(1,\)"):
        within_entity(Y, ENTITY, X, coefficients=[1, 2])
