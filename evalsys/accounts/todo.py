"""What waits for a person, on the desk: rooms offer, accounts show.

Accounts stand below most rooms and cannot ask them; a room hands in a function that does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from flask import Flask, current_app
from sqlalchemy.orm import Session

from evalsys.base.access import Actor


@dataclass(frozen=True)
class Todo:
    """One thing to do next.

    Attributes:
        text: what, in the reader's language.
        url: the page to do it on.
        count: how many wait; None where it is not a matter of number. Nothing waits at 0: it is not shown.
        due: the last day to do it.
        detail: one more line.
    """

    text: str
    url: str
    count: int | None = None
    due: date | None = None
    detail: str = ""


Provider = Callable[[Session, Actor], Iterable[Todo]]


def offer(app: Flask, provider: Provider) -> None:
    """Add a room's list; the desk shows the lists in the order they were offered."""
    app.extensions.setdefault("todo", []).append(provider)


def todos(session: Session, actor: Actor) -> list[Todo]:
    """Everything that waits for the person, the counted ones at 0 left out."""
    providers: list[Provider] = current_app.extensions.get("todo", [])
    return [todo for provider in providers for todo in provider(session, actor) if todo.count != 0]
