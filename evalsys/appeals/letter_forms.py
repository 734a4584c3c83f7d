"""Forms of sealed letters: shapes only."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length

from evalsys.collection.assessment_form import clean


class CodeForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    code = StringField(
        _l("The code in the letter"),
        description=_l("10 characters, in any case, with or without dashes."),
        validators=[InputRequired(_l("Enter the code.")), Length(max=80, message=_l("This is no code of a letter."))],
    )


class PrintForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """To whom, from whom, and that the letters can be had only once."""

    vendors = SelectMultipleField(_l("Vendors"), coerce=int, validate_choice=False)
    office = StringField(
        _l("Office that writes"),
        filters=[clean],
        validators=[
            InputRequired(_l("Write the name of the office.")),
            Length(max=40, message=_l("Shorten it to %(limit)s characters.", limit=40)),
        ],
    )
    address = StringField(
        _l("Its address"),
        description=_l("Where an objection on paper is sent."),
        filters=[clean],
        validators=[
            InputRequired(_l("Write the address of the office.")),
            Length(max=80, message=_l("Shorten it to %(limit)s characters.", limit=80)),
        ],
    )
    phone = StringField(
        _l("Telephone on the letters"),
        filters=[clean],
        validators=[Length(max=25, message=_l("Shorten it to %(limit)s characters.", limit=25))],
    )
    kept = BooleanField(
        _l("I will print the file and then delete it. It cannot be had again, and older letters to these vendors end."),
        validators=[InputRequired(_l("Please confirm this first."))],
    )
