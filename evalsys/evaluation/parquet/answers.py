"""What step 11 reads of the view `answers`: the few rows of the appointed raters, and sums of the recipients' many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from evalsys.evaluation.file_answers import Said, item_sums, judgements_from, service_types
from evalsys.evaluation.file_inputs import Outline
from evalsys.evaluation.parquet.composites import Measured
from evalsys.evaluation.parquet.layout import Layout, text
from evalsys.evaluation.rating_files import measured_criteria
from evalsys.evaluation.reliability import ItemSums, Judgements, items_of
from evalsys.scoring.cells import SAMPLED
from evalsys.scoring.composite import scheme

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def said_of(connection: DuckDBPyConnection, layout: Layout, outline: Outline, measured: Measured) -> Said:
    """What the appointed parties said, in the order of contracts and raters, and the sums of every questionnaire."""
    judgements: list[Judgements] = []
    items: list[ItemSums] = []
    for party in outline.rules.parties:
        if party.code == SAMPLED:
            items += _summed(connection, layout, outline)
        elif outline.rules.criteria_for(party.code):
            judgements.append(_judgements(connection, layout, outline, party.code, measured))
            items += item_sums(outline, judgements[-1])
    return Said(judgements, items)


def _judgements(
    connection: DuckDBPyConnection, layout: Layout, outline: Outline, party: str, measured: Measured
) -> Judgements:
    rules = outline.rules
    places = [rules.criteria.index(criterion) for criterion in scheme(rules, party).criteria]
    own = [k for k in places if k in layout.given and not measured_criteria(rules)[k]]
    some = " OR ".join(f"g{k} IS NOT NULL" for k in own) or "false"
    levels = "".join(f", coalesce(g{k}, -1)::BIGINT AS g{k}" for k in own)
    found = connection.execute(
        f"SELECT place, rater{levels} FROM answers JOIN contracts USING (contract)"
        f" WHERE party = {text(party)} AND ({some}) ORDER BY place, rater"
    ).fetchnumpy()
    contract = found["place"].astype(np.int64)
    values = np.full((len(contract), len(places)), np.nan)
    for column, k in enumerate(places):
        if k in own:
            level = found[f"g{k}"]
            values[:, column] = np.where(level > 0, level, np.where(level == 0, np.inf, np.nan))
        elif measured_criteria(rules)[k]:
            known = measured.get(k, {})
            values[:, column] = np.array([known.get(code, np.inf) for code in outline.contracts])[contract]
    rater = np.unique(found["rater"].astype(np.str_), return_inverse=True)[1].astype(np.int64)
    return judgements_from(outline, party, rater, contract, values)


def _summed(connection: DuckDBPyConnection, layout: Layout, outline: Outline) -> list[ItemSums]:
    """Sums over the recipients who answered every question of their questionnaire."""
    types = service_types(outline).tolist()
    criteria = [criterion.code for criterion in outline.rules.criteria]
    found = []
    for kind, (codes, of_kind) in items_of(outline.rules, SAMPLED, types).items():
        places = [criteria.index(code) for code in codes]
        if set(places) <= set(layout.given):
            mine = [code for code, one in zip(outline.contracts, types, strict=True) if one in of_kind]
            found.append(_of_questionnaire(connection, kind, codes, places, mine))
    return found


def _of_questionnaire(
    connection: DuckDBPyConnection, kind: str, codes: tuple[str, ...], places: Sequence[int], contracts: Sequence[str]
) -> ItemSums:
    pairs = [(i, j) for i in range(len(places)) for j in range(i, len(places))]
    sums = [f"sum(g{k})" for k in places] + [f"sum(g{places[i]}::INTEGER * g{places[j]})" for i, j in pairs]
    whole = " AND ".join(f"g{k} > 0" for k in places)
    connection.register("of_kind", {"contract": np.array(contracts, dtype=np.object_)})
    row = connection.execute(
        f"SELECT count(*), {', '.join(sums)} FROM answers JOIN of_kind USING (contract)"
        f" WHERE party = {text(SAMPLED)} AND {whole}"
    ).fetchall()[0]
    connection.unregister("of_kind")
    added = [float(value or 0) for value in row[1:]]  # null where nobody answered all
    products = np.zeros((len(places), len(places)))
    for (i, j), product in zip(pairs, added[len(places) :], strict=True):
        products[i, j] = products[j, i] = product
    return ItemSums(SAMPLED, kind, codes, int(row[0]), np.array(added[: len(places)]), products)
