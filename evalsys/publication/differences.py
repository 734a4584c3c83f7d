"""Why one score stands above another: the difference, split without remainder, and how much the order says."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flask_babel import gettext as _

from evalsys.base.language import percent, points
from evalsys.evaluation.explanation import NOTHING
from evalsys.evaluation.naming import Names
from evalsys.evaluation.steps import signed, step_name
from evalsys.publication.comparison import Cell, Compared, Makeup
from evalsys.publication.models import EditionScore
from evalsys.publication.vendor_scores import VendorScore
from evalsys.scoring.change import change
from evalsys.scoring.intervals import Limits

TOLD = 3
"""Parts named in a sentence; the table holds all."""


@dataclass(frozen=True)
class Difference:
    """How far one is above another.

    Attributes:
        points: the higher score less the lower.
        low, high: ends of the interval of this difference.
        real: that interval leaves 0 out.
        cells: what each party's view of each dimension adds; with `uneven` they add up to `points`.
        uneven: what the geometric mean takes off for uneven dimensions, the one more than the other.
        steps: what each step of the method adds; they add up to `points`.
        carried: a party is missing from one of the two, so that others carry its weight there.
    """

    above: Compared
    below: Compared
    points: float
    low: float
    high: float
    real: bool
    cells: dict[Cell, float]
    uneven: float
    steps: dict[str, float]
    carried: bool

    @property
    def tied(self) -> bool:
        """Both have the same score, whatever it is made of."""
        return abs(self.points) <= NOTHING

    def of(self, dimension: str) -> float:
        """What all parties' views of a dimension add."""
        return sum(moved for (of, _party), moved in self.cells.items() if of == dimension)


def differences(compared: Sequence[Compared]) -> list[Difference]:
    """Of each that has a score to the next one below, in the order given."""
    scored = [(one, one.makeup) for one in compared if one.makeup is not None]
    return [_difference(*above, *below) for above, below in itertools.pairwise(scored)]


def _difference(above: Compared, high: Makeup, below: Compared, low: Makeup) -> Difference:
    steps = list(dict.fromkeys((*high.steps, *low.steps)))
    apart = change(_limits(low.score), _limits(high.score))
    return Difference(
        above,
        below,
        points=apart.points.item(),
        low=apart.low.item(),
        high=apart.high.item(),
        real=bool(apart.real),
        cells={cell: (high.cells[cell] or 0.0) - (low.cells[cell] or 0.0) for cell in high.cells},
        uneven=high.uneven - low.uneven,
        steps={step: high.steps.get(step, 0.0) - low.steps.get(step, 0.0) for step in steps},
        carried=any((high.cells[cell] is None) != (low.cells[cell] is None) for cell in high.cells),
    )


def why(found: Difference, names: Names) -> list[str]:
    """The answer in sentences."""
    told = [
        _("Both have the same score.")
        if found.tied
        else _("It has %(points)s points more.", points=points(found.points)),
        *_ahead_and_behind(found, names),
    ]
    if abs(found.uneven) > NOTHING:
        told.append(_("Uneven dimensions make %(points)s points of it.", points=signed(found.uneven)))
    separator: str = _(", ")
    steps = [
        _("%(name)s %(points)s points", name=step_name(code), points=signed(moved))
        for code, moved in found.steps.items()
    ]
    told.append(_("By step of the method: %(list)s.", list=separator.join(steps)))
    if found.carried:
        told.append(_("A party is missing from one of the two, so the other parties carry its weight there."))
    return told


def _ahead_and_behind(found: Difference, names: Names) -> list[str]:
    ordered = sorted(found.cells.items(), key=lambda item: -abs(item[1]))
    ahead, behind = ([item for item in ordered if sign * item[1] > NOTHING] for sign in (1, -1))
    told = []
    if ahead:
        told.append(_("It is ahead in %(list)s.", list=_listed(ahead, names)))
    if behind:
        told.append(_("It is behind in %(list)s.", list=_listed(behind, names)))
    return told


def _listed(cells: Sequence[tuple[Cell, float]], names: Names) -> str:
    separator: str = _("; ")
    told = [
        _(
            "what %(party)s say of “%(dimension)s” (%(points)s)",
            party=names.party(party),
            dimension=names.dimension(dimension),
            points=signed(moved),
        )
        for (dimension, party), moved in cells[:TOLD]
    ]
    if len(cells) > TOLD:
        told.append(_("the rest together (%(points)s)", points=signed(sum(moved for _cell, moved in cells[TOLD:]))))
    return separator.join(told)


def order_told(found: Difference, names: Names) -> list[str]:
    """How much the order of the two says, by what was published: their sets of ranks, else their intervals."""
    one, other = found.above.row.line, found.below.row.line
    single = len(found.above.rows) == len(found.below.rows) == 1
    if single and one.peer_group == other.peer_group and names.rules.rank_sets and one.rank_low and other.rank_low:
        return _ranks_told(one, other, names.rules.rank_sets.level)
    told = []
    if {row.line.peer_group for row in found.above.rows} != {row.line.peer_group for row in found.below.rows}:
        told.append(_("They do not belong to the same peer group: services differ, so they are not ranked together."))
    return [*told, _interval_told(found, names.rules.interval.level)]


def _ranks_told(above: EditionScore, below: EditionScore, level: float) -> list[str]:
    sets = {"high": _set(above), "low": _set(below)}
    if (above.rank_high or 0) < (below.rank_low or 0):
        told = _(
            "Their sets of ranks do not overlap (%(high)s and %(low)s): the order holds with %(level)s confidence.",
            level=percent(level),
            **sets,
        )
    else:
        told = _("Their sets of ranks overlap (%(high)s and %(low)s): the order of these two says little.", **sets)
    kept = above.breakdown.get("weight_space")
    if not kept or kept["next"] != below.contract_reference:
        return [told]
    share = percent(kept["leads"])
    return [
        told,
        _("Under weights chosen a little differently the order stays in %(share)s of the cases.", share=share),
    ]


def _interval_told(found: Difference, level: float) -> str:
    span = {"level": percent(level), "low": signed(found.low), "high": signed(found.high)}
    if found.real:
        told: str = _("With %(level)s confidence the difference lies between %(low)s and %(high)s: it is real.", **span)
    else:
        told = _(
            "With %(level)s confidence the difference lies between %(low)s and %(high)s: chance alone may explain it,"
            " so the order of these two says little.",
            **span,
        )
    return told


def _limits(score: VendorScore) -> Limits:
    return Limits(np.array(score.score), np.array(score.low), np.array(score.high))


def _set(line: EditionScore) -> str:
    if line.rank_low == line.rank_high:
        return str(_("rank %(rank)s", rank=line.rank_low))
    return str(_("ranks %(low)s–%(high)s", low=line.rank_low, high=line.rank_high))
