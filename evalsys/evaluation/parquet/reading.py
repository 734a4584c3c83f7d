"""Step 0 of a Parquet file, from its columns to the arrays of the scoring core."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evalsys.evaluation.contract_files import Contract, read_contracts, read_frame
from evalsys.evaluation.file_answers import Said
from evalsys.evaluation.file_faults import Findings, Message, _l
from evalsys.evaluation.file_inputs import Outline, inputs_from, outline_of, places_of
from evalsys.evaluation.parquet.agreement import note_strangers, refuse_changes, refuse_strata
from evalsys.evaluation.parquet.answers import said_of
from evalsys.evaluation.parquet.composites import Measured, terms_of
from evalsys.evaluation.parquet.faults import refuse_doubles, refuse_faulty
from evalsys.evaluation.parquet.layout import Layout, layout_of, listed, text
from evalsys.evaluation.parquet.opening import Room, opened
from evalsys.evaluation.parquet.sums import Sums
from evalsys.evaluation.rating_files import measured_criteria, refuse_nothing
from evalsys.evaluation.strata import Frame, Strata, label_of
from evalsys.rules.model import Rules
from evalsys.scoring.inputs import Inputs, Judged

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def read_parquet(
    ratings: Path,
    rules: Rules,
    *,
    contracts: Path | None,
    frame: Path | None,
    room: Room,
    progress: Callable[[Message], None],
) -> tuple[Inputs, int, Said]:
    """Add up a long or wide Parquet file.

    Returns:
        the arrays, how many ratings are held back, and what step 11 reads; empty where the rules do not ask.

    Raises:
        FilesFaulty: with the faults of the first faulty file, up to 100.
        OSError: a file cannot be opened.
    """
    findings = Findings(ratings.name)
    known = read_contracts(contracts, rules) if contracts else None
    with opened(ratings, room, findings) as connection:
        layout = layout_of(connection, rules, findings)
        connection.execute(layout.cells())
        progress(_l("looking at every cell"))
        refuse_faulty(connection, layout, findings)
        held = _held(connection, layout, findings)
        progress(_l("looking for doubles"))
        refuse_doubles(connection, layout, findings)
        if not layout.wide:
            progress(_l("bringing each respondent's ratings together"))
        _answers(connection, layout)
        refuse_changes(connection, layout, findings)
        if known is None:
            known = _told_by_ratings(connection, rules)
        else:
            note_strangers(connection, layout, known, findings)
        sizes = read_frame(frame, known.keys()) if frame else Frame()
        refuse_strata(connection, layout, sizes, findings)
        outline = _outline(connection, layout, known, sizes)
        measured = _measured(connection, layout)
        sums, raters, judged = _summed(connection, layout, outline, measured, progress)
        said = said_of(connection, layout, outline, measured) if rules.reliability else Said()
    # DuckDB has given its memory back by now
    return inputs_from(outline, *sums.tables(), raters, judged), held, said


def _held(connection: DuckDBPyConnection, layout: Layout, findings: Findings) -> int:
    """How many ratings are held back; a file in which none counts is refused."""
    ratings = "1"
    if layout.wide and "held" in layout.kinds:
        ratings = " + ".join(f"(g{k} IS NOT NULL)::INT" for k in layout.given)
    query = f"SELECT held, sum({ratings})::BIGINT FROM cells GROUP BY held"
    found = dict(connection.execute(query).fetchall())
    refuse_nothing(found.get(0, 0), found.get(1, 0), findings)
    return int(found.get(1, 0))


def _answers(connection: DuckDBPyConnection, layout: Layout) -> None:
    """`answers`: one row a respondent, with the columns `g<n>`; ratings held back are left out."""
    if layout.wide:
        connection.execute("CREATE TEMP VIEW answers AS SELECT * FROM cells WHERE held = 0")
        return
    criteria, measured = layout.rules.criteria, measured_criteria(layout.rules)
    level = "max(CASE WHEN isinf(value) THEN 0 ELSE value END)"
    asked = [k for k in layout.given if not measured[k]]
    own = [f"({level} FILTER (criterion = {text(criteria[k].code)}))::TINYINT AS g{k}" for k in asked]
    told = [f"min({name}) AS {name}, max({name}) AS other_{name}" for name in (*layout.strata, "mode")]
    aside = listed(criterion.code for k, criterion in enumerate(criteria) if measured[k])
    some = f"held = 0 AND criterion NOT IN {aside}" if measured.any() else "held = 0"
    columns = ", ".join(["contract", "party", "rater", *told, *own])
    connection.execute(
        f"CREATE TEMP TABLE answers AS SELECT {columns} FROM cells WHERE {some} GROUP BY contract, party, rater"
    )


def _told_by_ratings(connection: DuckDBPyConnection, rules: Rules) -> dict[str, Contract]:
    group = rules.peer_group_of(None)
    rows = connection.execute("SELECT contract, max(vendor) FILTER (held = 0) FROM cells GROUP BY contract").fetchall()
    return {code: Contract(vendor=vendor or code, peer_group=group) for code, vendor in rows}


def _outline(connection: DuckDBPyConnection, layout: Layout, listed: Mapping[str, Contract], frame: Frame) -> Outline:
    """The lists of the cycle, and the tables that tell a label's place in them."""
    columns = ", ".join(["mode", *layout.strata])
    found = connection.execute(f"SELECT DISTINCT {columns} FROM answers").fetchall()
    modes, told = {mode for mode, *_parts in found}, sorted({tuple(parts) for _mode, *parts in found})
    labels = ["".join(parts) if not layout.parted else label_of(*parts) for parts in told]
    outline = outline_of(layout.rules, listed, frame, modes=modes, strata=Strata(tuple(labels), layout.parted))
    _table(connection, "contracts", {"contract": outline.contracts}, outline.contracts, outline.contracts)
    _table(connection, "modes", {"mode": outline.modes}, outline.modes, outline.modes)
    if layout.strata:
        columns_of_parts = dict(zip(layout.strata, zip(*told, strict=True), strict=True))
        _table(connection, "strata", columns_of_parts, labels, outline.strata)
    return outline


def _table(
    connection: DuckDBPyConnection,
    name: str,
    columns: Mapping[str, Sequence[str]],
    labels: Sequence[str],
    known: Sequence[str],
) -> None:
    """A table of labels and their places in a list."""
    texts = {column: np.array(values, dtype=np.object_) for column, values in columns.items()}
    _kept(connection, name, texts | {"place": places_of(labels, known)})


def _kept(connection: DuckDBPyConnection, name: str, columns: Mapping[str, np.ndarray[Any, Any]]) -> None:
    connection.register("handed_over", dict(columns))
    connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM handed_over")
    connection.unregister("handed_over")


def _summed(
    connection: DuckDBPyConnection,
    layout: Layout,
    outline: Outline,
    measured: Measured,
    progress: Callable[[Message], None],
) -> tuple[Sums, Sequence[str], Judged | None]:
    rules = outline.rules
    groups = "SELECT count(*) AS n FROM answers GROUP BY contract, party"
    (most,) = connection.execute(f"SELECT coalesce(max(n), 1) FROM ({groups})").fetchall()[0]
    sums = Sums(connection, outline, strata=layout.strata, most=int(most))
    raters: Sequence[str] = ()
    judged = None
    for place, party in enumerate(rules.parties):
        progress(_l("adding up the answers of party %(party)s", party=party.code))
        terms = terms_of(outline, party.code, layout.given, measured)
        if terms.about:
            codes = {"contract": np.array(outline.contracts, dtype=np.object_)}
            _kept(connection, "about", codes | terms.about)
        sums.add(place, terms)
        if rules.severity and rules.severity.party == party.code:
            raters, judged = sums.judged(party.code, terms)
    return sums, raters, judged


def _measured(connection: DuckDBPyConnection, layout: Layout) -> Measured:
    """Of each measured criterion, what the contracts have."""
    found: Measured = {}
    measured = measured_criteria(layout.rules)
    for k in [k for k in layout.given if measured[k]]:
        code = text(layout.rules.criteria[k].code)
        wide, long = f"g{k} IS NOT NULL", f"criterion = {code}"
        value, among = (f"g{k}", wide) if layout.wide else ("value", long)
        query = f"SELECT contract, {value} FROM cells WHERE held = 0 AND {among}"
        found[k] = dict(connection.execute(query).fetchall())
    return found
