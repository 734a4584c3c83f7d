"""Forms of the registry: shapes only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import DateField, Field, Form, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it
from wtforms.validators import InputRequired, Length, NumberRange, Optional, Regexp, ValidationError

from evalsys.base.errors import Invalid
from evalsys.base.tables import ValueWrong, as_money
from evalsys.registry import credit_code


def valid_code(_form: Form, field: Field) -> None:
    """A validator: says which rule of GB 32100 a credit code breaks."""
    try:
        field.data = credit_code.checked(field.data or "")
    except Invalid as error:
        raise ValidationError(f"{error.message} {error.remedy}") from error


def valid_money(_form: Form, field: Field) -> None:
    """A validator: an amount in yuan."""
    try:
        as_money(field.data)
    except ValueWrong as error:
        raise ValidationError(f"{error.wrong} {error.remedy}") from error


def _text(label: Any, most: int, *more: Any, required: Any = None, **options: Any) -> Any:
    first = InputRequired(required) if required else Optional()
    tidy: Callable[[str | None], str] = lambda text: " ".join((text or "").split())  # noqa: E731 - a filter is a value
    return StringField(label, validators=[first, Length(max=most), *more], filters=[tidy], **options)


def _region() -> Any:
    return SelectField(_l("Region"), coerce=int, validators=[InputRequired(_l("Choose a region."))])


_CODE_HINT = _l("18 characters, as on the licence; the last one checks the others.")


class RegionForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    code = _text(
        _l("Region code"),
        12,
        Regexp(r"^\d{2,12}$", message=_l("The code of a region has digits only.")),
        required=_l("Enter the code."),
        description=_l(
            "Digits of the administrative division (GB/T 2260), for example 441802. It cannot be changed later."
        ),
    )
    name = _text(_l("Name"), 60, required=_l("Enter the name."))


class RegionNameForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    name = _text(_l("Name"), 60, required=_l("Enter the name."))


class PurchaserForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    name = _text(_l("Name"), 120, required=_l("Enter the name."), description=_l("The full name of the department."))
    region_id = _region()


class VendorForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    credit_code = _text(
        _l("Credit code"), 40, valid_code, required=_l("Enter the credit code."), description=_CODE_HINT
    )
    name = _text(_l("Name"), 120, required=_l("Enter the name."), description=_l("The full name on the licence."))
    address = _text(_l("Address"), 200)
    contact = _text(_l("Contact"), 60)
    phone = _text(_l("Phone"), 40)


class EvaluatorBodyForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    code = _text(_l("Credit code"), 40, valid_code, required=_l("Enter the credit code."), description=_CODE_HINT)
    name = _text(_l("Name"), 120, required=_l("Enter the name."), description=_l("The full name on the licence."))
    region_id = _region()


class ContractForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    reference = _text(
        _l("Reference"), 40, required=_l("Enter the reference."), description=_l("The number of the contract.")
    )
    title = _text(_l("Title"), 200, required=_l("Enter the title."))
    vendor = _text(
        _l("Vendor"),
        200,
        required=_l("Name the vendor."),
        description=_l("Its credit code, or its full name; begin to type and choose."),
    )
    purchaser_id = SelectField(_l("Purchaser"), coerce=int, validators=[InputRequired(_l("Choose a purchaser."))])
    region_id = _region()
    service_type = SelectField(_l("Service type"), validators=[InputRequired(_l("Choose a service type."))])
    amount = _text(
        _l("Amount (yuan)"),
        30,
        valid_money,
        required=_l("Enter the amount."),
        description=_l("For example 120000 or 120,000.00; 12万 is understood too."),
    )
    starts_on = DateField(_l("Starts on"), validators=[InputRequired(_l("Enter the first day."))])
    ends_on = DateField(_l("Ends on"), validators=[InputRequired(_l("Enter the last day."))])
    procurement_method = SelectField(
        _l("Procurement method"), validators=[InputRequired(_l("Choose how it was bought."))]
    )
    recipients_served = IntegerField(
        _l("Recipients served"),
        validators=[InputRequired(_l("Enter how many are served.")), NumberRange(0, 10_000_000)],
        description=_l("People or households, as the contract counts them."),
    )


class CycleForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    code = _text(
        _l("Code"),
        20,
        Regexp(r"^[A-Za-z0-9][A-Za-z0-9_-]*$", message=_l("Use letters, digits, - and _.")),
        required=_l("Enter the code."),
        description=_l("Short, for addresses and commands, for example 2026. It cannot be changed later."),
    )
    title = _text(_l("Title"), 120, required=_l("Enter the title."))
    year = IntegerField(_l("Year"), validators=[InputRequired(_l("Enter the year.")), NumberRange(2000, 2199)])
    region_id = _region()
    opens_on = DateField(_l("Collecting opens on"), validators=[InputRequired(_l("Enter the first day."))])
    closes_on = DateField(_l("Collecting closes on"), validators=[InputRequired(_l("Enter the last day."))])


class StratumForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    township = _text(_l("Township"), 60)
    item = _text(_l("Service item"), 60)
    size = IntegerField(
        _l("Number of recipients"), validators=[InputRequired(_l("Enter how many.")), NumberRange(0, 10_000_000)]
    )


class RulesForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    source = RadioField(
        _l("Which rules"),
        choices=[
            SelectChoice("shipped", _l("The rules that come with the system")),
            SelectChoice("file", _l("A rules file of our own (.toml)")),
        ],
        default="shipped",
    )
    file = FileField(_l("Rules file"), description=_l("Only for a file of your own."))
    reason = TextAreaField(
        _l("Reason"),
        validators=[Length(max=500)],
        description=_l("Needed once collecting has opened; it is published with the methodology."),
    )


class UploadForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    file = FileField(
        _l("File"),
        validators=[FileRequired(_l("Choose a file."))],
        description=_l("Excel (.xlsx), or CSV in UTF-8 or GB18030; at most 100,000 rows."),
    )
    cycle = SelectField(_l("Cycle"), validators=[InputRequired(_l("Choose a cycle."))])
