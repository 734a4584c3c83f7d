"""The form of a declaration of interests: "none" or "some", and a row of fields for each tie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from flask import request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateField, Field, Form, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, Optional, StopValidation

from evalsys.collection.declarations import Stated, kind_name
from evalsys.collection.interest_models import InterestDeclaration, InterestTie, TieKind

NONE, SOME = "none", "some"
OWN, ORGANISATION = "own", "organisation"
MOST = 60  # ties on a page


class Needed:
    """A validator of a row in which something is typed: the field may not be empty."""

    field_flags: ClassVar[dict[str, bool]] = {"required": True}

    def __init__(self, message: LazyString) -> None:
        self.message = message

    def __call__(self, _row: Form, field: Field) -> None:
        if not any(field.raw_data or ()):
            field.errors = []
            raise StopValidation(self.message)


class TieForm(Form):
    """One tie. A row in which nothing is typed is none."""

    body = StringField(
        _l("Vendor or purchaser"),
        description=_l("Its whole name, or the vendor's credit code; names are offered as you type."),
        validators=[Needed(_l("Name the vendor or the purchaser.")), Length(max=120)],
    )
    whose = SelectField(
        _l("Whose tie it is"),
        default=OWN,
        choices=[SelectChoice(OWN, _l("My own")), SelectChoice(ORGANISATION, _l("My organisation's"))],
    )
    kind = SelectField(_l("Kind of tie"), choices=[], validators=[Needed(_l("Choose the kind of tie."))])
    started_on = DateField(_l("From"), validators=[Needed(_l("Say when it began."))])
    ended_on = DateField(_l("To"), description=_l("Empty while it lasts."), validators=[Optional()])
    note = StringField(
        _l("Note"),
        description=_l("What it consists in. Name no relative and no other private person."),
        validators=[Length(max=200, message=_l("Shorten it to 200 characters."))],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [SelectChoice(kind.value, kind_name(kind.value)) for kind in TieKind]
        self.kind.choices = [SelectChoice("", _("Choose")), *kinds]

    @property
    def blank(self) -> bool:
        return not any(any(field.raw_data or ()) for field in self if field.short_name != "whose")

    def tie(self) -> Stated:
        """What the row says; only after it has been validated, and not of a blank one."""
        assert self.started_on.data is not None  # noqa: S101 - a filled row has it
        return Stated(
            body=self.body.data or "",
            kind=TieKind(self.kind.data),
            of_body=self.whose.data == ORGANISATION,
            started_on=self.started_on.data,
            ended_on=self.ended_on.data,
            note=(self.note.data or "").strip(),
        )


class DeclarationForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """What an evaluator declares; filled with what is in force when nothing was sent."""

    stated = RadioField(
        _l("Ties within the last 2 years"),
        choices=[SelectChoice(NONE, _l("None")), SelectChoice(SOME, _l("Those listed below"))],
        validators=[InputRequired(_l("Choose one."))],
    )

    def __init__(self, kept: InterestDeclaration | None) -> None:
        stated = None if kept is None else SOME if kept.ties else NONE
        super().__init__(data={"stated": stated, "signed_by": kept.signed_by if kept else ""})
        self.rows = _rows_sent() if request.method == "POST" else _rows_kept(kept.ties if kept else ())

    def validate(self, extra_validators: Any = None) -> bool:
        fine: bool = super().validate(extra_validators)
        filled = [row for row in self.rows if not row.blank]
        if self.stated.data == NONE and filled:
            self.stated.errors = [
                _("Ties are listed below although you chose “None”; clear them, or choose the other.")
            ]
            return False
        if self.stated.data == SOME and not filled:
            self.stated.errors = [_("List at least one tie below, or choose “None”.")]
            return False
        rows = [row.validate() for row in filled]  # all of them, so that every fault is told at once
        return fine and all(rows)

    def ties(self) -> list[Stated]:
        """The ties that are stated; only after the form has been validated."""
        return [row.tie() for row in self.rows if not row.blank]


class BodyDeclarationForm(DeclarationForm):
    """What an administrator enters for an organisation."""

    signed_by = StringField(
        _l("Who signed for the organisation"),
        description=_l("The name under the organisation's own paper, which stays with the files."),
        validators=[InputRequired(_l("Give the name.")), Length(max=60)],
    )


def _rows_sent() -> list[TieForm]:
    sent = request.form.get("rows", "1")
    count = min(int(sent), MOST) if sent.isascii() and sent.isdecimal() and len(sent) < 4 else 1
    if request.form.get("then") == "more":
        count = min(count + 1, MOST)
    return [TieForm(request.form, prefix=f"tie{n}-") for n in range(1, count + 1)]


def _rows_kept(ties: Sequence[InterestTie]) -> list[TieForm]:
    """A row for each tie that is in force, and an empty one."""
    rows = [
        TieForm(
            prefix=f"tie{n}-",
            data={
                "body": tie.body_name,
                "whose": ORGANISATION if tie.of_body else OWN,
                "kind": tie.kind,
                "started_on": tie.started_on,
                "ended_on": tie.ended_on,
                "note": tie.note,
            },
        )
        for n, tie in enumerate(ties, 1)
    ]
    return [*rows, TieForm(prefix=f"tie{len(rows) + 1}-")]
