"""The pooled terms as they are kept with a run: plain JSON, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from evalsys.scoring.pooled import Pooled


def to_json(terms: Pooled) -> dict[str, Any]:
    """Every term as nested lists; floating-point numbers survive to the last bit."""
    return {field.name: getattr(terms, field.name).tolist() for field in fields(Pooled)}


def from_json(kept: dict[str, Any]) -> Pooled:
    """Terms that `to_json` wrote."""
    return Pooled(**{name: np.array(values) for name, values in kept.items()})
