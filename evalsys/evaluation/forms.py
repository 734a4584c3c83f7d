"""The form that scores a cycle."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField


class RunForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF is untyped
    """Asks for nothing but, from the second run on, whether to learn the pooled terms anew."""

    refit = BooleanField(
        _l("Learn the spread of ratings anew"),
        description=_l("Leave this empty unless many ratings changed: with it, the margins of all contracts may move."),
    )
