"""The forms that publish an edition and withdraw one."""

from __future__ import annotations

from datetime import date
from typing import cast

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, DateField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length

from evalsys.publication.models import OrderedBy
from evalsys.publication.withdrawals import Order


class PublishForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The person's word that this run is to be public; `run` is the one the person looked at."""

    run = HiddenField(validators=[InputRequired(), Length(max=12)])
    reason = TextAreaField(
        _l("Reason of the correction"),
        description=_l("What was wrong, and what was put right. It is published with the edition."),
        validators=[Length(max=2000, message=_l("Write at most 2000 characters."))],
    )
    marked = BooleanField(_l("Publish all the same, with these marked as under review"))
    sure = BooleanField(
        _l("I have looked at the preview. I know that a published edition can never be changed or taken back."),
        validators=[InputRequired(_l("Tick the box to publish."))],
    )

    @property
    def run_id(self) -> int:
        """The run looked at; 0, which no run has, for anything else."""
        text = str(self.run.data or "")
        return int(text) if text.isascii() and text.isdecimal() else 0


class OrderForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What a court or a superior ordered."""

    ordered_by = RadioField(
        _l("Who ordered it"),
        choices=[
            SelectChoice(OrderedBy.COURT.value, _l("a court")),
            SelectChoice(OrderedBy.SUPERIOR.value, _l("a superior authority")),
        ],
        validators=[InputRequired(_l("Choose who ordered it."))],
    )
    authority = StringField(
        _l("Name of the court or authority"),
        validators=[InputRequired(_l("Enter its name.")), Length(max=120, message=_l("Write at most 120 characters."))],
    )
    document = StringField(
        _l("Number of the document"),
        description=_l("As it stands on the judgment or the order."),
        validators=[InputRequired(_l("Enter the number.")), Length(max=80, message=_l("Write at most 80 characters."))],
    )
    ordered_on = DateField(_l("Date of the document"), validators=[InputRequired(_l("Enter the date as 2026-11-23."))])
    ground = TextAreaField(
        _l("Ground"),
        description=_l("What was ordered and why. It is published: name no person and none of the withdrawn numbers."),
        validators=[
            InputRequired(_l("Write the ground.")),
            Length(max=2000, message=_l("Write at most 2000 characters.")),
        ],
    )

    def to_request(self) -> Order:
        """As the use case takes it."""
        return Order(
            OrderedBy(self.ordered_by.data),
            str(self.authority.data).strip(),
            str(self.document.data).strip(),
            cast(date, self.ordered_on.data),
            str(self.ground.data).strip(),
        )


class ConfirmForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """The second person's word."""

    sure = BooleanField(
        _l("I have the document before me. I know that a withdrawn edition can never be shown again."),
        validators=[InputRequired(_l("Tick the box to withdraw the edition."))],
    )


class RefuseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Why the second person does not confirm."""

    why = TextAreaField(
        _l("Why the edition is not withdrawn"),
        validators=[
            InputRequired(_l("Write why.")),
            Length(max=2000, message=_l("Write at most 2000 characters.")),
        ],
    )
