"""What the review page shows of a cycle: its newest run beside the one before."""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import NotFound
from evalsys.base.listing import Page, Wanted
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.naming import Names
from evalsys.evaluation.queries import (
    SCORABLE,
    Compared,
    compared_scores,
    latest_run,
    runs_of,
    score_of,
    statuses_of,
    titles_of,
)
from evalsys.evaluation.scorecard import Scorecard, scorecard
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Cycle
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import Rules


@dataclass(frozen=True)
class Review:
    """A cycle under review.

    Attributes:
        run, before: the newest run and the one before it; None where there is none, and then `page` is None too.
        rules: those of the newest run.
        statuses: how many contracts have each status.
        status: the only one shown; empty for all.
    """

    cycle: Cycle
    run: Run | None
    before: Run | None
    rules: Rules | None
    page: Page[Compared] | None
    statuses: dict[str, int]
    status: str

    @property
    def can_run(self) -> bool:
        return self.cycle.state in SCORABLE


@dataclass(frozen=True)
class Reviewed:
    """One contract in the newest run of its cycle."""

    cycle: Cycle
    score: Score
    card: Scorecard


def reviewed(session: Session, code: str, reference: str, *, actor: Actor) -> Reviewed:
    """One contract's score taken apart, as its public page would show it.

    Raises:
        NotAllowed: the cycle belongs to another region.
        NotFound: there is no such cycle, it is not scored, or the contract is not in it.
    """
    cycle = cycle_by_code(session, code)
    actor.require_region(cycle.region.path)
    run = latest_run(session, cycle)
    score = score_of(session, run, reference) if run else None
    if run is None or score is None:
        raise NotFound(
            _("The contract %(reference)s is not scored in this cycle.", reference=reference),
            remedy=_("Look it up in the scoring of the cycle."),
        )
    names = Names(rules_of_version(run.rules))
    return Reviewed(cycle, score, scorecard(score, names, title_of=titles_of(session)))


def review(session: Session, cycle: Cycle, wanted: Wanted, *, status: str, actor: Actor) -> Review:
    """Raises NotAllowed where the cycle belongs to another region."""
    actor.require_region(cycle.region.path)
    runs = runs_of(session, cycle)
    run, before = (*runs[:2], None, None)[:2]
    if run is None:
        return Review(cycle, None, None, None, None, {}, "")
    statuses = statuses_of(session, run)
    status = status if status in statuses else ""
    page = compared_scores(session, run, before, wanted, status=status)
    return Review(cycle, run, before, rules_of_version(run.rules), page, statuses, status)
