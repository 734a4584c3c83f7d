"""The form of one assessment: a field and a comment for each question, buying again, and site visits; shapes only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, Field, HiddenField, RadioField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import Length, Optional

from evalsys.base.clock import now
from evalsys.base.language import CHINA
from evalsys.collection.questionnaire import Question, Questionnaire, number_in
from evalsys.collection.tasks import MOST_VISITS, Answer, Beside, Task, Visit

NOT_APPLICABLE = "na"
COMMENT_LIMIT = 2000
PLACE_LIMIT = 120
YES, NO = "yes", "no"


class AssessmentForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """A questionnaire; `assessment_form` adds the fields of each question and of each visit.

    They are called `value-CODE` and `comment-CODE`, and `visit-NUMBER-PART`.
    """

    version = HiddenField()
    buy_again = RadioField(
        _l("Would you buy this service from this vendor again?"),
        choices=[SelectChoice(YES, _l("Yes")), SelectChoice(NO, _l("No"))],
        validators=[Optional()],
    )

    def value(self, code: str) -> Field:
        """The field of a question's answer."""
        return self[f"value-{code}"]  # type: ignore[no-any-return]  # Flask-WTF is untyped

    def comment(self, code: str) -> Field:
        """The field of a question's comment."""
        return self[f"comment-{code}"]  # type: ignore[no-any-return]  # Flask-WTF is untyped

    def visit(self, number: int) -> list[Field]:
        """The fields of a visit: day, place, who was met, notes."""
        return [self[f"visit-{number}-{part}"] for part in ("day", "place", "met", "notes")]

    def answers(self, asked: Questionnaire) -> dict[str, Answer]:
        """What the rater gave; only after the form has been validated."""
        return {q.code: _answer(self.value(q.code).data or "", self.comment(q.code).data or "") for q in asked}

    def beside(self) -> Beside:
        """What the rater gave beside the answers; a visit of which nothing is said is none."""
        visits = (Visit(*(field.data for field in self.visit(n))) for n in range(1, MOST_VISITS + 1))
        return Beside({YES: True, NO: False}.get(self.buy_again.data), tuple(v for v in visits if v != Visit()))

    def visit_numbers(self) -> range:
        """The visits to show: those of which something is said, and an empty one to go on with."""
        said = [n for n in range(1, MOST_VISITS + 1) if any(field.data or field.errors for field in self.visit(n))]
        return range(1, min(max(said, default=0) + 1, MOST_VISITS) + 1)


def _answer(value: str, comment: str) -> Answer:
    if value == NOT_APPLICABLE:
        return Answer(not_applicable=True, comment=comment)
    return Answer(number_in(value), comment=comment)


def assessment_form(task: Task, *, sent: bool = False) -> AssessmentForm:
    """The form of a task: filled with what is kept, or with nothing but what was sent."""
    fields: dict[str, Any] = dict(_visit_fields())
    for question in task.questionnaire:
        fields[f"value-{question.code}"] = _value_field(question)
        fields[f"comment-{question.code}"] = TextAreaField(_l("Comment"), filters=[clean], validators=[_short()])
    made: AssessmentForm = type("AssessmentForm", (AssessmentForm,), fields)(data={} if sent else _kept(task))
    return made


def _kept(task: Task) -> dict[str, Any]:
    beside = task.beside
    again = None if beside.buy_again is None else YES if beside.buy_again else NO
    data: dict[str, Any] = {"version": task.version, "buy_again": again}
    for number, visit in enumerate(beside.visits, 1):
        said = {"day": visit.visited_on, "place": visit.place, "met": visit.met, "notes": visit.notes}
        data |= {f"visit-{number}-{part}": value for part, value in said.items()}
    for code, answer in task.answers.items():
        data |= {f"value-{code}": written(answer), f"comment-{code}": answer.comment}
    return data


def _visit_fields() -> Iterator[tuple[str, Field]]:
    for number in range(1, MOST_VISITS + 1):
        yield f"visit-{number}-day", DateField(_l("Day of the visit"), validators=[Optional(), _not_to_come])
        for part, label, hint in (
            ("place", _l("Place of the visit"), ""),
            ("met", _l("Who was met"), _l("Functions, such as “head of the station”; no names of recipients.")),
        ):
            short = Length(max=PLACE_LIMIT, message=_l("Shorten it to %(limit)s characters.", limit=PLACE_LIMIT))
            yield f"visit-{number}-{part}", StringField(label, description=hint, filters=[clean], validators=[short])
        yield f"visit-{number}-notes", TextAreaField(_l("What you saw"), filters=[clean], validators=[_short()])


def _short() -> Length:
    return Length(max=COMMENT_LIMIT, message=_l("Shorten it to %(limit)s characters.", limit=COMMENT_LIMIT))


def _not_to_come(_form: object, field: Field) -> None:
    if field.data > now().astimezone(CHINA).date():
        raise ValidationError(_("This day has not come yet."))


def written(answer: Answer) -> str:
    """An answer's value as the form and the sheet write it."""
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
        return StringField(question.unit, filters=[clean], validators=[in_scale])
    choices = [SelectChoice(str(level), words) for level, words in enumerate(question.levels, 1)]
    if question.criterion.not_applicable:
        choices.append(SelectChoice(NOT_APPLICABLE, _l("Not applicable")))
    return RadioField(choices=choices, validate_choice=False, validators=[in_scale])


def clean(text: str | None) -> str:
    """A text without the blanks around it, and without NUL, which PostgreSQL does not store."""
    return (text or "").replace("\x00", "").strip()
