"""The main menu: every room offers its entries; a reader sees those that would open."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, request, url_for
from flask_babel import LazyString

from evalsys.base.access import actor_or_none, may_open


@dataclass(frozen=True)
class Item:
    """One entry as the page draws it."""

    label: str
    url: str
    current: bool


def offer(app: Flask, endpoint: str, label: LazyString) -> None:
    """Put a page into the menu, after those already offered; who sees it follows from the view's own roles."""
    app.extensions.setdefault("navigation", []).append((endpoint, label))


def navigation() -> list[Item]:
    """The entries that the reader may open."""
    actor = actor_or_none()
    items = []
    for endpoint, label in current_app.extensions.get("navigation", []):
        if may_open(current_app.view_functions[endpoint], actor):
            items.append(Item(str(label), url_for(endpoint), request.endpoint == endpoint))
    return items
