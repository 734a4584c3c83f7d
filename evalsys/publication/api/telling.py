"""From rows to what is answered."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

from flask import url_for

from evalsys.evaluation.explanation import explain
from evalsys.evaluation.sentences import response_rate
from evalsys.publication import models
from evalsys.publication.api import shapes
from evalsys.publication.queries import Published
from evalsys.publication.receipts import Proof
from evalsys.publication.vendor_scores import VendorYear
from evalsys.registry.models import Cycle, Region
from evalsys.rules.model import Rules

RESULT = (
    "service_type",
    "amount_fen",
    "starts_on",
    "ends_on",
    "recipients_served",
    "peer_group",
    "status",
    "score",
    "low",
    "high",
    "grade",
    "rank",
    "rank_low",
    "rank_high",
    "band",
    "shrunk",
    "shrunk_sd",
)
"""Columns that are told as they are."""

Beside = Mapping[str, Sequence[shapes.Remark]]
"""What is said beside the lines of an edition, by contract."""


def region(kept: Region) -> shapes.Region:
    return shapes.Region(path=kept.path, name=kept.name)


def cycle(kept: Cycle) -> shapes.Cycle:
    return shapes.Cycle(code=kept.code, title=kept.title, year=kept.year, region=region(kept.region))


def edition(kept: models.Edition, in_force: Collection[int]) -> shapes.Edition:
    """`in_force`: numbers of the editions that hold now."""
    return shapes.Edition(
        id=kept.id,
        number=kept.number,
        cycle=cycle(kept.cycle),
        published_at=kept.published_at,
        reason=kept.reason,
        in_force=kept.id in in_force,
        withdrawn=kept.withdrawal is not None,
        simulated=kept.cycle.simulated,
    )


def edition_told(
    kept: models.Edition,
    record: models.EditionRecord | None,
    *,
    rules: Rules,
    statuses: dict[str, int],
    in_force: Collection[int],
) -> shapes.EditionTold:
    links = {
        "page": url_for("publication.edition", number=kept.id),
        "scores": url_for("api.scores", number=kept.id),
        "methodology": url_for("api.methodology", edition=kept.id),
        "keys": url_for("api.keys"),
    }
    seal = None
    if record is not None:
        links |= {name: url_for(f"publication.{name}", number=kept.id) for name in ("bundle", "statement")}
        seal = shapes.Seal(
            hash=record.hash,
            root=record.root,
            leaves=record.leaves,
            signed_by=record.fingerprints,
            statement=json.loads(record.statement),
        )
    return shapes.EditionTold(
        **vars(edition(kept, in_force)),
        rules_version=rules.version,
        rules_hash=kept.run.rules.hash,
        code_version=kept.run.code_version,
        statuses=statuses,
        seal=seal,
        links=links,
    )


def result(line: models.EditionScore, beside: Beside) -> shapes.Result:
    return shapes.Result(
        contract=line.contract_reference,
        title=line.contract_title,
        vendor=shapes.Vendor(credit_code=line.vendor_credit_code, name=line.vendor_name),
        purchaser=line.purchaser_name,
        region=shapes.Region(path=line.region_path, name=line.region_name),
        response_rate=response_rate(line.breakdown["collected"]),
        reasons=[shapes.Reason(**reason) for reason in line.breakdown["reasons"]],
        remarks=list(beside.get(line.contract_reference, ())),
        **{name: getattr(line, name) for name in RESULT},
    )


def published(found: Published, in_force: Collection[int], beside: Beside) -> shapes.Published:
    return shapes.Published(edition=edition(found.edition, in_force), result=result(found.line, beside))


def explained(line: models.EditionScore, rules: Rules) -> shapes.Explained | None:
    """None where the line has no score."""
    parts = explain(line, rules)
    if parts is None:
        return None
    return shapes.Explained(
        dimensions=[
            shapes.DimensionResult(
                dimension=row.dimension,
                weight=row.weight,
                score=row.score,
                points=row.points,
                parts=[shapes.Part(**vars(part)) for part in row.parts],
            )
            for row in parts.dimensions
        ],
        uneven=parts.uneven,
    )


def vendor_year(kept: VendorYear, in_force: Collection[int], beside: Beside) -> shapes.VendorYear:
    return shapes.VendorYear(
        edition=edition(kept.edition, in_force),
        score=shapes.VendorScore(**vars(kept.score)) if kept.score else None,
        results=[result(line, beside) for line in kept.page.rows],
    )


def proof(kept: Proof | None) -> shapes.Proof | None:
    if kept is None:
        return None
    return shapes.Proof(
        edition=kept.edition.id,
        index=kept.index,
        size=kept.size,
        root=kept.root.hex(),
        path=[one.hex() for one in kept.path],
    )
