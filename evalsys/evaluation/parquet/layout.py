"""What the columns of a Parquet file are, and how their cells are read in SQL.

A long file has one row a rating, as a CSV file; a wide one has one row a respondent and a column for each criterion.
Either becomes a view `cells` with `row`, one text column a label and `held`. A wide one has one column `g<n>` a
criterion: the level, 0 where it does not apply, null where it was left out, `FAULTY` where it cannot be read; a
measured value is a number, infinite where it was not measured, NaN where it cannot be read. A long one has `criterion`
and such a `value`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalsys.evaluation.file_faults import Findings, _l
from evalsys.evaluation.long_files import Column, header_names
from evalsys.evaluation.rating_faults import levels_of
from evalsys.evaluation.rating_files import HELD_WORDS, MODE_WORDS, NOT_APPLICABLE_WORDS, columns_of
from evalsys.evaluation.strata import parted_of, refuse_two_ways
from evalsys.rules.model import Criterion, Rules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

FAULTY = -1
WHOLE = frozenset({"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"})
BROKEN = frozenset({"FLOAT", "DOUBLE"})
LABELS = ("contract", "party", "rater", "mode", "stratum", "township", "item", "vendor")


@dataclass(frozen=True)
class Layout:
    """The columns of a file.

    Attributes:
        rules: what may be rated.
        wide: whether a row is a respondent, with a column a criterion.
        kinds: DuckDB's type of each column that is there, by our name of it; criteria by their codes.
        titles: what the file calls them.
    """

    rules: Rules
    wide: bool
    kinds: Mapping[str, str]
    titles: Mapping[str, str]

    @property
    def parted(self) -> bool | None:
        return parted_of(self.kinds)

    @property
    def strata(self) -> list[str]:
        """The columns that tell a stratum."""
        if self.parted:
            return ["township", "item"]
        return ["stratum"] if self.parted is not None else []

    @property
    def given(self) -> list[int]:
        """Places of the criteria that the file may have answers to."""
        criteria = enumerate(self.rules.criteria)
        return [k for k, criterion in criteria if not self.wide or criterion.code in self.kinds]

    def names(self, party: str) -> str:
        """What the file may call a party, as a list in SQL."""
        known = self.rules.party(party)
        return listed((known.code, known.name.zh, known.name.en))

    def cells(self) -> str:
        """The view `cells`; see the module."""
        columns = ["file_row_number + 1 AS row", f"{self._party()} AS party", f"{self._held()} AS held"]
        columns += [f"{self._text(name)} AS {name}" for name in LABELS if name != "party"]
        if self.wide:
            columns += [f"{self._given(k)} AS g{k}" for k in self.given]
        else:
            only = text(self.rules.criteria[0].code)
            columns += [f"{self._text('criterion') if 'criterion' in self.kinds else only} AS criterion"]
            columns += [f"{self._number('value')} AS value"]
        return f"CREATE TEMP VIEW cells AS SELECT {', '.join(columns)} FROM file"

    def shown(self, name: str) -> str:
        """A cell as a person reads it."""
        return f"coalesce({self._as_text(name)}, '')" if name in self.kinds else "''"

    def _party(self) -> str:
        """The party's code; of an unknown one what stands there."""
        if "party" not in self.kinds:
            return text(self.rules.parties[0].code)
        cell = self._text("party")
        known = "".join(f" WHEN {cell} IN {self.names(p.code)} THEN {text(p.code)}" for p in self.rules.parties)
        return f"CASE{known} ELSE {cell} END"

    def _given(self, k: int) -> str:
        criterion = self.rules.criteria[k]
        return self._level(criterion) if levels_of(self.rules, criterion) else self._number(criterion.code)

    def _text(self, name: str) -> str:
        """A cell without space around it; empty where the file has no such column."""
        if name not in self.kinds:
            return "''"
        cell = f"coalesce(trim({self._as_text(name)}), '')"
        if name != "mode":
            return cell
        known = "".join(f" WHEN {cell} IN {listed(words)} THEN {text(code)}" for code, words in MODE_WORDS.items())
        return f"CASE{known} ELSE {cell} END"

    def _number(self, name: str) -> str:
        """A cell as a number; infinite = nothing applies, NaN = it cannot be read, null = it is empty."""
        cell = quoted(self.titles[name])
        if self.kinds[name] != "VARCHAR":
            number = f"CAST({cell} AS DOUBLE)"
            return f"CASE WHEN isfinite({number}) THEN {number} WHEN NOT isnan({number}) THEN 'nan'::DOUBLE END"
        words, number = f"lower(trim({cell}))", f"TRY_CAST(trim({cell}) AS DOUBLE)"
        return (
            f"CASE WHEN {words} IS NULL OR {words} = '' THEN NULL"
            f" WHEN {words} IN {listed(sorted(NOT_APPLICABLE_WORDS))} THEN 'inf'::DOUBLE"
            f" WHEN isfinite({number}) AND NOT contains({words}, '_') THEN {number} ELSE 'nan'::DOUBLE END"
        )

    def _held(self) -> str:
        """1 = held back, 0 = not, `FAULTY` = it cannot be told."""
        word = f"lower({self._text('held')})"
        no, yes = map(listed, HELD_WORDS)
        return f"CASE WHEN {word} IN {no} THEN 0 WHEN {word} IN {yes} THEN 1 ELSE {FAULTY} END"

    def _level(self, criterion: Criterion) -> str:
        top, cell = levels_of(self.rules, criterion), quoted(self.titles[criterion.code])
        if self.kinds[criterion.code] in WHOLE:
            fits = f"{cell} BETWEEN {0 if criterion.not_applicable else 1} AND {top}"
            return f"CASE WHEN {fits} THEN CAST({cell} AS TINYINT) WHEN {cell} IS NOT NULL THEN {FAULTY} END"
        number = self._number(criterion.code)
        off = f"WHEN isinf({number}) OR {number} = 0 THEN {0 if criterion.not_applicable else FAULTY}"
        fits = f"{number} BETWEEN 1 AND {top} AND {number} = floor({number})"
        return f"CASE {off} WHEN {fits} THEN CAST({number} AS TINYINT) WHEN {number} IS NOT NULL THEN {FAULTY} END"

    def _as_text(self, name: str) -> str:
        cell, kind = quoted(self.titles[name]), self.kinds[name]
        if kind in BROKEN:
            whole = f"{cell} = floor({cell}) AND abs({cell}) < 1e15"
            return f"CASE WHEN {whole} THEN CAST(CAST({cell} AS BIGINT) AS VARCHAR) ELSE CAST({cell} AS VARCHAR) END"
        return cell if kind == "VARCHAR" else f"CAST({cell} AS VARCHAR)"


def text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def listed(values: Iterable[str]) -> str:
    """A list of texts as SQL writes it."""
    return f"({', '.join(map(text, values))})"


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def layout_of(connection: DuckDBPyConnection, rules: Rules, findings: Findings) -> Layout:
    """Tell the columns of the view `file`.

    Raises:
        FilesFaulty: a column is unknown, missing, twice there or of a kind that holds no answers.
    """
    described = connection.execute("DESCRIBE file").fetchall()
    kinds = {title: _kind(kind) for title, kind, *_rest in described if title.strip() and title != "file_row_number"}
    codes = {criterion.code for criterion in rules.criteria}
    wide = not {"criterion", "value"} & set(kinds) and bool(codes & set(kinds))
    columns = _wide_columns(rules) if wide else columns_of(rules)
    names = header_names(list(kinds), columns, findings, row=0)
    refuse_two_ways(names, findings, row=0)
    titles = dict(zip(names, kinds, strict=True))
    layout = Layout(rules, wide, {name: kinds[title] for name, title in titles.items()}, titles)
    for name, kind in layout.kinds.items():
        answers = name in codes or name == "value"
        if not kind or (kind == "BOOLEAN" and name != "held") or (kind not in {"VARCHAR", *WHOLE, *BROKEN} and answers):
            wrong = _l("The column does not hold text or numbers.")
            findings.add(0, titles[name], "", wrong, _l("Write it as text or as a number."))
    findings.raise_if_any()
    return layout


def _wide_columns(rules: Rules) -> Sequence[Column]:
    kept = [column for column in columns_of(rules) if column.name not in {"criterion", "value"}]
    return [*kept, *(Column(criterion.code, required=False) for criterion in rules.criteria)]


def _kind(kind: str) -> str:
    """A type as this module knows it; empty for one that holds neither text nor numbers."""
    if kind.startswith(("DECIMAL", "HUGEINT", "UHUGEINT")):
        return "DOUBLE"
    if kind.startswith("ENUM"):
        return "VARCHAR"
    return kind if kind in {"VARCHAR", "BOOLEAN", *WHOLE, *BROKEN} else ""
