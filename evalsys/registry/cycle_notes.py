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


def offer(app: Flask, provider: Provider, *, of_closing: bool = False) -> None:
    """Add a room's lines, in the order they were offered; `of_closing`: for the page that asks before closing."""
    app.extensions.setdefault(_slot(of_closing=of_closing), []).append(provider)


def of(session: Session, cycle: Cycle, actor: Actor, *, of_closing: bool = False) -> list[Note]:
    """Every line for a cycle that the reader should see."""
    providers: list[Provider] = current_app.extensions.get(_slot(of_closing=of_closing), [])
    return [note for provider in providers for note in provider(session, cycle, actor)]


def _slot(*, of_closing: bool) -> str:
    return "closing_notes" if of_closing else "cycle_notes"
