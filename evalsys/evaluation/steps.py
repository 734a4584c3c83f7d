"""The way from raw answers to a score, told in sentences with the numbers, step by step."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from evalsys.base.language import number, points
from evalsys.evaluation.explanation import Explanation
from evalsys.evaluation.naming import Names
from evalsys.evaluation.next_grade import NextGrade
from evalsys.evaluation.sentences import Line
from evalsys.rules.model import Rules
from evalsys.scoring.cells import SAMPLED


def step_name(code: str) -> str:
    """A step of the method as tables and charts call it."""
    names: dict[str, str] = {
        "contribution": _("Raw answers"),
        "weighting": _("Weighted to all recipients"),
        "mode": _("How people answered"),
        "case_mix": _("Who answered"),
        "severity": _("Evaluators' severity"),
        "cut": _("Cut to 0 to 100"),
        "uneven": _("Uneven dimensions"),
    }
    return names[code]


def signed(value: float) -> str:
    """Points with their sign, as an addition to something."""
    rounded = points(abs(value))
    if rounded == points(0):
        return rounded
    return ("+" if value > 0 else "−") + rounded


def steps_told(line: Line, explanation: Explanation, names: Names) -> list[str]:
    """What each step in use did to this score, then what each party and dimension brings."""
    by_code = {step.code: step for step in explanation.steps}
    kept = line.breakdown
    told = [
        _(
            "The answers as they were given, each counting the same, make %(points)s points.",
            points=points(by_code["contribution"].points),
        )
    ]
    if "weighting" in by_code:
        told += _weighting(by_code["weighting"].points, kept)
    if "mode" in by_code:
        told += _adjustment(by_code["mode"].points, by_code["case_mix"].points)
    if "severity" in by_code:
        told += _severity(by_code["severity"].points, kept.get("raters"))
    if "cut" in by_code:
        told.append(
            _(
                "Estimates that went beyond 0 or 100 were cut there: %(points)s points.",
                points=signed(by_code["cut"].points),
            )
        )
    if "uneven" in by_code:
        told.append(
            _(
                "Dimensions are multiplied, so that a weak one weighs more: %(points)s points.",
                points=signed(by_code["uneven"].points),
            )
        )
    return [*told, *_brought(explanation, names)]


def _weighting(moved: float, kept: dict[str, Any]) -> list[str]:
    told = [
        _(
            "Recipients' answers were weighted so that each township and service item counts by how many it serves:"
            " %(points)s points.",
            points=signed(moved),
        )
    ]
    effective = [c["n_effective"] for c in kept["cells"] if c["party"] == SAMPLED and c.get("n_effective")]
    if effective:
        told.append(
            _(
                "Weighted like this, they are as precise as %(count)s answers of equal weight.",
                count=number(min(effective), 1),
            )
        )
    if kept.get("collapsed"):
        separator: str = _(", ")
        told.append(
            _(
                "Too few answered in some parts, so these were taken together: %(parts)s.",
                parts=separator.join(map(str, kept["collapsed"])),
            )
        )
    return told


def _adjustment(mode: float, case_mix: float) -> list[str]:
    return [
        _(
            "What the way of answering and the circumstances of those who answer do everywhere was taken off:"
            " %(mode)s points for the way, %(case_mix)s points for the circumstances.",
            mode=signed(mode),
            case_mix=signed(case_mix),
        )
    ]


def _severity(moved: float, raters: dict[str, Any] | None) -> list[str]:
    if raters is not None and raters["assumed"]:
        told = _(
            "Only %(count)s contracts were judged by two evaluators, too few to tell severity from quality: nothing was"
            " taken off, and how much evaluators differ is assumed, not estimated.",
            count=number(raters["overlapping"]),
        )
    elif raters is not None and raters["component"] is None:
        told = _(
            "None of its evaluators took part in the comparison of evaluators, so their severity is not known: nothing"
            " was taken off."
        )
    else:
        told = _(
            "How severely or mildly its evaluators judge everywhere was taken off: %(points)s points.",
            points=signed(moved),
        )
    return [told]


def _brought(explanation: Explanation, names: Names) -> list[str]:
    separator: str = _(", ")
    parties = [
        _("%(name)s %(points)s points", name=names.party(code), points=points(brought))
        for code, brought in zip(explanation.parties, explanation.by_party, strict=True)
    ]
    dimensions = [
        _("%(name)s %(points)s points", name=names.dimension(row.dimension), points=points(row.points))
        for row in explanation.dimensions
    ]
    return [
        _("By party the score is made of: %(list)s.", list=separator.join(parties)),
        _("By dimension: %(list)s.", list=separator.join(dimensions)),
    ]


def steps_off(rules: Rules) -> str:
    """One line that names the steps which the rules do not use; empty where they use all."""
    off = [
        name
        for section, name in (
            (rules.weighting, _("weighting to all recipients")),
            (rules.adjustment, _("taking off how people answered")),
            (rules.severity, _("taking off evaluators' severity")),
            (rules.shrinkage, _("drawing scores towards their peers")),
            (rules.rank_sets, _("sets of ranks")),
            (rules.sensitivity, _("ranks under other weights")),
        )
        if section is None
    ]
    separator: str = _(", ")
    return _("Steps that these rules do not use: %(list)s.", list=separator.join(off)) if off else ""


def next_grade_told(coming: NextGrade | None, names: Names) -> list[str]:
    """What would have to change for the next grade."""
    if coming is None:
        return [_("This is the best grade.")]
    grade = names.grade(coming.grade.code)
    told = [
        _(
            "The rules cap the grade while “%(dimension)s” is below %(needed)s points; it is at %(now)s."
            " This comes first.",
            dimension=names.dimension(weak.dimension),
            needed=points(weak.needed),
            now=points(weak.now),
        )
        for weak in coming.weak
    ]
    if not coming.missing:
        return [*told, _("The score itself is high enough for “%(grade)s”.", grade=grade)]
    told.append(_("For “%(grade)s” %(points)s points are missing.", grade=grade, points=points(coming.missing)))
    easiest = coming.ways[0]
    if easiest.needed is None:
        told.append(_("No single party can bring that on one dimension alone, not even with 100 points."))
    else:
        told.append(
            _(
                "The smallest single change that is enough: %(party)s on “%(dimension)s” from %(now)s to %(needed)s.",
                party=names.party(easiest.party),
                dimension=names.dimension(easiest.dimension),
                now=points(easiest.now),
                needed=points(easiest.needed),
            )
        )
    return told
