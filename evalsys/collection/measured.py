"""What the record says of measured criteria: taken in from a file by the administrator, with the document behind it.

A rater finds the value filled in and locked; what was signed before keeps its value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Gone, NotAllowed
from evalsys.base.tables import Column, Row, Table
from evalsys.collection.assessment_models import Cosigning, CosigningState, MeasuredValue
from evalsys.collection.assignments import OPEN_STATES
from evalsys.collection.models import Assessment, AssessmentState
from evalsys.collection.questionnaire import MEASURED_LIMIT, Question
from evalsys.collection.ratings_files import folded
from evalsys.registry.imports import Kind, Known, Plan, Scope, Seen, headed, make_plan
from evalsys.registry.models import Contract, Cycle, Entry, Region
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Source

SOURCE_LIMIT = 200
COLUMNS = (
    Column("contract", "合同编号", "Contract", others=("项目编号", "合同"), example="QY-2026-001"),
    Column(
        "criterion",
        "评价指标",
        "Criterion",
        others=("指标", "指标代码"),
        example="purchaser_staff_share",
        explanation=_l("A measured criterion of the rules, by its code or its full text."),
    ),
    Column(
        "value", "数值", "Value", others=("值", "实测值"), example=0.9, explanation=_l("A number in the scale's unit.")
    ),
    Column(
        "source",
        "来源",
        "Source",
        others=("依据", "台账"),
        example="人员台账 2026 年 10 月",
        explanation=_l("The document that says so; raters read it beside the value."),
    ),
)


@dataclass(frozen=True)
class _Contract:
    entry_id: int
    service_type: str
    own: bool  # in the branch of who takes the file in


def read(table: Table, scope: Scope) -> Plan:
    """What a file of measured values would change."""
    assert scope.cycle is not None  # noqa: S101 - the kind needs one
    rules = rules_of(scope.cycle)
    measured = [Question(c, rules.scale_of(c)) for c in rules.criteria if c.source is Source.MEASURED]
    named = {folded(name): q for q in measured for name in (q.code, q.criterion.text.zh, q.criterion.text.en)}
    contracts, known = _contracts(scope), _known(scope)
    signed = _signed(scope)
    plan, seen = Plan(MeasuredValue, headed(COLUMNS)), Seen()
    for row in table:
        contract, question = _contract(row, contracts), _criterion(row, named)
        value, source = row.decimal("value"), row.text("source", most=SOURCE_LIMIT)
        if value is not None and abs(value) > MEASURED_LIMIT:
            row.wrong("value", _("The number is out of bounds."), _("Write it in the unit of the scale."))
        if contract is not None and question is not None:
            _require_asked(row, contract, question)
            seen.refuse_again(row, "criterion", (contract.entry_id, question.code))
        if row.faulty or contract is None or question is None:
            continue
        reference = row.text("contract") or ""
        values = {
            "contract": reference,
            "criterion": question.code,
            "value": value,
            "source": source,
            "entry_id": contract.entry_id,
        }
        plan.take(row.number, f"{reference} {question.code}", values, known.get((contract.entry_id, question.code)))
        if (contract.entry_id, question.criterion.party) in signed:
            plan.warn(_("%(reference)s: signed already; that rating keeps its value.", reference=reference))
    return plan


KIND = Kind(
    "measured",
    _l("Values of the record"),
    COLUMNS,
    read,
    _l("One row for each contract and measured criterion, with the document that says so."),
    needs_cycle=True,
)


def _contract(row: Row, contracts: dict[str, _Contract]) -> _Contract | None:
    reference = row.text("contract", most=40)
    if reference is None:
        return None
    found = contracts.get(reference)
    if found is None:
        row.wrong(
            "contract",
            _("No contract of this cycle has this number."),
            _("Copy the number from the list of the cycle's contracts, or enter the contract first."),
        )
    elif not found.own:
        row.wrong("contract", _("This contract belongs to another region."), _("Leave its rows to that region."))
    return found


def _criterion(row: Row, named: dict[str, Question]) -> Question | None:
    text = row.text("criterion")
    if text is None:
        return None
    question = named.get(folded(text))
    if question is None:
        codes = ", ".join(sorted({q.code for q in named.values()}))
        row.wrong(
            "criterion",
            _("The rules have no such measured criterion."),
            _("Write one of: %(names)s.", names=codes) if codes else _("Leave the row out."),
        )
    return question


def _require_asked(row: Row, contract: _Contract, question: Question) -> None:
    types = question.criterion.service_types
    if types and contract.service_type not in types:
        row.wrong(
            "criterion",
            _("This is not asked about a contract of this service type."),
            _("Leave the row out."),
        )


def _contracts(scope: Scope) -> dict[str, _Contract]:
    assert scope.cycle is not None  # noqa: S101 - the kind needs one
    rows = scope.session.execute(
        select(Contract.reference, Entry.id, Contract.service_type, Region.path)
        .join(Entry, Entry.contract_id == Contract.id)
        .join(Region, Contract.region_id == Region.id)
        .where(Entry.cycle_id == scope.cycle.id)
    )
    return {reference: _Contract(number, kind, scope.actor.acts_in(path)) for reference, number, kind, path in rows}


def _known(scope: Scope) -> dict[tuple[int, str], Known]:
    found = {}
    for row, reference in _rows(scope.session, scope.cycle):
        values = {"contract": reference, "criterion": row.criterion, "value": row.value, "source": row.source}
        found[row.entry_id, row.criterion] = Known(row.entry_id, values | {"entry_id": row.entry_id})
    return found


def _rows(session: Session, cycle: Cycle | None) -> Sequence[tuple[MeasuredValue, str]]:
    statement = (
        select(MeasuredValue, Contract.reference)
        .join(Entry, Entry.id == MeasuredValue.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .where(Entry.cycle_id == (cycle.id if cycle else None))
        .order_by(Contract.reference, MeasuredValue.criterion)
    )
    return [(row, reference) for row, reference in session.execute(statement)]


def _signed(scope: Scope) -> set[tuple[int, str]]:
    """Entries with the parties that have signed an assessment of them."""
    assert scope.cycle is not None  # noqa: S101 - the kind needs one
    asked = Assessment.cosigning.has(Cosigning.state == CosigningState.ASKED)
    rows = scope.session.execute(
        select(Assessment.entry_id, Assessment.party)
        .join(Assessment.entry)
        .where(Entry.cycle_id == scope.cycle.id, (Assessment.state == AssessmentState.SUBMITTED) | asked)
    )
    return {(entry_id, party) for entry_id, party in rows}


def values_of(session: Session, cycle: Cycle, *, actor: Actor) -> Sequence[tuple[MeasuredValue, str]]:
    """A cycle's values in the actor's branch, each with its contract's number."""
    scope = Scope(session, actor, cycle)
    own = {contract.entry_id for contract in _contracts(scope).values() if contract.own}
    return [(row, reference) for row, reference in _rows(session, cycle) if row.entry_id in own]


def require_recording(cycle: Cycle, actor: Actor) -> None:
    """Raises NotAllowed to all but the administrator of the cycle's region, Gone once collecting is over."""
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(_("Only an administrator takes in the record."), remedy=_("Ask the administrator to do it."))
    if cycle.state not in OPEN_STATES:
        raise Gone(
            _("Collecting for “%(title)s” is over.", title=cycle.title),
            remedy=_("What was signed keeps its values."),
        )


def take_in(session: Session, data: bytes, cycle: Cycle, *, fingerprint: str, actor: Actor, now: datetime) -> Plan:
    """Record a file's values, all or none.

    Args:
        fingerprint: of the plan that the person saw.

    Raises:
        Invalid, NotAllowed, Gone: as `make_plan` and `require_recording`.
        Conflict: the same file would now change something else.
    """
    session.refresh(cycle, attribute_names=["state"], with_for_update={"read": True})
    require_recording(cycle, actor)
    plan = make_plan(data, KIND, Scope(session, actor, cycle))
    if plan.fingerprint != fingerprint:
        raise Conflict(
            _("The record has changed since the preview; nothing was saved."),
            remedy=_("Go back, reload the preview and look at it again."),
        )
    for row in (*plan.new, *plan.changed):
        said = {name: row[name] for name in ("entry_id", "criterion", "value", "source")}
        session.merge(MeasuredValue(**said, recorded_at=now, recorded_by=actor.name))
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="collection.record_measured",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"file": plan.digest, "new": len(plan.new), "changed": len(plan.changed)},
    )
    return plan
