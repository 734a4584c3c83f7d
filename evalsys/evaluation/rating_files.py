"""A long file of ratings becomes answers: one row a rating, held as numbers and never as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evalsys.evaluation import rating_faults
from evalsys.evaluation.file_faults import MOST, Findings, Message, _l
from evalsys.evaluation.long_files import Block, Column, blocks
from evalsys.evaluation.rating_faults import Told, levels_of
from evalsys.evaluation.strata import ITEM, STRATUM, TOWNSHIP, Strata, joined, parted_of, refuse_two_ways
from evalsys.rules.model import Criterion, Rules, Source
from evalsys.scoring.arrays import Flags, Integers, Vector

NOT_APPLICABLE_WORDS = frozenset({"na", "n/a", "不适用"})
HELD_WORDS = (("", "0", "no", "false", "否"), ("1", "yes", "true", "是"))
"""What the column `held` may say: no, and yes."""

MODE_WORDS = {
    "self": ("本人填写", "本人", "自填"),
    "assisted": ("协助填写", "协助", "代填"),
    "telephone": ("电话访问", "电话"),
    "paper": ("纸质问卷", "纸质"),
}
"""Chinese words for the modes that coefficients are written for."""

_MODE_CODES = {word: code for code, words in MODE_WORDS.items() for word in words}

_UNREADABLE, _NOT_APPLICABLE = np.nan, np.inf  # what a value's text becomes when it is no number
_FAULTY = -1  # the position of a text that is not in its list
_HELD = 1
_ALWAYS = ("contract", "party", "rater", "criterion", "mode", "stratum", "vendor")  # kept of every file
_NOTHING: Integers = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Ratings:
    """The ratings of one file that count, in columns of equal length.

    Attributes:
        contracts, vendors, modes, strata: the labels that the columns point into.
        raters: names of the raters, where the rules have a step that looks at raters; else empty.
        held: ratings held back, which are counted nowhere else.
        contract, party, rater, criterion, mode, stratum: positions.
        vendor: position; all 0 in a file without vendors.
        value: the number of the file; infinite = not applicable.
        row: the row of the file.
    """

    contracts: tuple[str, ...]
    vendors: tuple[str, ...]
    modes: tuple[str, ...]
    strata: Strata
    raters: tuple[str, ...]
    held: int
    contract: Integers
    vendor: Integers
    party: Integers
    rater: Integers
    criterion: Integers
    mode: Integers
    stratum: Integers
    value: Vector
    row: Integers


class Labels(dict[str, int]):
    """Texts of cells to positions in a list; an unknown text is a new entry, unless the list is closed.

    Attributes:
        names: the entries of an open list, in the order they were met.
    """

    def __init__(
        self, known: Sequence[tuple[str, ...]] | None = None, *, named: Callable[[str], str] = str.strip
    ) -> None:
        """`known`: the names of each entry of a closed list; None = the list is open. `named`: a cell's entry."""
        super().__init__({name: place for place, names in enumerate(known or ()) for name in names})
        self.names: list[str] = []
        self._closed, self._named = known is not None, named

    def __missing__(self, cell: str) -> int:
        name = self._named(cell)
        if name not in self:
            if self._closed:
                return _FAULTY
            self[name] = len(self.names)
            self.names.append(name)
        self[cell] = self[name]
        return self[name]


def mode_of(cell: str) -> str:
    """The code of a mode where a cell has a known word for it."""
    return _MODE_CODES.get(cell.strip(), cell.strip())


def folded(cell: str) -> str:
    """A word without its surroundings and in small letters."""
    return cell.strip().casefold()


class _Values(dict[str, float]):
    """Texts of values to numbers."""

    def __missing__(self, cell: str) -> float:
        text = cell.strip()
        try:
            number = float(text)
            self[cell] = number if np.isfinite(number) and "_" not in text else _UNREADABLE
        except ValueError:
            self[cell] = _NOT_APPLICABLE if text.casefold() in NOT_APPLICABLE_WORDS else _UNREADABLE
        return self[cell]


def columns_of(rules: Rules) -> tuple[Column, ...]:
    """The columns of a ratings file; party and criterion may be left out where the rules have just one."""
    return (
        Column("contract", ("合同", "服务项目", "服务项目(合同)", "合同编号")),
        Column("party", ("评价主体",), required=len(rules.parties) > 1),
        Column("rater", ("评价人", "评价员")),
        Column("criterion", ("评价指标", "指标"), required=len(rules.criteria) > 1),
        Column("value", ("评分", "得分", "值")),
        Column("mode", ("评价方式", "方式"), required=False),
        STRATUM,
        TOWNSHIP,
        ITEM,
        Column("vendor", ("承接主体",), required=False),
        Column("held", ("暂扣", "暂不计分"), required=False),
    )


def read_ratings(path: Path, rules: Rules, *, progress: Callable[[Message], None] = lambda _said: None) -> Ratings:
    """Read a ratings file and look at every cell.

    Args:
        path: CSV or spreadsheet.
        rules: what may be rated, on which scale.
        progress: told how far it is.

    Raises:
        FilesFaulty: with every fault, up to 100.
        OSError: the file cannot be opened.
    """
    findings = Findings(path.name)
    reading = _Reading(rules, findings)
    for block in blocks(path, columns_of(rules), findings):
        refuse_two_ways(block.cells, findings)
        reading.take(block)
        progress(_l("%(rows)s rows read", rows=f"{reading.rows:,}"))
        if findings.full:
            break
    findings.raise_if_any()
    ratings = reading.result()
    refuse_nothing(len(ratings.row), ratings.held, findings)
    _refuse_doubles(ratings, rules, findings)
    _refuse_changes(ratings, findings)
    findings.raise_if_any()
    return ratings


def refuse_nothing(counted: int, held: int, findings: Findings) -> None:
    """A file without a rating that counts cannot be scored.

    Raises:
        FilesFaulty: it is one.
    """
    if not counted and held:
        findings.refuse(*rating_faults.ALL_HELD)
    if not counted:
        findings.refuse(*rating_faults.NOTHING)


class _Reading:
    """The columns so far, and the labels seen."""

    def __init__(self, rules: Rules, findings: Findings) -> None:
        self.rules, self.findings = rules, findings
        self.labels = {
            "contract": Labels(),
            "party": Labels([(p.code, p.name.zh, p.name.en) for p in rules.parties]),
            "rater": Labels(),
            "criterion": Labels([(c.code,) for c in rules.criteria]),
            "mode": Labels(named=mode_of),
            "stratum": Labels(),
            "township": Labels(),
            "item": Labels(),
            "vendor": Labels(),
            "held": Labels(HELD_WORDS, named=folded),
        }
        self.values = _Values()
        self.parts: dict[str, list[Integers]] = {}
        self.numbers: list[Vector] = []
        self.rows = self.held = 0
        self.parted: bool | None = None
        self._party_of = np.array([self.labels["party"][c.party] for c in rules.criteria], dtype=np.int64)
        self._measured = measured_criteria(rules)

    def take(self, block: Block) -> None:
        """Look at some rows and keep those that count as numbers."""
        self.parted = parted_of(block.cells)
        taken = {name: self._positions(name, block) for name in self.labels if name in (*_ALWAYS, *block.cells)}
        value = np.fromiter(map(self.values.__getitem__, block.cells["value"]), np.float64, len(block.rows))
        self._check_labels(taken, block)
        self._check_values(taken["criterion"], value, block)
        taken["row"] = np.array(block.rows, dtype=np.int32)
        self.rows += len(block.rows)
        held = taken.pop("held", _NOTHING) == _HELD
        if held.any():
            self.held += int(held.sum())
            taken = {name: places[~held] for name, places in taken.items()}
            value = value[~held]
        for name, places in taken.items():
            self.parts.setdefault(name, []).append(places)
        self.numbers.append(value)

    def result(self) -> Ratings:
        columns = {name: np.concatenate(parts) for name, parts in self.parts.items()}
        columns = {name: columns.get(name, _NOTHING) for name in (*_ALWAYS, "row")} | columns
        strata = self.labels["stratum"].names or [""]
        if self.parted:
            places = [columns.pop(axis, np.zeros_like(columns["stratum"])) for axis in ("township", "item")]
            strata, columns["stratum"] = joined(self._names("township"), self._names("item"), *places)
        return Ratings(
            contracts=self._names("contract"),
            vendors=self._names("vendor"),
            modes=self._names("mode"),
            strata=Strata(tuple(strata), self.parted),
            raters=self._names("rater") if looks_at_raters(self.rules) else (),
            held=self.held,
            value=np.concatenate(self.numbers) if self.rows else np.zeros(0),
            **columns,
        )

    def _names(self, name: str) -> tuple[str, ...]:
        return tuple(self.labels[name].names) or ("",)  # a column that is not there has one nameless entry

    def _positions(self, name: str, block: Block) -> Integers:
        if name not in block.cells:  # the rules have just one, or nobody tells them apart
            return np.zeros(len(block.rows), dtype=np.int32)
        return np.fromiter(map(self.labels[name].__getitem__, block.cells[name]), np.int32, len(block.rows))

    def _check_labels(self, taken: dict[str, Integers], block: Block) -> None:
        nameless = taken["contract"] == self.labels["contract"].get("", _FAULTY)
        self._fault(nameless, "contract", block, rating_faults.NO_CONTRACT)
        for name, known in (("party", self.rules.parties), ("criterion", self.rules.criteria)):
            told = rating_faults.unknown(entry.code for entry in known)
            self._fault(taken[name] == _FAULTY, name, block, told)
        if "held" in taken:
            self._fault(taken["held"] == _FAULTY, "held", block, rating_faults.NEITHER)
        strangers = (self._party_of[taken["criterion"]] != taken["party"]) & (taken["party"] != _FAULTY)
        strangers &= taken["criterion"] != _FAULTY
        self._fault(strangers, "criterion", block, rating_faults.STRANGER)
        nobody = taken["rater"] == self.labels["rater"].get("", _FAULTY)
        asked = ~self._measured[taken["criterion"]]
        self._fault(nobody & asked, "rater", block, rating_faults.NO_RATER)

    def _check_values(self, criterion: Integers, value: Vector, block: Block) -> None:
        for place in np.unique(criterion[criterion != _FAULTY]).tolist():
            known = self.rules.criteria[place]
            wrong = _faulty_values(known, self.rules, value)
            self._fault(wrong & (criterion == place), "value", block, rating_faults.off_scale(known, self.rules))

    def _fault(self, wrong: Flags, column: str, block: Block, told: Told) -> None:
        for place in np.flatnonzero(wrong)[: MOST + 1].tolist():
            cell = block.cells[column][place].strip() if column in block.cells else ""
            self.findings.add(block.rows[place], column, cell, *told)


def _faulty_values(criterion: Criterion, rules: Rules, value: Vector) -> Flags:
    """Which values this criterion cannot have."""
    top = levels_of(rules, criterion)
    if not top:
        return np.array(np.isnan(value))
    right = (value >= 1) & (value <= top) & (np.floor(value) == value)
    return np.array(~(right | ((value == _NOT_APPLICABLE) & criterion.not_applicable)))


def looks_at_raters(rules: Rules) -> bool:
    """Whether a step of the rules tells one rater from another."""
    return any(section is not None for section in (rules.severity, rules.reliability, rules.integrity))


def measured_criteria(rules: Rules) -> Flags:
    """Which criteria are read from the record; shape (criteria,)."""
    return np.array([criterion.source is Source.MEASURED for criterion in rules.criteria], dtype=np.bool_)


def _refuse_doubles(ratings: Ratings, rules: Rules, findings: Findings) -> None:
    """A rater answers a criterion once; a measured value belongs to the contract, whoever wrote it down."""
    measured = measured_criteria(rules)
    rater = np.where(measured[ratings.criterion], 0, ratings.rater.astype(np.int64) + 1)
    order = np.lexsort((rater, ratings.criterion, ratings.contract))
    keys = (ratings.contract[order], ratings.criterion[order], rater[order])
    same = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    for place in np.flatnonzero(same)[: MOST + 1].tolist():
        earlier, later = int(ratings.row[order[place]]), int(ratings.row[order[place + 1]])
        findings.add(later, "", "", *rating_faults.twice(earlier))


def _refuse_changes(ratings: Ratings, findings: Findings) -> None:
    """One respondent has one mode and one stratum; one contract has one vendor."""
    by_contract = ratings.contract.astype(np.int64)
    by_rater = (by_contract * (int(ratings.party.max()) + 1) + ratings.party) * (
        int(ratings.rater.max()) + 1
    ) + ratings.rater
    for column, places, names, key in (
        ("mode", ratings.mode, ratings.modes, by_rater),
        ("stratum", ratings.stratum, ratings.strata.names, by_rater),
        ("vendor", ratings.vendor, ratings.vendors, by_contract),
    ):
        order = np.argsort(key, kind="stable")
        changes = (key[order][1:] == key[order][:-1]) & (places[order][1:] != places[order][:-1])
        for place in np.flatnonzero(changes)[: MOST + 1].tolist():
            here, before = order[place + 1], order[place]
            told = rating_faults.changed(int(ratings.row[before]), names[places[before]])
            findings.add(int(ratings.row[here]), column, names[places[here]], *told)
