"""The frame of each contract: whole strata, or the margins of a table of which only the margins are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.inputs import Inputs

WHOLE = -1
"""`Frame.axis` of a contract whose frame rows are strata as they stand."""

RAKED = -2
"""`Frame.axis` of a contract of which margins along several axes are known."""


@dataclass(frozen=True, eq=False)
class Frame:
    """How each contract's frame is to be read.

    Attributes:
        size: shape (contracts,), F: recipients served; infinite where no frame is known.
        axis: shape (contracts,): the one part of a stratum by which the frame is divided (0 = the first), `WHOLE` or
            `RAKED`.
    """

    size: Vector
    axis: Integers


def frame_of(inputs: Inputs) -> Frame:
    """Read the frame rows of every contract.

    Rows are margins when each names one part of its stratum and leaves the others empty; each axis then adds up to the
    same frame.

    Raises:
        ValueError: margins of a contract that add up to different frames; names the contract.
    """
    rows, axes = inputs.frames, max(map(len, inputs.parts), default=0)
    axis = margin_axes(inputs.parts, len(inputs.strata))[rows.stratum]
    shape = (len(inputs.contracts), axes + 1)
    totals, counts = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.add.at(totals, (rows.contract, axis), rows.size)  # whole strata, -1, into the last column
    np.add.at(counts, (rows.contract, axis), 1)
    there = counts > 0
    known = there[:, :-1].sum(axis=1)
    margins = (known > 0) & ~there[:, -1]
    most = totals.max(axis=1, initial=0)
    uneven = margins & np.any(there & (totals != most[:, None]), axis=1)
    if uneven.any():
        contract = int(np.argmax(uneven))
        sums = ", ".join(str(total) for total in totals[contract][there[contract]])
        raise ValueError(
            f"frames.size: the margins of contract {inputs.contracts[contract]} add up to {sums}; each must add up to "
            "the recipients served"
        )
    first = np.argmax(there[:, :-1], axis=1) if axes else np.zeros(shape[0], dtype=np.int64)
    return Frame(
        size=np.where(there.any(axis=1), np.where(margins, most, totals.sum(axis=1)), np.inf),
        axis=np.where(margins, np.where(known > 1, RAKED, first), WHOLE),
    )


def margin_axes(parts: tuple[tuple[str, ...], ...], strata: int) -> Integers:
    """The axis of which each stratum is a category; `WHOLE` for one that names all of its parts, several or none."""
    axes = np.full(strata, WHOLE, dtype=np.int64)
    for stratum, labels in enumerate(parts):
        named = [axis for axis, label in enumerate(labels) if label]
        if len(named) == 1 and len(labels) > 1:
            axes[stratum] = named[0]
    return axes
