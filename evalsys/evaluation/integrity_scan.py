"""Looking through a cycle's ratings for signs, and keeping them as flags for a person to decide.

A scan adds flags and brings the signs of open ones up to date; what a person decided stays as it was decided.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.collection.models import ResponseDay, TimeBand
from evalsys.evaluation import integrity
from evalsys.evaluation.aggregations import levels_of
from evalsys.evaluation.answers import Assessed, assessed, response_rows
from evalsys.evaluation.arrays import entries_of
from evalsys.evaluation.breakdown import SMALLEST_GROUP
from evalsys.evaluation.integrity import Everywhere, Levels, Questions, Sign
from evalsys.evaluation.models import FlagState, IntegrityFlag, Score
from evalsys.evaluation.queries import SCORABLE, latest_run
from evalsys.evaluation.reliability import Judgements, points_of
from evalsys.registry.models import Cycle, CycleState, Entry
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Integrity, Rules
from evalsys.scoring.arrays import Flags
from evalsys.scoring.cells import SAMPLED, weight_matrix

Subject = tuple[int, bytes | None, int | None]
"""What a flag is about: entry, response, assessment."""

Found = dict[Subject, list[Sign]]


@dataclass(frozen=True)
class Scan:
    """What a scan came to: flags it added, flags now open, open ones whose signs are gone."""

    added: int
    open: int
    gone: int


def scan_cycle(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> Scan:
    """Look through all ratings of a cycle and keep what a person must look at.

    Raises:
        NotAllowed: the cycle belongs to another region.
        Conflict: its ratings are still being collected or its result is final, or its rules look for no signs.
    """
    actor.require_region(cycle.region.path)
    session.refresh(cycle, attribute_names=["state", "rules_id"], with_for_update=True)
    require_open(cycle)
    rules = rules_of(cycle)
    if rules.integrity is None:
        raise Conflict(
            _("The rules of this cycle look for no signs: the step is off."),
            remedy=_("Pin rules with a section [integrity] to switch it on."),
        )
    scan = keep(session, cycle, find(session, cycle, rules, rules.integrity))
    audit.record(
        session,
        actor=actor,
        act="evaluation.scan_cycle",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"added": scan.added, "open": scan.open, "gone": scan.gone},
    )
    return scan


def look(session: Session, cycle: Cycle, rules: Rules) -> None:
    """Look through all ratings as part of a run; nothing where the rules look for no signs."""
    if rules.integrity is not None:
        keep(session, cycle, find(session, cycle, rules, rules.integrity))


def require_open(cycle: Cycle) -> None:
    """Raises Conflict where nothing can be decided about ratings."""
    if cycle.state in (CycleState.DRAFT, CycleState.COLLECTING):
        raise Conflict(
            _("Ratings of the cycle %(code)s are still being collected.", code=cycle.code),
            remedy=_("Close collecting first."),
        )
    if cycle.state not in SCORABLE:
        raise Conflict(
            _("The cycle %(code)s is closed; its result is final.", code=cycle.code),
            remedy=_("Its flags stay readable."),
        )


def find(session: Session, cycle: Cycle, rules: Rules, thresholds: Integrity) -> Found:
    """Every sign in a cycle."""
    entries = entries_of(session, cycle)
    found = signs_of_recipients(session, entries, rules, thresholds)
    for party in rules.parties:
        if party.code != SAMPLED:
            found |= _appointed(assessed(session, cycle, party.code, rules), party.code, entries, rules, thresholds)
    for entry, signs in _wholes(session, cycle, entries, rules, thresholds):
        found.setdefault((entry, None, None), []).extend(signs)
    return found


def keep(session: Session, cycle: Cycle, found: Found) -> Scan:
    """Bring the cycle's flags up to date; the order of flags says nothing about the order of answers."""
    known: dict[Subject, list[IntegrityFlag]] = defaultdict(list)
    for flag in session.scalars(select(IntegrityFlag).join(Entry).where(Entry.cycle_id == cycle.id)):
        known[flag.entry_id, flag.response_key, flag.assessment_id].append(flag)
    added = gone = 0
    for subject in sorted(found, key=repr):
        signs, flags = found[subject], known.pop(subject, [])
        decided = [flag for flag in flags if flag.state != FlagState.OPEN]
        if subject[1:] == (None, None):  # a whole may show signs that nobody has seen yet
            seen = [sign for flag in decided for sign in flag.signs]
            signs = [sign for sign in signs if sign not in seen]
        elif decided:
            continue
        waiting = next((flag for flag in flags if flag.state == FlagState.OPEN), None)
        if not signs and waiting is not None:
            known[subject] = [waiting]
        elif signs:
            added += waiting is None
            entry, key, assessment = subject
            flag = waiting or IntegrityFlag(entry_id=entry, response_key=key, assessment_id=assessment)
            flag.signs, flag.weight = signs, len(signs)
            flag.codes = f" {' '.join(sorted({sign['sign'] for sign in signs}))} "
            session.add(flag)
    for flag in (flag for flags in known.values() for flag in flags if flag.state == FlagState.OPEN):
        session.delete(flag)
        gone += 1
    session.flush()
    in_cycle = select(func.count(IntegrityFlag.id)).join(Entry).where(Entry.cycle_id == cycle.id)
    return Scan(added, session.scalar(in_cycle.where(IntegrityFlag.state == FlagState.OPEN)) or 0, gone)


def signs_of_recipients(session: Session, entries: list[Entry], rules: Rules, thresholds: Integrity) -> Found:
    """Signs of recipients' answers, one contract after the other, each beside all others that are asked the same."""
    answered: list[tuple[Entry, list[bytes], Flags, Levels]] = []
    everywhere: dict[str, Counter[bytes]] = defaultdict(Counter)
    for entry in entries:
        codes = _asked(rules, SAMPLED, entry.contract.service_type)
        rows = session.execute(response_rows(entry.id, codes)).all()
        table = _levels([row[3:] for row in rows], len(codes))
        fast = np.array([row[1] == TimeBand.UNDER_20.value for row in rows], dtype=np.bool_)
        answered.append((entry, [row[0] for row in rows], fast, table))
        everywhere[entry.contract.service_type] += integrity.patterns(table)
    together = {kind: Everywhere.of(times) for kind, times in everywhere.items()}
    found: Found = {}
    for entry, keys, fast, table in answered:
        kind = entry.contract.service_type
        asked = Questions(np.array([levels_of(rules, code) for code in _asked(rules, SAMPLED, kind)], dtype=np.int64))
        signs = integrity.signs_of_respondents(table, fast, asked, together[kind], thresholds)
        found |= {(entry.id, keys[row], None): told for row, told in signs.items()}
    return found


def _appointed(said: Assessed, party: str, entries: list[Entry], rules: Rules, thresholds: Integrity) -> Found:
    """Signs of one appointed party's assessments; held ones are compared with nothing."""
    place = {entry.id: n for n, entry in enumerate(entries)}
    contract = np.array([place[entry] for entry in said.entries], dtype=np.int64)
    rater = np.unique(said.raters, return_inverse=True)[1].astype(np.int64)
    vendor = np.array([entry.contract.vendor_id for entry in entries], dtype=np.int64)[contract]
    levels = np.array([levels_of(rules, criterion.code) for criterion in said.criteria], dtype=np.int64)
    answers = _levels(said.answers[:, levels > 0], int((levels > 0).sum()))
    signs = integrity.signs_of_assessments(answers, Questions(levels[levels > 0]), thresholds)
    y = points_of(Judgements(party, rater, contract, said.answers, said.applies), rules)
    y[np.array(said.held, dtype=np.bool_)] = np.nan
    weight = float(weight_matrix(rules)[[one.code for one in rules.parties].index(party)].sum())
    for row, more in integrity.signs_of_raters(y, contract, rater, vendor, weight=weight, rules=thresholds).items():
        signs.setdefault(row, []).extend(more)
    return {(said.entries[row], None, said.ids[row]): told for row, told in signs.items()}


def _wholes(
    session: Session, cycle: Cycle, entries: list[Entry], rules: Rules, thresholds: Integrity
) -> Iterator[tuple[int, list[Sign]]]:
    """Signs that a contract's ratings show as a whole: busy days, and parties far apart in the newest run."""
    counts = {
        (row.entry_id, row.day): row.count
        for row in session.scalars(select(ResponseDay).join(Entry).where(Entry.cycle_id == cycle.id))
    }
    first = min([cycle.opens_on, *(day for _entry, day in counts)])
    last = max([cycle.closes_on, *(day for _entry, day in counts)])
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    table = np.array([[counts.get((entry.id, day), 0) for day in days] for entry in entries], dtype=np.int64)
    for n, signs in integrity.busy_days(table, [day.isoformat() for day in days], thresholds).items():
        yield entries[n].id, signs
    run = latest_run(session, cycle)
    if run is None:
        return
    scores = session.scalars(select(Score).where(Score.run_id == run.id)).all()
    parties = [party.code for party in rules.parties]
    means = np.array([[_mean(score, party) for party in parties] for score in scores]).reshape(-1, len(parties))
    for n, signs in integrity.gaps(means, parties, thresholds).items():
        yield scores[n].entry_id, signs


def _mean(score: Score, party: str) -> float:
    """A party's mean over its dimensions by their weight in the score; NaN where too few said anything."""
    cells = [
        (cell["weight"], cell["estimate"])
        for cell in score.breakdown["cells"]
        if cell["party"] == party and cell["estimate"] is not None and cell["weight"]
    ]
    if not cells or (party == SAMPLED and score.breakdown["respondents"][party] < SMALLEST_GROUP):
        return np.nan
    return float(np.average([estimate for _weight, estimate in cells], weights=[weight for weight, _e in cells]))


def _asked(rules: Rules, party: str, service_type: str) -> list[str]:
    """The questions with levels, in the order they were asked."""
    return [c.code for c in rules.criteria_for(party, service_type) if c.dimension and levels_of(rules, c.code)]


def _levels(rows: object, questions: int) -> Levels:
    table = np.array(rows, dtype=np.float64).reshape(-1, questions)
    return np.nan_to_num(table).astype(np.int8)
