"""Forms of scoring and of deciding about flagged ratings."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length

from evalsys.evaluation.holds import LONGEST_REASON
from evalsys.evaluation.models import FlagState


class RunForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Asks, from the second run on, whether to learn the pooled terms anew; soon after collecting, whether to wait."""

    refit = BooleanField(
        _l("Learn the spread of ratings anew"),
        description=_l("Leave this empty unless many ratings changed: with it, the margins of all contracts may move."),
    )
    early = BooleanField(
        _l("Do not wait for the surveys that are still open"),
        description=_l("What recipients send after this is not taken. The audit trail keeps that you chose this."),
    )


class DecisionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What a person decides about the ticked flags, and why; `sure` comes only from the page that shows the effect."""

    decision = RadioField(
        _l("Decision"),
        choices=[
            SelectChoice(
                FlagState.HELD.value, _l("Hold back: count these ratings nowhere until somebody releases them")
            ),
            SelectChoice(FlagState.RELEASED.value, _l("Release: count these ratings")),
        ],
        validators=[InputRequired()],
    )
    reason = TextAreaField(
        _l("Reason"),
        description=_l("What you checked, and why this follows. It is kept in the audit trail."),
        validators=[InputRequired(), Length(max=LONGEST_REASON)],
    )
    sure = HiddenField()


class ScanForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Asks for nothing; keeps the page from being sent by another site."""
