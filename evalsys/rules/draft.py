"""What can be read of a rules file that may be faulty, so that one fault does not hide the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from evalsys.rules.model import (
    Adjustment,
    Cap,
    Coefficient,
    Criterion,
    Dimension,
    DimensionWeight,
    Grade,
    Interval,
    Party,
    PeerGroup,
    RankSets,
    Reliability,
    Scale,
    SelectionUse,
    Sensitivity,
    ServiceType,
    Severity,
    Status,
)

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Part(Generic[T_co]):
    """One list of the file.

    Attributes:
        tables: the entries as written, by their place in the list.
        entries: those without fault of form, read.
        codes: every entry's code, of faulty entries too: a name they bear is known.
        whole: every entry was read.
    """

    tables: Mapping[int, dict[str, Any]]
    entries: Mapping[int, T_co]
    codes: tuple[tuple[int, str], ...]
    whole: bool

    @property
    def names(self) -> list[str]:
        return [code for _, code in self.codes]


class Draft:
    """The parts of a document, each read for itself."""

    def __init__(self, document: dict[str, Any]) -> None:
        uses = _inside(document, "selection", "uses")
        coefficients = _inside(document, "adjustment", "coefficients")
        self.parties: Part[Party] = _part(Party, document.get("parties"))
        self.dimensions: Part[Dimension] = _part(Dimension, document.get("dimensions"))
        self.scales: Part[Scale] = _part(Scale, document.get("scales"))
        self.service_types: Part[ServiceType] = _part(ServiceType, document.get("service_types"))
        self.criteria: Part[Criterion] = _part(Criterion, document.get("criteria"))
        self.weights: Part[DimensionWeight] = _part(DimensionWeight, document.get("weights"), code="dimension")
        self.grades: Part[Grade] = _part(Grade, document.get("grades"))
        self.peer_groups: Part[PeerGroup] = _part(PeerGroup, document.get("peer_groups"))
        self.uses: Part[SelectionUse] = _part(SelectionUse, uses)
        self.cap: Cap | None = _read(Cap, document.get("cap"))
        self.status: Status | None = _read(Status, document.get("status"))
        self.interval: Interval | None = _read(Interval, document.get("interval", {}))
        self.weighted = "weighting" in document
        self.coefficients: Part[Coefficient] = _part(Coefficient, coefficients)
        self.adjustment: Adjustment | None = _read(Adjustment, document.get("adjustment"))
        self.severity: Severity | None = _read(Severity, document.get("severity"))
        self.rank_sets: RankSets | None = _read(RankSets, document.get("rank_sets"))
        self.sensitivity: Sensitivity | None = _read(Sensitivity, document.get("sensitivity"))
        self.reliability: Reliability | None = _read(Reliability, document.get("reliability"))
        self.lists: dict[str, Part[object]] = {
            "parties": self.parties,
            "dimensions": self.dimensions,
            "scales": self.scales,
            "service_types": self.service_types,
            "criteria": self.criteria,
            "weights": self.weights,
            "grades": self.grades,
            "peer_groups": self.peer_groups,
            "selection.uses": self.uses,
        }


def _inside(document: dict[str, Any], table: str, key: str) -> Any:
    within = document.get(table)
    return within.get(key) if isinstance(within, dict) else None


def _part(kind: Any, raw: Any, *, code: str = "code") -> Part[Any]:
    written = raw if isinstance(raw, list) else []
    read = {place: _read(kind, entry) for place, entry in enumerate(written)}
    tables = {place: entry for place, entry in enumerate(written) if isinstance(entry, dict)}
    codes = ((place, table.get(code)) for place, table in tables.items())
    return Part(
        tables=tables,
        entries={place: entry for place, entry in read.items() if entry is not None},
        codes=tuple((place, name) for place, name in codes if isinstance(name, str)),
        whole=(raw is None or isinstance(raw, list)) and None not in read.values(),
    )


def _read(kind: Any, raw: Any) -> Any:
    """The raw table as a part of the rules; None where it is none."""
    try:
        return _adapter(kind).validate_python(raw)
    except ValidationError:
        return None


_adapter = cache(TypeAdapter)  # building one takes longer than the reading
