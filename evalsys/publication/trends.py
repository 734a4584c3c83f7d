"""A score against the year before: better or worse, and whether chance alone explains it.

Contracts run for a year as a rule, so a contract is compared with itself only where it runs on; else the vendor's
contracts of the same service in this cycle are compared with those in the cycle of the same region a year earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from evalsys.base.language import percent, points
from evalsys.evaluation.steps import signed
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import editions_in_force, rules_of_edition
from evalsys.publication.vendor_scores import VendorScore, vendor_score
from evalsys.rules.model import Rules
from evalsys.scoring.change import change
from evalsys.scoring.intervals import Limits

NEEDED = (
    EditionScore.edition_id,
    EditionScore.contract_reference,
    EditionScore.vendor_credit_code,
    EditionScore.service_type,
    EditionScore.amount_fen,
    EditionScore.recipients_served,
    EditionScore.score,
    EditionScore.low,
    EditionScore.high,
)
Service = tuple[str, str]
"""A vendor's credit code and a service type."""


@dataclass(frozen=True)
class Trend:
    """What became of a score.

    Attributes:
        edition: the one it is compared with: last year's, as it holds now.
        same_contract: the contract itself is compared; else all that the vendor does of that service.
        before: points then.
        points, low, high: what was added since, with its interval.
        level: confidence of that interval.
        real: chance alone does not explain it; None where the rules changed, so that both cannot be compared.
    """

    edition: Edition
    same_contract: bool
    before: float
    points: float
    low: float
    high: float
    level: float
    real: bool | None


def edition_before(session: Session, edition: Edition) -> Edition | None:
    """The edition in force of the same region's cycle a year earlier."""
    region, year = edition.cycle.region_id, edition.cycle.year - 1
    return next((e for e in editions_in_force(session) if (e.cycle.region_id, e.cycle.year) == (region, year)), None)


def trends_of(session: Session, edition: Edition, lines: Sequence[EditionScore]) -> dict[str, Trend]:
    """The trends of an edition's lines, by contract reference; nothing for a line that has nothing to compare."""
    earlier = edition_before(session, edition)
    if earlier is None:
        return {}
    rules, rules_then = rules_of_edition(edition), rules_of_edition(earlier)
    vendors = {line.vendor_credit_code for line in lines}
    now, then = (_Scores(_scored(session, one, vendors), by) for one, by in ((edition, rules), (earlier, rules_then)))
    pairs = {line.contract_reference: pair for line in lines if (pair := _pair(line, now, then))}
    found = change(
        _limits(before for before, _after, _same in pairs.values()),
        _limits(after for _before, after, _same in pairs.values()),
        before_level=rules_then.interval.level,
        level=rules.interval.level,
    )
    comparable = same_measure(rules, rules_then)
    columns = zip(found.points.tolist(), found.low.tolist(), found.high.tolist(), found.real.tolist(), strict=True)
    return {
        reference: Trend(
            edition=earlier,
            same_contract=same,
            before=before.score,
            points=added,
            low=low,
            high=high,
            level=rules.interval.level,
            real=real if comparable else None,
        )
        for (reference, (before, _after, same)), (added, low, high, real) in zip(pairs.items(), columns, strict=True)
    }


def same_measure(rules: Rules, other: Rules) -> bool:
    """Whether two rules make the same points of the same answers. Words, grades and comparisons may differ."""

    def measure(one: Rules) -> tuple[object, ...]:
        asked = [criterion.model_dump(exclude={"help"}) for criterion in one.criteria]
        steps = [step is None for step in (one.weighting, one.adjustment, one.severity)]
        return asked, steps, one.scales, one.weights, one.aggregation, one.answered_share, one.vendor_weight

    return measure(rules) == measure(other)


def trend_told(trend: Trend) -> list[str]:
    """What became of the score, in sentences."""
    stood = {"cycle": trend.edition.cycle.title, "number": trend.edition.number, "points": points(trend.before)}
    if trend.same_contract:
        told = _("In “%(cycle)s”, edition %(number)s, this contract scored %(points)s points.", **stood)
    else:
        told = _(
            "In “%(cycle)s”, edition %(number)s, this vendor's contracts of the same service scored %(points)s points.",
            **stood,
        )
    span = {"level": percent(trend.level), "low": signed(trend.low), "high": signed(trend.high)}
    meaning = {
        None: _("The rules have changed since, so the two scores do not measure the same."),
        True: _("This is a real change: chance alone does not explain it."),
        False: _("This lies within the margin of error: chance alone may explain it."),
    }
    return [
        told,
        _("Now: %(change)s (%(level)s interval %(low)s to %(high)s).", change=change_told(trend), **span),
        meaning[trend.real],
    ]


def change_told(trend: Trend) -> str:
    """By how much it rose or fell."""
    size = points(abs(trend.points))
    if size == points(0):
        return str(_("unchanged"))
    return str(_("up %(points)s points", points=size) if trend.points > 0 else _("down %(points)s points", points=size))


def meaning_told(trend: Trend) -> str:
    """What the change says, in two or three words."""
    meanings = {None: _("rules changed"), True: _("a real change"), False: _("within the margin of error")}
    return str(meanings[trend.real])


class _Scores:
    """Scored lines of one edition, by contract, and by vendor and service."""

    def __init__(self, lines: Iterable[EditionScore], rules: Rules) -> None:
        self._lines: dict[str, EditionScore] = {}
        self._services: dict[Service, list[EditionScore]] = defaultdict(list)
        self._rules = rules
        for line in lines:
            self._lines[line.contract_reference] = line
            self._services[_service(line)].append(line)

    def of_contract(self, line: EditionScore) -> VendorScore | None:
        """That contract's score, if the same vendor had it."""
        own = self._lines.get(line.contract_reference)
        return vendor_score([own], self._rules) if own else None

    def of_service(self, line: EditionScore) -> VendorScore | None:
        """The score of all that its vendor does of the same service."""
        return vendor_score(self._services[_service(line)], self._rules)


def _pair(line: EditionScore, now: _Scores, then: _Scores) -> tuple[VendorScore, VendorScore, bool] | None:
    """The scores before and after, and whether they are the same contract's."""
    own, own_then = now.of_contract(line), then.of_contract(line)
    if own is None:
        return None  # without a score, whatever else its vendor does
    if own_then is not None:
        return own_then, own, True
    all_now, all_then = now.of_service(line), then.of_service(line)
    return (all_then, all_now, False) if all_then is not None and all_now is not None else None


def _service(line: EditionScore) -> Service:
    return line.vendor_credit_code, line.service_type


def _scored(session: Session, edition: Edition, vendors: Iterable[str]) -> Iterable[EditionScore]:
    """What these vendors have that is scored; only the columns that are needed, for a breakdown is long."""
    return session.scalars(
        select(EditionScore)
        .options(load_only(*NEEDED))
        .where(
            EditionScore.edition_id == edition.id,
            EditionScore.vendor_credit_code.in_(vendors),
            EditionScore.score.is_not(None),
        )
    )


def _limits(scores: Iterable[VendorScore]) -> Limits:
    ends = np.array([(one.score, one.low, one.high) for one in scores], dtype=np.float64).reshape(-1, 3)
    return Limits(*ends.T)
