"""How answers, scores and grades are spread over a whole cycle.

Answers are added up from what each contract's own page tells, so nothing shows through the sum that is hidden there.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.charts import Axis, Piece, Row, alternative, stacked
from evalsys.base.language import number, percent, points
from evalsys.evaluation.disclosure import Total
from evalsys.evaluation.explanation import Shares, level_shares
from evalsys.evaluation.models import Score
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sensitivity import newest_run, nothing_to_draw
from evalsys.registry.models import Cycle
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Source

BIN = 5
"""Points that one bar of the scores' distribution spans."""

Levels = Mapping[str, Mapping[str, Any]]
"""By criterion: counts from the lowest level up, and not_applicable."""


@dataclass(frozen=True)
class Bin:
    """Scores from `low` up to `high`; the topmost bin holds 100 too."""

    low: int
    high: int
    count: int


@dataclass(frozen=True)
class Distribution:
    """A cycle's distributions.

    Attributes:
        contracts, scored: how many there are, and how many have a score.
        bins: from the lowest score that occurs to the highest, without gaps.
        grades: (code, contracts, share of those scored), in the order of the rules.
        shares: of the answers, by criterion.
        told: in sentences.
        scores_told, answers_told: the charts in words.
    """

    names: Names
    contracts: int
    scored: int
    bins: list[Bin]
    grades: list[tuple[str, int, float]]
    shares: list[Shares]
    told: list[str]
    scores_told: str
    answers_told: str

    def drawn(self, what: str) -> tuple[list[Row], Axis]:
        """The rows and the axis of a chart: of the scores, or of the answers.

        Raises:
            NotFound: there are none.
        """
        if not (self.bins if what == "scores" else self.shares):
            raise nothing_to_draw()
        if what == "scores":
            return score_rows(self.bins), score_axis(self.bins)
        return answer_rows(self.shares, self.names), answer_axis()


def distribution_of_run(session: Session, code: str, *, actor: Actor) -> tuple[Cycle, Distribution]:
    """The distributions of a cycle's newest run.

    Raises:
        NotAllowed: the cycle belongs to another region.
        NotFound: there is no such cycle, or it is not scored.
    """
    cycle, run = newest_run(session, code, actor=actor)
    statement = select(Score.score, Score.grade, Score.breakdown).where(Score.run_id == run.id)
    return cycle, distribution(session, statement, Names(rules_of_version(run.rules)))


def distribution(
    session: Session, statement: Select[float | None, str | None, dict[str, Any]], names: Names
) -> Distribution:
    """Add up the lines of a select of score, grade and breakdown."""
    scores: list[float] = []
    grades: Counter[str] = Counter()
    levels: dict[str, dict[str, Any]] = {}
    contracts, total = 0, Total(names.rules)
    for score, grade, breakdown in session.execute(statement.execution_options(yield_per=500)):
        contracts += 1
        _add(levels, breakdown["levels"])
        total.add(breakdown)
        if score is not None and grade is not None:
            scores.append(score)
            grades[grade] += 1
    counted = [(g.code, grades[g.code], grades[g.code] / max(len(scores), 1)) for g in names.rules.grades]
    scored = {c.code for c in names.rules.criteria if c.source is not Source.ADJUSTER}
    kept = {code: kept for code, kept in levels.items() if code in scored}
    shares = level_shares(kept, names, together=total.classes(kept))
    binned = bins(scores)
    return Distribution(
        names=names,
        contracts=contracts,
        scored=len(scores),
        bins=binned,
        grades=counted,
        shares=shares,
        told=_told(scores, counted, contracts, names),
        scores_told=alternative(_("Scores"), score_rows(binned)) if binned else "",
        answers_told=alternative(_("Share of the highest level"), answer_rows(shares, names)) if shares else "",
    )


def _add(levels: dict[str, dict[str, Any]], more: Levels) -> None:
    for criterion, kept in more.items():
        whole = levels.setdefault(criterion, {"counts": [0] * len(kept["counts"]), "not_applicable": 0})
        whole["counts"] = [a + b for a, b in zip(whole["counts"], kept["counts"], strict=True)]
        whole["not_applicable"] += kept["not_applicable"]


def bins(scores: Iterable[float]) -> list[Bin]:
    """Scores counted in steps of `BIN` points."""
    counts = Counter(min(int(score // BIN), 100 // BIN - 1) for score in scores)
    if not counts:
        return []
    return [Bin(place * BIN, place * BIN + BIN, counts[place]) for place in range(min(counts), max(counts) + 1)]


def _told(scores: list[float], grades: Sequence[tuple[str, int, float]], contracts: int, names: Names) -> list[str]:
    counted = {"scored": number(len(scores)), "contracts": number(contracts)}
    told = [_("%(scored)s of %(contracts)s contracts have a score.", **counted)]
    if len(scores) > 1:
        low, middle, high = statistics.quantiles(scores, n=4, method="inclusive")
        told.append(
            _(
                "Half of the scores lie between %(low)s and %(high)s; the middle one is %(middle)s. The lowest is"
                " %(least)s, the highest %(most)s.",
                low=points(low),
                high=points(high),
                middle=points(middle),
                least=points(min(scores)),
                most=points(max(scores)),
            )
        )
    if scores:
        separator: str = _(", ")
        shares = [
            _("“%(grade)s” %(count)s (%(share)s)", grade=names.grade(code), count=number(count), share=percent(share))
            for code, count, share in grades
        ]
        told.append(_("Grades: %(list)s.", list=separator.join(shares)))
    return told


def score_rows(binned: Sequence[Bin]) -> list[Row]:
    """A bar a bin, the best on top."""
    return [
        Row(f"{b.low}–{b.high}", (Piece(0, b.count),) if b.count else (), number(b.count)) for b in reversed(binned)
    ]


def score_axis(binned: Sequence[Bin]) -> Axis:
    """Contracts, from none on."""
    return Axis(_("Contracts"), 0, max(b.count for b in binned), "whole")


def answer_rows(shares: Sequence[Shares], names: Names) -> list[Row]:
    """A row a question, its levels side by side, the share of the highest at the end."""
    return [
        Row(
            _("%(party)s: %(question)s", party=names.party(row.party), question=row.text),
            stacked([share for _name, _count, share in row.levels]),
            percent(row.top) if row.highest_alone else "—",
        )
        for row in shares
    ]


def answer_axis() -> Axis:
    """Shares of the answers."""
    return Axis(_("Share of the answers, from the lowest level to the highest"), 0, 1, "share")
