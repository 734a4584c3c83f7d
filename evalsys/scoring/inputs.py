"""What the database, or a file, hands over (step 0): counts and exact sums, as flat arrays.

Rows are flat: each table is a set of equally long columns, and what a row is about is an index into a list of codes.
Two rows about the same thing add up, so sums made in parts need not be merged first, and the order of rows is free.
Sums are whole thousandths of a point in 64-bit integers: exact on every engine up to 900 million respondents a cell.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evalsys.scoring.arrays import Flags, Integers, Vector, indices, integers

THOUSANDTHS = 1000
"""Units of a composite in one point."""

FULL = 100 * THOUSANDTHS
"""The best composite, 100 points."""

NOT_APPLICABLE_LEVEL = 0
"""The level under which "not applicable" is counted."""


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """How often each level was given; level 0 counts "not applicable".

    Every column has shape (rows,). `contract`, `party`, `mode` and `criterion` are positions in the lists of `Inputs`.
    """

    contract: Integers
    party: Integers
    mode: Integers
    criterion: Integers
    level: Integers
    count: Integers

    @classmethod
    def none(cls) -> LevelCounts:
        """A table without rows."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty, empty, empty, empty)


@dataclass(frozen=True, eq=False)
class Moments:
    """Counts and sums of the respondents' composites in each (contract, party, mode, stratum).

    Attributes:
        contract, party, mode, stratum: shape (rows,), positions in the lists of `Inputs`.
        respondents: shape (rows,), those with a composite on at least one dimension.
        n: shape (rows, columns, columns); [i, j] counts those who have both i and j.
        y: same shape; [i, j] sums column i, in thousandths, over those who have both i and j.
        yy: same shape; [i, j] sums the product of columns i and j over those who have both.

    The columns are the dimensions' composites, then the adjusters' points.
    """

    contract: Integers
    party: Integers
    mode: Integers
    stratum: Integers
    respondents: Integers
    n: Integers
    y: Integers
    yy: Integers


@dataclass(frozen=True, eq=False)
class Judged:
    """Counts and sums of each appointed rater's composites on each contract, of the party whose severity is taken off.

    Attributes:
        contract, rater: shape (rows,), positions in the lists of `Inputs`.
        n, y, yy: shape (rows, dimensions), counts, sums in thousandths and sums of squares.
    """

    contract: Integers
    rater: Integers
    n: Integers
    y: Integers
    yy: Integers


@dataclass(frozen=True, eq=False)
class Frames:
    """How many recipients a contract serves, by stratum; each column has shape (rows,).

    Where only margins are known, the strata of the rows have an empty part, and each axis adds up to the frame.
    """

    contract: Integers
    stratum: Integers
    size: Integers

    @classmethod
    def none(cls) -> Frames:
        """No frame is known for any contract."""
        empty = np.zeros(0, dtype=np.int64)
        return cls(empty, empty, empty)


@dataclass(frozen=True, eq=False)
class Inputs:
    """One cycle as the scoring core sees it.

    Attributes:
        parties, dimensions, criteria: codes in the order of the rules.
        modes, strata: labels, in any order; one empty label where they are not told apart.
        parts: what each stratum is made of (township, service item), an empty part = any; () = strata are whole.
        adjusters: codes of the criteria that are columns of the moments after the dimensions.
        raters: labels of the appointed raters that `judged` points into; `judged` is None where they are not told
            apart.
        contracts: codes, ascending and without repeats, so that equal inputs are equal arrays.
        vendors, peer_groups: codes that `vendor` and `peer_group` point into.
        vendor, peer_group: shape (contracts,).
        amount: shape (contracts,), money of the contract; NaN = not known.
        served: shape (contracts,), recipients served, a weight only; NaN = not known.
        levels, moments, judged, frames: the tables.

    Raises:
        ValueError: a column of another length, an index out of range, a sum that cannot be; names the argument.
    """

    parties: tuple[str, ...]
    dimensions: tuple[str, ...]
    criteria: tuple[str, ...]
    modes: tuple[str, ...]
    strata: tuple[str, ...]
    contracts: tuple[str, ...]
    vendors: tuple[str, ...]
    peer_groups: tuple[str, ...]
    vendor: Integers
    peer_group: Integers
    amount: Vector
    served: Vector
    moments: Moments
    levels: LevelCounts = field(default_factory=LevelCounts.none)
    frames: Frames = field(default_factory=Frames.none)
    parts: tuple[tuple[str, ...], ...] = ()
    adjusters: tuple[str, ...] = ()
    raters: tuple[str, ...] = ()
    judged: Judged | None = None

    def __post_init__(self) -> None:
        if any(a >= b for a, b in zip(self.contracts, self.contracts[1:], strict=False)):
            raise ValueError("contracts: must be ascending and without repeats")
        count = len(self.contracts)
        indices("vendor", self.vendor, below=len(self.vendors), length=count)
        indices("peer_group", self.peer_group, below=len(self.peer_groups), length=count)
        _size("amount", self.amount, count)
        _size("served", self.served, count)
        if self.parts and len(self.parts) != len(self.strata):
            raise ValueError(f"parts: must be as many as the strata, {len(self.strata)}, are {len(self.parts)}")
        self._check_moments()
        self._check_levels()
        self._check_frames()
        self._check_judged()

    def _check_moments(self) -> None:
        table, rows, d = self.moments, len(self.moments.contract), len(self.dimensions) + len(self.adjusters)
        indices("moments.contract", table.contract, below=len(self.contracts))
        indices("moments.party", table.party, below=len(self.parties), length=rows)
        indices("moments.mode", table.mode, below=len(self.modes), length=rows)
        indices("moments.stratum", table.stratum, below=len(self.strata), length=rows)
        respondents = _counts("moments.respondents", table.respondents, rows)
        n = integers("moments.n", table.n, shape=(rows, d, d))
        y = integers("moments.y", table.y, shape=(rows, d, d))
        yy = integers("moments.yy", table.yy, shape=(rows, d, d))
        _refuse("moments.n", (n < 0) | (n > respondents[:, None, None]), "a count is below 0 or above the respondents")
        _refuse("moments.y", (y < 0) | (y > FULL * n), "a sum lies outside 0 to 100 points a respondent")
        _refuse("moments.yy", (yy < 0) | (yy > FULL * y), "a sum of products does not fit its sum")

    def _check_levels(self) -> None:
        table, rows = self.levels, len(self.levels.contract)
        indices("levels.contract", table.contract, below=len(self.contracts))
        indices("levels.party", table.party, below=len(self.parties), length=rows)
        indices("levels.mode", table.mode, below=len(self.modes), length=rows)
        indices("levels.criterion", table.criterion, below=len(self.criteria), length=rows)
        _counts("levels.level", table.level, rows)
        _counts("levels.count", table.count, rows)

    def _check_frames(self) -> None:
        table, rows = self.frames, len(self.frames.contract)
        indices("frames.contract", table.contract, below=len(self.contracts))
        indices("frames.stratum", table.stratum, below=len(self.strata), length=rows)
        _counts("frames.size", table.size, rows)

    def _check_judged(self) -> None:
        if self.judged is None:
            return
        table, shape = self.judged, (len(self.judged.contract), len(self.dimensions))
        indices("judged.contract", table.contract, below=len(self.contracts))
        indices("judged.rater", table.rater, below=len(self.raters), length=shape[0])
        n, y, yy = (integers(f"judged.{name}", getattr(table, name), shape=shape) for name in ("n", "y", "yy"))
        _refuse("judged.n", n < 0, "a count is below 0")
        _refuse("judged.y", (y < 0) | (y > FULL * n), "a sum lies outside 0 to 100 points a rating")
        _refuse("judged.yy", (yy < 0) | (yy > FULL * y), "a sum of squares does not fit its sum")


def moments_of(
    composites: Integers, cell: Integers, cells: int, *, adjusters: int = 0
) -> tuple[Integers, Integers, Integers, Integers]:
    """Counts and exact sums of a party's composites, cell by cell.

    Args:
        composites: shape (respondents, columns), thousandths of a point; below 0 = missing.
        cell: shape (respondents,), the cell each respondent belongs to.
        cells: how many cells there are.
        adjusters: how many of the columns, the last ones, are no dimensions.

    Returns:
        respondents (cells,), n, y and yy (cells, columns, columns), as `Moments` means them.

    Raises:
        ValueError: a composite above 100 points, a wrong shape or a cell out of range.
    """
    values = integers("composites", composites)
    if values.ndim != 2:
        raise ValueError(f"composites: must have shape (respondents, dimensions), has {values.shape}")
    if values.size and int(values.max()) > FULL:
        raise ValueError(f"composites: {int(values.max())} thousandths are more than 100 points")
    where = indices("cell", cell, below=cells, length=len(values))
    columns = values.shape[1]
    rated: Flags = np.any(values[:, : columns - adjusters] >= 0, axis=1)
    known = (values >= 0) & rated[:, None]  # whoever rated nothing is no respondent
    shape = (cells, columns, columns)
    n, y, yy = (np.zeros(shape, dtype=np.int64) for _ in range(3))
    for i in range(columns):
        for j in range(columns):
            both = known[:, i] & known[:, j]
            rows, first = where[both], values[both, i]
            np.add.at(n[:, i, j], rows, 1)
            np.add.at(y[:, i, j], rows, first)
            np.add.at(yy[:, i, j], rows, first * values[both, j])
    respondents = np.bincount(where[rated], minlength=cells).astype(np.int64)
    return respondents, n, y, yy


def _counts(name: str, values: Integers, rows: int) -> Integers:
    array = integers(name, values, shape=(rows,))
    _refuse(name, array < 0, "a count is below 0")
    return array


def _size(name: str, values: Vector, count: int) -> None:
    if values.shape != (count,):
        raise ValueError(f"{name}: must have shape ({count},), has {values.shape}")
    _refuse(name, np.isinf(values) | (values < 0), "must be 0 or more and finite; NaN where it is not known")


def _refuse(name: str, wrong: Flags, why: str) -> None:
    if wrong.any():
        raise ValueError(f"{name}: {why} (row {int(np.argwhere(wrong)[0][0])})")
