"""How the registry's pages answer: a list, as a page or a file, and a form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # the stubs are older than it

from evalsys.base.access import Actor
from evalsys.base.db import reading, transaction
from evalsys.base.errors import Fault
from evalsys.base.forms import refuse
from evalsys.base.listing import Wanted
from evalsys.base.tables import FORMATS, download
from evalsys.registry.lists import Listing, kind_of
from evalsys.registry.models import Region
from evalsys.registry.regions import branch


def answer_list(listing: Listing, **page: Any) -> ResponseReturnValue:
    """The list's page, or with `?format=xlsx|csv` everything that matches as a file."""
    wanted = Wanted.from_args(request.args)
    kind = request.args.get("format", "")
    if kind in FORMATS:
        return download([listing.sheet(reading(), wanted)], listing.name, kind)
    return render_template(
        "registry/list.html",
        listing=listing,
        page=listing.page(reading(), wanted),
        kind_of=kind_of,
        **({"filters": ()} | page),
    )


def answer_form(
    form: FlaskForm, save: Callable[[Session], str], *, template: str = "registry/form.html", **page: Any
) -> ResponseReturnValue:
    """A form; once it is sent and well formed, `save` it and go to the address that it returns."""
    status = 200
    if form.validate_on_submit():
        try:
            with transaction() as session:
                target = save(session)
        except Fault as fault:
            status = refuse(form, fault)
        else:
            flash(_("Saved."))
            return redirect(target, code=303)
    elif form.errors:
        status = 422
    return render_template(template, **({"suggestions": ()} | page), form=form), status


def choices(pairs: Iterable[tuple[Any, str]]) -> list[SelectChoice]:
    """Values and what they are called, for a select of a form."""
    return [SelectChoice(value, label) for value, label in pairs]


def region_choices(actor: Actor) -> list[SelectChoice]:
    """The regions of the actor's branch for a select, indented as a tree."""
    return choices((region.id, name) for region, name in _indented(actor))


def region_codes(actor: Actor) -> Sequence[tuple[str, str]]:
    """The same by code, for the address of a filtered list."""
    return [(region.code, name) for region, name in _indented(actor)]


def _indented(actor: Actor) -> Sequence[tuple[Region, str]]:
    regions = branch(reading(), actor.region_path)
    top = min((region.path.count("/") for region in regions), default=0)
    return [(region, "　" * (region.path.count("/") - top) + region.name) for region in regions]
