"""The release of a batch: its answers begin to count, and everything that joins them to forms and clerks is erased.

The answers enter by the statements of every other one, under random keys and in random order, all in one transaction.
Which of the recipients with a form have answered nobody knows: as many of their invitations as forms came back are
drawn by lot and marked as used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from random import SystemRandom
from typing import Any, cast

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.collection.closing import TOLD_FROM
from evalsys.collection.models import Invitation, Mode, TimeBand
from evalsys.collection.paper_batches import Pile, erase, own_batch, pile_of, record, require_collecting
from evalsys.collection.paper_forms import ON_PAPER, PaperKeys
from evalsys.collection.paper_models import BatchState, PaperBatch
from evalsys.collection.submission import LARGEST_GROUP, Execute, Submission, leaf_of, store, with_places
from evalsys.registry.models import Stratum

_LOT = SystemRandom()


def release(session: Session, batch_id: int, *, keys: PaperKeys, actor: Actor, now: datetime) -> PaperBatch:
    """Let the answers of a checked batch count, and keep nothing of it but counts.

    Raises:
        NotFound, NotAllowed: as `own_batch`.
        Conflict: something is left to key or to settle, the cycle does not collect, or more forms came back from a part
            of the frame than recipients were given one.
    """
    batch = own_batch(session, batch_id, BatchState.CHECKING, actor=actor)
    require_collecting(session, batch.cycle)
    pile = pile_of(session, batch)
    _require_checked(pile)
    submissions = _submissions(session, pile, keys)
    _LOT.shuffle(submissions)
    execute = _within(session)
    for at in range(0, len(submissions), LARGEST_GROUP):
        store(submissions[at : at + LARGEST_GROUP], execute)
    for sheet in pile.sheets:
        sheet.row.form.released = True
    batch.forms, batch.twice = len(pile.sheets), pile.twice
    batch.compared, batch.differing = pile.compared, pile.differing
    batch.state, batch.released_at, batch.released_by = BatchState.RELEASED.value, now, actor.name
    counts = {name: getattr(batch, name) for name in ("forms", "twice", "compared", "differing")}
    erase(session, batch)
    record(session, batch, "release_paper_batch", counts, actor=actor, now=now)
    session.flush()
    return batch


def _require_checked(pile: Pile) -> None:
    waiting, unsettled = len(pile.waiting), len(pile.unsettled)
    left = [
        ngettext("%(num)d form is to be keyed a second time.", "%(num)d forms are to be keyed a second time.", waiting)
        if waiting
        else "",
        ngettext(
            "%(num)d form with differences is not settled.",
            "%(num)d forms with differences are not settled.",
            unsettled,
        )
        if unsettled
        else "",
    ]
    if any(left):
        raise Conflict(
            _("The batch is not checked yet."),
            remedy=_("Finish these first; then release it."),
            details=[line for line in left if line],
        )


def _submissions(session: Session, pile: Pile, keys: PaperKeys) -> list[Submission]:
    forms = [sheet.row.form for sheet in pile.sheets]
    free, told = _given_forms(session, {form.stratum_id for form in forms})
    return [
        Submission(
            invitation_id=_drawn_place(free[form.stratum_id], sheet.contract.reference),
            entry_id=form.stratum.entry_id,
            stratum_id=form.stratum_id if form.stratum_id in told else None,
            ratings={code: None if level is None else float(level) for code, level in sheet.answers.items()},
            time_band=TimeBand.UNKNOWN,
            leaf=leaf_of(sheet.contract.reference, keys.receipt_of(form.serial_hmac)),
            day=None,
            mode=Mode.PAPER,
        )
        for sheet, form in zip(pile.sheets, forms, strict=True)
    ]


def _given_forms(session: Session, strata: Iterable[int]) -> tuple[dict[int, list[int]], set[int]]:
    """By part: invitations of recipients with a form that nothing has come back for, shuffled; and the parts to tell.

    A part is told where at least five of it got a form: with the way of answering it would else point to few.
    """
    of_parts = (ON_PAPER, Invitation.stratum_id.in_(list(strata)))
    free: dict[int, list[int]] = defaultdict(list)
    for place in session.scalars(select(Invitation).where(*of_parts, ~Invitation.used).with_for_update()):
        free[cast(int, place.stratum_id)].append(place.id)
    for places in free.values():
        _LOT.shuffle(places)
    many = (
        select(Stratum.id).join(Invitation, Invitation.stratum_id == Stratum.id).where(*of_parts).group_by(Stratum.id)
    )
    return free, set(session.scalars(many.having(func.count() >= TOLD_FROM)))


def _drawn_place(places: list[int], reference: str) -> int:
    if not places:
        raise Conflict(
            _("More forms of %(contract)s came back than recipients were given one.", contract=reference),
            remedy=_("Cancel the batch, and find out where the other forms come from before anything is keyed again."),
        )
    return places.pop()


def _within(session: Session) -> Execute:
    """Runs the survey's own statements inside a session's transaction."""
    raw: Any = session.connection().connection.driver_connection
    mark = "?" if session.get_bind().dialect.name == "sqlite" else "%s"

    def execute(statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        native = with_places(statement, len(rows), len(rows[0])).replace("?", mark)
        raw.execute(native, [value for row in rows for value in row])

    return execute
