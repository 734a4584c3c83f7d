"""The form that publishes."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, TextAreaField
from wtforms.validators import InputRequired, Length


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
