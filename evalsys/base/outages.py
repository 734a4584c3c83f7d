"""What a page says while the database is away, or the disk takes nothing more."""

from __future__ import annotations

import errno

from flask import Flask
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from evalsys.base.problems import asked_by_program, problem

_NO_ROOM = {"ENOSPC", "EDQUOT", "EROFS", "SQLITE_FULL", "SQLITE_READONLY", "53100"}  # the last is PostgreSQL's


def install(app: Flask) -> None:
    """Answer with pages that ask the database nothing, not even who is signed in."""

    @app.errorhandler(InterfaceError)
    @app.errorhandler(OperationalError)
    @app.errorhandler(PoolTimeout)
    @app.errorhandler(OSError)
    def away(error: Exception) -> ResponseReturnValue:
        full = cannot_be_written(error)
        if isinstance(error, OSError) and not full and not isinstance(error, TimeoutError):
            raise error  # no outage, but a fault of the program
        app.logger.error("an outage: %s", kind_of(error), exc_info=error)
        if asked_by_program():
            remedy = _("Try again in a moment.")
            return problem(507 if full else 503, remedy=remedy, headers={"Retry-After": "10"})
        page = app.jinja_env.get_template("errors/no_room.html" if full else "errors/away.html").render()
        return page, 507 if full else 503, {"Retry-After": "10"}


def cannot_be_written(error: Exception) -> bool:
    """Whether there is no room on the disk, or it takes nothing at all."""
    return kind_of(error).partition(" ")[2] in _NO_ROOM


def kind_of(error: Exception) -> str:
    """The name of an error and of its cause, for the log, without any value that it may tell."""
    cause = getattr(error, "orig", None) or error
    number = getattr(cause, "errno", None) or 0
    code = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or errno.errorcode.get(number)
    return f"{type(error).__name__} {code or ''}".rstrip()
