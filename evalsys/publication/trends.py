"""A score against the year before: better or worse, and whether chance alone explains it.

Contracts run for a year as a rule, so a contract is compared with itself only where it runs on; else the vendor's
contracts of the same service in this cycle are compared with those in the cycle of the same region a year earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.language import percent, points
from evalsys.evaluation.steps import signed
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import editions_in_force, rules_of_edition
from evalsys.publication.vendor_scores import VendorScore, vendor_score
from evalsys.rules.model import Rules
from evalsys.scoring.change import change
from evalsys.scoring.intervals import Limits

Service = tuple[str, str]
"""A vendor's credit code and a service type."""


class Scored(NamedTuple):
    """What is read of a line with a score; its breakdown is long, and not needed."""

    contract_reference: str
    vendor_credit_code: str
    service_type: str
    amount_fen: int
    recipients_served: int
    score: float
    low: float
    high: float


@dataclass(frozen=True)
class Trend:
    """What became of a score.

    Attributes:
        edition: the one it is compared with: last year's, as it holds now.
        same_contract: the contract itself is compared; else all that the vendor does of that service.
        contracts: how many contracts are compared now.
        before, after: points then and now.
        points, low, high: what was added since, with its interval.
        level: confidence of that interval.
        real: chance alone does not explain it; None where the rules changed, so that both cannot be compared.
    """

    edition: Edition
    same_contract: bool
    contracts: int
    before: float
    after: float
    points: float
    low: float
    high: float
    level: float
    real: bool | None


def edition_before(session: Session, edition: Edition) -> Edition | None:
    """The edition in force of the same region's cycle a year earlier."""
    region, year = edition.cycle.region_id, edition.cycle.year - 1
    return next((e for e in editions_in_force(session) if (e.cycle.region_id, e.cycle.year) == (region, year)), None)


class Trends:
    """Where an edition's contracts stood the year before.

    Args:
        edition: whose lines are asked about.
        vendors: credit codes of those whose lines are asked about; None: of everybody.
    """

    def __init__(self, session: Session, edition: Edition, vendors: Collection[str] | None = None) -> None:
        self._earlier = edition_before(session, edition)
        if self._earlier is None:
            return
        rules, rules_then = rules_of_edition(edition), rules_of_edition(self._earlier)
        self._level, self._level_then = rules.interval.level, rules_then.interval.level
        self._comparable = same_measure(rules, rules_then)
        self._now = _Scores(_scored(session, edition, vendors), rules)
        self._then = _Scores(_scored(session, self._earlier, vendors), rules_then)

    def of(self, lines: Iterable[EditionScore]) -> dict[str, Trend]:
        """The trends by contract reference; nothing for a line that has nothing to compare."""
        if self._earlier is None:
            return {}
        pairs = {line.contract_reference: pair for line in lines if (pair := _pair(line, self._now, self._then))}
        found = change(
            _limits(before for before, _after, _same in pairs.values()),
            _limits(after for _before, after, _same in pairs.values()),
            before_level=self._level_then,
            level=self._level,
        )
        columns = zip(found.points.tolist(), found.low.tolist(), found.high.tolist(), found.real.tolist(), strict=True)
        return {
            reference: Trend(
                edition=self._earlier,
                same_contract=same,
                contracts=after.scored,
                before=before.score,
                after=after.score,
                points=added,
                low=low,
                high=high,
                level=self._level,
                real=real if self._comparable else None,
            )
            for (reference, (before, after, same)), (added, low, high, real) in zip(pairs.items(), columns, strict=True)
        }


def trends_of(session: Session, edition: Edition, lines: Collection[EditionScore]) -> dict[str, Trend]:
    """The trends of some lines of an edition, by contract reference."""
    return Trends(session, edition, {line.vendor_credit_code for line in lines}).of(lines)


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
    now = {"after": points(trend.after), "change": change_told(trend), "level": percent(trend.level)}
    span = {"low": signed(trend.low), "high": signed(trend.high)}
    if trend.real is None:
        meaning = _("The rules have changed since, so the two scores do not measure the same.")
    elif trend.real:
        meaning = _("This is a real change: chance alone does not explain it.")
    else:
        meaning = _("This lies within the margin of error: chance alone may explain it.")
    return [
        told,
        _("Now %(after)s points: %(change)s (%(level)s interval %(low)s to %(high)s).", **now, **span),
        meaning,
    ]


def change_told(trend: Trend) -> str:
    """By how much it rose or fell."""
    size = points(abs(trend.points))
    if size == points(0):
        return str(_("unchanged"))
    return str(_("up %(points)s points", points=size) if trend.points > 0 else _("down %(points)s points", points=size))


def meaning_told(trend: Trend) -> str:
    """What the change says, in two or three words."""
    if trend.real is None:
        return str(_("rules changed"))
    return str(_("a real change") if trend.real else _("within the margin of error"))


class _Scores:
    """Scores of one edition, by contract, and by vendor and service."""

    def __init__(self, lines: Iterable[Scored], rules: Rules) -> None:
        self._contracts: dict[str, Scored] = {}
        self._services: dict[Service, list[Scored]] = defaultdict(list)
        self._rules = rules
        for line in lines:
            self._contracts[line.contract_reference] = line
            self._services[_service(line)].append(line)

    def of_contract(self, line: EditionScore) -> VendorScore | None:
        """That contract's score, if the same vendor had it."""
        own = self._contracts.get(line.contract_reference)
        return vendor_score([own], self._rules) if own and _service(own) == _service(line) else None

    def of_service(self, line: EditionScore) -> VendorScore | None:
        """The score of all that its vendor does of the same service."""
        return vendor_score(self._services.get(_service(line), ()), self._rules)


def _pair(line: EditionScore, now: _Scores, then: _Scores) -> tuple[VendorScore, VendorScore, bool] | None:
    """The scores before and after, and whether they are the same contract's."""
    own, own_then = now.of_contract(line), then.of_contract(line)
    if own is None:
        return None  # without a score, whatever else its vendor does
    if own_then is not None:
        return own_then, own, True
    all_now, all_then = now.of_service(line), then.of_service(line)
    return (all_then, all_now, False) if all_then is not None and all_now is not None else None


def _service(line: EditionScore | Scored) -> Service:
    return line.vendor_credit_code, line.service_type


def _scored(session: Session, edition: Edition, vendors: Collection[str] | None) -> Iterator[Scored]:
    columns = [getattr(EditionScore, name) for name in Scored._fields]
    found = select(*columns).where(EditionScore.edition_id == edition.id, EditionScore.score.is_not(None))
    if vendors is not None:
        found = found.where(EditionScore.vendor_credit_code.in_(vendors))
    return (Scored(*row) for row in session.execute(found))


def _limits(scores: Iterable[VendorScore]) -> Limits:
    ends = np.array([(one.score, one.low, one.high) for one in scores], dtype=np.float64).reshape(-1, 3)
    return Limits(*ends.T)
