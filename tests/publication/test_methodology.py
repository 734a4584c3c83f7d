"""How the methodology page sets formulas."""

from __future__ import annotations

import pytest

from evalsys.config import SHIPPED_RULES
from evalsys.publication.formulas import typeset
from evalsys.rules.loading import load
from evalsys.rules.steps import steps


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("w_h = F_h / n_h", "w<sub>h</sub> = F<sub>h</sub> / n<sub>h</sub>"),
        ("Σ_p V_{p|d}·θ̂_pd", "Σ<sub>p</sub> V<sub>p|d</sub>·θ̂<sub>pd</sub>"),
        ("(x)^W_d", "(x)<sup>W<sub>d</sub></sup>"),
        ("δ^age·θ̃", "δ<sup>age</sup>·θ̃"),
        ("a < b & c", "a &lt; b &amp; c"),
    ],
)
def test_indices_are_lowered_and_powers_raised(formula: str, expected: str) -> None:
    assert typeset(formula) == expected


def test_no_mark_of_the_plain_notation_is_left() -> None:
    for geometric in (False, True):
        rules = load(SHIPPED_RULES)
        if geometric:
            rules = rules.model_copy(update={"aggregation": "geometric"})
        for step in steps(rules):
            for formula in step.formulas:
                assert not set("_^") & set(typeset(formula)), formula
