"""The bulletin and the open data of an edition, the keys it is signed with, and what a receipt proves."""

from __future__ import annotations

import json
from typing import cast

from flask import Response, current_app, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from evalsys.base import access
from evalsys.base.db import reading
from evalsys.base.errors import NotFound
from evalsys.base.tokens import derive_key
from evalsys.collection.codes import grouped, read_receipt
from evalsys.config import Settings
from evalsys.publication import queries
from evalsys.publication.blueprint import bp
from evalsys.publication.bulletin import bulletin_pdf
from evalsys.publication.growth import growth
from evalsys.publication.kept_pages import kept
from evalsys.publication.keys import public_keys
from evalsys.publication.models import EditionRecord
from evalsys.publication.receipts import Receipt, look_up
from evalsys.publication.sealing import previous_record, record_of


@bp.get("/editions/<int:number>/bundle.zip")
@access.public
def bundle(number: int) -> ResponseReturnValue:
    queries.edition_by_id(reading(), number)
    record = _record(number)
    tag = f"{record.hash}-zip"
    if request.if_none_match.contains(tag):
        return _open(Response(status=304), tag)
    content = reading().scalar(select(EditionRecord.bundle).where(EditionRecord.edition_id == number))
    if content is None:
        raise _nothing_sealed()
    response = Response(content, mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="evalsys-edition-{number}.zip"'
    return _open(response, tag)


@bp.get("/editions/<int:number>/bulletin.pdf")
@access.public
@kept
def bulletin(number: int) -> ResponseReturnValue:
    settings = cast(Settings, current_app.config["SETTINGS"])
    found, annex = queries.edition_by_id(reading(), number), request.args.get("annex", 0, type=int)
    pdf = bulletin_pdf(reading(), found, annex=annex, base_url=settings.base_url, fonts=settings.fonts)
    name = f"evalsys-bulletin-{number}" + (f"-{annex}" if annex else "")
    return Response(pdf, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}.pdf"'})


@bp.get("/editions/<int:number>/edition.json")
@access.public
def statement(number: int) -> ResponseReturnValue:
    record = _record(number)
    response = _open(Response(record.statement, mimetype="application/json"), f"{record.hash}-json")
    return response.make_conditional(request)


@bp.get("/editions/<int:number>/consistency.json")
@access.public
def consistency(number: int) -> ResponseReturnValue:
    """`?from=` takes the number of an earlier edition; without it the one before."""
    later = _record(number)
    before = previous_record(reading(), later.edition)
    asked = request.args.get("from", str(before.edition_id) if before else "")
    found = growth(reading(), queries.edition_number(asked), later)
    told = {name: _tree_of(record) for name, record in (("from", found.earlier), ("to", found.later))}
    response = Response(json.dumps(told | {"path": [one.hex() for one in found.path]}, indent=1))
    response.mimetype = "application/json"
    return _open(response, f"{found.earlier.hash}-{found.later.hash}").make_conditional(request)


def _tree_of(record: EditionRecord) -> dict[str, object]:
    return {
        "edition": url_for(".edition", number=record.edition_id),
        "number": record.edition.number,
        "size": record.leaves,
        "root": record.root,
    }


@bp.get("/keys.json")
@access.public
def keys() -> ResponseReturnValue:
    told = [
        {
            "key": key.key,
            "fingerprint": key.fingerprint,
            "from": key.made_at.isoformat(),
            "retired": key.retired_at.isoformat() if key.retired_at else None,
        }
        for key in public_keys(reading())
    ]
    response = make_response(json.dumps(told, indent=1))
    response.mimetype = "application/json"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@bp.get("/receipt")
@access.public
def receipt_form() -> ResponseReturnValue:
    typed = request.args.get("code", "").strip()
    if typed:
        return redirect(url_for(".receipt", code=typed[:80]))
    return render_template("publication/receipt.html", typed="", found=None)


@bp.get("/receipt/<code>")
@access.public
def receipt(code: str) -> ResponseReturnValue:
    found = looked_up(code)
    page = render_template("publication/receipt.html", typed=code, found=found, grouped=grouped)
    return page, 200 if found else 404


@bp.get("/receipt/<code>/proof.json")
@access.public
def proof(code: str) -> ResponseReturnValue:
    found = looked_up(code)
    if found is None or found.proof is None:
        raise NotFound(
            _("There is no proof for this receipt yet."), remedy=_("It is there once an edition is published.")
        )
    told = {
        "contract": found.reference,
        "leaf": found.leaf.hex(),
        "edition": url_for(".edition", number=found.proof.edition.id),
        "index": found.proof.index,
        "size": found.proof.size,
        "root": found.proof.root.hex(),
        "path": [one.hex() for one in found.proof.path],
    }
    return Response(json.dumps(told, indent=1, ensure_ascii=False), mimetype="application/json")


def looked_up(code: str) -> Receipt | None:
    """What is known of the receipt that somebody typed."""
    settings = cast(Settings, current_app.config["SETTINGS"])
    known = read_receipt(code, derive_key(settings.require_secret_key(), "receipt"))
    return look_up(reading(), known) if known else None


def _record(number: int) -> EditionRecord:
    """The seal, of a withdrawn edition too: it holds no result."""
    record = record_of(reading(), queries.any_edition(reading(), number))
    if record is None:
        raise _nothing_sealed()
    return record


def _nothing_sealed() -> NotFound:
    return NotFound(_("This edition has no open data."), remedy=_("Editions published from now on have it."))


def _open(response: Response, tag: str) -> Response:
    """For everybody, from any site, to be kept and asked about again."""
    response.set_etag(tag)
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
