"""The room's pages: what the vendor sees, what the office does, what everybody may read."""

from __future__ import annotations

from flask import Blueprint

bp = Blueprint("appeals", __name__)
