"""The sorts of files, and the templates to fill in."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from evalsys.base.errors import NotFound
from evalsys.base.tables import Cell, Sheet
from evalsys.registry import catalogue
from evalsys.registry.imports import contracts, frames, places, vendors
from evalsys.registry.imports.plans import Kind

KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "vendors",
            _l("Vendors"),
            vendors.COLUMNS,
            vendors.read,
            _l("One row a vendor; the credit code says which one is meant."),
        ),
        Kind(
            "contracts",
            _l("Contracts"),
            contracts.COLUMNS,
            contracts.read,
            _l("One row a contract; regions, purchasers and vendors must be registered before."),
        ),
        Kind(
            "frames",
            _l("Recipient frames"),
            frames.FRAME_COLUMNS,
            frames.read_frames,
            _l("How many recipients each contract serves, by township and service item."),
            needs_cycle=True,
        ),
        Kind(
            "roster",
            _l("Roster of recipients"),
            frames.ROSTER_COLUMNS,
            frames.read_roster,
            _l("Names, only where recipients are invited by name; they are deleted when the cycle is closed."),
            needs_cycle=True,
        ),
        Kind(
            "purchasers",
            _l("Purchasers"),
            places.PURCHASER_COLUMNS,
            places.read_purchasers,
            _l("One row a department that buys services."),
        ),
        Kind(
            "regions",
            _l("Regions"),
            places.REGION_COLUMNS,
            places.read_regions,
            _l("One row a region, each below the row of the region it belongs to."),
            insert=places.insert_regions,
        ),
    )
}


def kind_named(name: str) -> Kind:
    """Raises NotFound for a sort of file that does not exist."""
    if name not in KINDS:
        raise NotFound(
            _("There is no import called “%(name)s”.", name=name), remedy=_("Choose one from the page of imports.")
        )
    return KINDS[name]


def template(kind: Kind) -> list[Sheet]:
    """A sheet with the headings and an example row, and one that explains every column and choice."""
    headings = [column.heading for column in kind.columns]
    explained: list[list[str]] = [
        [
            column.heading,
            _("required") if column.required else _("optional"),
            str(column.explanation),
            str(column.example),
        ]
        for column in kind.columns
    ]
    if kind.name == "contracts":
        explained += [[_("Service type"), "", name, code] for code, name in _service_types()]
        explained += [[_("Procurement method"), "", name, code] for code, name in _methods()]
    example: list[Cell] = [column.example for column in kind.columns]
    return [
        Sheet(str(kind.title), headings, [example], widths=[22] * len(headings)),
        Sheet(
            _("How to fill it in"),
            [_("Column"), _("Required?"), _("Explanation"), _("Example or code")],
            explained,
            widths=[26, 10, 60, 28],
        ),
    ]


def _service_types() -> list[tuple[str, str]]:
    return [(code, catalogue.service_type_name(code)) for code in catalogue.service_types()]


def _methods() -> list[tuple[str, str]]:
    return list(catalogue.procurement_methods().items())
