"""Sealing an edition: its bundle, signed, and looked at as a stranger would before anybody sees it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import numpy as np
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import Actor
from evalsys.base.audit_chain import link_up
from evalsys.base.errors import Conflict
from evalsys.collection.counting import Figures, by_entry
from evalsys.collection.models import ReceiptLeaf
from evalsys.evaluation import pooled_terms
from evalsys.evaluation.arrays import inputs_of
from evalsys.evaluation.disclosure import disclosed
from evalsys.publication.bundle import layout
from evalsys.publication.bundle.archive import packed
from evalsys.publication.bundle.contents import Material, files_of
from evalsys.publication.bundle.tables import Value
from evalsys.publication.bundle.verification import verify
from evalsys.publication.keys import KeyFolder, signing_keys
from evalsys.publication.models import Edition, EditionRecord, EditionScore
from evalsys.publication.queries import lines_of, rules_of_edition
from evalsys.publication.trees import leaves_of
from evalsys.registry.models import Cycle, Entry
from evalsys.rules.model import Rules
from evalsys.scoring import engine
from evalsys.scoring.inputs import Inputs
from evalsys.scoring.public_inputs import public_inputs
from evalsys.scoring.result import Result

TOLERANCE = 1e-9
"""Points by which a score may differ when it is computed once more before it is sealed."""


def seal(session: Session, edition: Edition, folder: KeyFolder, *, actor: Actor, now: datetime) -> EditionRecord:
    """Make, sign, look at and keep the bundle of an edition that was published in this transaction.

    Raises:
        Conflict: what would be sealed does not hold: scores that do not follow from the inputs, or answers without
            receipts. Nothing may be published then.
    """
    before = previous_record(session, edition)
    leaves = _leaves(session, edition.cycle, before)
    material = _material(session, edition, before, leaves)
    _require_same(material.result, lines_of(session, edition))
    files = files_of(material)
    statement = files[layout.EDITION]
    signatures = [vars(key.sign(statement)) for key in signing_keys(session, folder, actor=actor, now=now)]
    content = packed({layout.EDITION: statement, layout.SIGNATURES: json.dumps(signatures, indent=1).encode()} | files)
    failing = [finding for finding in verify(content).findings if finding.holds is False]
    if failing:
        raise Conflict(
            _("The open data of this edition would not hold, so nothing is published."),
            remedy=_("Score the cycle again. If it stays so, report it with these lines."),
            details=[f"{finding.text} – {finding.detail}" for finding in failing],
        )
    tree = json.loads(statement)["leaves"]
    record = EditionRecord(
        edition_id=edition.id,
        statement=statement,
        signatures=signatures,
        hash=sha256(statement).hexdigest(),
        root=tree["root"],
        leaves=tree["size"],
        bundle=content,
    )
    session.add(record)
    session.flush()
    return record


def record_of(session: Session, edition: Edition) -> EditionRecord | None:
    """An edition's seal; None for one that was published before there were seals."""
    return session.get(EditionRecord, edition.id)


def previous_record(session: Session, edition: Edition) -> EditionRecord | None:
    """The seal of the edition before, of the same cycle."""
    return session.scalar(
        select(EditionRecord)
        .join(Edition)
        .where(Edition.cycle_id == edition.cycle_id, Edition.number < edition.number)
        .order_by(Edition.number.desc())
        .limit(1)
    )


def _leaves(session: Session, cycle: Cycle, before: EditionRecord | None) -> list[bytes]:
    """Those of the edition before as they stood, then those that came since, sorted: the tree only ever grows."""
    earlier = leaves_of(before) if before else []
    now_there = session.scalars(select(ReceiptLeaf.leaf).join(Entry).where(Entry.cycle_id == cycle.id)).all()
    return [*earlier, *sorted(set(now_there) - set(earlier))]


def _material(session: Session, edition: Edition, before: EditionRecord | None, leaves: Sequence[bytes]) -> Material:
    run, rules = edition.run, rules_of_edition(edition)
    inputs, terms = inputs_of(session, edition.cycle, rules), pooled_terms.from_json(run.pooled)
    public, lines = public_inputs(_in_any_order(inputs), rules, terms), lines_of(session, edition)
    return Material(
        statement=_statement(session, edition, before, rules.version),
        rules=rules,
        rules_text=run.rules.text.encode(),
        facts={line.contract_reference: _facts(line) for line in lines},
        levels={line.contract_reference: list(_levels(line, rules)) for line in lines},
        public=public,
        terms=terms,
        result=engine.score(inputs, rules, seed=run.seed, frozen=terms),
        names=_pseudonyms(len(public.raters)),
        leaves=leaves,
        earlier=(before.leaves, before.root) if before else None,
    )


def _statement(session: Session, edition: Edition, before: EditionRecord | None, rules_version: str) -> dict[str, Any]:
    cycle, run = edition.cycle, edition.run
    answers = sum(
        by_entry(session, select(Entry.id).where(Entry.cycle_id == cycle.id)).values(),
        Figures(),
    )
    return {
        "cycle": {"code": cycle.code, "title": cycle.title, "year": cycle.year, "region": cycle.region.name},
        "number": edition.number,
        "published_at": edition.published_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": edition.reason,
        "simulated": cycle.simulated,
        "rules_hash": run.rules.hash,
        "rules_version": rules_version,
        "code_version": run.code_version,
        "inputs_hash": run.inputs_hash,
        "received": answers.received,
        "counted": answers.counted,
        "held": answers.held,
        "previous": before.hash if before else None,
        "audit_head": link_up(session),
    }


def _facts(line: EditionScore) -> tuple[Value, ...]:
    return (
        line.contract_title,
        line.vendor_credit_code,
        line.vendor_name,
        line.purchaser_name,
        line.region_name,
        line.service_type,
        line.amount_fen / 100,
        line.recipients_served,
        line.starts_on.isoformat(),
        line.ends_on.isoformat(),
    )


def _levels(line: EditionScore, rules: Rules) -> Iterator[tuple[Value, ...]]:
    levels = line.breakdown["levels"]
    for criterion, runs in disclosed(line.breakdown, rules).items():
        for lowest, highest in runs:
            answers = sum(levels[criterion]["counts"][lowest : highest + 1])
            yield criterion, lowest + 1, highest + 1, answers


def _in_any_order(inputs: Inputs) -> Inputs:
    """The same with the raters in an order drawn anew, which nothing remembers: pseudonyms count along it."""
    order = list(range(len(inputs.raters)))
    secrets.SystemRandom().shuffle(order)
    place = np.argsort(np.array(order, dtype=np.int64))
    judged = inputs.judged and replace(inputs.judged, rater=place[inputs.judged.rater])
    return replace(inputs, raters=tuple(inputs.raters[one] for one in order), judged=judged)


def _pseudonyms(count: int) -> list[str]:
    return [f"E{number:0{len(str(count))}}" for number in range(1, count + 1)]


def _require_same(result: Result, lines: Sequence[EditionScore]) -> None:
    for ends in ("score", "low", "high"):
        said = np.array([getattr(line, ends) for line in lines], dtype=np.float64)
        if not np.allclose(said, getattr(result, ends), rtol=0, atol=TOLERANCE, equal_nan=True):
            raise Conflict(
                _("The scores are not those that the inputs give now."),
                remedy=_("Score the cycle again, then publish."),
            )
