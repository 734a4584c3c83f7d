"""Up to four contracts, or vendors, of one edition beside each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from evalsys.base.errors import Invalid, NotFound
from evalsys.base.language import number
from evalsys.evaluation.explanation import IN_CELLS, UNEVEN, explain
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import in_force, rules_of_edition
from evalsys.publication.rows import Row, rows_of
from evalsys.publication.vendor_scores import VendorScore, shares_of, vendor_score
from evalsys.rules.model import Rules

FEWEST, MOST = 2, 4

Cell = tuple[str, str]
"""Codes of a dimension and of a party."""


@dataclass(frozen=True)
class Makeup:
    """What a score is made of, points: two ways to split it, each without remainder.

    Attributes:
        score: with its interval.
        cells: what each party's view of each dimension brings; None where it brings nothing, for the party is missing.
        uneven: what the geometric mean takes off for uneven dimensions; belongs to no cell, and is a step too.
        steps: what each step of the method in use brings, from the plain answers on.
    """

    score: VendorScore
    cells: dict[Cell, float | None]
    uneven: float
    steps: dict[str, float]


@dataclass(frozen=True)
class Compared:
    """A contract, or a vendor with its contracts, beside others.

    Attributes:
        code: the contract's reference, or the vendor's credit code.
        rows: the contract, or all contracts of the vendor in this edition.
        makeup: None where there is no score.
    """

    code: str
    name: str
    rows: list[Row]
    makeup: Makeup | None

    @property
    def score(self) -> VendorScore | None:
        return self.makeup.score if self.makeup else None

    @property
    def row(self) -> Row:
        """The only one of a contract."""
        return self.rows[0]


def contracts_compared(
    session: Session, edition: Edition, references: Sequence[str], *, now: datetime
) -> list[Compared]:
    """The contracts asked for, the highest score first and those without one last.

    Raises:
        Invalid: not two to four different ones.
        NotFound: one is not in this edition.
    """
    return _compared(session, edition, EditionScore.contract_reference, references, now=now)


def vendors_compared(session: Session, edition: Edition, codes: Sequence[str], *, now: datetime) -> list[Compared]:
    """The same of vendors, by their credit codes."""
    return _compared(session, edition, EditionScore.vendor_credit_code, codes, now=now)


def _compared(
    session: Session, edition: Edition, column: InstrumentedAttribute[str], codes: Sequence[str], *, now: datetime
) -> list[Compared]:
    wanted = list(dict.fromkeys(code.strip() for code in codes if code.strip()))
    if not FEWEST <= len(wanted) <= MOST:
        raise Invalid(
            _("Two to four can be compared; %(count)s were chosen.", count=number(len(wanted))),
            remedy=_("Go back to the rankings and tick two to four."),
        )
    here = select(EditionScore).where(EditionScore.edition_id == edition.id, column.in_(wanted))
    lines = session.scalars(here.order_by(EditionScore.contract_reference)).all()
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in rows_of(session, edition, lines, now=now):
        rows[getattr(row.line, column.key)].append(row)
    missing = [code for code in wanted if code not in rows]
    if missing:
        raise _not_here(session, edition, missing[0])
    rules, of_vendors = rules_of_edition(edition), column is EditionScore.vendor_credit_code
    found = [_one(code, rows[code], rules, of_vendors=of_vendors) for code in wanted]
    return sorted(found, key=lambda one: (one.score is None, -one.score.score if one.score else 0.0))


def _one(code: str, rows: list[Row], rules: Rules, *, of_vendors: bool) -> Compared:
    line, lines = rows[0].line, [row.line for row in rows]
    name = line.vendor_name if of_vendors else line.contract_title
    return Compared(code, name, rows, makeup(lines, rules))


def makeup(lines: Sequence[EditionScore], rules: Rules) -> Makeup | None:
    """What the score of a contract, or of a vendor's contracts together, is made of; None without a score."""
    told = [(line, explanation) for line in lines if (explanation := explain(line, rules)) is not None]
    score = vendor_score(lines, rules)
    if score is None:
        return None
    cells: dict[Cell, float | None] = {}
    steps: dict[str, float] = defaultdict(float)
    uneven = 0.0
    shares, _by = shares_of([line for line, _explanation in told], rules)
    for (_line, explanation), share in zip(told, shares, strict=True):
        uneven += share * explanation.uneven
        for row in explanation.dimensions:
            for part in row.parts:
                known, cell = cells.get((row.dimension, part.party)), (row.dimension, part.party)
                cells[cell] = known if part.points is None else (known or 0.0) + share * part.points
        for step in explanation.steps:
            steps[step.code] += share * step.points
    return Makeup(score, cells, uneven, dict(steps))


def steps_in_use(compared: Sequence[Compared]) -> list[str]:
    """The steps that any of the scores was made with, in the order of the method."""
    used = {step for one in compared if one.makeup for step in one.makeup.steps}
    return [step for step in (*IN_CELLS, UNEVEN) if step in used]


def _not_here(session: Session, edition: Edition, code: str) -> NotFound:
    elsewhere = in_force(session, reference=code, vendor=code)
    remedy = _("Look it up in the rankings.")
    if elsewhere:
        other = elsewhere[0].edition
        remedy = _(
            "It stands in “%(title)s”, edition %(number)s. Only what stands in one edition can be compared.",
            title=other.cycle.title,
            number=other.number,
        )
    return NotFound(
        _(
            "%(code)s is not in “%(title)s”, edition %(number)s.",
            code=code,
            title=edition.cycle.title,
            number=edition.number,
        ),
        remedy=remedy,
    )
