"""A worked example told: each step of the method with one contract's own numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from evalsys.base.language import number, percent
from evalsys.evaluation.naming import Names
from evalsys.evaluation.sentences import Line
from evalsys.publication.formulas import typeset
from evalsys.publication.worked_example import Cell, Worked
from evalsys.scoring.cells import SAMPLED


@dataclass(frozen=True)
class Chapter:
    """A step: its heading, what it does here, and the sums. `cells`: it begins with the table of all cells."""

    title: str
    told: list[str]
    sums: list[Markup]
    cells: bool = False


def chapters(example: Worked, line: Line, names: Names) -> list[Chapter]:
    """The steps from answers to rank, in the order of the method."""
    found = [_cells()]
    sampled = [cell for cell in example.cells if cell.party == SAMPLED]
    appointed = [cell for cell in example.cells if cell.party != SAMPLED]
    if sampled:
        found.append(_recipients(max(sampled, key=_share), example, names))
    if appointed:
        found.append(_raters(max(appointed, key=_share), example, names))
    found += [_score(example, names), _interval(example, names)]
    shrunken = line.breakdown.get("shrunken")
    if shrunken and shrunken["reliability"] is not None:
        found.append(_peers(line, shrunken))
    found.append(_grade(example, line, names))
    if line.breakdown.get("rank_set"):
        found.append(_rank(line, line.breakdown["rank_set"]))
    return found


def four(value: float) -> str:
    """To four decimals, as the open data is to be recomputed."""
    return number(value, 4)


def _share(cell: Cell) -> float:
    return cell.share


def _called(cell: Cell, names: Names) -> dict[str, str]:
    return {"party": names.party(cell.party), "dimension": names.dimension(cell.dimension)}


def _cells() -> Chapter:
    told = [
        _("Of every party and dimension the open data tells how many answered, the sum of their weights Σw, and Σwy."),
        _("Their quotient, with what steps 3 and 4 add or take off, is the party's view θ̂."),
    ]
    return Chapter(_("What each party says"), told, [], cells=True)


def _recipients(cell: Cell, example: Worked, names: Names) -> Chapter:
    rules, n = names.rules, number(cell.n)
    phi, prior = cell.dispersion, rules.interval.prior_strength
    m, spread = cell.estimate / 100, cell.variance / 100**2
    sums = [
        f"θ̂ = Σwy / Σw = {four(cell.weighted)} / {four(cell.weights)}{_plus(cell.adjusted)} = {four(cell.estimate)}",
        f"m = {four(m)},  s² = {number(spread, 6)},  φ_pool = {four(cell.pooled)}",
    ]
    if spread > 0 and 0 < m < 1:
        sums.append(
            f"φ = ({prior:g}·{four(cell.pooled)} + ({n} − 1)·{number(spread, 6)} / ({four(m)}·{four(1 - m)}))"
            f" / ({n} − 1 + {prior:g}) = {four(phi)}"
        )
    else:
        sums.append(f"φ = φ_pool = {four(phi)}")
    frame = f"·(1 − {n}/{number(example.frame)})" if example.frame and example.frame >= cell.n else ""
    sums += [
        f"n′ = {four(cell.effective)} / ({four(phi)}{frame}) = {four(cell.standing)}",
        f"z = {four(example.z)},  l = {four(cell.low)},  u = {four(cell.high)}",
    ]
    told = [
        _(
            "In full for the weightiest of the recipients' views, “%(dimension)s”: step 5 with the spread of their"
            " answers.",
            **_called(cell, names),
        )
    ]
    return Chapter(_("How sure the recipients' view is"), told, [typeset(line) for line in sums])


def _raters(cell: Cell, example: Worked, names: Names) -> Chapter:
    arm = f"{four(example.z)}·√({four(cell.variance)} / {number(cell.n)})"
    sums = [
        f"θ̂ = Σwy / Σw = {four(cell.weighted)} / {four(cell.weights)}{_plus(-cell.severity)} = {four(cell.estimate)}",
        f"σ²_rater + σ²_e = {four(cell.variance)}",
        f"l = max(0, {four(cell.estimate)} − {arm}) = {four(cell.low)}",
        f"u = min(100, {four(cell.estimate)} + {arm}) = {four(cell.high)}",
    ]
    told = [
        ngettext(
            "In full for %(party)s on “%(dimension)s”, the weightiest view of an appointed party; one rater judged.",
            "In full for %(party)s on “%(dimension)s”, the weightiest view of an appointed party; %(num)s raters"
            " judged.",
            int(cell.n),
            **_called(cell, names),
        )
    ]
    return Chapter(_("How sure an appointed party's view is"), told, [typeset(line) for line in sums])


def _plus(points: float) -> str:
    if not points:
        return ""
    return f" {'+' if points > 0 else '−'} {four(abs(points))}"


def _score(example: Worked, names: Names) -> Chapter:
    if names.rules.aggregation == "geometric":
        sums = []
        for code in dict.fromkeys(cell.dimension for cell in example.cells):
            own = [cell for cell in example.cells if cell.dimension == code]
            share = sum(cell.share for cell in own)
            mean = sum(cell.share * cell.estimate for cell in own) / share
            sums.append(
                f"{names.dimension(code)}: {_added(own)} = {four(mean * share)};  / {four(share)} = {four(mean)}"
            )
        sums.append(f"T = {four(example.score)}")
        told = [
            _(
                "Views are averaged on each dimension; the dimensions are then multiplied, each to the power of its"
                " weight."
            )
        ]
    else:
        sums = [f"T = {_added(example.cells)} = {four(example.score)}"]
        told = [_("Every view times its weight, added up.")]
    return Chapter(_("The score"), told, [typeset(line) for line in sums])


def _added(cells: Sequence[Cell]) -> str:
    return " + ".join(f"{four(cell.estimate)}·{number(cell.share, 3)}" for cell in cells)


def _interval(example: Worked, names: Names) -> Chapter:
    def ends(squares: dict[str, float]) -> str:
        return "√(" + " + ".join(four(square) for square in squares.values()) + ")"

    sums = [
        f"low = {four(example.score)} − {ends(example.falls)} = {four(example.low)}",
        f"high = {four(example.score)} + {ends(example.rises)} = {four(example.high)}",
    ]
    told = [
        _(
            "Under each root stands one number a party (%(parties)s): how far the score moves when its views go to the"
            " ends of their intervals, with the frozen correlations between its dimensions.",
            parties=_(", ").join(names.party(code) for code in example.falls),
        )
    ]
    return Chapter(_("Its interval"), told, [typeset(line) for line in sums])


def _peers(line: Line, kept: dict[str, float]) -> Chapter:
    told = [_("Beside the score, for next year's choice: drawn towards the mean of its peers. The score itself stays.")]
    reliability = kept["reliability"]
    own = f"{four(reliability)}·{four(line.score or 0.0)}"
    sums = [
        f"1 − B = {four(reliability)},  μ = {four(kept['peer_mean'])}",
        f"θ̃ = {own} + {four(1 - reliability)}·{four(kept['peer_mean'])} = {four(kept['value'])}",
    ]
    return Chapter(_("Beside its peers"), told, [typeset(line) for line in sums])


def _grade(example: Worked, line: Line, names: Names) -> Chapter:
    grade = next(grade for grade in names.rules.grades if grade.code == line.grade)
    values = {"grade": names.grade(grade.code), "start": f"{grade.start:g}", "stop": f"{grade.stop:g}"}
    if line.breakdown["capped"]:
        told = [_("A weak dimension holds the grade down to “%(grade)s”.", **values)]
    else:
        told = [_("%(score)s lies from %(start)s to %(stop)s: “%(grade)s”.", score=four(example.score), **values)]
        chances = [f"P({names.grade(code)}) = {percent(chance, 1)}" for code, chance in example.chances.items()]
        return Chapter(_("Grade"), told, [typeset(",  ".join(chances))])
    return Chapter(_("Grade"), told, [])


def _rank(line: Line, ranks: dict[str, int]) -> Chapter:
    values = {
        "ranked": number(line.breakdown["ranked"]),
        "above": number(ranks["low"] - 1),
        "below": number(line.breakdown["ranked"] - ranks["high"]),
        "low": number(ranks["low"]),
        "high": number(ranks["high"]),
    }
    told = [
        _(
            "Of the %(ranked)s scored contracts of its group, %(above)s are surely above it and %(below)s surely below,"
            " so its rank lies between %(low)s and %(high)s.",
            **values,
        )
    ]
    return Chapter(_("Rank"), told, [])
