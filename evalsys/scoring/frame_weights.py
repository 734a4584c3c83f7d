"""Step 2 for a whole cycle: what each recipient's answer stands for in the frame of the contract."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsys.rules.model import Weighting
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.frames import RAKED, WHOLE, Frame
from evalsys.scoring.inputs import Inputs, Moments
from evalsys.scoring.weighting import poststratify, rake

Names = tuple[str, ...]
Collapsed = tuple[Names, ...]
"""For each contract the names of the strata, or of categories of its margins, that were taken together."""


@dataclass(frozen=True, eq=False)
class _Axis:
    """One way to divide the strata. `code`: shape (strata,), category of each; `names`: of the categories."""

    code: Integers
    names: Names


@dataclass(frozen=True, eq=False)
class _Strata:
    """Respondents and frame of every stratum that has any, ascending by contract.

    Attributes:
        contract, code: shape (strata,), the category along the contract's axis.
        n, size: shape (strata,), respondents, and people in the frame.
        of_row: shape (rows,), the stratum of each row of the moments.
    """

    contract: Integers
    code: Integers
    n: Integers
    size: Integers
    of_row: Integers


def frame_weights(inputs: Inputs, frame: Frame, rows: Moments, rule: Weighting) -> tuple[Vector, Collapsed]:
    """Weigh the recipients of every contract.

    Strata are weighted by F_h/n_h, thin ones taken together. Margins are raked, their thin categories taken together
    first; where no table has all of them, only the first axis is used. Weights are cut at so many times the contract's
    median. A contract without a frame, or whose respondents are in no stratum of it, keeps equal weights.

    Args:
        inputs: the frames, and what strata are called.
        frame: how the frames are to be read.
        rows: the recipients' moments, ascending by contract.
        rule: what is thin, and where weights are cut.

    Returns:
        shape (rows,), the weight of each row's respondents, 1 for the heaviest of a contract; and what was taken
        together.
    """
    axes = _axes(inputs)
    strata = _strata(inputs, frame, rows, axes)
    of_stratum, together = _stratify(strata, frame, axes, rule.stratum_minimum)
    weights = of_stratum[strata.of_row]
    starts = np.searchsorted(rows.contract, np.arange(len(inputs.contracts) + 1))
    order = np.argsort(inputs.frames.contract, kind="stable")
    framed = np.searchsorted(inputs.frames.contract[order], np.arange(len(inputs.contracts) + 1))
    for contract in np.flatnonzero(frame.axis == RAKED):
        here, margins = slice(*starts[contract : contract + 2]), order[slice(*framed[contract : contract + 2])]
        answered = _Part(rows.stratum[here], rows.respondents[here])
        known = _Part(inputs.frames.stratum[margins], inputs.frames.size[margins])
        weights[here], together[contract] = _rake(answered, known, axes[:-1], rule.stratum_minimum)
    return _cut(weights, rows, starts, rule.trim), tuple(together)


def _axes(inputs: Inputs) -> list[_Axis]:
    """One for each part of the strata, and the whole strata last, where `WHOLE` finds them."""
    axes = []
    for labels in zip(*inputs.parts, strict=True):
        found, code = np.unique(np.array(labels), return_inverse=True)
        axes.append(_Axis(code.astype(np.int64), tuple(found.tolist())))
    parts = inputs.parts or tuple((label,) for label in inputs.strata)
    names = tuple(" · ".join(label for label in labels if label) for labels in parts)
    return [*axes, _Axis(np.arange(len(names), dtype=np.int64), names)]


def _strata(inputs: Inputs, frame: Frame, rows: Moments, axes: list[_Axis]) -> _Strata:
    codes, most = np.stack([axis.code for axis in axes]), max(len(axis.names) for axis in axes)
    axis = np.where(frame.axis == RAKED, WHOLE, frame.axis)
    known = inputs.frames.size > 0
    contract, stratum = inputs.frames.contract[known], inputs.frames.stratum[known]
    answered = rows.contract * most + codes[axis[rows.contract], rows.stratum]
    keys = np.concatenate([answered, contract * most + codes[axis[contract], stratum]])
    found, place = np.unique(keys, return_inverse=True)
    n, size = np.zeros(len(found), dtype=np.int64), np.zeros(len(found), dtype=np.int64)
    of_row, of_frame = np.split(place.astype(np.int64), [len(answered)])
    np.add.at(n, of_row, rows.respondents)
    np.add.at(size, of_frame, inputs.frames.size[known])
    return _Strata(found // most, found % most, n, size, of_row)


def _stratify(strata: _Strata, frame: Frame, axes: list[_Axis], minimum: int) -> tuple[Vector, list[Names]]:
    """The weight of every stratum, 1 where the contract's frame says nothing of it; and what was taken together."""
    count = len(frame.axis)
    together: list[Names] = [()] * count
    met = np.bincount(strata.contract, (strata.n > 0) & (strata.size > 0), count) > 0
    usable = met & (frame.axis != RAKED)
    weights = np.where(usable[strata.contract], strata.size / np.maximum(strata.n, 1), 1.0)
    thin = np.bincount(strata.contract, (strata.n < minimum) | (strata.size == 0), count) > 0
    starts = np.searchsorted(strata.contract, np.arange(count + 1))
    for contract in np.flatnonzero(usable & thin):
        here = slice(*starts[contract : contract + 2])
        names = [axes[frame.axis[contract]].names[code] for code in strata.code[here]]
        found = poststratify(strata.n[here], strata.size[here], minimum=minimum, names=names)
        weights[here], together[contract] = found.weights, found.collapsed
    return weights, together


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one contract. `stratum`, `people`: shape (rows,)."""

    stratum: Integers
    people: Integers


@dataclass(frozen=True, eq=False)
class _Margin:
    """One axis of a contract's table after thin categories were taken together.

    Attributes:
        group: shape (rows,), group of each row of answers.
        sizes: shape (groups,), people in the frame.
        names: of the categories.
        together: names of those taken together.
    """

    group: Integers
    sizes: Vector
    names: Names
    together: Names


def _margin(answered: _Part, known: _Part, axis: _Axis, minimum: int) -> _Margin | None:
    """None where nobody who answered is in a category of the frame."""
    ours = np.array([name != "" for name in axis.names])[axis.code[known.stratum]]
    codes = np.concatenate([axis.code[answered.stratum], axis.code[known.stratum[ours]]])
    found, place = np.unique(codes, return_inverse=True)
    of_row, of_frame = np.split(place, [len(answered.stratum)])
    n = np.bincount(of_row, answered.people, len(found)).astype(np.int64)
    size = np.bincount(of_frame, known.people[ours], len(found)).astype(np.float64)
    if not ((n > 0) & (size > 0)).any():
        return None
    names = tuple(axis.names[code] for code in found)
    post = poststratify(n, size, minimum=minimum, names=names)
    group = np.unique(post.group, return_inverse=True)[1]
    sizes = np.bincount(group, size).astype(np.float64)
    return _Margin(group[of_row], sizes, names, post.collapsed)


def _rake(answered: _Part, known: _Part, axes: list[_Axis], minimum: int) -> tuple[Vector, Names]:
    """The weight of each row of answers from one contract's margins, and the categories taken together."""
    margins = [margin for axis in axes if (margin := _margin(answered, known, axis, minimum))]
    if not margins:
        return np.ones(len(answered.people)), ()
    together = tuple(name for margin in margins for name in margin.together)
    try:
        return _raked(answered, margins), together
    except ValueError:  # categories that nobody who answered has together
        first, *rest = margins
        return _raked(answered, [first]), first.together + tuple(name for margin in rest for name in margin.names)


def _raked(answered: _Part, margins: list[_Margin]) -> Vector:
    where = tuple(margin.group for margin in margins)
    table = np.zeros([len(margin.sizes) for margin in margins])
    np.add.at(table, where, answered.people)
    fitted = rake(table, [margin.sizes for margin in margins])
    return fitted[where] / np.maximum(table[where], 1)


def _cut(weights: Vector, rows: Moments, starts: Integers, times: float) -> Vector:
    """Cut at so many times the median of each contract's respondents, then give the heaviest of each the weight 1."""
    if not len(weights):
        return weights
    order = np.lexsort((weights, rows.contract))
    reached = np.concatenate([[0], np.cumsum(rows.respondents[order])])
    first, n = reached[starts[:-1]], np.diff(reached[starts])
    low, high = (
        weights[order[np.minimum(np.searchsorted(reached, first + place, side="right"), len(order)) - 1]]
        for place in (np.maximum(n - 1, 0) // 2, n // 2)
    )
    cut = np.minimum(weights, times * ((low + high) / 2)[rows.contract])
    heaviest = np.zeros(len(n))
    np.maximum.at(heaviest, rows.contract, np.where(rows.respondents > 0, cut, 0))
    scale = heaviest[rows.contract]
    return np.where(scale > 0, cut, 1) / np.where(scale > 0, scale, 1)
