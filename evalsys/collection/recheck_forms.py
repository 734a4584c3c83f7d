"""Forms of drawing and recording rechecks: shapes only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import IntegerField, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, Optional

from evalsys.collection.interview_models import LEAST_SHARE, How, Lasted, Result, Suggested, WithWhom
from evalsys.collection.rechecks import LONGEST_SEED, Said

RESULTS: dict[Result, LazyString] = {
    Result.CONFIRMED: _l("The interview took place"),
    Result.NOT_CONFIRMED: _l("It did not take place, or the recipient answered alone"),
    Result.UNREACHABLE: _l("Not reached"),
}
HOW: dict[How, LazyString] = {How.IN_PERSON: _l("In person"), How.TELEPHONE: _l("By telephone")}
WITH_WHOM: dict[WithWhom, LazyString] = {
    WithWhom.RECIPIENT: _l("The recipient"),
    WithWhom.RELATIVE: _l("A relative or guardian for the recipient"),
    WithWhom.OTHER: _l("Somebody else"),
}
LASTED: dict[Lasted, LazyString] = {
    Lasted.UNDER_5: _l("Less than 5 minutes"),
    Lasted.FROM_5_TO_15: _l("5 to 15 minutes"),
    Lasted.OVER_15: _l("More than 15 minutes"),
    Lasted.UNKNOWN: _l("Does not remember"),
}
SUGGESTED: dict[Suggested, LazyString] = {
    Suggested.NO: _l("No"),
    Suggested.YES: _l("Yes"),
    Suggested.UNKNOWN: _l("Does not remember"),
}


class DrawForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    share = IntegerField(
        _l("Share of each interviewer's interviews, in per cent"),
        description=_l("At least 30."),
        default=round(100 * LEAST_SHARE),
        validators=[InputRequired(_l("Write a whole number."))],
    )
    seed = StringField(
        _l("Seed"),
        description=_l(
            "What nobody could choose beforehand, such as a date with that day's lottery numbers. It is published; "
            "with it anybody can draw again."
        ),
        filters=[lambda text: (text or "").strip()],
        validators=[
            InputRequired(_l("Write a seed.")),
            Length(max=LONGEST_SEED, message=_l("Shorten it to %(limit)s characters.", limit=LONGEST_SEED)),
        ],
    )


def _radio(label: LazyString, names: Mapping[Any, LazyString], *, needed: bool = False) -> RadioField:
    return RadioField(
        label,
        choices=[SelectChoice(value.value, name) for value, name in names.items()],
        validators=[InputRequired(_l("Choose one.")) if needed else Optional()],
    )


class RecheckForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """All but the result is asked only where the interview took place."""

    result = _radio(_l("Did the interview take place?"), RESULTS, needed=True)
    how = _radio(_l("How?"), HOW)
    with_whom = _radio(_l("Who answered?"), WITH_WHOM)
    lasted = _radio(_l("How long did it take, roughly?"), LASTED)
    suggested = _radio(_l("Did the interviewer suggest what to answer?"), SUGGESTED)

    def validate(self, extra_validators: object = None) -> bool:
        """What belongs to an interview that took place is given with it."""
        right = bool(super().validate(extra_validators))
        if self.result.data == Result.CONFIRMED:
            for field in (self.how, self.with_whom, self.lasted, self.suggested):
                if not field.data and not field.errors:
                    field.errors = [_l("Choose one.")]
                    right = False
        return right

    def said(self) -> Said:
        """What the recipient says; only after the form has been validated."""
        result = Result(self.result.data)
        if result is not Result.CONFIRMED:
            return Said(result)
        return Said(
            result,
            How(self.how.data),
            WithWhom(self.with_whom.data),
            Lasted(self.lasted.data),
            Suggested(self.suggested.data),
        )
