"""Coefficients from sums alone, against the same regression on the people themselves."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evalsys.scoring.adjustment import within_entity
from evalsys.scoring.circumstances import Circumstances, from_moments
from tests.scoring.people import Person, make_people

MODES = ("self", "paper", "telephone")


def people_of(count: int, seed: int = 5) -> list[Person]:
    """Answers that go up by telephone and with age, in contracts of different quality."""
    random = np.random.default_rng(seed)
    people = []
    for _ in range(count):
        contract, mode, age = random.integers(6), MODES[random.integers(3)], 25.0 * random.integers(5)
        health = 25.0 * random.integers(5)
        level = 45 + 3 * contract + 7 * (mode == "telephone") + 0.15 * age + random.normal(0, 9, 3)
        y = np.clip(np.round(level - [0, 0.1 * health, 0.05 * age], 3), 0, 100)
        people.append(Person(f"C{contract}", tuple(y.tolist()), mode=mode, x=(float(age), float(health))))
    return people


def estimated(people: list[Person], **more: Any) -> Circumstances:
    return from_moments(make_people(people, adjusters=("age", "health")), **more)


def test_it_is_the_regression_within_contracts() -> None:
    people = people_of(300)
    got = estimated([*people, Person("C0", (0.0, 0.0, 0.0), party="third_party", x=(100.0, 100.0))])
    assert (got.modes, got.adjusters) == (("paper", "telephone"), ("age", "health"))
    assert got.dimensions == ("outcomes", "management", "impact")
    x = np.array([[a.mode == "paper", a.mode == "telephone", a.x[0] / 100, a.x[1] / 100] for a in people], dtype=float)
    contract = [a.contract for a in people]
    dummies = np.array([[c == f"C{k}" for k in range(6)] for c in contract], dtype=float)
    for d in range(3):
        y = np.array([a.y[d] for a in people])
        assert got.points[d] == pytest.approx(within_entity(y, contract, x).coefficients, abs=1e-7)
        design = np.column_stack([x, dummies])
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        sigma2 = rest @ rest / (len(y) - design.shape[1])
        assert got.se[d] == pytest.approx(np.sqrt(sigma2 * np.diagonal(np.linalg.inv(design.T @ design))[:4]))
    assert got.means == pytest.approx(x.mean(axis=0))
    assert got.respondents.tolist() == [300, 300, 300]


def test_circumstances_can_be_left_out() -> None:
    people = people_of(200)
    got = estimated(people, reference_mode="paper", modes=["telephone"], adjusters=[])
    x = np.array([a.mode == "telephone" for a in people], dtype=float)
    y = np.array([a.y[1] for a in people])
    assert got.points[1] == pytest.approx(within_entity(y, [a.contract for a in people], x).coefficients)
    one_mode = estimated([replace(a, mode="") for a in people], modes=[])
    assert one_mode.modes == ()


def test_what_is_missing_is_left_out_pair_by_pair() -> None:
    people = people_of(4000)
    gaps = [
        replace(a, y=(a.y[0], None, a.y[2]) if k % 3 else a.y, x=(None, a.x[1]) if k % 4 == 0 else a.x)
        for k, a in enumerate(people)
    ]
    gaps = [replace(a, mode="") if k % 5 == 0 else a for k, a in enumerate(gaps)]
    full, got = estimated(people), estimated(gaps)
    assert got.respondents.tolist() == [4000, 1334, 4000]
    assert np.abs(got.points - full.points).max() < 4 * got.se.max()
    assert (got.se[:, :3] > full.se[:, :3]).all()  # of those who left gaps; nobody hid the health
    nobody = estimated([replace(a, y=(a.y[0], None, None)) for a in people])
    assert nobody.dimensions == ("outcomes",)
    assert nobody.points.shape == (1, 4)


@pytest.mark.parametrize(
    ("people", "more", "why"),
    [
        (
            people_of(50),
            {"reference_mode": "fax"},
            "reference_mode: 'fax' is none of those in the answers",
        ),
        (people_of(50), {"modes": ["self"]}, "modes: 'self' is none of those in the answers: paper, telephone"),
        (people_of(50), {"adjusters": ["income"]}, "adjusters: 'income' is none of those in the answers: age, health"),
        (people_of(50), {"modes": [], "adjusters": []}, "inputs: answers came in one mode and without adjusters"),
        ([replace(a, party="purchaser") for a in people_of(50)], {}, "inputs: no recipient answered"),
        ([replace(a, contract=f"C{k}") for k, a in enumerate(people_of(50))], {}, "inputs: too few respondents share"),
        (
            [replace(a, mode=MODES[int(a.contract[1]) % 3]) for a in people_of(50)],
            {},
            "inputs: mode paper does not vary within any contract on outcomes; leave it out",
        ),
        (
            [replace(a, x=(a.x[0], 100 - (a.x[0] or 0))) for a in people_of(50)],
            {},
            "inputs: on outcomes one of mode paper, mode telephone, adjuster age, adjuster health follows from the",
        ),
    ],
)
def test_what_cannot_be_estimated_is_refused(people: list[Person], more: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        estimated(people, **more)
