"""What the page about the raters shows: the newest run's findings in words, tables and charts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.access import Actor, Role
from evalsys.base.charts import SPAN, Axis, Piece, Row
from evalsys.base.errors import NotFound
from evalsys.base.language import number, words
from evalsys.collection.models import Assessment
from evalsys.evaluation import pooled_terms
from evalsys.evaluation.models import Run
from evalsys.evaluation.naming import Names
from evalsys.evaluation.queries import latest_run
from evalsys.evaluation.sums import label_of
from evalsys.registry.models import Cycle, Entry
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Rules


@dataclass(frozen=True)
class RaterSeverity:
    """How many points above what others would give an evaluator gives; `name` is empty for who may not know it."""

    name: str
    severity: float
    sd: float | None
    part: int


@dataclass(frozen=True)
class ReliabilityPage:
    """A cycle's raters.

    Attributes:
        run: the newest; None before the first.
        told: what the run says of reliability; None where the step is off, or nothing was scored yet.
        severities: of the evaluators, the most severe first.
        assumed: too few contracts overlap, so no severity was learned.
        named: whether the reader may see whose severity it is.
    """

    cycle: Cycle
    run: Run | None
    rules: Rules | None
    told: dict[str, Any] | None
    severities: tuple[RaterSeverity, ...]
    assumed: bool
    named: bool

    @property
    def names(self) -> Names:
        assert self.rules is not None  # noqa: S101 - asked only where something was scored
        return Names(self.rules)

    def criterion(self, code: str) -> str:
        """A criterion in the reader's words."""
        assert self.rules is not None  # noqa: S101 - asked only where something was scored
        return words(self.rules.criterion(code).text)


def reliability_page(session: Session, cycle: Cycle, *, actor: Actor) -> ReliabilityPage:
    """Raises NotAllowed where the cycle belongs to another region."""
    actor.require_region(cycle.region.path)
    run = latest_run(session, cycle)
    if run is None:
        return ReliabilityPage(cycle, None, None, None, (), assumed=False, named=False)
    named = actor.role is Role.ADMINISTRATOR
    raters = pooled_terms.from_json(run.pooled).raters
    severities: list[RaterSeverity] = []
    if raters is not None and not raters.assumed:
        known = _names(session, cycle) if named else {}
        severities = [
            RaterSeverity(known.get(label, ""), float(severity), None if math.isnan(sd) else float(sd), int(part))
            for label, severity, sd, part in zip(
                raters.labels, raters.severity, raters.sd, raters.component, strict=True
            )
        ]
    return ReliabilityPage(
        cycle,
        run,
        rules_of_version(run.rules),
        run.analyses.get("reliability"),
        tuple(sorted(severities, key=lambda one: one.severity)),
        assumed=raters is not None and raters.assumed,
        named=named,
    )


def _names(session: Session, cycle: Cycle) -> dict[str, str]:
    """The person behind each label: the account's name, or the name that a file gives."""
    made = session.execute(
        select(Assessment.account_id, Assessment.rater_label, Account.name)
        .join(Entry, Entry.id == Assessment.entry_id)
        .outerjoin(Account, Account.id == Assessment.account_id)
        .where(Entry.cycle_id == cycle.id)
        .distinct()
    )
    return {label_of(account, label): name or label or "" for account, label, name in made}


def in_words(share: float) -> str:
    """How good an agreement is, by Koo and Li (2016)."""
    if share < 0.5:
        return str(_("poor"))
    if share < 0.75:
        return str(_("moderate"))
    return str(_("good")) if share < 0.9 else str(_("excellent"))


def party_sentences(page: ReliabilityPage, said: dict[str, Any]) -> list[str]:
    """What is known of one party's raters, for somebody who is no statistician."""
    told = [
        _(
            "%(raters)s raters, %(contracts)s contracts; %(twice)s of these were rated by at least two.",
            raters=number(said["raters"]),
            contracts=number(said["contracts"]),
            twice=number(said["twice"]),
        )
    ]
    if not said["twice"]:
        return [*told, _("Each contract has one rater alone, so nobody can tell whether such raters agree.")]
    if said["parts"] > 1:
        told.append(
            _(
                "The contracts fall into %(parts)s groups without a common rater. Between groups nobody can tell a "
                "strict rater from a weak contract: let some raters rate in two groups next time.",
                parts=number(said["parts"]),
            )
        )
    icc = said["icc"]
    if icc is None:
        return [*told, _("Too few contracts have two raters to say more.")]
    told.append(
        _(
            "One rater alone is %(one)s reliable (%(one_words)s); the mean of %(raters)s, as contracts have here, "
            "%(mean)s (%(mean_words)s). 1 would be full agreement.",
            one=number(icc["one"], 2),
            one_words=in_words(icc["one"]),
            raters=number(icc["raters"], 1),
            mean=number(icc["mean"], 2),
            mean_words=in_words(icc["mean"]),
        )
    )
    assert page.told is not None  # noqa: S101 - `said` is part of it
    target = number(page.told["target"], 2)
    if said["needed"] is None:
        told.append(_("One rater tells nothing about which contract is better, so no number of raters is enough."))
    else:
        told.append(
            _("For %(target)s, %(needed)s raters a contract are needed.", target=target, needed=number(said["needed"]))
        )
    return told


def agreement_rows(page: ReliabilityPage, party: str) -> tuple[list[Row], Axis]:
    """Krippendorff's α of a party's criteria.

    Raises:
        NotFound: nothing is known of this party.
    """
    raters = page.told["raters"] if page.told else []
    criteria: list[dict[str, Any]] = next((said["criteria"] for said in raters if said["party"] == party), [])
    if not criteria:
        raise _nothing()
    rows = [
        Row(page.criterion(one["criterion"]), _span(one["low"], one["high"]), number(one["alpha"], 2), one["alpha"])
        for one in criteria
    ]
    lowest = min(0.0, *(one["low"] for one in criteria))
    return rows, Axis(_("Agreement (Krippendorff's α)"), lowest, 1.0)


def severity_rows(page: ReliabilityPage) -> tuple[list[Row], Axis]:
    """Each evaluator's severity with what is sure of it.

    Raises:
        NotFound: no severity was learned.
    """
    if not page.severities:
        raise _nothing()
    rows = [
        Row(
            one.name or _("Evaluator %(number)s", number=place),
            _span(one.severity - 2 * (one.sd or 0), one.severity + 2 * (one.sd or 0)),
            number(one.severity, 1),
            one.severity,
        )
        for place, one in enumerate(page.severities, 1)
    ]
    widest = max(1.0, *(abs(end) for row in rows for piece in row.pieces for end in (piece.start, piece.end)))
    return rows, Axis(_("Points above (lenient) or below (strict) what others would give"), -widest, widest)


def _span(low: float, high: float) -> tuple[Piece, ...]:
    return (Piece(low, high, SPAN),)


def _nothing() -> NotFound:
    return NotFound(_("Nothing is known of this."), remedy=_("Start from the page about the raters."))
