"""Batches of forms: opened, keyed, checked by keying some a second time, and released or cancelled.

All that is keyed stands in a staging that the release (`paper_release`) or a cancelling erases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, delete, func, literal, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.collection.paper_answers import LEAST_SHARE, LIMIT, Answers, differing, drawn
from evalsys.collection.paper_models import BatchState, PaperBatch, PaperForm, PaperKeying, PaperSheet
from evalsys.collection.survey import Question, questions_of
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Region, Stratum
from evalsys.registry.pins import rules_of

FIRST, SECOND, SETTLED = 1, 2, 3


@dataclass(frozen=True)
class Sheet:
    """A form of the pile with what was read off it."""

    row: PaperSheet
    questions: tuple[Question, ...]

    @property
    def contract(self) -> Contract:
        return self.row.form.stratum.entry.contract

    @property
    def keyings(self) -> dict[int, PaperKeying]:
        return {keying.turn: keying for keying in self.row.keyings}

    @property
    def is_compared(self) -> bool:
        return SECOND in self.keyings

    @cached_property
    def differing(self) -> list[Question]:
        """The questions that two people answered differently off the same paper."""
        if not self.is_compared:
            return []
        return differing(self.questions, self.keyings[FIRST].answers, self.keyings[SECOND].answers)

    @property
    def is_open(self) -> bool:
        """Whether somebody has still to key it a second time, or to settle it."""
        return self.row.twice and (not self.is_compared or (bool(self.differing) and SETTLED not in self.keyings))

    @property
    def answers(self) -> Answers:
        """What counts of it."""
        return self.keyings[SETTLED if SETTLED in self.keyings else FIRST].answers


@dataclass(frozen=True)
class Pile:
    """All forms of a batch that is not released."""

    sheets: Sequence[Sheet]

    @property
    def twice(self) -> int:
        """Forms that are, or have still to be, keyed twice."""
        return sum(sheet.row.twice for sheet in self.sheets)

    @property
    def waiting(self) -> list[int]:
        """Numbers of the forms that somebody else has still to key."""
        return [s.row.number for s in self.sheets if s.row.twice and not s.is_compared]

    @property
    def unsettled(self) -> list[Sheet]:
        return [sheet for sheet in self.sheets if sheet.is_compared and sheet.is_open]

    @property
    def compared(self) -> int:
        """Answers that two people keyed."""
        return sum(len(sheet.questions) for sheet in self.sheets if sheet.is_compared)

    @property
    def differing(self) -> int:
        return sum(len(sheet.differing) for sheet in self.sheets)

    @property
    def rate(self) -> float:
        """Share of the compared answers that differ."""
        return self.differing / self.compared if self.compared else 0.0

    @property
    def needs_all(self) -> bool:
        """Whether so much differs that the forms outside the sample are keyed twice too."""
        return not self.waiting and self.rate > LIMIT and self.twice < len(self.sheets)

    def by_question(self) -> list[tuple[Question, int, int]]:
        """Each question with how often it was compared and how often it differed, those that differed most first."""
        told: dict[str, tuple[Question, int, int]] = {}
        for sheet in self.sheets:
            for question in sheet.questions if sheet.is_compared else ():
                kept, compared, differed = told.get(question.code, (question, 0, 0))
                told[question.code] = (kept, compared + 1, differed + (question in sheet.differing))
        return sorted(told.values(), key=lambda one: -one[2] / one[1])


def open_batch(session: Session, cycle: Cycle, share: float, *, actor: Actor, now: datetime) -> PaperBatch:
    """Open a batch for the actor's branch.

    Args:
        share: of its forms, how many are keyed twice.

    Raises:
        NotAllowed: the cycle has nothing in common with the actor's branch.
        Conflict: the cycle does not collect.
        Invalid: the share is too small, or more than all.
    """
    region = _own_part(session, cycle, actor)
    require_collecting(session, cycle)
    if not LEAST_SHARE <= share <= 1:
        raise Invalid(_("This share cannot be keyed twice."), remedy=_("Choose one from 10% to 100% of the forms."))
    batch = PaperBatch(cycle_id=cycle.id, region_id=region.id, share=share, opened_at=now, opened_by=actor.name)
    session.add(batch)
    session.flush()
    record(session, batch, "open_paper_batch", {"share": share}, actor=actor, now=now)
    return batch


def batches(session: Session, *, actor: Actor) -> Sequence[PaperBatch]:
    """The batches in which the actor may have a part, the newest first."""
    return session.scalars(_batches_of(actor).order_by(PaperBatch.id.desc())).all()


def count_to_key(session: Session, *, actor: Actor) -> int:
    """How many batches wait for forms, or to have some keyed once more."""
    waiting = _batches_of(actor).where(PaperBatch.state != BatchState.RELEASED).subquery()
    return session.scalar(select(func.count()).select_from(waiting)) or 0


def batch_of(session: Session, batch_id: int, *, actor: Actor, lock: bool = False) -> PaperBatch:
    """A batch of the actor's branch, or of a wider one.

    Args:
        lock: let nobody else change it before the transaction ends.

    Raises:
        NotFound: there is none, or it was cancelled.
        NotAllowed: it belongs to another branch.
    """
    batch = session.get(PaperBatch, batch_id, with_for_update=lock or None)
    if batch is None:
        raise NotFound(_("There is no such batch."), remedy=_("Choose one from the list; it may have been cancelled."))
    if not actor.region_path.startswith(batch.region.path):
        actor.require_region(batch.region.path)
    return batch


def asked_of(batch: PaperBatch, form: PaperForm) -> tuple[Question, ...]:
    """The questions on a form."""
    return questions_of(rules_of(batch.cycle), form.stratum.entry.contract.service_type)


def pile_of(session: Session, batch: PaperBatch) -> Pile:
    """The forms of a batch in the order of their numbers."""
    to_contract = joinedload(PaperSheet.form).joinedload(PaperForm.stratum).joinedload(Stratum.entry)
    rows = session.scalars(
        select(PaperSheet)
        .where(PaperSheet.batch_id == batch.id)
        .options(selectinload(PaperSheet.keyings).joinedload(PaperKeying.account))
        .options(to_contract.joinedload(Entry.contract).joinedload(Contract.vendor))
        .order_by(PaperSheet.number)
        .execution_options(populate_existing=True)
    )
    return Pile([Sheet(row, asked_of(batch, row.form)) for row in rows])


def sheets(session: Session, batch: PaperBatch, wanted: Wanted) -> Page[Sheet]:
    """The forms of a batch, the last first, one page of them."""
    statement = (
        select(PaperSheet)
        .join(PaperSheet.form)
        .join(PaperForm.stratum)
        .join(Stratum.entry)
        .join(Entry.contract)
        .where(PaperSheet.batch_id == batch.id)
    )
    page = paginate(
        session,
        statement,
        wanted,
        sorts={"number": PaperSheet.number, "reference": Contract.reference, "township": Stratum.township},
        default_sort="-number",
        search=(Contract.reference, Contract.title, Stratum.township),
        tie=PaperSheet.serial_hmac,
    )
    return page.of([Sheet(row, asked_of(batch, row.form)) for row in page.rows])


def finish_keying(session: Session, batch_id: int, *, actor: Actor, now: datetime) -> PaperBatch:
    """Say that the pile is whole, and draw which forms somebody else keys once more.

    Raises:
        NotFound, NotAllowed: as `batch_of`; it is for the branch's administrator.
        Conflict: it is past that, it is empty, or the cycle does not collect.
    """
    batch = own_batch(session, batch_id, BatchState.KEYING, actor=actor)
    require_collecting(session, batch.cycle)
    sheets = session.scalars(select(PaperSheet).where(PaperSheet.batch_id == batch.id)).all()
    if not sheets:
        raise Conflict(_("The batch is empty."), remedy=_("Key its forms first, or cancel it."))
    chosen = drawn(batch.id, (sheet.serial_hmac for sheet in sheets), batch.share)
    for sheet in sheets:
        sheet.twice = sheet.serial_hmac in chosen
    batch.state = BatchState.CHECKING.value
    detail = {"forms": len(sheets), "twice": len(chosen & {sheet.serial_hmac for sheet in sheets})}
    record(session, batch, "finish_paper_keying", detail, actor=actor, now=now)
    return batch


def cancel(session: Session, batch_id: int, *, actor: Actor, now: datetime) -> None:
    """Erase a batch that is not released, with all that was keyed; its forms can be keyed in another one.

    Raises:
        NotFound, NotAllowed: as `finish_keying`.
        Conflict: it is released.
    """
    batch = own_batch(session, batch_id, BatchState.KEYING, BatchState.CHECKING, actor=actor)
    record(session, batch, "cancel_paper_batch", {"forms": erase(session, batch)}, actor=actor, now=now)
    session.delete(batch)
    session.flush()


def erase(session: Session, batch: PaperBatch) -> int:
    """Erase the staging of a batch.

    Returns:
        How many forms it held.
    """
    pile = select(PaperSheet.serial_hmac).where(PaperSheet.batch_id == batch.id)
    forms = session.scalar(select(func.count()).select_from(pile.subquery())) or 0
    in_the_database = {"synchronize_session": False}
    session.execute(delete(PaperKeying).where(PaperKeying.serial_hmac.in_(pile)), execution_options=in_the_database)
    session.execute(delete(PaperSheet).where(PaperSheet.batch_id == batch.id), execution_options=in_the_database)
    return forms


def own_batch(session: Session, batch_id: int, *states: BatchState, actor: Actor) -> PaperBatch:
    """A batch that lies wholly in the actor's branch, is in one of the states, and changes by nobody else now.

    Raises:
        NotFound, NotAllowed: as `batch_of`.
        Conflict: it is in another state.
    """
    batch = batch_of(session, batch_id, actor=actor, lock=True)
    actor.require_region(batch.region.path)
    if batch.state not in states:
        raise Conflict(
            _("The batch is not at this step any more, or not yet."),
            remedy=_("Look at the batch and go on from there."),
        )
    return batch


def require_collecting(session: Session, cycle: Cycle) -> None:
    """Raises Conflict where a cycle does not collect; until the transaction ends, it then stays as it is."""
    session.refresh(cycle, with_for_update=True)
    if cycle.state != CycleState.COLLECTING:
        raise Conflict(
            _("The cycle %(code)s does not collect answers.", code=cycle.code),
            remedy=_(
                "Forms are printed, keyed and released while a cycle collects. What was not released before its end"
                " does not count any more: cancel the batch, and note in the evaluation's file how many forms it held."
            ),
        )


def record(
    session: Session, batch: PaperBatch, act: str, detail: dict[str, Any], *, actor: Actor, now: datetime
) -> None:
    """Write counts, and nothing else, into the audit trail."""
    given = {"batch": batch.id} | detail
    subject = f"cycle:{batch.cycle.code}"
    audit.record(session, actor=actor, act=f"collection.{act}", subject=subject, now=now, detail=given)


def _batches_of(actor: Actor) -> Select[PaperBatch]:
    within = literal(actor.region_path).startswith(Region.path)
    mine = or_(within, Region.path.startswith(actor.region_path, autoescape=True))
    both = (joinedload(PaperBatch.cycle), joinedload(PaperBatch.region))
    return select(PaperBatch).join(PaperBatch.region).where(mine).options(*both)


def _own_part(session: Session, cycle: Cycle, actor: Actor) -> Region:
    """The region of a cycle, or the actor's branch within it."""
    if not actor.region_path.startswith(cycle.region.path):
        actor.require_region(cycle.region.path)
        return cycle.region
    return session.scalars(select(Region).where(Region.path == actor.region_path)).one()
