"""The form of a new access token: its shape only."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput

from evalsys.accounts.access_tokens import DAYS, SCOPES, USUAL_DAYS, CreateToken
from evalsys.accounts.models import Scope


class TokenForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    name = StringField(
        _l("Name of the program"),
        description=_l("So that you know later which token is whose."),
        validators=[InputRequired(_l("Enter a name.")), Length(max=60)],
    )
    scopes = SelectMultipleField(_l("The program may read"), coerce=Scope, option_widget=CheckboxInput())
    region_id = SelectField(
        _l("Region"),
        description=_l("The program reads this region and everything below it."),
        coerce=int,
        validators=[InputRequired(_l("Choose a region."))],
    )
    days = RadioField(
        _l("Valid for"), coerce=int, default=USUAL_DAYS, validators=[InputRequired(_l("Choose how long."))]
    )

    @classmethod
    def offering(cls, regions: Sequence[tuple[int, str]]) -> TokenForm:
        """The form with its lists filled."""
        form = cls()
        form.region_id.choices = [SelectChoice(str(number), name) for number, name in regions]
        form.scopes.choices = [SelectChoice(scope.value, f"{name} ({scope.value})") for scope, name in SCOPES.items()]
        form.days.choices = [SelectChoice(str(days), _("%(count)s days", count=days)) for days in DAYS]
        return form

    def validate_scopes(self, field: SelectMultipleField) -> None:
        """InputRequired would have the browser ask for every single box."""
        if not field.data:
            raise ValidationError(_("Choose at least one."))

    def to_request(self) -> CreateToken:
        return CreateToken(str(self.name.data), self.region_id.data, self.scopes.data or (), self.days.data)
