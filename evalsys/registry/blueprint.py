"""The registry's pages hang on this; each subject has its own file of views."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from flask import Blueprint, current_app

from evalsys.config import Settings

bp = Blueprint("registry", __name__, url_prefix="/registry")


def instance() -> Path:
    """Folder for files of this installation."""
    return cast(Settings, current_app.config["SETTINGS"]).instance
