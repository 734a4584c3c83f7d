"""Forms of replies: shapes only."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, HiddenField, SelectMultipleField, TextAreaField
from wtforms.validators import InputRequired, Length

from evalsys.appeals.replies import LONGEST


class WriteForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The first step: the words. The use case counts them."""

    text = TextAreaField(
        _l("Your reply"),
        description=_l("At most %(most)s characters. Name nobody who is served, and nobody's number.", most=LONGEST),
        validators=[InputRequired(_l("Write what readers should know."))],
    )


class SubmitForm(WriteForm):
    """The second step: files, and that it stays for good."""

    files = MultipleFileField(
        _l("Files"),
        description=_l(
            "At most 5: photo (JPEG, PNG), PDF, Excel (.xlsx) or recording (MP3, M4A, WAV, Ogg), each at most 20 MB, "
            "together at most 32 MB. They become public with the reply."
        ),
    )
    kept = SelectMultipleField(_l("Attached before"), coerce=int, validate_choice=False)
    permanent = BooleanField(
        _l("I have read this reply as it will stand. Once published, nobody can change it or take it back."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )


class PublishForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What the officer looked at; `looked` and `left_out` hold numbers of files."""

    seen = HiddenField(validators=[InputRequired()])
    looked = SelectMultipleField(_l("Files without personal data"), coerce=int, validate_choice=False)
    left_out = SelectMultipleField(_l("Files that are left out"), coerce=int, validate_choice=False)
    judged = BooleanField(_l("The places marked “look here” name no person who could be known by it"))


class ReturnForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    seen = HiddenField(validators=[InputRequired()])
    reason = TextAreaField(
        _l("What has to be changed"),
        description=_l("The vendor reads it, nobody else does."),
        validators=[InputRequired(_l("Write what has to be changed.")), Length(max=500)],
    )
