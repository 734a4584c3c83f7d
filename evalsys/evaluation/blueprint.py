"""The pages of scoring hang on this; each subject has its own file of views."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("evaluation", __name__, url_prefix="/evaluation")
