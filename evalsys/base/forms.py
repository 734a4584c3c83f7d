"""What the form components need to know of a field to name its hint and its error."""

from __future__ import annotations

from flask import Flask
from wtforms import Field


def described_by(field: Field) -> str:
    """Ids of a field's hint and error, for `aria-describedby`; empty when it has neither."""
    ids = [f"{field.id}-hint"] if field.description else []
    return " ".join(ids + ([f"{field.id}-error"] if field.errors else []))


def aria(field: Field) -> dict[str, str]:
    """The attributes that tie a control to its hint and error."""
    given = {"aria-describedby": described_by(field)} if described_by(field) else {}
    return given | {"aria-invalid": "true"} if field.errors else given


def install(app: Flask) -> None:
    """Give templates both as filters."""
    app.jinja_env.filters.update(described_by=described_by, aria=aria)
