"""Everything that a page says of one contract's score, before publication and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask_babel import gettext as _

from evalsys.base.charts import DOWN, PARTS, UP, WHOLE, Axis, Piece, Row, alternative
from evalsys.base.errors import NotFound
from evalsys.base.language import points
from evalsys.evaluation.comparisons import comparisons_told
from evalsys.evaluation.disclosure import disclosed
from evalsys.evaluation.explanation import RAW, Explanation, Shares, explain, level_shares
from evalsys.evaluation.naming import Names
from evalsys.evaluation.next_grade import NextGrade, next_grade
from evalsys.evaluation.sentences import Line, reasons, story
from evalsys.evaluation.steps import next_grade_told, signed, step_name, steps_off, steps_told


@dataclass(frozen=True)
class Parts:
    """What only a line with a score has.

    Attributes:
        explanation: the score taken apart.
        steps: each step's doing, in sentences.
        waterfall: the chart from raw answers to the score in words; its bars are `waterfall`.
        coming: the way to the next grade; None for the best.
        change: the same in sentences.
        comparisons: how it stands among its peers, in sentences.
    """

    explanation: Explanation
    steps: list[str]
    waterfall: str
    coming: NextGrade | None
    change: list[str]
    comparisons: list[str]


@dataclass(frozen=True)
class Scorecard:
    """A line of a run or of an edition, told.

    Attributes:
        story, reasons: the result, and why it has its status, in sentences.
        parts: None where there is no score.
        off: a line that names the steps not in use; empty where all are.
        shares: what was answered.
    """

    line: Line
    names: Names
    story: list[str]
    reasons: list[str]
    parts: Parts | None
    off: str
    shares: list[Shares]


def scorecard(line: Line, names: Names, *, title_of: Callable[[str], str] = str) -> Scorecard:
    """Tell a line; `title_of`: what a contract is called, by its reference."""
    explanation, levels = explain(line, names.rules), line.breakdown["levels"]
    parts = None
    if explanation is not None:
        coming = next_grade(line, explanation, names.rules)
        parts = Parts(
            explanation=explanation,
            steps=steps_told(line, explanation, names),
            waterfall=alternative(_("From the raw answers to the score"), waterfall(explanation, names)),
            coming=coming,
            change=next_grade_told(coming, names),
            comparisons=comparisons_told(line, names, title_of=title_of),
        )
    return Scorecard(
        line=line,
        names=names,
        story=story(line, names),
        reasons=reasons(line, names),
        parts=parts,
        off=steps_off(names.rules),
        shares=level_shares(levels, names, together=disclosed(line.breakdown, names.rules)),
    )


def waterfall(explanation: Explanation, names: Names) -> list[Row]:
    """Each party's raw answers on top of each other, then what every step adds or takes, then the score."""
    rows, reached = [], 0.0
    for step in explanation.steps:
        if step.code == RAW:
            for place, (party, brought) in enumerate(zip(explanation.parties, step.by_party, strict=True)):
                colour = PARTS[place % len(PARTS)]
                label = _("%(party)s: raw answers", party=names.party(party))
                rows.append(Row(label, (Piece(reached, reached + brought, colour),), signed(brought)))
                reached += brought
        else:
            colour = UP if step.points > 0 else DOWN
            piece = Piece(reached, reached + step.points, colour)
            rows.append(Row(step_name(step.code), (piece,), signed(step.points)))
            reached += step.points
    return [*rows, Row(_("Score"), (Piece(0, explanation.total, WHOLE),), points(explanation.total))]


def waterfall_of(line: Line, names: Names) -> list[Row]:
    """The same, of a line.

    Raises:
        NotFound: it has no score.
    """
    explanation = explain(line, names.rules)
    if explanation is None:
        raise NotFound(_("This contract has no score."), remedy=_("Read the reason on its page."))
    return waterfall(explanation, names)


def points_axis() -> Axis:
    """From 0 to 100 points."""
    return Axis(_("Points"), 0, 100)
