"""Step 13: what the published cycles say of a vendor when next year's is chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from evalsys.scoring.arrays import Flags, Integers, Vector, floats, guarded, indices, integers, number, whole


@dataclass(frozen=True, eq=False)
class PastPerformance:
    """One value a vendor, and where it comes from.

    Attributes:
        score: shape (vendors,), points; the neutral value where there is no record.
        sd: shape (vendors,), standard deviation of the value; that of any peer where there is no record.
        neutral: shape (vendors,), true where there is no record.
        records: shape (vendors,), how many published scores went in.
        equal_sizes: shape (vendors,), a record's size is not known, so that vendor's records count the same.
        weight: shape (records,), each record's share of its vendor's value; 0 for a record that did not count.
    """

    score: Vector
    sd: Vector
    neutral: Flags
    records: Integers
    equal_sizes: Flags
    weight: Vector


@guarded("score", "size", "sd")
def past_performance(
    vendor: ArrayLike,
    year: ArrayLike,
    score: ArrayLike,
    size: ArrayLike,
    *,
    vendors: int,
    for_year: int,
    sd: ArrayLike | None = None,
    decay: float = 0.7,
    look_back: int = 3,
    neutral: float | None = None,
    peers: ArrayLike | None = None,
) -> PastPerformance:
    """The size-weighted mean of a vendor's published scores, older ones counting less.

    Args:
        vendor: shape (records,), position among the `vendors`.
        year: shape (records,), the cycle's year.
        score: shape (records,), points: the shrunken score where there is one, else the plain; NaN = withheld.
        size: shape (records,), amount or recipients, whichever the rules weigh by; NaN or 0 = not known.
        vendors: how many vendors are asked about.
        for_year: the year that is chosen for; only earlier cycles count.
        sd: shape (records,), standard deviation of each score; NaN = not known, taken for 0. Not given: all 0.
        decay: what a year of age leaves of a record's weight.
        look_back: how many years back a record may lie.
        neutral: the peer mean, which stands for vendors without a record; where it is not given, the mean of the peers
            who have one, and NaN where nobody has: then nobody stands out and the part is left out.
        peers: shape (vendors,), flags of those whose mean and spread are the neutral ones; all where not given, and
            where none of them has a record.

    Raises:
        ValueError: columns of different lengths, a score outside 0 to 100, decay outside 0 to 1, look_back below 1.

    Source:
        FAR 15.305(a)(2)(iv): an offeror without a record may not be evaluated favorably or unfavorably.
    """
    whole("vendors", vendors, least=0)
    who = indices("vendor", vendor, below=vendors)
    years = integers("year", year, shape=who.shape)
    points = floats("score", score, shape=who.shape, gaps=True)
    sizes = floats("size", size, shape=who.shape, gaps=True)
    spread = np.zeros(who.shape) if sd is None else np.nan_to_num(floats("sd", sd, shape=who.shape, gaps=True))
    if not 0 < number("decay", decay) <= 1:
        raise ValueError(f"decay: must be above 0 and at most 1, is {decay}")
    whole("look_back", look_back, least=1)
    if ((points < 0) | (points > 100)).any():
        raise ValueError("score: must lie between 0 and 100")
    if (sizes < 0).any() or (spread < 0).any():
        raise ValueError("size, sd: must not be below 0")
    if neutral is not None and not 0 <= number("neutral", neutral) <= 100:
        raise ValueError(f"neutral: must lie between 0 and 100, is {neutral}")
    age = whole("for_year", for_year, least=0) - years
    counts: Flags = (age >= 1) & (age <= look_back) & ~np.isnan(points)
    equal = np.zeros(vendors, dtype=np.bool_)
    fade = decay ** np.where(counts, age, 0)
    equal[who[counts & ~(sizes * fade > 0)]] = True
    weight = np.where(counts, np.where(equal[who], 1.0, sizes) * fade, 0.0)
    total = np.bincount(who, weights=weight, minlength=vendors)
    share = weight / np.where(total > 0, total, 1)[who]
    value: Vector = np.bincount(who, share * np.where(counts, points, 0.0), vendors).astype(np.float64)
    deviation: Vector = np.sqrt(np.bincount(who, weights=(share * spread) ** 2, minlength=vendors))
    records = np.bincount(who[counts], minlength=vendors).astype(np.int64)
    known: Flags = records > 0
    alike = known & (integers("peers", peers, shape=(vendors,)) != 0) if peers is not None else known
    mean, apart = _any_peer(value, deviation, alike if alike.any() else known)
    unknown = mean if neutral is None else neutral
    return PastPerformance(
        np.where(known, value, unknown), np.where(known, deviation, apart), ~known, records, equal, share
    )


def _any_peer(value: Vector, deviation: Vector, peers: Flags) -> tuple[float, float]:
    """Mean and standard deviation of a peer drawn at random: how the values lie apart, and how unsure each is."""
    if not peers.any():
        return float("nan"), 0.0
    return float(value[peers].mean()), float(np.sqrt(value[peers].var() + (deviation[peers] ** 2).mean()))
