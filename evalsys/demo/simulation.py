"""Simulated answers: a vendor's true quality, a contract's luck and a rater's temper become levels.

Every number comes from one seeded generator, so that two demos hold the same county.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalsys.rules.model import BandScale, Criterion, GoalpostScale, LevelScale, Rules, Source

NOT_APPLICABLE_SHARE = 0.04
SKIPPED_SHARE = 0.03  # of criteria that need no answer


@dataclass(frozen=True)
class Rater:
    """Whose answers these are.

    Attributes:
        temper: how harsh (logits below zero).
        scatter: how much opinions scatter from question to question, logits.
        trained: keeps to the levels' descriptions, so that the same work earns about the same level.
    """

    temper: float
    scatter: float
    trained: bool = False


def answer(
    rules: Rules, criteria: Sequence[Criterion], quality: float, rater: Rater, generator: np.random.Generator
) -> dict[str, float | None]:
    """One rater's values by criterion code; None is "not applicable"; what was skipped is absent."""
    values: dict[str, float | None] = {}
    for criterion in criteria:
        if criterion.not_applicable and generator.random() < NOT_APPLICABLE_SHARE:
            values[criterion.code] = None
        elif criterion.required or generator.random() >= SKIPPED_SHARE:
            values[criterion.code] = _value(rules, criterion, quality, rater, generator)
    return values


def _value(rules: Rules, criterion: Criterion, quality: float, rater: Rater, generator: np.random.Generator) -> float:
    scale = rules.scale_of(criterion)
    logit = quality + rater.temper + rater.scatter * generator.standard_normal()
    share = 1 / (1 + math.exp(-logit))
    if isinstance(scale, LevelScale):
        levels = len(scale.levels)
        if criterion.source is Source.ADJUSTER:
            # whoever answers for somebody else is easier to please
            himself = 1 / (1 + math.exp(rater.temper - 1))
            return float(levels if generator.random() < himself else 1)
        if rater.trained:
            return float(1 + min(levels - 1, max(0, round((levels - 1) * share + 0.3 * generator.standard_normal()))))
        return float(1 + generator.binomial(levels - 1, share))
    if isinstance(scale, GoalpostScale):
        reached = min(1.0, max(0.0, 0.55 + 0.5 * share + 0.08 * generator.standard_normal()))
        return round(scale.worst + (scale.best - scale.worst) * reached, 2)
    if isinstance(scale, BandScale):
        return float(scale.bands[int(generator.integers(0, len(scale.bands)))].at)
    return float(1 + (generator.random() < share))


def split(total: int, parts: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """`total` recipients over `parts` townships, unevenly, at least one in each."""
    shares = generator.dirichlet(np.full(parts, 4.0))
    return 1 + generator.multinomial(total - parts, shares)
