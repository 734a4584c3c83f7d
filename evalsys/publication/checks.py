"""What has to hold before a result may be published, said in words, one line each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from evalsys.base.errors import Fault
from evalsys.evaluation.arrays import fingerprint, inputs_of
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import latest_run
from evalsys.publication.models import Edition
from evalsys.registry.models import Cycle, CycleState
from evalsys.registry.pins import rules_of
from evalsys.scoring.status import Status


@dataclass(frozen=True)
class Check:
    """One condition of publishing: what it asks, whether it holds, and what to do where it does not.

    `may_be_marked`: it may be published all the same if the person says so; the lines concerned then carry a mark.
    """

    text: str
    holds: bool
    remedy: str = ""
    may_be_marked: bool = False


Provider = Callable[[Session, Cycle, Run, datetime], Iterable[Check]]
"""Given the cycle, its newest run and the present moment."""

_further: list[Provider] = []


def offer(provider: Provider) -> None:
    """Let a higher floor set conditions of its own, for whoever publishes, web or command."""
    if provider not in _further:
        _further.append(provider)


def checks(session: Session, cycle: Cycle, *, now: datetime) -> list[Check]:
    """Every condition; without a run those that need one are left out."""
    run = latest_run(session, cycle)
    found = [_collecting_is_over(cycle), _scored(run)]
    if run is not None:
        found += [_not_out_yet(session, run), _same_rules(cycle, run), _same_ratings(session, cycle, run)]
        found.append(_somebody_is_rated(session, run))
        for provider in _further:
            found += provider(session, cycle, run, now)
    return found


def _collecting_is_over(cycle: Cycle) -> Check:
    return Check(
        _("Collecting is over and the cycle is not closed."),
        cycle.state in (CycleState.REVIEW, CycleState.PRELIMINARY, CycleState.PUBLISHED),
        _("A closed cycle gets no further edition.")
        if cycle.state == CycleState.CLOSED
        else _("Close collecting first."),
    )


def _scored(run: Run | None) -> Check:
    return Check(_("The cycle has been scored."), run is not None, _("Score the cycle first."))


def _not_out_yet(session: Session, run: Run) -> Check:
    out = session.scalar(select(exists().where(Edition.run_id == run.id)))
    return Check(
        _("The newest scoring is not published yet."),
        not out,
        _("This result is out already. For a correction, score the cycle again first."),
    )


def _same_rules(cycle: Cycle, run: Run) -> Check:
    return Check(
        _("The scoring used the rules that the cycle has pinned."),
        run.rules_id == cycle.rules_id,
        _("The cycle has pinned other rules since; score it again."),
    )


def _same_ratings(session: Session, cycle: Cycle, run: Run) -> Check:
    text = _("Ratings, contracts and frames are those that were scored.")
    try:
        unchanged = fingerprint(inputs_of(session, cycle, rules_of(cycle))) == run.inputs_hash
    except Fault as fault:
        return Check(text, holds=False, remedy=f"{fault.message} {fault.remedy}")
    return Check(text, unchanged, _("Something changed after the scoring; score the cycle again."))


def _somebody_is_rated(session: Session, run: Run) -> Check:
    count = session.scalar(select(func.count()).where(Score.run_id == run.id, Score.status != Status.WITHHELD.value))
    return Check(
        _("At least one contract has the ratings that a score needs."),
        bool(count),
        _("No contract reaches the minimums of the rules. Nothing could be published but gaps; collect more ratings."),
    )
