"""Forms of selection plans: shapes only."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    DecimalField,
    Field,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import InputRequired, Length, NumberRange, Optional, ValidationError

from evalsys.base.tables import ValueWrong, as_money
from evalsys.selection.law import Weights
from evalsys.selection.models import Plan
from evalsys.selection.sheet import Sheet
from evalsys.selection.usecases import SHORTEST_GROUND, Choice, PlanFacts, Points


class NumberField(DecimalField):
    """A decimal number; what is none is said in plain words."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(_("Enter a number, for example 87.5.")) from error


def _share(label: str, hint: str) -> NumberField:
    return NumberField(
        label,
        description=hint,
        places=None,
        validators=[
            InputRequired(_l("Enter a share in per cent; 0 if it counts for nothing.")),
            NumberRange(0, 100, _l("A share lies between 0 and 100 per cent.")),
        ],
    )


def valid_price(_form: Form, field: Field) -> None:
    """A validator: an amount in yuan above 0."""
    try:
        fen = as_money(field.data)
    except ValueWrong as error:
        raise ValidationError(f"{error.wrong} {error.remedy}") from error
    if fen == 0:
        raise ValidationError(_("A price is above 0."))


def _fen(typed: str | None) -> int | None:
    return as_money(typed) if typed and typed.strip() else None


def _yuan(fen: int | None) -> str:
    return "" if fen is None else f"{fen // 100}.{fen % 100:02d}"


def _key_or_none(value: str | int | None) -> int | None:
    return int(value) if value else None


class PlanForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    title = StringField(
        _l("Name of the lot"),
        description=_l("As the decision will name it, for example 2027年度照料护理服务."),
        validators=[InputRequired(_l("Enter a name.")), Length(max=200)],
    )
    year = IntegerField(
        _l("Year of the service"),
        description=_l("Results published for earlier years count as past performance."),
        validators=[InputRequired(_l("Enter a year.")), NumberRange(2000, 2100, _l("Enter a year from 2000 to 2100."))],
    )
    purchaser_id = SelectField(
        _l("Purchaser"), coerce=_key_or_none, validators=[InputRequired(_l("Choose a purchaser."))]
    )
    service_type = SelectField(_l("Service type"), validators=[InputRequired(_l("Choose a service type."))])
    use = SelectField(
        _l("Way of choosing"),
        description=_l("It decides what past performance may weigh; the grounds are listed below."),
        validators=[InputRequired(_l("Choose a way."))],
    )
    technical = _share(_l("Technical points, per cent"), _l("Quality of the offer."))
    price = _share(_l("Price points, per cent"), _l("Lower price, more points; how is listed below."))
    past = _share(_l("Past performance, per cent"), _l("Published results of the last years. 0 for tenders."))
    reference = StringField(
        _l("Reference price (yuan)"),
        description=_l("The price that earns 100 points, fixed and announced before any offer. Empty for tenders."),
        validators=[Optional(), valid_price],
    )

    def offer(
        self,
        *,
        purchasers: Sequence[tuple[int, str]],
        service_types: Sequence[tuple[str, str]],
        uses: Sequence[tuple[str, str]],
    ) -> None:
        """Fill the lists; nothing is chosen beforehand."""
        for field, pairs in ((self.purchaser_id, purchasers), (self.service_type, service_types), (self.use, uses)):
            field.choices = [SelectChoice("", _("Please choose"))]
            field.choices += [SelectChoice(str(key), label) for key, label in pairs]

    def to_request(self) -> PlanFacts:
        return PlanFacts(
            title=str(self.title.data),
            year=self.year.data or 0,
            purchaser_id=self.purchaser_id.data,
            service_type=self.service_type.data,
            use=self.use.data,
            weights=Weights(*(share.data or Decimal(0) for share in (self.technical, self.price, self.past))),
            reference_fen=_fen(self.reference.data),
        )

    @staticmethod
    def data_of(plan: Plan) -> dict[str, object]:
        """A plan as the form shows it."""
        shares = {"technical": plan.weight_technical, "price": plan.weight_price, "past": plan.weight_past}
        return {
            "title": plan.title,
            "year": plan.year,
            "purchaser_id": plan.purchaser_id,
            "service_type": plan.service_type,
            "use": plan.use,
            "reference": _yuan(plan.reference_fen),
        } | {name: Decimal(f"{share * 100:.4f}".rstrip("0").rstrip(".")) for name, share in shares.items()}


class PointsForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Technical points and the offered price of each candidate; `of_sheet` makes the fields."""

    @staticmethod
    def of_sheet(sheet: Sheet) -> PointsForm:
        fields: dict[str, object] = {}
        technical, offer = _("Technical points"), _("Offered price (yuan)")
        for line in sheet.lines:
            fields[f"technical_{line.candidate_id}"] = NumberField(
                f"{technical}: {line.vendor_name}",
                places=None,
                default=None if line.technical is None else Decimal(str(line.technical)),
                validators=[Optional(), NumberRange(0, 100, _l("Points lie between 0 and 100."))],
            )
            fields[f"offer_{line.candidate_id}"] = StringField(
                f"{offer}: {line.vendor_name}",
                default=_yuan(line.offer_fen),
                validators=[Optional(), valid_price],
            )
        made: PointsForm = type("PointsOfSheet", (PointsForm,), fields)()
        made.candidate_ids = [line.candidate_id for line in sheet.lines]
        return made

    def to_request(self) -> dict[int, Points]:
        def entered(key: int) -> Points:
            technical = self[f"technical_{key}"].data
            return Points(None if technical is None else float(technical), _fen(self[f"offer_{key}"].data))

        return {key: entered(key) for key in self.candidate_ids}


class DecisionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    credit_code = RadioField(_l("Chosen vendor"), validators=[InputRequired(_l("Choose one of the candidates."))])
    ground = TextAreaField(
        _l("Ground of the decision"),
        description=_l("At least %(count)s characters: why this vendor. It is kept for good.", count=SHORTEST_GROUND),
        validators=[
            InputRequired(_l("Write the ground.")),
            Length(max=4000, message=_l("The ground may have at most 4000 characters.")),
        ],
    )
    seen = HiddenField()
    confirmed = HiddenField()

    def offer(self, sheet: Sheet) -> None:
        """The candidates in the order of the sheet; none is chosen beforehand."""
        self.credit_code.choices = [SelectChoice(line.credit_code, line.vendor_name) for line in sheet.lines]

    def to_request(self) -> Choice:
        return Choice(self.credit_code.data, str(self.ground.data), str(self.seen.data))
