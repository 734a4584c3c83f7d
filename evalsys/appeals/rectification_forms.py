"""Forms of rectifications: shapes only."""

from __future__ import annotations

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    IntegerField,
    MultipleFileField,
    RadioField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from evalsys.appeals.files import MOST_FILES
from evalsys.appeals.follow_up import MOST_CODES
from evalsys.appeals.rectifying import LONGEST, LONGEST_NOTE, SHORTEST

DONE, RETURNED = "done", "returned"


def _text(label: LazyString, description: LazyString, most: int) -> TextAreaField:
    return TextAreaField(
        label,
        description=description,
        validators=[
            InputRequired(_l("Write it down.")),
            Length(
                min=SHORTEST,
                max=most,
                message=_l("Write between %(least)s and %(most)s characters.", least=SHORTEST, most=most),
            ),
        ],
    )


class OpenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The day for all; each contract's demand stands beside it on the page."""

    due_on = DateField(
        _l("Due date"),
        description=_l("For all contracts that are ticked."),
        validators=[InputRequired(_l("Choose a day."))],
    )


class ReportForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    report = _text(
        _l("What was done"),
        _l("Go through the demands one by one. Name no recipient."),
        LONGEST,
    )
    files = MultipleFileField(
        _l("Evidence"),
        description=_l("Photos, PDF, Word or Excel; at most %(most)s files, 20 MB each.", most=MOST_FILES),
    )


class CheckForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    result = RadioField(
        _l("What the check found"),
        choices=[
            SelectChoice(DONE, _l("It is put right")),
            SelectChoice(RETURNED, _l("It is not enough; the vendor has to go on")),
        ],
        validators=[InputRequired(_l("Choose one."))],
    )
    note = _text(_l("How it was checked, and what was found"), _l("The vendor reads it."), LONGEST_NOTE)
    due_on = DateField(
        _l("New due date"), description=_l("Only where the vendor has to go on."), validators=[Optional()]
    )

    def validate(self, extra_validators: object = None) -> bool:
        """Who sends it back says until when."""
        right = bool(super().validate(extra_validators))
        if self.result.data == RETURNED and not self.due_on.data and not self.due_on.errors:
            self.due_on.errors = [_l("Choose a day.")]
            right = False
        return right


class SlipsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    count = IntegerField(
        _l("Slips"),
        description=_l("One for each recipient to be asked; five have to answer before anything is told."),
        validators=[
            InputRequired(_l("Write a whole number.")),
            NumberRange(1, MOST_CODES, _l("Write a number from 1 to %(most)s.", most=MOST_CODES)),
        ],
    )
    phone = StringField(
        _l("Telephone on the slips"),
        description=_l("Of the office that answers questions."),
        filters=[lambda text: (text or "").strip()],
        validators=[Length(max=25, message=_l("Shorten it to %(limit)s characters.", limit=25))],
    )


class EndForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Confirms what cannot be undone."""

    sure = BooleanField(
        _l("Slips that nobody has used yet become worthless, and no more can be made."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


class LiftForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Nothing but the button."""
