"""Forms of the named raters and of those who assign them: shapes only."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, Optional

from evalsys.collection.assessment_form import clean
from evalsys.collection.models import Mode


class AssignForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The view fills in the evaluators to choose from; the entries are the ticked rows of the list."""

    entry_ids = SelectMultipleField(_l("Contracts"), coerce=int, validate_choice=False)
    account_id = SelectField(_l("Evaluator"), coerce=int, validators=[InputRequired(_l("Choose an evaluator."))])
    due_on = DateField(
        _l("Due date"),
        description=_l("Left empty, it is the day on which collecting closes."),
        validators=[Optional()],
    )


class EvidenceForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The view fills in the questions to choose from."""

    file = FileField(
        _l("File"),
        description=_l("Photo (JPEG, PNG), PDF, Excel (.xlsx) or recording (MP3, M4A, WAV, Ogg), at most 20 MB."),
        validators=[FileRequired(_l("Choose a file."))],
    )
    criterion = SelectField(_l("What it supports"), validate_choice=False, filters=[clean])
    acceptance = BooleanField(_l("It shows the acceptance inspection"))


class RatingsFileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    file = FileField(
        _l("File with ratings"),
        description=_l("Excel (.xlsx) or CSV in UTF-8 or GB18030, at most 32 MB."),
        validators=[FileRequired(_l("Choose a file."))],
    )


class TableFileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    file = FileField(
        _l("Table"),
        description=_l("Excel (.xlsx) or CSV in UTF-8 or GB18030, at most 32 MB."),
        validators=[FileRequired(_l("Choose a file."))],
    )


class ConfirmRatingsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    replace = BooleanField(_l("Replace these ratings by those of the file"))


class CodeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A recipient's own code, and how the recipient is asked."""

    code = StringField(
        _l("The recipient's code"),
        description=_l("10 characters on the slip, in any case, with or without dashes."),
        validators=[InputRequired(_l("Enter the code.")), Length(max=80)],
    )
    mode = RadioField(
        _l("How do you ask?"),
        choices=[
            SelectChoice(Mode.ASSISTED.value, _l("In person")),
            SelectChoice(Mode.TELEPHONE.value, _l("By telephone")),
        ],
        validators=[InputRequired(_l("Choose how you ask."))],
    )
