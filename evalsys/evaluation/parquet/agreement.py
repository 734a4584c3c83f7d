"""What a Parquet file has to agree on with itself and with the other files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from evalsys.evaluation import rating_faults
from evalsys.evaluation.contract_files import Contract
from evalsys.evaluation.file_faults import MOST, Findings
from evalsys.evaluation.parquet.layout import Layout
from evalsys.evaluation.strata import Frame, label_of, shown_of

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def refuse_changes(connection: DuckDBPyConnection, layout: Layout, findings: Findings) -> None:
    """One respondent has one mode and one stratum; one contract has one vendor.

    Raises:
        FilesFaulty: with the rows, up to 100.
    """
    if not layout.wide:  # in a wide file a respondent is one row
        for name in ("mode", *layout.strata):
            keys = "contract, party, rater"
            _changes(connection, name, keys, f"SELECT {keys} FROM answers WHERE {name} <> other_{name}", findings)
    if "vendor" in layout.kinds:
        of = "SELECT contract FROM cells WHERE held = 0 GROUP BY contract HAVING min(vendor) <> max(vendor)"
        _changes(connection, "vendor", "contract", of, findings)
    findings.raise_if_any()


def _changes(connection: DuckDBPyConnection, name: str, keys: str, among: str, findings: Findings) -> None:
    """Where a label is another one than in the row before, among the rows with some keys."""
    before = f"lag(row) OVER same AS row_before, lag({name}) OVER same AS said_before"
    rows = (
        f"SELECT row, {name} AS said, {before} FROM cells JOIN ({among} LIMIT {MOST + 1}) USING ({keys})"
        f" WHERE held = 0 WINDOW same AS (PARTITION BY {keys} ORDER BY row)"
    )
    changed = f"SELECT * FROM ({rows}) WHERE said <> said_before ORDER BY row LIMIT {MOST + 1}"
    for row, said, row_before, said_before in connection.execute(changed).fetchall():
        findings.add(row, name, said, *rating_faults.changed(row_before, said_before))


def note_strangers(
    connection: DuckDBPyConnection, layout: Layout, listed: Mapping[str, Contract], findings: Findings
) -> None:
    """Look at the ratings in the light of the contracts' file, and note what disagrees."""
    _contracts(connection, listed, findings)
    if any(contract.service_type for contract in listed.values()):
        _unasked(connection, layout, listed, findings)


def refuse_strata(connection: DuckDBPyConnection, layout: Layout, frame: Frame, findings: Findings) -> None:
    """Look at the ratings in the light of the frame.

    Raises:
        FilesFaulty: with every fault noted so far, up to 100.
    """
    if frame.tells_otherwise(layout.parted):
        findings.refuse(*rating_faults.TWO_WAYS)
    if frame.sizes and layout.strata:
        _strata(connection, layout, frame, findings)
    findings.raise_if_any()


def _contracts(connection: DuckDBPyConnection, listed: Mapping[str, Contract], findings: Findings) -> None:
    said = "SELECT contract, vendor, min(row) FROM cells WHERE held = 0 GROUP BY contract, vendor ORDER BY min(row)"
    for code, vendor, row in connection.execute(said).fetchall():
        if code not in listed:
            findings.add(row, "contract", code, *rating_faults.UNLISTED)
        elif vendor and vendor != listed[code].vendor:
            findings.add(row, "vendor", vendor, *rating_faults.other_vendor(listed[code].vendor))


def _strata(connection: DuckDBPyConnection, layout: Layout, frame: Frame, findings: Findings) -> None:
    known = frame.known()
    columns = ", ".join(layout.strata)
    found = connection.execute(
        f"SELECT contract, min(row), {columns} FROM cells WHERE held = 0 GROUP BY contract, {columns} ORDER BY min(row)"
    )
    for code, row, *parts in found.fetchall():
        label = label_of(*parts) if layout.parted else parts[0]
        if label and not known(code, label):
            shown = shown_of(label) if layout.parted else label
            findings.add(row, "stratum", shown, *rating_faults.no_such_stratum(code))


def _unasked(
    connection: DuckDBPyConnection, layout: Layout, listed: Mapping[str, Contract], findings: Findings
) -> None:
    for k, criterion in enumerate(layout.rules.criteria):
        if not criterion.service_types or k not in layout.given:
            continue
        given = f"g{k} IS NOT NULL" if layout.wide else f"criterion = '{criterion.code}'"
        others = [code for code, one in listed.items() if one.service_type not in {None, *criterion.service_types}]
        connection.register("others", {"contract": np.array(others, dtype=np.object_)})
        rows = connection.execute(
            f"SELECT row FROM cells JOIN others USING (contract) WHERE held = 0 AND {given}"
            f" ORDER BY row LIMIT {MOST + 1}"
        ).fetchall()
        connection.unregister("others")
        for (row,) in rows:
            findings.add(row, "criterion", criterion.code, *rating_faults.UNASKED)
