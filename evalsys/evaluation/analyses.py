"""What a run keeps of the comparisons between peers; a step that is off leaves nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evalsys.evaluation.breakdown import numbers
from evalsys.scoring.result import Result


def comparisons_of(result: Result) -> dict[str, Any]:
    """Keys: `shrinkage` and `rank_sets`, each by peer group with its number of compared contracts, `members`."""
    told: dict[str, Any] = {}
    if (kept := result.shrunken) is not None:
        told["shrinkage"] = _by_group(result, mean=kept.mean, tau2=kept.tau2)
    if (sets := result.rank_sets) is not None:
        told["rank_sets"] = _by_group(result, critical=sets.critical, conservative=sets.conservative)
    return told


def _by_group(result: Result, **columns: NDArray[Any]) -> dict[str, dict[str, Any]]:
    columns["members"] = np.bincount(result.peer_group[result.rank > 0], minlength=len(result.peer_groups))
    values = zip(*(numbers(column) for column in columns.values()), strict=True)
    return {group: dict(zip(columns, row, strict=True)) for group, row in zip(result.peer_groups, values, strict=True)}
