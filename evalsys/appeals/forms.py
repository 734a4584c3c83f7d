"""Forms of objections."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import MultipleFileField
from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired

from evalsys.appeals.files import Sent, sent_with
from evalsys.appeals.models import Ground, Outcome
from evalsys.appeals.objections import Filing
from evalsys.appeals.words import ground_name, outcome_name


class ObjectionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    ground = RadioField(_l("What the objection rests on"), validators=[InputRequired(_l("Choose one."))])
    statement = TextAreaField(
        _l("Statement"),
        description=_l("What is wrong, and what shows it: 10 to 3000 characters. It is not published."),
        validators=[InputRequired(_l("Say what is wrong."))],
    )
    files = MultipleFileField(
        _l("Evidence"),
        description=_l("At most 5 files: photo (JPEG, PNG), PDF, Excel (.xlsx) or recording, at most 20 MB each."),
    )
    sure = BooleanField(
        _l("What I say is true as far as I know."), validators=[InputRequired(_l("Tick the box to file it."))]
    )

    def offer(self) -> None:
        """Fill in the grounds, in the reader's language."""
        self.ground.choices = [SelectChoice(ground.value, ground_name(ground)) for ground in Ground]

    def to_filing(self) -> Filing:
        sent: list[Sent] = sent_with(self.files.data or [])
        return Filing(str(self.ground.data or ""), str(self.statement.data or ""), sent)


class ReasonForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    reason = TextAreaField(_l("Reason"), validators=[InputRequired(_l("Write the reason."))])


class RecusalForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    why = StringField(
        _l("Why you stand aside"),
        description=_l("For example a tie with the vendor within the last two years."),
        validators=[InputRequired(_l("Say why."))],
    )


class DecisionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    outcome = RadioField(_l("Outcome"), validators=[InputRequired(_l("Choose an outcome."))])
    reasons = TextAreaField(
        _l("Reasons"),
        description=_l("Published with the decision; name no recipient and no rater."),
        validators=[InputRequired(_l("Write the reasons."))],
    )
    no_tie = BooleanField(_l("I have had no tie with the vendor within the last two years."))

    def offer(self, *outcomes: Outcome) -> None:
        """Fill in the outcomes that are possible now, in the reader's language."""
        self.outcome.choices = [SelectChoice(one.value, outcome_name(one)) for one in outcomes]
