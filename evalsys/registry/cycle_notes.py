"""What upper floors say on the page of a cycle: counts of answers, and what can be done there next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.registry.models import Cycle


@dataclass(frozen=True)
class Note:
    """A line of the page: a fact with its value, a link, or both."""

    label: str
    value: str = ""
    url: str = ""


Provider = Callable[[Session, Cycle, Actor], Iterable[Note]]


def offer(app: Flask, provider: Provider) -> None:
    """Add a room's lines, in the order they were offered."""
    app.extensions.setdefault("cycle_notes", []).append(provider)


def of(session: Session, cycle: Cycle, actor: Actor) -> list[Note]:
    """Every line for a cycle that the reader should see."""
    providers: list[Provider] = current_app.extensions.get("cycle_notes", [])
    return [note for provider in providers for note in provider(session, cycle, actor)]
