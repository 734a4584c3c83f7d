"""Step 13: what the published cycles say of a vendor when next year's is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Flags, Integers, Vector, indices, integers


@dataclass(frozen=True, eq=False)
class PastPerformance:
    """One value a vendor, and where it comes from.

    Attributes:
        score: shape (vendors,), points; the neutral value where there is no record.
        neutral: shape (vendors,), true where there is no record.
        records: shape (vendors,), how many published scores went in.
        equal_sizes: shape (vendors,), a record's size is not known, so that vendor's records count the same.
        weight: shape (records,), each record's share of its vendor's value; 0 for a record that did not count.
    """

    score: Vector
    neutral: Flags
    records: Integers
    equal_sizes: Flags
    weight: Vector


def past_performance(
    vendor: ArrayLike,
    year: ArrayLike,
    score: ArrayLike,
    size: ArrayLike,
    *,
    vendors: int,
    for_year: int,
    decay: float = 0.7,
    look_back: int = 3,
    neutral: float | None = None,
) -> PastPerformance:
    """The size-weighted mean of a vendor's published scores, older ones counting less.

    Args:
        vendor: shape (records,), position among the `vendors`.
        year: shape (records,), the cycle's year.
        score: shape (records,), points: the shrunken score where there is one, else the plain; NaN = withheld.
        size: shape (records,), amount or recipients, whichever the rules weigh by; NaN or 0 = not known.
        vendors: how many vendors are asked about.
        for_year: the year that is chosen for; only earlier cycles count.
        decay: what a year of age leaves of a record's weight.
        look_back: how many years back a record may lie.
        neutral: the peer mean, which stands for vendors without a record; where it is not given, the mean of those
            asked about who have one, and NaN where nobody has: then nobody stands out and the part is left out.

    Raises:
        ValueError: columns of different lengths, a score outside 0 to 100, decay outside 0 to 1, look_back below 1.

    Source:
        FAR 15.305(a)(2)(iv): an offeror without a record may not be evaluated favorably or unfavorably.
    """
    who = indices("vendor", vendor, below=vendors)
    years = integers("year", year, shape=who.shape)
    points = _column("score", score, who)
    sizes = _column("size", size, who)
    if not 0 < decay <= 1:
        raise ValueError(f"decay: must be above 0 and at most 1, is {decay}")
    if look_back < 1:
        raise ValueError(f"look_back: must be at least 1, is {look_back}")
    if ((points < 0) | (points > 100)).any():
        raise ValueError("score: must lie between 0 and 100")
    if (sizes < 0).any():
        raise ValueError("size: must not be below 0")
    if neutral is not None and not 0 <= neutral <= 100:
        raise ValueError(f"neutral: must lie between 0 and 100, is {neutral}")
    age = for_year - years
    counts: Flags = (age >= 1) & (age <= look_back) & ~np.isnan(points)
    equal = np.zeros(vendors, dtype=np.bool_)
    fade = decay ** np.where(counts, age, 0)
    equal[who[counts & ~(sizes * fade > 0)]] = True
    weight = np.where(counts, np.where(equal[who], 1.0, sizes) * fade, 0.0)
    total = np.bincount(who, weights=weight, minlength=vendors)
    share = weight / np.where(total > 0, total, 1)[who]
    value = np.bincount(who, weights=share * np.where(counts, points, 0.0), minlength=vendors)
    records = np.bincount(who[counts], minlength=vendors).astype(np.int64)
    known: Flags = records > 0
    if neutral is None:
        neutral = float(value[known].mean()) if known.any() else float("nan")
    return PastPerformance(np.where(known, value, neutral), ~known, records, equal, share)


def _column(name: str, values: ArrayLike, rows: Integers) -> Vector:
    column = np.asarray(values, dtype=np.float64)
    if column.shape != rows.shape:
        raise ValueError(f"{name}: must have shape {rows.shape}, has {column.shape}")
    if np.isinf(column).any():
        raise ValueError(f"{name}: must be finite, or NaN where it is not known")
    return column
