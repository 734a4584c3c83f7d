"""Forms of the named raters and of those who assign them: shapes only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import (
    BooleanField,
    DateField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, Optional

from evalsys.collection.assessments import Answer
from evalsys.collection.models import Mode
from evalsys.collection.questionnaire import Question, Questionnaire, number_in

NOT_APPLICABLE = "na"
COMMENT_LIMIT = 2000


class AssessmentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A questionnaire; `assessment_form` adds the fields `value-CODE` and `comment-CODE` of each question."""

    version = HiddenField()

    def value(self, code: str) -> Field:
        """The field of a question's answer."""
        return self[f"value-{code}"]  # type: ignore[no-any-return]  # Flask-WTF is untyped

    def comment(self, code: str) -> Field:
        """The field of a question's comment."""
        return self[f"comment-{code}"]  # type: ignore[no-any-return]  # Flask-WTF is untyped

    def answers(self, asked: Questionnaire) -> dict[str, Answer]:
        """What the rater gave; only after the form has been validated."""
        return {q.code: _answer(self.value(q.code).data or "", self.comment(q.code).data or "") for q in asked}


def _answer(value: str, comment: str) -> Answer:
    if value == NOT_APPLICABLE:
        return Answer(not_applicable=True, comment=comment)
    return Answer(number_in(value), comment=comment)


def assessment_form(asked: Questionnaire, kept: Mapping[str, Answer], version: str) -> AssessmentForm:
    """The form of a questionnaire, filled with what is kept when nothing was sent."""
    fields: dict[str, Any] = {}
    data: dict[str, Any] = {"version": version}
    for question in asked:
        fields[f"value-{question.code}"] = _value_field(question)
        fields[f"comment-{question.code}"] = TextAreaField(
            _l("Comment"),
            filters=[_clean],
            validators=[
                Length(max=COMMENT_LIMIT, message=_l("Shorten it to %(limit)s characters.", limit=COMMENT_LIMIT))
            ],
        )
        answer = kept.get(question.code, Answer())
        data[f"value-{question.code}"] = _written(answer)
        data[f"comment-{question.code}"] = answer.comment
    form: AssessmentForm = type("AssessmentForm", (AssessmentForm,), fields)(data=data)
    return form


def _written(answer: Answer) -> str:
    if answer.not_applicable:
        return NOT_APPLICABLE
    return "" if answer.value is None else f"{answer.value:.15g}"


def _value_field(question: Question) -> Field:
    """Radio buttons for levels, a number with its unit for what is measured."""

    def in_scale(_form: object, field: Field) -> None:
        if not field.data or (field.data == NOT_APPLICABLE and question.criterion.not_applicable):
            return
        value = number_in(field.data)
        if value is None or not question.takes(value):
            raise ValidationError(question.what_to_write())

    if not question.level_count:
        return StringField(question.unit, filters=[_clean], validators=[in_scale])
    choices = [SelectChoice(str(level), words) for level, words in enumerate(question.levels, 1)]
    if question.criterion.not_applicable:
        choices.append(SelectChoice(NOT_APPLICABLE, _l("Not applicable")))
    return RadioField(choices=choices, validate_choice=False, validators=[in_scale])


def _clean(text: str | None) -> str:
    """Without the blanks around it, and without NUL, which PostgreSQL does not store."""
    return (text or "").replace("\x00", "").strip()


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
    criterion = SelectField(_l("What it supports"), validate_choice=False, filters=[_clean])


class RatingsFileForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    file = FileField(
        _l("File with ratings"),
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
