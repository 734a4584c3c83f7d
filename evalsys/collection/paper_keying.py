"""Keying forms: what may be keyed by whom, the first and the second time, and what the paper says where they differ.

No act here writes an audit entry: it would keep who keyed which form when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.collection.codes import read_code
from evalsys.collection.interview_cases import in_reach
from evalsys.collection.paper_answers import Answers, read_keys
from evalsys.collection.paper_batches import (
    FIRST,
    SECOND,
    SETTLED,
    asked_of,
    batch_of,
    own_batch,
    pile_of,
    require_collecting,
)
from evalsys.collection.paper_forms import PaperKeys
from evalsys.collection.paper_models import BatchState, PaperBatch, PaperForm, PaperKeying, PaperSheet
from evalsys.collection.survey import Question
from evalsys.registry.models import Contract, Entry, Region, Stratum


class KeysFaulty(Invalid):
    """Some of what was typed is no answer.

    Attributes:
        faults: what is wrong, by criterion.
    """

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(_("Not saved yet. Please look at the marked answers."))
        self.faults = faults


@dataclass(frozen=True)
class ToKey:
    """A form in somebody's hands.

    Attributes:
        sheet: None for a form that is new to the pile.
        turn: FIRST or SECOND.
        answers: what the same person keyed before, to be put right; None for the first time. Never somebody else's.
    """

    batch: PaperBatch
    form: PaperForm
    sheet: PaperSheet | None
    turn: int
    questions: tuple[Question, ...]
    answers: Answers | None


def form_to_key(session: Session, batch_id: int, typed: str, *, keys: PaperKeys, actor: Actor) -> ToKey:
    """The form that has a serial, for somebody who may key it now.

    Raises:
        NotFound, NotAllowed: as `batch_of`; or the form is out of the actor's reach, or keyed by the actor before.
        Invalid: it is no serial of this cycle's forms.
        Conflict: the form was counted, is in another batch, or was keyed already.
    """
    batch = batch_of(session, batch_id, actor=actor, lock=True)
    require_collecting(session, batch.cycle)
    form = _form_of(session, batch, typed, keys)
    _require_reach(session, batch, form, actor)
    sheet = session.get(PaperSheet, form.serial_hmac)
    if batch.state == BatchState.RELEASED or form.released:
        raise Conflict(
            _("This form was counted already, or its batch is released."),
            remedy=_("Lay it with those that are done; each form counts once."),
        )
    if sheet is not None and sheet.batch_id != batch.id:
        raise Conflict(
            _("This form lies in the batch no. %(number)s.", number=sheet.batch_id),
            remedy=_("Lay it back there; a form is keyed in one batch."),
        )
    turn = FIRST if batch.state == BatchState.KEYING else SECOND
    if sheet is None and turn == SECOND:
        raise Conflict(
            _("The pile of this batch is closed, and the form is not in it."), remedy=_("Key it in another batch.")
        )
    own = _own_keying(sheet, turn, actor) if sheet else None
    return ToKey(batch, form, sheet, turn, asked_of(batch, form), own.answers if own else None)


def key_form(
    session: Session, batch_id: int, serial: str, typed: Mapping[str, str], *, keys: PaperKeys, actor: Actor
) -> PaperSheet:
    """Keep what somebody read off a form.

    Args:
        typed: a key for each question, by criterion.

    Returns:
        The form in the pile.

    Raises:
        NotFound, NotAllowed, Invalid, Conflict: as `form_to_key`.
        KeysFaulty: not all of what was typed is an answer.
    """
    found = form_to_key(session, batch_id, serial, keys=keys, actor=actor)
    sheet = keep_keys(session, found, typed, actor=actor)
    if found.turn == SECOND:
        key_all_where_many_differ(session, found.batch)
    return sheet


def keep_keys(session: Session, found: ToKey, typed: Mapping[str, str], *, actor: Actor) -> PaperSheet:
    """`key_form` without a look at the others; after the last form comes `key_all_where_many_differ`."""
    answers, faults = read_keys(found.questions, typed)
    if faults:
        raise KeysFaulty(faults)
    sheet = found.sheet or _laid_down(session, found)
    _keep(session, sheet, found.turn, answers, actor)
    return sheet


def key_all_where_many_differ(session: Session, batch: PaperBatch) -> None:
    """Where too much differs after the last form of the sample, let all others be keyed twice too."""
    pile = pile_of(session, batch)
    if pile.needs_all:
        for other in pile.sheets:
            other.row.twice = True


def take_out(session: Session, batch_id: int, serial: str, *, keys: PaperKeys, actor: Actor) -> None:
    """Take a form out of a pile that is still being keyed; whoever keyed it may.

    Raises:
        NotFound, NotAllowed, Invalid, Conflict: as `form_to_key`; Conflict also where it is not in the pile.
    """
    found = form_to_key(session, batch_id, serial, keys=keys, actor=actor)
    if found.sheet is None or found.turn != FIRST:
        raise Conflict(_("This form is not in the pile."), remedy=_("Look at the list of the batch."))
    session.delete(found.sheet)
    session.flush()


def settle(session: Session, batch_id: int, number: int, typed: Mapping[str, str], *, actor: Actor) -> None:
    """Say what a form really says where two people keyed different answers.

    Args:
        number: of the form in the pile.
        typed: a key for each question that differs, by criterion.

    Raises:
        NotFound: the batch has no such form; else as `own_batch`.
        Conflict: nothing differs there, or the cycle does not collect.
        KeysFaulty: not all of what was typed is an answer.
    """
    batch = own_batch(session, batch_id, BatchState.CHECKING, actor=actor)
    require_collecting(session, batch.cycle)
    sheet = next((sheet for sheet in pile_of(session, batch).sheets if sheet.row.number == number), None)
    if sheet is None:
        raise NotFound(_("The batch has no form with this number."), remedy=_("Choose one from the list."))
    if not sheet.differing:
        raise Conflict(_("Nothing differs on this form."), remedy=_("Go on with the next one."))
    first = sheet.keyings[FIRST].answers
    agreed = {code: level for code, level in first.items() if code not in {q.code for q in sheet.differing}}
    said, faults = read_keys(sheet.differing, typed, may_be_empty=bool(agreed))
    if faults:
        raise KeysFaulty(faults)
    _keep(session, sheet.row, SETTLED, agreed | said, actor)


def _form_of(session: Session, batch: PaperBatch, typed: str, keys: PaperKeys) -> PaperForm:
    serial = read_code(typed)
    if serial is None:
        raise Invalid(_("This is no serial of a form."), remedy=_("Compare it with the paper, character by character."))
    form = session.get(PaperForm, keys.hashed(serial))
    if form is None or form.stratum.entry.cycle_id != batch.cycle_id:
        raise Invalid(
            _("No form of the cycle %(code)s has this serial.", code=batch.cycle.code),
            remedy=_("It was withdrawn, or belongs to another cycle: compare the year on the paper, and lay it aside."),
        )
    return form


def _require_reach(session: Session, batch: PaperBatch, form: PaperForm, actor: Actor) -> None:
    vendor_id, near, here = session.execute(
        select(Contract.vendor_id, in_reach(actor.region_path), in_reach(batch.region.path))
        .select_from(Stratum)
        .join(Entry, Stratum.entry_id == Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Stratum.id == form.stratum_id)
    ).one()
    if not near or not here:
        raise NotAllowed(
            _("This form comes from another region."), remedy=_("Hand it to those who key the forms of that region.")
        )
    if actor.vendor_id is not None and vendor_id == actor.vendor_id:
        raise NotAllowed(
            _("Your employer provides the service that this form is about."), remedy=_("Somebody else has to key it.")
        )


def _own_keying(sheet: PaperSheet, turn: int, actor: Actor) -> PaperKeying | None:
    """What the actor keyed off a form of the pile; None where it is the actor's turn to do so."""
    by_turn = {keying.turn: keying for keying in sheet.keyings}
    if turn == SECOND and not sheet.twice:
        raise Conflict(
            _("The form no. %(number)s was not drawn.", number=sheet.number),
            remedy=_("Key those whose numbers the page of the batch names."),
        )
    if turn == SECOND and by_turn[FIRST].account_id == actor.account_id:
        raise NotAllowed(
            _("You keyed the form no. %(number)s the first time.", number=sheet.number),
            remedy=_("Another person has to key it now."),
        )
    own = by_turn.get(turn)
    if own is not None and (own.account_id != actor.account_id or SETTLED in by_turn):
        raise Conflict(
            _("The form no. %(number)s was keyed already.", number=sheet.number),
            remedy=_("Go on with the next one; whoever keyed it can put it right."),
        )
    return own


def _laid_down(session: Session, found: ToKey) -> PaperSheet:
    last = session.scalar(select(func.max(PaperSheet.number)).where(PaperSheet.batch_id == found.batch.id)) or 0
    sheet = PaperSheet(serial_hmac=found.form.serial_hmac, batch_id=found.batch.id, number=last + 1)
    session.add(sheet)
    session.flush()
    return sheet


def _keep(session: Session, sheet: PaperSheet, turn: int, answers: Answers, actor: Actor) -> None:
    keying = session.get(PaperKeying, (sheet.serial_hmac, turn))
    if keying is None:
        keying = PaperKeying(serial_hmac=sheet.serial_hmac, turn=turn, answers={})
        session.add(keying)
    keying.answers, keying.account_id = dict(answers), actor.account_id or 0
    session.flush()
