"""All pages of the registry, and its menu entries."""

from __future__ import annotations

from flask import Flask
from flask_babel import lazy_gettext as _l

from evalsys.base import navigation
from evalsys.registry import contract_views, cycle_views, import_views, place_views
from evalsys.registry.blueprint import bp

__all__ = ["contract_views", "cycle_views", "import_views", "install", "place_views"]


def install(app: Flask) -> None:
    """Register the pages and offer those that people begin with."""
    app.register_blueprint(bp)
    navigation.offer(app, "registry.cycle_list", _l("Cycles"))
    navigation.offer(app, "registry.contract_list", _l("Contracts"))
    navigation.offer(app, "registry.index", _l("Registry"))
