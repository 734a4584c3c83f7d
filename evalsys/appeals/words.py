"""Names of grounds, states and outcomes in the reader's language."""

from __future__ import annotations

from flask_babel import gettext as _

from evalsys.appeals.models import Better, Ground, ObjectionState, Outcome, RectificationState, ReplyState
from evalsys.appeals.personal_data import Kind


def ground_name(ground: str) -> str:
    names: dict[str, str] = {
        Ground.CALCULATION.value: _("The numbers do not follow from the rules"),
        Ground.RECORD.value: _("A fact that was rated or measured is wrong"),
        Ground.RATING.value: _("Ratings were influenced, or given by somebody not entitled to"),
        Ground.TIE.value: _("Somebody rated who should have stood aside"),
        Ground.PROCEDURE.value: _("A step of the procedure was left out"),
        Ground.OTHER.value: _("Another ground"),
    }
    return names[ground]


def state_name(state: str) -> str:
    names: dict[str, str] = {
        ObjectionState.FILED.value: _("filed"),
        ObjectionState.ACCEPTED.value: _("being examined"),
        ObjectionState.DECIDED.value: _("decided"),
        ObjectionState.WITHDRAWN.value: _("withdrawn by the vendor"),
    }
    return names[state]


def outcome_name(outcome: str) -> str:
    names: dict[str, str] = {
        Outcome.UPHELD.value: _("The result stands"),
        Outcome.CORRECTED.value: _("The result is corrected"),
        Outcome.REJECTED.value: _("The objection is rejected"),
    }
    return names[outcome]


def reply_state_name(state: str) -> str:
    names: dict[str, str] = {
        ReplyState.SUBMITTED.value: _("to be checked"),
        ReplyState.RETURNED.value: _("returned"),
        ReplyState.PUBLISHED.value: _("published"),
    }
    return names[state]


def personal_data_name(kind: str) -> str:
    names: dict[str, str] = {
        Kind.MOBILE.value: _("mobile number"),
        Kind.LANDLINE.value: _("telephone number"),
        Kind.ID_CARD.value: _("ID-card number"),
        Kind.BANK_CARD.value: _("bank card"),
        Kind.EMAIL.value: _("e-mail address"),
        Kind.NAME.value: _("a person's name?"),
        Kind.NUMBER.value: _("whose number?"),
    }
    return names[kind]


def rectification_state_name(state: str) -> str:
    names: dict[str, str] = {
        RectificationState.OPEN.value: _("to be put right"),
        RectificationState.REPORTED.value: _("reported, to be checked"),
        RectificationState.DONE.value: _("put right"),
    }
    return names[state]


def better_name(answer: Better) -> str:
    names: dict[Better, str] = {
        Better.BETTER: _("It got better"),
        Better.SAME: _("It did not change"),
        Better.WORSE: _("It got worse"),
        Better.UNKNOWN: _("I cannot say"),
    }
    return names[answer]
