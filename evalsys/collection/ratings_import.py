"""Taking staged ratings in: all or nothing, the same file once, a changed one only in place of what it changes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar, cast

from flask_babel import gettext as _
from sqlalchemy import Table, delete, exists, func, insert, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, NotAllowed
from evalsys.collection.models import (
    Assessment,
    AssessmentRating,
    AssessmentState,
    RatingsImport,
    Response,
    ResponseRating,
    TimeBand,
)
from evalsys.collection.ratings_files import RECIPIENT
from evalsys.collection.ratings_staging import Count, Rated, Staging
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Stratum

IMPORT_STATES = frozenset({CycleState.COLLECTING.value, CycleState.REVIEW.value})
SHOWN = 20
_CHUNK = 500  # ids in one statement
_BATCH = 2_000  # raters written at once
Item = TypeVar("Item")
Pair = tuple[str, str]  # contract, party


@dataclass(frozen=True)
class Preview:
    """What taking a file in would do.

    Attributes:
        counts: how much the file holds, party by party.
        unchanged: the same rows are in already.
        replaced: the contracts and parties whose imported ratings would be replaced.
    """

    counts: Sequence[Count]
    unchanged: bool
    replaced: Sequence[Pair]


def require_importing(cycle: Cycle, actor: Actor) -> None:
    """Raises NotAllowed for who is no administrator, Conflict where the cycle takes no ratings."""
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(_("Only an administrator imports ratings."), remedy=_("Ask the administrator to do it."))
    if cycle.state not in IMPORT_STATES:
        raise Conflict(
            _("The cycle %(code)s takes no ratings from files now.", code=cycle.code),
            remedy=_("Ratings are imported while it collects or is under review."),
        )


def preview(session: Session, staging: Staging, *, actor: Actor) -> Preview:
    """Look at what a staged file would change.

    Raises:
        NotAllowed, Conflict: as `take_in`, but for what needs `replace`.
    """
    cycle = _cycle_of(session, staging, actor)
    entries = _entries(session, cycle, staging)
    known = _import_of(session, cycle, staging)
    return Preview(
        counts=staging.counts(),
        unchanged=known is not None and _intact(session, known),
        replaced=sorted(_imported_pairs(session, cycle) & {(c, p) for c, p in staging.pairs() if c in entries}),
    )


def take_in(session: Session, staging: Staging, *, replace: bool, actor: Actor, now: datetime) -> Preview:
    """Store what a staged file says; the same file again changes nothing.

    Args:
        replace: whether ratings imported earlier for the file's contracts and parties may be replaced; those given on
            the web never are.

    Raises:
        NotAllowed: not an administrator.
        Conflict: the cycle takes no ratings from files, its rules or contracts have changed since the file was
            read, or ratings would be replaced without `replace`.
    """
    cycle = _cycle_of(session, staging, actor, lock=True)
    found = preview(session, staging, actor=actor)
    if found.unchanged:
        return found
    if found.replaced and not replace:
        lines = [f"{contract}, {party}" for contract, party in found.replaced[:SHOWN]]
        more = len(found.replaced) - len(lines)
        raise Conflict(
            _("Ratings of %(count)s contracts and parties were imported before.", count=len(found.replaced)),
            remedy=_("To replace them by this file, confirm it (on the command line: --replace)."),
            details=[*lines, _("and %(count)s more", count=more)] if more else lines,
        )
    entries = _entries(session, cycle, staging)
    _remove(session, cycle, found.replaced, entries)
    kept = RatingsImport(
        cycle_id=cycle.id,
        hash=staging.about("hash"),
        rows=int(staging.about("rows")),
        imported_at=now,
        imported_by=actor.name,
    )
    session.add(kept)
    session.flush()
    _store(session, staging, kept, entries, _strata(session, cycle))
    audit.record(
        session,
        actor=actor,
        act="collection.import_ratings",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"hash": kept.hash, "rows": kept.rows, "replaced": len(found.replaced)},
    )
    return found


def _cycle_of(session: Session, staging: Staging, actor: Actor, *, lock: bool = False) -> Cycle:
    cycle = cycle_by_code(session, staging.about("cycle"))
    if lock:
        session.refresh(cycle, with_for_update={"read": True})
    require_importing(cycle, actor)
    if staging.about("rules") != str(cycle.rules_id):
        raise _changed_meanwhile()
    return cycle


def _changed_meanwhile() -> Conflict:
    return Conflict(
        _("The cycle's rules or contracts have changed since the file was read."), remedy=_("Send the file again.")
    )


def _entries(session: Session, cycle: Cycle, staging: Staging) -> dict[str, int]:
    """The file's contracts, and the entry of each."""
    named = {contract for contract, _party in staging.pairs()}
    rows = session.execute(
        select(Contract.reference, Entry.id)
        .join(Contract, Entry.contract_id == Contract.id)
        .where(Entry.cycle_id == cycle.id)
    )
    entries = {reference: entry_id for reference, entry_id in rows if reference in named}
    if len(entries) < len(named):
        raise _changed_meanwhile()
    return entries


def _strata(session: Session, cycle: Cycle) -> dict[tuple[int, str], int]:
    """The id of each stratum by its entry and "township/item"."""
    rows = session.execute(
        select(Stratum.entry_id, Stratum.township, Stratum.item, Stratum.id)
        .join(Entry)
        .where(Entry.cycle_id == cycle.id)
    )
    return {(entry_id, f"{township}/{item}"): stratum_id for entry_id, township, item, stratum_id in rows}


def _import_of(session: Session, cycle: Cycle, staging: Staging) -> RatingsImport | None:
    return session.scalar(
        select(RatingsImport).where(RatingsImport.cycle_id == cycle.id, RatingsImport.hash == staging.about("hash"))
    )


def _intact(session: Session, kept: RatingsImport) -> bool:
    """Whether no later file has replaced a part of it."""
    answers = select(func.count()).select_from(ResponseRating).join(Response).where(Response.import_id == kept.id)
    ratings = select(func.count()).select_from(AssessmentRating).join(Assessment).where(Assessment.import_id == kept.id)
    return (session.scalar(answers) or 0) + (session.scalar(ratings) or 0) == kept.rows


def _imported_pairs(session: Session, cycle: Cycle) -> set[Pair]:
    """The contracts and parties of which a file was taken in."""
    pairs: set[Pair] = set()
    contracts = (
        select(Contract.reference).join(Entry, Entry.contract_id == Contract.id).where(Entry.cycle_id == cycle.id)
    )
    answered = exists().where(Response.entry_id == Entry.id, Response.import_id.is_not(None))
    pairs |= {(reference, RECIPIENT) for reference in session.scalars(contracts.where(answered))}
    rated = (
        contracts.join(Assessment, Assessment.entry_id == Entry.id)
        .where(Assessment.import_id.is_not(None))
        .add_columns(Assessment.party)
        .distinct()
    )
    return pairs | {(reference, party) for reference, party in session.execute(rated)}


def _remove(session: Session, cycle: Cycle, pairs: Iterable[Pair], entries: dict[str, int]) -> None:
    """Delete the imported ratings of these contracts and parties, and the imports of which nothing is left."""
    by_party: dict[str, list[int]] = {}
    for contract, party in pairs:
        by_party.setdefault(party, []).append(entries[contract])
    for party, ids in by_party.items():
        for chunk in _chunks(ids, _CHUNK):
            if party == RECIPIENT:
                session.execute(delete(Response).where(Response.entry_id.in_(chunk), Response.import_id.is_not(None)))
            else:
                session.execute(
                    delete(Assessment).where(
                        Assessment.entry_id.in_(chunk), Assessment.party == party, Assessment.import_id.is_not(None)
                    )
                )
    session.execute(
        delete(RatingsImport).where(
            RatingsImport.cycle_id == cycle.id,
            ~exists().where(Response.import_id == RatingsImport.id),
            ~exists().where(Assessment.import_id == RatingsImport.id),
        )
    )


def _store(
    session: Session,
    staging: Staging,
    kept: RatingsImport,
    entries: dict[str, int],
    strata: dict[tuple[int, str], int],
) -> None:
    for batch in _chunks(staging.rated(), _BATCH):
        _store_responses(session, kept, [one for one in batch if one.party == RECIPIENT], entries, strata)
        _store_assessments(session, kept, [one for one in batch if one.party != RECIPIENT], entries)


def _store_responses(
    session: Session,
    kept: RatingsImport,
    batch: Sequence[Rated],
    entries: dict[str, int],
    strata: dict[tuple[int, str], int],
) -> None:
    """Each response under a random key of its own, and in the order of the keys, which is no order of the file."""
    keyed = sorted(((secrets.token_bytes(16), one) for one in batch), key=lambda pair: pair[0])
    responses = []
    for key, one in keyed:
        entry_id = entries[one.contract]
        stratum_id = strata.get((entry_id, one.stratum)) if one.stratum else None
        if one.stratum and stratum_id is None:
            raise _changed_meanwhile()
        responses.append(
            {
                "key": key,
                "entry_id": entry_id,
                "stratum_id": stratum_id,
                "mode": one.mode,
                "helper": one.helper or None,
                "time_band": TimeBand.UNKNOWN.value,
                "held": False,
                "import_id": kept.id,
            }
        )
    ratings = [
        {"response_key": key, "criterion": criterion, "value": value}
        for key, one in keyed
        for criterion, value in one.ratings
    ]
    _insert(session, Response, responses)
    _insert(session, ResponseRating, ratings)


def _store_assessments(session: Session, kept: RatingsImport, batch: Sequence[Rated], entries: dict[str, int]) -> None:
    rows = [
        {
            "entry_id": entries[one.contract],
            "party": one.party,
            "import_id": kept.id,
            "rater_label": one.label,
            "state": AssessmentState.SUBMITTED.value,
            "saved_at": kept.imported_at,
            "submitted_at": kept.imported_at,
            "held": False,
        }
        for one in batch
    ]
    if not rows:
        return
    ids = session.scalars(insert(Assessment).returning(Assessment.id, sort_by_parameter_order=True), rows).all()
    ratings = [
        {
            "assessment_id": assessment_id,
            "criterion": criterion,
            "value": value,
            "not_applicable": value is None,
            "comment": "",
        }
        for assessment_id, one in zip(ids, batch, strict=True)
        for criterion, value in one.ratings
    ]
    _insert(session, AssessmentRating, ratings)


def _insert(session: Session, model: Any, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(cast(Table, model.__table__)), rows)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
