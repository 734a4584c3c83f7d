"""Finding regions and purchasers by what people write, in one reading of the tables."""

from __future__ import annotations

import unicodedata
from collections import defaultdict

from flask_babel import gettext as _
from sqlalchemy import select

from evalsys.base.tables import Row
from evalsys.registry import catalogue
from evalsys.registry.imports.plans import Scope
from evalsys.registry.models import Purchaser, Region


def folded(text: str) -> str:
    """For comparing names: without case, width and blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


class Regions:
    """The regions of the actor's branch, by code and by name."""

    def __init__(self, scope: Scope) -> None:
        self.by_id: dict[int, tuple[str, str]] = {}  # path, name
        self._by_code: dict[str, int] = {}
        self._by_name: dict[str, list[int]] = defaultdict(list)
        inside = Region.path.startswith(scope.actor.region_path, autoescape=True)
        query = select(Region.id, Region.code, Region.name, Region.path).where(inside).order_by(Region.path)
        for number, code, name, path in scope.session.execute(query):
            self.by_id[number] = (path, name)
            self._by_code[code] = number
            self._by_name[folded(name)].append(number)

    def find(self, row: Row, column: str) -> int | None:
        """The region that a cell names; a fault where there is none in the branch, or several."""
        text = row.text(column, most=60)
        if text is None:
            return None
        if text in self._by_code:
            return self._by_code[text]
        named = self._by_name.get(folded(text), [])
        if len(named) == 1:
            return named[0]
        if named:
            row.wrong(column, _("Several regions have this name."), _("Write the code of the region instead."))
        else:
            row.wrong(
                column,
                _("There is no such region in your branch."),
                _("Write its code or its full name as in the list of regions."),
            )
        return None


class Purchasers:
    """The purchasers of the actor's branch, by name: that of the contract's own region first, then of those above."""

    def __init__(self, scope: Scope, regions: Regions) -> None:
        self._regions = regions
        self._names: dict[int, str] = {}
        self._named: dict[str, dict[str, int]] = defaultdict(dict)  # name -> region path -> id
        for number, name, region in scope.session.execute(select(Purchaser.id, Purchaser.name, Purchaser.region_id)):
            if region in regions.by_id:
                self._named[folded(name)][regions.by_id[region][0]] = number
                self._names[number] = name

    def name_of(self, number: int) -> str:
        """A purchaser's name; that of one outside the branch is not told."""
        return self._names.get(number, "—")

    def find(self, row: Row, column: str, region: int | None) -> int | None:
        text = row.text(column, most=120)
        if text is None or region is None:
            return None
        places = self._named.get(folded(text), {})
        path = self._regions.by_id[region][0]
        above = sorted((place for place in places if path.startswith(place)), key=len)
        if above:
            return places[above[-1]]
        row.wrong(
            column,
            _("No purchaser of this name is registered in this region or above it."),
            _("Add the purchaser first, or write its name as registered."),
        )
        return None


def service_type_codes() -> dict[str, str]:
    """Codes of service types by every way of writing them."""
    codes = {}
    for kind in catalogue.service_types().values():
        codes.update({folded(kind.name.zh): kind.code, folded(kind.name.en): kind.code, folded(kind.code): kind.code})
    return codes


METHODS = {
    "公开招标": "open_tender",
    "邀请招标": "invited_tender",
    "竞争性谈判": "competitive_negotiation",
    "竞争性磋商": "competitive_consultation",
    "单一来源采购": "single_source",
    "单一来源": "single_source",
    "其他方式": "other",
    "其他": "other",
}


def procurement_method_codes() -> dict[str, str]:
    """Codes of ways of procurement by every way of writing them."""
    codes = dict(METHODS)
    for code, name in catalogue.procurement_methods().items():
        codes.update({folded(code): code, folded(code.replace("_", " ")): code, folded(name): code})
    return codes
