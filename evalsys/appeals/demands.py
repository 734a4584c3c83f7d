"""What a vendor is asked to put right, drafted from what is published of its score; a person edits it."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _

from evalsys.base.language import percent, points, words
from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.evaluation.disclosure import disclosed
from evalsys.evaluation.explanation import DimensionParts, Shares, explain, level_shares
from evalsys.evaluation.naming import Names
from evalsys.publication.models import EditionScore

WEAKEST = 2
"""Dimensions that a draft names."""


def draft(line: EditionScore, names: Names) -> str:
    """The weakest dimensions of a line, who sees them weakest, and the question with the fewest best answers.

    Nothing but what the contract's own page tells: answers of fewer than five stay together there and here.
    """
    explained = explain(line, names.rules)
    told: list[str] = [
        _(
            "The published grade is “%(grade)s” (%(score)s points). Please put right:",
            grade=names.grade(line.grade),
            score=points(line.score),
        )
    ]
    if explained is None:
        return told[0]
    shares = level_shares(line.breakdown["levels"], names, together=disclosed(line.breakdown, names.rules))
    scored = [row for row in explained.dimensions if row.score is not None]
    weakest = sorted(scored, key=lambda row: row.score or 0.0)[:WEAKEST]
    told += [f"{number}. {_dimension(row, names, shares)}" for number, row in enumerate(weakest, 1)]
    return "\n".join(told)


def _dimension(row: DimensionParts, names: Names, shares: Sequence[Shares]) -> str:
    parts = [part for part in row.parts if part.weight and part.estimate is not None]
    lowest = min(parts, key=lambda part: part.estimate or 0.0)
    told: str = _(
        "%(dimension)s: %(points)s points; lowest from the %(party)s (%(lowest)s points).",
        dimension=names.dimension(row.dimension),
        points=points(row.score),
        party=names.party(lowest.party),
        lowest=points(lowest.estimate),
    )
    asked = [
        one
        for one in shares
        if one.answers >= SMALLEST_GROUP
        and one.top < 1
        and names.rules.criterion(one.criterion).dimension == row.dimension
    ]
    if asked:
        worst = min(asked, key=lambda one: one.top)
        told += " " + _(
            "The question with the fewest best answers: “%(question)s” (%(share)s).",
            question=words(names.rules.criterion(worst.criterion).text),
            share=percent(worst.top),
        )
    return told
