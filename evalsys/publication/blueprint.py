"""The public pages hang on this; each subject has its own file of views."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("publication", __name__)
