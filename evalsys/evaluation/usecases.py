"""Scoring a cycle: read it, run the core, keep what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import insert
from sqlalchemy.orm import Session

from evalsys import __version__
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict
from evalsys.base.language import moment
from evalsys.evaluation import integrity_scan, pooled_terms
from evalsys.evaluation.analyses import comparisons_of
from evalsys.evaluation.answers import reliability_of_cycle
from evalsys.evaluation.arrays import entries_of, fingerprint, inputs_of
from evalsys.evaluation.breakdown import breakdowns, numbers
from evalsys.evaluation.models import Run, Score
from evalsys.evaluation.queries import Collected, collected, forms_come_until, latest_run
from evalsys.registry.cycles import move
from evalsys.registry.models import Cycle, CycleState
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Rules
from evalsys.scoring import engine
from evalsys.scoring.result import Result
from evalsys.scoring.status import STATUSES


class FormsOpen(Conflict):
    """Recipients may still send the forms that they had open when collecting ended."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            _(
                "Surveys that recipients had open when collecting ended are taken until %(moment)s.",
                moment=moment(until),
            ),
            remedy=_("Score after that. An administrator may say that they are not to be waited for."),
        )


def run_cycle(
    session: Session,
    cycle: Cycle,
    *,
    seed: int | None = None,
    refit: bool = False,
    early: bool = False,
    say: Callable[[str], None] = lambda _step: None,
    actor: Actor,
    now: datetime,
) -> Run:
    """Score every contract of a cycle and keep the result; nothing becomes public by it.

    A cycle under review becomes preliminary. A preliminary or published one may be scored again; such a run reuses the
    pooled terms of the run before, so that a correction moves only what it corrects. A run that learns the terms also
    looks through all ratings for signs.

    Args:
        session: writes; the cycle's row is locked.
        cycle: under review, preliminary or published.
        seed: of random draws; made from the cycle's code where not given, so that a repetition gives the same.
        refit: learn the pooled terms anew; always so where the cycle has pinned other rules since.
        early: do not wait for the forms that recipients have open, whose answers are then lost; an administrator's say.
        say: told what is being done, a line each.
        actor: who runs.
        now: when.

    Raises:
        Conflict: collecting is not over, forms may still come, or the cycle is closed.
        Invalid: ratings do not fit the rules.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state", "rules_id", "collected_until"], with_for_update=True)
    _require_over(session, cycle, early=early, actor=actor, now=now)
    rules, terms_of = rules_of(cycle), None if refit else _terms_of(session, cycle)
    say(_("Reading ratings"))
    inputs, seed = inputs_of(session, cycle, rules, keep=True), seed_of(cycle) if seed is None else seed
    frozen = None if terms_of is None else pooled_terms.from_json(terms_of.pooled)
    say(ngettext("Scoring %(num)s contract", "Scoring %(num)s contracts", len(inputs.contracts)))
    result = engine.score(inputs, rules, seed=seed, frozen=frozen)
    say(_("Looking at how the raters agree, and keeping the result"))
    run = Run(
        cycle_id=cycle.id,
        rules_id=cycle.rules_id,
        seed=seed,
        code_version=code_version(rules),
        inputs_hash=fingerprint(inputs),
        pooled=pooled_terms.to_json(result.pooled),
        analyses=_analyses(session, cycle, result, rules, terms_of),
        made_at=now,
        made_by=actor.name,
    )
    session.add(run)
    session.flush()
    _keep_scores(session, run, _columns(result, rules) | {"breakdown": breakdowns(result, inputs, rules)})
    if terms_of is None:  # a correction moves what it corrects; others look by hand
        say(_("Looking for ratings that a person should look at"))
        integrity_scan.look(session, cycle, rules)
    audit.record(
        session,
        actor=actor,
        act="evaluation.run_cycle",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"run": run.id, "inputs": run.inputs_hash, "seed": seed, "terms_reused": terms_of is not None},
    )
    if cycle.state == CycleState.REVIEW:
        move(session, cycle, CycleState.PRELIMINARY, actor=actor, now=now)
    return run


def _terms_of(session: Session, cycle: Cycle) -> Run | None:
    """The run whose pooled terms hold: the newest, unless the cycle has pinned other rules since."""
    before = latest_run(session, cycle)
    return before if before is not None and before.rules_id == cycle.rules_id else None


def _analyses(session: Session, cycle: Cycle, result: Result, rules: Rules, terms_of: Run | None) -> dict[str, Any]:
    """What a run says of its whole cycle, by step; nothing of a step that is off.

    How far raters agree is learned with the pooled terms: a run that takes these from another takes it too.
    """
    told = comparisons_of(result)
    agreement = terms_of.analyses.get("reliability") if terms_of else None
    agreement = agreement or reliability_of_cycle(session, cycle, result, rules)
    return told | ({"reliability": agreement} if agreement else {})


def _require_state(cycle: Cycle) -> None:
    if cycle.state in (CycleState.DRAFT, CycleState.COLLECTING):
        raise Conflict(
            _("Ratings of the cycle %(code)s are still being collected.", code=cycle.code),
            remedy=_("Close collecting first."),
        )
    if cycle.state == CycleState.CLOSED:
        raise Conflict(
            _("The cycle %(code)s is closed; its result is final.", code=cycle.code),
            remedy=_("Its editions stay readable; evaluate further in a new cycle."),
        )


def _require_over(session: Session, cycle: Cycle, *, early: bool, actor: Actor, now: datetime) -> None:
    """Refuse while ratings may come, save open forms that an administrator does not wait for; that is kept."""
    _require_state(cycle)
    until = forms_come_until(session, cycle, now=now)
    if until is None:
        return
    if not early or actor.role is not Role.ADMINISTRATOR:
        raise FormsOpen(until)
    audit.record(session, actor=actor, act="evaluation.run_early", subject=f"cycle:{cycle.code}", now=now)


def seed_of(cycle: Cycle) -> int:
    """The seed a cycle has unless somebody names another: the same for every repetition."""
    return int.from_bytes(hashlib.sha256(cycle.code.encode()).digest()[:4])


def code_version(rules: Rules) -> str:
    """What computed a run: the program's version and the format of its rules."""
    return f"evalsys {__version__}, rules format {rules.format}"


def _keep_scores(session: Session, run: Run, columns: dict[str, list[Any]]) -> None:
    asked = collected(session, run.cycle)
    rows = [
        dict(zip(columns, values, strict=True)) | {"run_id": run.id, "entry_id": entry.id}
        for entry, *values in zip(entries_of(session, run.cycle), *columns.values(), strict=True)
    ]
    for row in rows:
        row["breakdown"]["collected"] = asdict(asked.get(row["entry_id"], Collected()))
    if rows:
        session.execute(insert(Score), rows)


def _columns(result: Result, rules: Rules) -> dict[str, list[Any]]:
    """The columns of the scores; None for what a contract has not."""
    count = len(result.contracts)
    grades, nothing = [*(grade.code for grade in rules.grades), None], [None] * count
    columns = {
        "peer_group": [result.peer_groups[group] for group in result.peer_group.tolist()],
        "status": [STATUSES[status].value for status in result.status.tolist()],
        "score": numbers(result.score),
        "low": numbers(result.low),
        "high": numbers(result.high),
        "grade": [grades[grade] for grade in result.grade.tolist()],
        "rank": [rank or None for rank in result.rank.tolist()],
        "rank_low": nothing,
        "rank_high": nothing,
        "band": nothing,
        "shrunk": nothing,
        "shrunk_sd": nothing,
    }
    if (sets := result.rank_sets) is not None:
        for name, values in (("rank_low", sets.lower), ("rank_high", sets.upper), ("band", sets.band)):
            columns[name] = [value or None for value in values.tolist()]
    if (kept := result.shrunken) is not None:
        columns |= {"shrunk": numbers(kept.values), "shrunk_sd": numbers(kept.sd)}
    return columns
