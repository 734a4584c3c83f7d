"""Signs in recipients' answers while they still come in, told of contracts alone.

Nothing is flagged before collecting is over: flags that one look adds and the next does not would tell when an answer
came. What is kept is how many answers of a contract showed each sign, and it is only renewed once five more answers
are there, so that no two looks differ by a single person's answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.errors import Conflict
from evalsys.collection.closing import TOLD_FROM
from evalsys.collection.desk_tables import Column, Table
from evalsys.collection.models import Response
from evalsys.evaluation import integrity
from evalsys.evaluation.arrays import entries_of
from evalsys.evaluation.integrity_scan import signs_of_recipients
from evalsys.evaluation.models import EarlyCheck
from evalsys.evaluation.sign_words import sign_names
from evalsys.registry.models import Contract, Cycle, CycleState, Entry, Vendor
from evalsys.registry.pins import rules_of

SIGNS = (integrity.LONG_STRING, integrity.TOO_FAST, integrity.NEAR_DUPLICATES)


def look_early(session: Session, cycle: Cycle, *, actor: Actor, now: datetime) -> int:
    """Renew what is kept of the contracts that have five answers more than at the last look.

    Returns:
        How many contracts were looked at.

    Raises:
        NotAllowed: the cycle belongs to another region.
        Conflict: it does not collect, or its rules look for no signs.
    """
    actor.require_region(cycle.region.path)
    if cycle.state != CycleState.COLLECTING:
        raise Conflict(
            _("The cycle %(code)s does not collect.", code=cycle.code),
            remedy=_("After collecting look at the flagged ratings, and decide about them."),
        )
    rules = rules_of(cycle)
    if rules.integrity is None:
        raise Conflict(
            _("The rules of this cycle look for no signs: the step is off."),
            remedy=_("Pin rules with a section [integrity] to switch it on."),
        )
    shown: dict[int, Counter[str]] = defaultdict(Counter)
    for (entry_id, _key, _assessment), signs in signs_of_recipients(
        session, entries_of(session, cycle), rules, rules.integrity
    ).items():
        shown[entry_id].update({sign["sign"] for sign in signs})
    looked = 0
    for entry_id, answers in _answers(session, cycle):
        kept = session.get(EarlyCheck, entry_id)
        if answers >= (kept.answers if kept else 0) + TOLD_FROM:
            session.merge(EarlyCheck(entry_id=entry_id, answers=answers, signs=dict(shown[entry_id])))
            looked += 1
    audit.record(
        session,
        actor=actor,
        act="evaluation.look_early",
        subject=f"cycle:{cycle.code}",
        now=now,
        detail={"contracts": looked},
    )
    return looked


def _answers(session: Session, cycle: Cycle) -> Iterable[tuple[int, int]]:
    counts = select(Response.entry_id, func.count()).join(Entry, Entry.id == Response.entry_id)
    return [
        (entry_id, count)
        for entry_id, count in session.execute(
            counts.where(Entry.cycle_id == cycle.id, ~Response.held).group_by(Response.entry_id)
        )
    ]


@dataclass(frozen=True)
class Checked:
    """What a contract's answers showed at the last look."""

    name: str
    under: str
    check: EarlyCheck

    def share(self, sign: str) -> float:
        return float(self.check.signs.get(sign, 0)) / self.check.answers


def early_table(session: Session, cycle: Cycle, *, actor: Actor) -> Table:
    """The contracts that were looked at. Raises NotAllowed where the cycle belongs to another region."""
    actor.require_region(cycle.region.path)
    rows = session.execute(
        select(EarlyCheck, Contract, Vendor.name)
        .join(Entry, Entry.id == EarlyCheck.entry_id)
        .join(Contract, Contract.id == Entry.contract_id)
        .join(Vendor, Vendor.id == Contract.vendor_id)
        .where(Entry.cycle_id == cycle.id)
        .order_by(Contract.reference)
    )
    lines = [Checked(contract.title, f"{contract.reference} · {vendor}", check) for check, contract, vendor in rows]
    names = sign_names()
    columns = [Column("answers", _("Answers looked at"), lambda line: line.check.answers)]
    columns += [_share(sign, names[sign]) for sign in SIGNS]
    return Table(_("Quality of the answers so far"), _("Service contract"), columns, lines)


def _share(sign: str, name: str) -> Column:
    return Column(sign, name, lambda line: line.share(sign), percent=True)
