"""What the pages about flags show: a cycle's flags, and one contract with and without what is held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.base.access import Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import NotFound
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.collection.models import Assessment
from evalsys.evaluation import integrity
from evalsys.evaluation.models import FlagState, IntegrityFlag
from evalsys.evaluation.queries import SCORABLE
from evalsys.evaluation.what_if import Effect, with_and_without
from evalsys.registry.models import Contract, Cycle, Entry, Vendor
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Rules

ABOUT = ("recipient", "appointed", "whole")


@dataclass(frozen=True)
class Narrow:
    """Which flags are shown; empty = all of them. What makes no sense is taken as empty."""

    state: str = FlagState.OPEN.value
    sign: str = ""
    about: str = ""

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Narrow:
        state = args.get("state", FlagState.OPEN.value)
        return cls(
            state=state if state in set(FlagState) else "",
            sign=args.get("sign", "") if args.get("sign") in integrity.SIGNS else "",
            about=args.get("about", "") if args.get("about") in ABOUT else "",
        )


@dataclass(frozen=True)
class IntegrityPage:
    """A cycle's flags.

    Attributes:
        rules: pinned now; None in a draft.
        page: the flags that match.
        states: how many flags have each state, whatever is shown.
        scanned_at: when the ratings were last looked through; None for never by hand or command.
        may_decide: whether the reader may decide about flags now.
    """

    cycle: Cycle
    rules: Rules | None
    page: Page[IntegrityFlag]
    narrow: Narrow
    states: dict[str, int]
    scanned_at: datetime | None
    may_decide: bool

    @property
    def is_on(self) -> bool:
        return self.rules is not None and self.rules.integrity is not None


def integrity_page(session: Session, cycle: Cycle, wanted: Wanted, narrow: Narrow, *, actor: Actor) -> IntegrityPage:
    """Raises NotAllowed where the cycle belongs to another region."""
    actor.require_region(cycle.region.path)
    page = paginate(
        session,
        _narrowed(cycle, narrow),
        wanted,
        sorts={
            "weight": IntegrityFlag.weight,
            "contract": Contract.reference,
            "vendor": Vendor.name,
            "decided": IntegrityFlag.decided_at,
        },
        default_sort="-weight",
        search=(Contract.reference, Contract.title, Vendor.name),
        tie=IntegrityFlag.id,
    )
    in_cycle = select(IntegrityFlag.state, func.count()).join(Entry).where(Entry.cycle_id == cycle.id)
    scanned = select(func.max(AuditEntry.at)).where(
        AuditEntry.subject == f"cycle:{cycle.code}",
        AuditEntry.act.in_(("evaluation.scan_cycle", "evaluation.run_cycle")),
    )
    return IntegrityPage(
        cycle,
        rules_of(cycle) if cycle.rules_id else None,
        page,
        narrow,
        dict(session.execute(in_cycle.group_by(IntegrityFlag.state)).all()),
        session.scalar(scanned),
        may_decide=actor.role is Role.ADMINISTRATOR and cycle.state in SCORABLE,
    )


def _narrowed(cycle: Cycle, narrow: Narrow) -> Select[IntegrityFlag]:
    statement = (
        select(IntegrityFlag)
        .join(IntegrityFlag.entry)
        .join(Entry.contract)
        .join(Contract.vendor)
        .where(Entry.cycle_id == cycle.id)
        .options(
            contains_eager(IntegrityFlag.entry).contains_eager(Entry.contract).contains_eager(Contract.vendor),
            joinedload(IntegrityFlag.assessment).joinedload(Assessment.account),
        )
    )
    if narrow.state:
        statement = statement.where(IntegrityFlag.state == narrow.state)
    if narrow.sign:
        statement = statement.where(IntegrityFlag.codes.contains(f" {narrow.sign} ", autoescape=True))
    match narrow.about:
        case "recipient":
            statement = statement.where(IntegrityFlag.response_key.is_not(None))
        case "appointed":
            statement = statement.where(IntegrityFlag.assessment_id.is_not(None))
        case "whole":
            neither = and_(IntegrityFlag.response_key.is_(None), IntegrityFlag.assessment_id.is_(None))
            statement = statement.where(neither)
    return statement


@dataclass(frozen=True)
class ContractPage:
    """One contract's flags, and its score with and without what is held back; `effect` is None before the first run."""

    cycle: Cycle
    entry: Entry
    rules: Rules
    flags: list[IntegrityFlag]
    effect: Effect | None


def contract_page(session: Session, cycle: Cycle, entry_id: int, *, actor: Actor) -> ContractPage:
    """Raises NotAllowed for another region's cycle, NotFound where the cycle has no such contract or no rules yet."""
    actor.require_region(cycle.region.path)
    entry = session.scalar(
        select(Entry)
        .where(Entry.id == entry_id, Entry.cycle_id == cycle.id)
        .options(joinedload(Entry.contract).joinedload(Contract.vendor))
    )
    if entry is None or cycle.rules_id is None:
        raise NotFound(_("There is no such contract in this cycle."), remedy=_("Start from the list of flags."))
    flags = session.scalars(
        _narrowed(cycle, Narrow(state="")).where(IntegrityFlag.entry_id == entry.id).order_by(IntegrityFlag.id)
    )
    return ContractPage(cycle, entry, rules_of(cycle), list(flags), with_and_without(session, cycle, entry))
