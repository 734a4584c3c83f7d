"""What publishing would make public, before it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.evaluation.models import Run
from evalsys.evaluation.naming import Names
from evalsys.evaluation.queries import latest_run
from evalsys.publication.changes import changes_between
from evalsys.publication.checks import Check, checks
from evalsys.publication.models import Edition, EditionScore, Withdrawal
from evalsys.publication.queries import editions_of, last_number, lines_of, newest_edition
from evalsys.publication.usecases import future_lines
from evalsys.publication.withdrawals import withdrawals_of
from evalsys.registry.models import Cycle
from evalsys.registry.pins import rules_of_version


@dataclass(frozen=True)
class Preview:
    """A cycle before publishing.

    Attributes:
        run: the newest; None before the first, and then there are no lines.
        edition: the one that holds now; None before the first, and where all were withdrawn.
        number: of the next edition.
        lines: what the next edition would say, by rank, those without one last.
        changes: what would differ from `edition`.
        names: by the run's rules.
        checks: what has to hold.
        editions, orders: every edition so far, and orders to withdraw one.
    """

    cycle: Cycle
    run: Run | None
    edition: Edition | None
    number: int
    lines: list[EditionScore]
    changes: list[dict[str, Any]]
    names: Names | None
    checks: list[Check]
    editions: list[Edition]
    orders: Sequence[Withdrawal]

    @property
    def is_ready(self) -> bool:
        """Whether it may be published, perhaps with marks."""
        return all(check.holds or check.may_be_marked for check in self.checks)

    @property
    def to_mark(self) -> list[Check]:
        """What does not hold and may be published with marks."""
        return [check for check in self.checks if not check.holds and check.may_be_marked]

    @property
    def is_correction(self) -> bool:
        return self.number > 1


def preview(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> Preview:
    """Look at a cycle before publishing.

    Raises:
        NotAllowed: it belongs to another region.
    """
    actor.require_region(cycle.region.path)
    run, edition = latest_run(session, cycle), newest_edition(session, cycle)
    lines = future_lines(session, run) if run else []
    return Preview(
        cycle=cycle,
        run=run,
        edition=edition,
        number=last_number(session, cycle) + 1,
        lines=sorted(lines, key=lambda line: (line.rank is None, line.rank or 0, line.contract_reference)),
        changes=changes_between(lines_of(session, edition), lines) if edition and run else [],
        names=Names(rules_of_version(run.rules)) if run else None,
        checks=checks(session, cycle, now=now),
        editions=editions_of(session, cycle.id),
        orders=withdrawals_of(session, cycle),
    )
