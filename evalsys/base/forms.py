"""What the form components need to know of a field to name its hint and its error."""

from __future__ import annotations

from flask import Flask, abort, request
from wtforms import Field, Form

from evalsys.base.errors import Fault


def described_by(field: Field) -> str:
    """Ids of a field's hint and error, for `aria-describedby`; empty when it has neither."""
    ids = [f"{field.id}-hint"] if field.description else []
    return " ".join(ids + ([f"{field.id}-error"] if field.errors else []))


def aria(field: Field) -> dict[str, str]:
    """The attributes that tie a control to its hint and error."""
    given = {"aria-describedby": described_by(field)} if described_by(field) else {}
    return given | {"aria-invalid": "true"} if field.errors else given


def refuse(form: Form, fault: Fault) -> int:
    """Put a use case's refusal, with its remedy, into the form's error summary.

    Returns:
        The status to answer with.
    """
    form.form_errors.extend([f"{fault.message} {fault.remedy}".rstrip(), *fault.details])
    return fault.status


def install(app: Flask) -> None:
    """Give templates both as filters, and turn away what no form of ours sends."""
    app.jinja_env.filters.update(described_by=described_by, aria=aria)

    @app.before_request
    def refuse_null_characters() -> None:
        """PostgreSQL cannot store them, and no keyboard types them."""
        if "\0" in request.path or any("\0" in value for value in request.values.values()):
            abort(400)
