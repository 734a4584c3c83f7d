"""Forms of signing in and of accounts: shapes only."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import EqualTo, InputRequired, Length

from evalsys.accounts import passwords
from evalsys.accounts.queries import Choices
from evalsys.accounts.usecases import CreateAccount, EditAccount
from evalsys.base.access import Role


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


class _PersonForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
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
    email = StringField(
        _l("E-mail address"),
        description=_l("Reminders of overdue work go there."),
        validators=[Length(max=120, message=_l("Shorten it to %(limit)s characters.", limit=120))],
    )


class EditAccountForm(_PersonForm):
    def offer(self, choices: Choices) -> None:
        """Fill the list of regions."""
        self.region_id.choices = _options(choices.regions)

    def to_request(self) -> EditAccount:
        return EditAccount(str(self.name.data), self.region_id.data, self.email.data or "")


class NewAccountForm(_PersonForm):
    """For one role: only the body that this role acts for is asked."""

    username = StringField(
        _l("User name"),
        description=_l("3 to 60 letters, digits or characters of . _ - @, without blanks. It cannot be changed later."),
        validators=[InputRequired(_l("Enter a user name.")), Length(max=60)],
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

    employer_credit_code = StringField(
        _l("Credit code of the vendor that employs the person"),
        description=_l("If a vendor does; the person then cannot ask recipients about that vendor."),
        validators=[Length(max=40)],
    )

    @classmethod
    def for_role(cls, role: Role, choices: Choices) -> NewAccountForm:
        """The form with its lists filled, without the bodies of other roles."""
        form = cls()
        form.role = role
        form.region_id.choices = _options(choices.regions)
        form.purchaser_id.choices = _options(choices.purchasers)
        form.evaluator_body_id.choices = _options(choices.evaluator_bodies)
        for name, its_role in _BODIES.items():
            if its_role != role:
                del form[name]
        if role != Role.INTERVIEWER:
            del form.employer_credit_code
        return form

    @property
    def body(self) -> Field | None:
        """The field that names the body, for the roles that act for one."""
        return next((self[name] for name in _BODIES if name in self), None)

    def to_request(self) -> CreateAccount:
        body = {self.body.name: self.body.data} if self.body else {}
        if "employer_credit_code" in self:
            body["vendor_credit_code"] = self.employer_credit_code.data or ""
        return CreateAccount(
            username=str(self.username.data),
            name=str(self.name.data),
            role=self.role,
            region_id=self.region_id.data,
            email=self.email.data or "",
            **body,
        )


_BODIES = {
    "purchaser_id": Role.PURCHASER,
    "evaluator_body_id": Role.EVALUATOR,
    "vendor_credit_code": Role.VENDOR,
}


def _options(pairs: Sequence[tuple[int, str]]) -> list[SelectChoice]:
    return [SelectChoice(str(key), label) for key, label in pairs]
