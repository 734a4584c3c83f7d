"""The pooled terms as they are kept with a run: plain JSON, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from evalsys.scoring.pooled import Pooled
from evalsys.scoring.raters import Raters


def to_json(terms: Pooled) -> dict[str, Any]:
    """Every term as nested lists; floating-point numbers survive to the last bit, NaN is null."""
    return {field.name: _plain(getattr(terms, field.name)) for field in fields(Pooled)}


def from_json(kept: dict[str, Any]) -> Pooled:
    """Terms that `to_json` wrote."""
    terms = {name: np.array(values) for name, values in kept.items() if name != "raters"}
    return Pooled(**terms, raters=_raters(kept["raters"]))


def _plain(value: Any) -> Any:
    if isinstance(value, Raters):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(Raters)}
    if isinstance(value, np.ndarray):
        return [_plain(one) for one in value.tolist()]
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def _raters(kept: dict[str, Any] | None) -> Raters | None:
    if kept is None:
        return None
    numbers = {name: np.nan if kept[name] is None else kept[name] for name in kept if name.startswith("variance_")}
    return Raters(
        labels=tuple(kept["labels"]),
        severity=np.array(kept["severity"], dtype=np.float64),
        sd=np.array(kept["sd"], dtype=np.float64),
        component=np.array(kept["component"], dtype=np.int64),
        overlapping=kept["overlapping"],
        assumed=kept["assumed"],
        **numbers,
    )
