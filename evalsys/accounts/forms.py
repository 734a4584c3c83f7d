"""Forms of signing in and of accounts: shapes only."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import PasswordField, SelectField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

from evalsys.accounts import passwords


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    username = StringField(_l("User name"), validators=[InputRequired(_l("Enter your user name.")), Length(max=200)])
    password = PasswordField(_l("Password"), validators=[InputRequired(_l("Enter your password.")), Length(max=1000)])


class OwnPasswordForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    present = PasswordField(_l("Present password"), validators=[InputRequired(_l("Enter your present password."))])
    fresh = PasswordField(
        _l("New password"),
        description=_l(
            "At least %(count)s characters, without your user name or name; a sentence only you think of is good.",
            count=passwords.SHORTEST,
        ),
        validators=[InputRequired(_l("Enter a new password."))],
    )
    again = PasswordField(
        _l("New password again"),
        validators=[
            InputRequired(_l("Enter the new password a second time.")),
            EqualTo("fresh", _l("The two new passwords differ. Enter the same twice.")),
        ],
    )


class NewAccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """For one role; the view takes away the body's fields that the role has no use for."""

    username = StringField(
        _l("User name"),
        description=_l("3 to 60 letters, digits or characters of . _ - @, without blanks. It cannot be changed later."),
        validators=[InputRequired(_l("Enter a user name.")), Length(max=60)],
    )
    name = StringField(
        _l("Name of the person"),
        description=_l("The audit trail and the person's own pages show it."),
        validators=[InputRequired(_l("Enter the person's name.")), Length(max=60)],
    )
    region_id = SelectField(
        _l("Region"),
        description=_l("The person acts in this region and everything below it."),
        coerce=int,
        validators=[InputRequired(_l("Choose a region."))],
    )
    purchaser_id = SelectField(_l("Purchaser"), coerce=int, validators=[InputRequired(_l("Choose a purchaser."))])
    evaluator_body_id = SelectField(
        _l("Evaluators' body"), coerce=int, validators=[InputRequired(_l("Choose an evaluators' body."))]
    )
    vendor_credit_code = StringField(
        _l("Credit code of the vendor"),
        description=_l("18 characters; the vendor must stand in the register."),
        validators=[InputRequired(_l("Enter the vendor's credit code.")), Length(max=40)],
    )


class EditAccountForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    name = StringField(
        _l("Name of the person"), validators=[InputRequired(_l("Enter the person's name.")), Length(max=60)]
    )
    region_id = SelectField(
        _l("Region"),
        description=_l("The person acts in this region and everything below it."),
        coerce=int,
        validators=[InputRequired(_l("Choose a region."))],
    )
