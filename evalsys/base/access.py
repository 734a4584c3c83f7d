"""Who acts, in which role, inside which branch of the regions; and which route lets whom in.

A route that names nobody is closed to everybody. Accounts fill the slot that says who the actor is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar, cast

from flask import Flask, abort, current_app, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from evalsys.base.errors import NotAllowed

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


class Role(StrEnum):
    """What a person is to the system; one role an account."""

    ADMINISTRATOR = "administrator"
    PURCHASER = "purchaser"
    EVALUATOR = "evaluator"
    OFFICER = "officer"  # procurement officer: publishes and chooses
    VENDOR = "vendor"
    AUDITOR = "auditor"
    INTERVIEWER = "interviewer"  # asks recipients, on the telephone or in person


@dataclass(frozen=True)
class Actor:
    """The person, or the command, that acts.

    Attributes:
        account_id: None for the command line.
        name: as the audit trail prints it.
        role: what the person may do.
        region_path: the branch they act in, as `Region.path`; "" is the whole tree.
        purchaser_id, vendor_id, evaluator_body_id: the body they act for, by role; an interviewer's vendor only
            employs them.
        cycle_id: the one cycle that a sealed letter opens to a vendor without an account; None for everybody else.
    """

    account_id: int | None
    name: str
    role: Role
    region_path: str = ""
    purchaser_id: int | None = None
    vendor_id: int | None = None
    evaluator_body_id: int | None = None
    cycle_id: int | None = None

    def acts_in(self, path: str) -> bool:
        """Whether a region's path lies inside the actor's branch."""
        return path.startswith(self.region_path)

    def require_region(self, path: str) -> None:
        """Raises NotAllowed outside the actor's branch."""
        if not self.acts_in(path):
            raise NotAllowed(
                _("This belongs to another region."), remedy=_("Ask the administrator of that region to do it.")
            )


COMMAND_LINE = Actor(account_id=None, name="command line", role=Role.ADMINISTRATOR)

LETTER = "sealed letter"
"""How the name of who acts by a sealed letter begins."""


def shown_name(name: str) -> str:
    """Who acted, as a page prints it: the command line and letters in the reader's language."""
    if name == COMMAND_LINE.name:
        return str(_("command line"))
    return name.replace(LETTER, _("sealed letter"), 1) if name.startswith(f"{LETTER} ") else name


_ALLOWED = "__allowed_roles__"
_BY_LETTER = "__open_by_letter__"
EVERYBODY: frozenset[Role] = frozenset()


def allow(*roles: Role) -> Callable[[View], View]:
    """Open a view to signed-in people of these roles."""
    if not roles:
        raise ValueError("name at least one role; for the public use access.public")

    def mark(view: View) -> View:
        setattr(view, _ALLOWED, frozenset(roles))
        return view

    return mark


def signed_in(view: View) -> View:
    """Open a view to every signed-in person."""
    return allow(*Role)(view)


def public(view: View) -> View:
    """Open a view to everybody, signed in or not."""
    setattr(view, _ALLOWED, EVERYBODY)
    return view


def by_letter(view: View) -> View:
    """Open a view for vendors also to the holder of a sealed letter; every other view does not even look at one."""
    setattr(view, _BY_LETTER, True)
    return view


def may_open(view: Callable[..., object], actor: Actor | None) -> bool:
    """Whether a view opens to somebody who is signed in, to the holder of a letter, or to nobody known."""
    roles = allowed_roles(view)
    if not roles or actor is None:
        return roles == EVERYBODY
    return actor.role in roles and (actor.cycle_id is None or _is_open_by_letter(view))


def _is_open_by_letter(view: Callable[..., object]) -> bool:
    return getattr(view, _BY_LETTER, False)


def allowed_roles(view: Callable[..., object]) -> frozenset[Role] | None:
    """The roles a view names; EVERYBODY (empty) for a public one, None when it names nobody."""
    return cast("frozenset[Role] | None", getattr(view, _ALLOWED, None))


def actor_or_none() -> Actor | None:
    """Who is signed in, asked once a request of the slot that accounts fill."""
    if "actor" not in g:
        g.actor = current_app.extensions["actor_of_request"]()
    return cast("Actor | None", g.actor)


def current_actor() -> Actor:
    """The signed-in person.

    Raises:
        RuntimeError: nobody is; the view should have been closed.
    """
    actor = actor_or_none()
    if actor is None:
        raise RuntimeError("a view that acts must not be public")
    return actor


def guard(app: Flask) -> None:
    """Close every route by default; `app.extensions["ask_to_sign_in"]` answers the anonymous.

    `app.extensions["actor_of_letter"]` says whose letter the browser of nobody signed in holds.
    """

    @app.before_request
    def check() -> ResponseReturnValue | None:
        if request.endpoint is None or request.endpoint.endswith("static"):
            return None
        view = app.view_functions[request.endpoint]
        roles = allowed_roles(view)
        if roles is None:
            abort(403)
        if roles == EVERYBODY:
            return None
        if actor_or_none() is None and _is_open_by_letter(view):
            g.actor = app.extensions["actor_of_letter"]()
        actor = actor_or_none()
        if actor is None:
            return cast("Callable[[], ResponseReturnValue]", app.extensions["ask_to_sign_in"])()
        if not may_open(view, actor):
            raise NotAllowed(
                _("Your role does not open this page."), remedy=_("Sign in with an account that has the right role.")
            )
        return None
