"""The tables of a bundle, to and from arrays. A number is written with the digits that read back the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalsys.publication.bundle.layout import TABLES, Kind
from evalsys.scoring.arrays import Integers, Vector
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.pooled import Pooled
from evalsys.scoring.public_inputs import NOBODY, Adjusted, Groups, PublicInputs

Value = str | int | float | None
Record = dict[str, str]


class Unreadable(ValueError):
    """A file of a bundle is not what it should be; the message says which, where and why."""


def written(name: str, rows: Iterable[Sequence[Value]]) -> bytes:
    """A table as CSV with its heading: UTF-8, LF, no byte order mark."""
    target = io.StringIO(newline="")
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([field.name for field in TABLES[name]])
    writer.writerows(["" if value is None else _plain(value) for value in row] for row in rows)
    return target.getvalue().encode()


def _plain(value: str | float) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return value if isinstance(value, str) else repr(value)


def records(name: str, content: bytes) -> list[Record]:
    """The rows of a table, every cell a text that fits its column.

    Raises:
        Unreadable: another heading, a row of another length, a cell that is empty or no number.
    """
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{name}: {error}") from error
    fields = TABLES[name]
    if not lines or lines[0] != [field.name for field in fields]:
        raise Unreadable(f"{name}: the heading must be {','.join(field.name for field in fields)}")
    for number, line in enumerate(lines[1:], start=2):
        if len(line) != len(fields):
            raise Unreadable(f"{name}, line {number}: has {len(line)} cells instead of {len(fields)}")
        for field, cell in zip(fields, line, strict=True):
            if not _fits(cell, field.kind, required=field.required):
                raise Unreadable(f"{name}, line {number}, {field.name}: {cell[:40]!r} is no {field.kind.value}")
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def _fits(cell: str, kind: Kind, *, required: bool) -> bool:
    if not cell:
        return not required
    if kind in (Kind.INTEGER, Kind.NUMBER):
        try:
            value = int(cell) if kind == Kind.INTEGER else float(cell)
        except ValueError:
            return False
        return bool(abs(value) < 1e18)  # false for NaN and infinity
    return True


def inputs_rows(public: PublicInputs, names: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    """The rows of inputs.csv; `names` are the pseudonyms of the raters."""
    groups, facts = public.groups, public.facts
    pairs = [(i, j) for i in range(len(facts.dimensions)) for j in range(i, len(facts.dimensions))]
    for row in range(len(groups.contract)):
        party, rater = facts.parties[groups.party[row]], int(groups.rater[row])
        head = (
            facts.contracts[groups.contract[row]],
            party,
            int(groups.group[row]),
            names[rater] if rater != NOBODY else None,
            int(groups.people[row]),
        )
        for i, j in pairs:
            if groups.n[row, i, j]:
                yield (
                    *head,
                    facts.dimensions[i],
                    facts.dimensions[j] if i != j else None,
                    int(groups.n[row, i, j]),
                    float(groups.weight[row, i, j]),
                    float(groups.squares[row, i]) if i == j else None,
                    float(groups.centre[row, i]),
                    float(groups.sums[row, i, j]),
                    float(groups.sums[row, j, i]) if i != j else None,
                    float(groups.products[row, i, j]) if party == SAMPLED else None,
                )


@dataclass(frozen=True)
class Codes:
    """Places of the codes that tables name things by."""

    contracts: dict[str, int]
    parties: dict[str, int]
    dimensions: dict[str, int]
    raters: dict[str, int]

    def place(self, name: str, number: int, kind: str, code: str) -> int:
        """Raises Unreadable for a code that is not known."""
        try:
            return int(getattr(self, kind)[code])
        except KeyError:
            raise Unreadable(f"{name}, line {number}: {code[:40]!r} is not known among the {kind}") from None


def groups_from(rows: Sequence[Record], codes: Codes) -> Groups:
    """The groups that inputs.csv tells.

    Raises:
        Unreadable: an unknown code, or a pair of dimensions twice.
    """
    name, d = "inputs.csv", len(codes.dimensions)
    number: dict[tuple[int, int, int], int] = {}
    where, seen = [], set()
    for line, row in enumerate(rows, start=2):
        contract = codes.place(name, line, "contracts", row["contract"])
        party = codes.place(name, line, "parties", row["party"])
        rater = codes.place(name, line, "raters", row["rater"]) if row["rater"] else NOBODY
        i = codes.place(name, line, "dimensions", row["dimension"])
        j = codes.place(name, line, "dimensions", row["other_dimension"]) if row["other_dimension"] else i
        group = number.setdefault((contract, party, int(row["group"])), len(number))
        if (group, i, j) in seen:
            raise Unreadable(f"{name}, line {line}: this group has the dimensions already")
        seen.add((group, i, j))
        where.append((group, contract, party, rater, i, j))
    made = _empty(len(number), d)
    for (group, contract, party, rater, i, j), row in zip(where, rows, strict=True):
        made.contract[group], made.party[group], made.rater[group] = contract, party, rater
        made.group[group], made.people[group] = int(row["group"]), int(row["people"])
        made.n[group, i, j] = made.n[group, j, i] = int(row["n"])
        made.weight[group, i, j] = made.weight[group, j, i] = float(row["weight"])
        made.products[group, i, j] = made.products[group, j, i] = float(row["products"] or 0)
        made.sums[group, i, j] = float(row["sum"])
        if i == j:
            made.centre[group, i], made.squares[group, i] = float(row["centre"]), float(row["squares"] or 0)
        else:
            made.sums[group, j, i] = float(row["other_sum"] or 0)
    return made


def _empty(rows: int, d: int) -> Groups:
    def whole(*shape: int) -> Integers:
        return np.zeros((rows, *shape), dtype=np.int64)

    def real(*shape: int) -> Vector:
        return np.zeros((rows, *shape))

    return Groups(
        contract=whole(),
        party=whole(),
        group=whole(),
        rater=whole(),
        people=whole(),
        n=whole(d, d),
        weight=real(d, d),
        squares=real(d),
        centre=real(d),
        sums=real(d, d),
        products=real(d, d),
    )


def terms_rows(terms: Pooled, parties: Sequence[str], dimensions: Sequence[str]) -> Iterator[tuple[Value, ...]]:
    """The rows of terms.csv."""
    for p, party in enumerate(parties):
        yield "gap", party, None, None, float(terms.gap[p])
        for d, dimension in enumerate(dimensions):
            yield "dispersion", party, dimension, None, float(terms.dispersion[p, d])
            yield "rater_variance", party, dimension, None, float(terms.rater_variance[p, d])
            for e in range(d + 1, len(dimensions)):
                yield "correlation", party, dimension, dimensions[e], float(terms.correlation[p, d, e])


def terms_from(rows: Sequence[Record], codes: Codes) -> Pooled:
    """The frozen terms that terms.csv tells; severities stand in raters.csv.

    Raises:
        Unreadable: an unknown term or code, or a term that is missing.
    """
    p, d = len(codes.parties), len(codes.dimensions)
    gap, dispersion, rater_variance = np.full(p, np.nan), np.full((p, d), np.nan), np.full((p, d), np.nan)
    correlation = np.full((p, d, d), np.nan)
    correlation[:, range(d), range(d)] = 1.0
    for line, row in enumerate(rows, start=2):
        party = codes.place("terms.csv", line, "parties", row["party"])
        value, axes = float(row["value"]), [row[which] for which in ("dimension", "other_dimension") if row[which]]
        place = [codes.place("terms.csv", line, "dimensions", axis) for axis in axes]
        match row["term"], place:
            case "gap", []:
                gap[party] = value
            case "dispersion", [i]:
                dispersion[party, i] = value
            case "rater_variance", [i]:
                rater_variance[party, i] = value
            case "correlation", [i, j]:
                correlation[party, i, j] = correlation[party, j, i] = value
            case term, _:
                raise Unreadable(f"terms.csv, line {line}: {term[:40]!r} is no such term")
    if any(np.isnan(table).any() for table in (gap, dispersion, rater_variance, correlation)):
        raise Unreadable("terms.csv: a term is missing")
    learned = np.zeros(dispersion.shape, dtype=np.bool_)  # what was assumed is told on the pages; no score asks
    return Pooled(
        dispersion=dispersion,
        rater_variance=rater_variance,
        correlation=correlation,
        gap=gap,
        dispersion_assumed=learned,
        rater_variance_assumed=learned,
        correlation_assumed=np.zeros(correlation.shape, dtype=np.bool_),
        gap_assumed=np.zeros(gap.shape, dtype=np.bool_),
        coefficient_means=np.zeros(0),
        raters=None,
    )


def adjusted_rows(public: PublicInputs, adjusted: Adjusted) -> Iterator[tuple[Value, ...]]:
    """The rows of adjusted.csv."""
    for c, contract in enumerate(public.facts.contracts):
        for d, dimension in enumerate(public.facts.dimensions):
            yield contract, dimension, float(adjusted.points[c, d]), float(adjusted.variance[c, d])


def adjusted_from(rows: Sequence[Record], codes: Codes) -> Adjusted:
    """What adjusted.csv tells; 0 for what it leaves out.

    Raises:
        Unreadable: an unknown code.
    """
    points, variance = (np.zeros((len(codes.contracts), len(codes.dimensions))) for _ in range(2))
    for line, row in enumerate(rows, start=2):
        c = codes.place("adjusted.csv", line, "contracts", row["contract"])
        d = codes.place("adjusted.csv", line, "dimensions", row["dimension"])
        points[c, d], variance[c, d] = float(row["points"]), float(row["variance"])
    return Adjusted(points, variance)
