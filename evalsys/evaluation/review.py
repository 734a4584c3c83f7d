"""What the review page shows of a cycle: its newest run beside the one before."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.listing import Page, Wanted
from evalsys.evaluation.models import Run
from evalsys.evaluation.queries import SCORABLE, Compared, compared_scores, runs_of, statuses_of
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
