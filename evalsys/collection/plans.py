"""A plan for a cycle: proposed from its contracts, evaluators and ties, looked at, and stored as it was seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import and_, insert, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.base.language import percent
from evalsys.collection.assignments import lock_assignments, require_due_date, require_open
from evalsys.collection.interest_models import InterestDeclaration
from evalsys.collection.interests import evaluators_of, ties_of
from evalsys.collection.models import Assessment, AssessmentState, Assignment
from evalsys.collection.overlap import Overlap, overlap_of
from evalsys.collection.planning import Matrix, Plan, make_plan
from evalsys.registry.models import Contract, Cycle, Entry, Region

SHARE = 0.3
"""Of the contracts, that two evaluators see unless somebody wishes another share."""
NAMED = 10  # contracts that a sentence names


@dataclass(frozen=True)
class Wish:
    """What a plan is asked for.

    Attributes:
        share: of the contracts that at least two evaluators see.
        most: contracts that one evaluator takes at most; None for any number.
        due_on: of the new assignments; None: the day on which collecting closes.
    """

    seed: int
    share: float = SHARE
    most: int | None = None
    due_on: date | None = None


@dataclass(frozen=True)
class Ground:
    """What a plan stands on.

    Attributes:
        rows: an entry each, with `id`, `reference` and what ties go by.
        people: the evaluators, those included who have left but submitted something.
        tied, outside: shape (entries, people); barred by a tie, outside the evaluator's branch.
        kept: the same shape; assigned already.
        ready: shape (people,); has signed the declaration of interests, and is there.
    """

    rows: Sequence[Any]
    people: Sequence[Account]
    tied: Matrix
    outside: Matrix
    kept: Matrix
    ready: Matrix

    @property
    def names(self) -> list[str]:
        return [person.name for person in self.people]

    @property
    def barred(self) -> list[tuple[str, int]]:
        """The evaluators whom ties bar, and from how many of the contracts."""
        counts = self.tied.sum(axis=0)
        return [(name, int(count)) for name, count in zip(self.names, counts, strict=True) if count]

    @property
    def present(self) -> Overlap:
        """Who shares contracts with whom now."""
        return overlap_of(self.kept, self.names)


@dataclass(frozen=True)
class Proposal:
    """A plan with what people need to judge it."""

    cycle: Cycle
    wish: Wish
    ground: Ground
    plan: Plan
    overlap: Overlap

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """The new assignments, as ids of entry and evaluator."""
        rows, columns = np.nonzero(self.plan.given)
        ids = [row.id for row in self.ground.rows]
        return sorted(
            (ids[int(row)], self.ground.people[int(column)].id) for row, column in zip(rows, columns, strict=True)
        )

    @property
    def fingerprint(self) -> str:
        """Tells whether a plan is still the one that was looked at."""
        return hashlib.sha256(repr((self.pairs, self.wish)).encode()).hexdigest()

    @property
    def share(self) -> float:
        """Of the contracts that are seen, how many at least two see."""
        return self.overlap.doubly / max(self.overlap.contracts, 1)

    @property
    def remarks(self) -> list[str]:
        """What could not be done, and why; what was done beyond the wish."""
        return list(_remarks(self))


def ground_of(session: Session, cycle: Cycle, *, actor: Actor) -> Ground:
    """The cycle's contracts in the actor's branch, who may assess them, and who does."""
    rows = session.execute(
        select(Entry.id, Contract.reference, Contract.vendor_id, Contract.purchaser_id, Region.path)
        .join(Entry.contract)
        .join(Contract.region)
        .where(Entry.cycle_id == cycle.id, Region.path.startswith(actor.region_path, autoescape=True))
        .order_by(Contract.reference, Entry.id)
    ).all()
    assigned = _assigned(session, cycle)
    present = evaluators_of(session, cycle)
    gone = {account_id for (_entry, account_id), submitted in assigned.items() if submitted} - {p.id for p in present}
    people = [*present, *session.scalars(select(Account).where(Account.id.in_(gone)).order_by(Account.id))]
    ties = ties_of(session, cycle, people)
    vendors, purchasers = (np.array([row[n] for row in rows], dtype=np.int64) for n in (2, 3))
    paths = np.array([row.path for row in rows], dtype=np.str_)
    tied, outside, kept = (np.zeros((len(rows), len(people)), dtype=np.bool_) for _matrix in range(3))
    for column, one in enumerate(people):
        of_vendors, of_purchasers = ties[one.id].bodies
        tied[:, column] = np.isin(vendors, list(of_vendors)) | np.isin(purchasers, list(of_purchasers))
        outside[:, column] = ~np.strings.startswith(paths, one.region.path)
    places, columns = {row.id: n for n, row in enumerate(rows)}, {one.id: n for n, one in enumerate(people)}
    for (entry_id, account_id), submitted in assigned.items():
        if entry_id in places and account_id in columns:
            row, column = places[entry_id], columns[account_id]
            kept[row, column] = submitted or not tied[row, column]
    signed = set(
        session.scalars(select(InterestDeclaration.account_id).where(InterestDeclaration.cycle_id == cycle.id))
    )
    ready = np.array([one.active and one.id in signed for one in people], dtype=np.bool_)
    return Ground(rows, people, tied, outside, kept, ready)


def _assigned(session: Session, cycle: Cycle) -> Mapping[tuple[int, int], bool]:
    """Pairs of entry and evaluator that are assigned, and whether the assessment is submitted."""
    rows = session.execute(
        select(Assignment.entry_id, Assignment.account_id, Assessment.state)
        .join(Assignment.entry)
        .outerjoin(
            Assessment,
            and_(Assessment.entry_id == Assignment.entry_id, Assessment.account_id == Assignment.account_id),
        )
        .where(Entry.cycle_id == cycle.id)
    )
    return {(entry, account): state == AssessmentState.SUBMITTED for entry, account, state in rows}


def propose(session: Session, cycle: Cycle, wish: Wish, *, actor: Actor, now: datetime) -> Proposal:
    """Work out a plan on top of what is assigned; nothing is stored.

    Raises:
        NotAllowed: not an administrator, or of a branch that has no part in the cycle.
        Conflict: the cycle collects no more, has no contracts here, or no evaluator who has signed.
        Invalid: the wish cannot be.
    """
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(_("Only an administrator assigns evaluators."), remedy=_("Ask the administrator to do it."))
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
    require_open(cycle)
    require_due_date(wish.due_on, cycle, now)
    if not 0 <= wish.share <= 1 or (wish.most is not None and wish.most < 1) or wish.seed < 0:
        raise Invalid(
            _("A plan like this cannot be made."),
            remedy=_("The share is from 0 to 100%, the most contracts at least 1, the seed not below 0."),
        )
    ground = ground_of(session, cycle, actor=actor)
    if not ground.rows:
        raise Conflict(
            _("No contract of your branch is entered into this cycle."), remedy=_("Enter the contracts first.")
        )
    if not ground.ready.any():
        raise Conflict(
            _("No evaluator has signed the declaration of interests yet."),
            remedy=_("Ask the evaluators to sign in; the declaration stands first on their desk."),
        )
    allowed = ~ground.tied & ~ground.outside & ground.ready[None, :]
    most = np.full(len(ground.people), wish.most) if wish.most is not None else None
    plan = make_plan(allowed, ground.kept, share=wish.share, seed=wish.seed, capacity=most)
    return Proposal(cycle, wish, ground, plan, overlap_of(plan.seen, ground.names))


def store(session: Session, cycle: Cycle, wish: Wish, fingerprint: str, *, actor: Actor, now: datetime) -> Proposal:
    """Make the plan that somebody looked at into assignments, all of them or none.

    Args:
        fingerprint: of the proposal as it was shown.

    Raises:
        Conflict: contracts, evaluators, ties or assignments are others than when it was shown, or it gives nothing.
        NotAllowed, Invalid: as `propose`.
    """
    lock_assignments(session, cycle.id)
    proposal = propose(session, cycle, wish, actor=actor, now=now)
    if proposal.fingerprint != fingerprint:
        raise Conflict(
            _("Contracts, declarations or assignments have changed since the plan was shown; nothing was stored."),
            remedy=_("Look at the plan as it is now, and confirm that one."),
        )
    if not proposal.pairs:
        raise Conflict(
            _("The plan gives nobody anything new; nothing was stored."), remedy=_("Leave the assignments as they are.")
        )
    session.execute(
        insert(Assignment),
        [{"entry_id": entry, "account_id": account, "due_on": wish.due_on} for entry, account in proposal.pairs],
    )
    audit.record(
        session,
        actor=actor,
        act="collection.assign_by_plan",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={
            "seed": wish.seed,
            "share": wish.share,
            "most": wish.most,
            "due_on": wish.due_on.isoformat() if wish.due_on else None,
            "assigned": len(proposal.pairs),
            "parts": proposal.overlap.parts,
        },
    )
    return proposal


def _remarks(proposal: Proposal) -> Iterator[str]:
    ground, plan, overlap = proposal.ground, proposal.plan, proposal.overlap
    waiting = [one.name for one, ready in zip(ground.people, ground.ready, strict=True) if one.active and not ready]
    if waiting:
        yield _("Not signed yet, and so given nothing new: %(names)s.", names=_listed(waiting))
    if len(plan.unseen):
        yield _(
            "Nobody gets: %(contracts)s. %(why)s",
            contracts=_listed([ground.rows[row].reference for row in plan.unseen]),
            why=_why(plan),
        )
    if plan.doubly < plan.wanted:
        yield _(
            "Only %(n)s contracts are seen by two, not %(wanted)s. %(why)s",
            n=plan.doubly,
            wanted=plan.wanted,
            why=_why(plan),
        )
    if plan.doubly > plan.wanted and plan.given.any():
        yield _(
            "%(n)s contracts are seen by two, more than the %(wanted)s that %(share)s are: some are so already, or "
            "connect evaluators who would share nothing otherwise.",
            n=plan.doubly,
            wanted=plan.wanted,
            share=percent(proposal.wish.share),
        )
    for part in range(1, overlap.parts):
        yield _(
            "Not connected with the others, and so not comparable with them: %(names)s. %(why)s",
            names=_listed(overlap.names_of(part)),
            why=_why_apart(proposal, part),
        )


def _why(plan: Plan) -> str:
    if plan.by_capacity:
        return str(_("Those who may take them have as many as one may have at most."))
    return str(
        _("All other evaluators are tied to the vendor or the purchaser, act in another branch, or have not signed.")
    )


def _why_apart(proposal: Proposal, part: int) -> str:
    """Why a part is not connected with any other."""
    plan, ground = proposal.plan, proposal.ground
    of_row = np.where(plan.seen.any(axis=1), plan.parts[plan.seen.argmax(axis=1)], -1)
    inside, others = (plan.parts == part)[None, :], (plan.parts >= 0)[None, :]
    crossing = ((of_row == part)[:, None] != inside) & others & (of_row >= 0)[:, None]
    free = crossing & ~ground.tied & ~ground.outside
    if (free & ground.ready[None, :]).any():
        said = _("Those who could connect them have as many contracts as one may have at most.")
    elif free.any():
        said = _("Those who could connect them have not signed the declaration of interests.")
    else:
        said = _(
            "Each of them is barred by a tie or by region from every contract that the others see, and the others from "
            "every one of theirs."
        )
    return str(said)


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence; of many the first and how many more."""
    said = "、".join(names[:NAMED])
    more = len(names) - NAMED
    return said if more <= 0 else said + ngettext(" and %(num)d more", " and %(num)d more", more)
