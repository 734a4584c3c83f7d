"""Signing a declaration of interests: by an evaluator, or by an administrator for an organisation.

The words are kept as they were signed, and a change is a further version. What the new ties bar and is not submitted
goes back to the administrator at once; what is submitted stays, and is named to the administrator, who can hold it back
from scoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.accounts.models import Account
from evalsys.base import audit
from evalsys.base.access import Actor, Role
from evalsys.base.errors import Conflict, Invalid, NotAllowed
from evalsys.base.language import CHINA, day
from evalsys.collection.assignments import OPEN_STATES, lock_assignments
from evalsys.collection.interest_models import InterestDeclaration, InterestTie, TieKind
from evalsys.collection.interests import YEARS, counted_from, evaluators_of, ties_of
from evalsys.collection.models import Assessment, AssessmentState, Assignment
from evalsys.registry.models import Contract, Cycle, Entry, EvaluatorBody, Purchaser, Region, Vendor


@dataclass(frozen=True)
class Stated:
    """A tie as a person states it; `body` is the name, or the credit code, of the vendor or purchaser."""

    body: str
    kind: TieKind
    of_body: bool
    started_on: date
    ended_on: date | None = None
    note: str = ""


@dataclass(frozen=True)
class Declare:
    """What is to be signed, by an evaluator or for a whole organisation (`account_id` None).

    No ties: there are none.
    """

    cycle_id: int
    body_id: int
    account_id: int | None
    ties: Sequence[Stated] = ()
    signed_by: str = ""


@dataclass(frozen=True)
class _Signing:
    """The rows that a request means."""

    cycle: Cycle
    body: EvaluatorBody
    account: Account | None
    request: Declare


@dataclass(frozen=True)
class Effect:
    """What a declaration does: the assignments it takes back, and the assessments already submitted despite a tie."""

    taken_back: Sequence[Assignment]
    submitted: Sequence[Assignment]


def kind_name(kind: str) -> str:
    """A kind of tie in the reader's language."""
    names: dict[str, str] = {
        TieKind.EMPLOYMENT.value: _("Employment"),
        TieKind.SHARES.value: _("Shares or seat on the board"),
        TieKind.SERVICE_CONTRACT.value: _("Service contract"),
        TieKind.KINSHIP.value: _("Kinship"),
        TieKind.OTHER.value: _("Other tie"),
    }
    return names[kind]


def draft_of(session: Session, request: Declare, *, actor: Actor, now: datetime) -> InterestDeclaration:
    """The declaration as it would be signed, not stored.

    Raises:
        NotAllowed: it is neither the actor's own nor an organisation's of the administrator's branch.
        Conflict: collecting is over.
        Invalid: a tie names nobody known, or its days cannot be; all such are listed.
    """
    signing = _signing(session, request)
    _require_signer(session, signing, actor)
    if signing.cycle.state not in OPEN_STATES:
        raise Conflict(
            _("Collecting for “%(title)s” is over.", title=signing.cycle.title),
            remedy=_("A tie found out now is told to the administrator, who can hold ratings back from scoring."),
        )
    ties = _rows(session, signing, now)
    return InterestDeclaration(
        cycle_id=request.cycle_id,
        account=signing.account,
        account_id=request.account_id,
        body_id=None if signing.account else request.body_id,
        words=_words(signing, ties),
        signed_by=signing.account.name if signing.account else request.signed_by,
        signed_at=now,
        ties=ties,
    )


def _signing(session: Session, request: Declare) -> _Signing:
    return _Signing(
        cycle=session.get_one(Cycle, request.cycle_id),
        body=session.get_one(EvaluatorBody, request.body_id),
        account=session.get_one(Account, request.account_id) if request.account_id is not None else None,
        request=request,
    )


def _require_signer(session: Session, signing: _Signing, actor: Actor) -> None:
    if signing.account is not None:
        people = {person.id for person in evaluators_of(session, signing.cycle)}
        own = signing.account.id == actor.account_id and signing.account.id in people
        if not own:
            raise NotAllowed(
                _("Evaluators declare their own interests, for cycles of their own branch."),
                remedy=_("Sign in with the evaluator's own account."),
            )
        return
    if actor.role != Role.ADMINISTRATOR:
        raise NotAllowed(
            _("Only an administrator enters an organisation's declaration."),
            remedy=_("Ask the administrator to do it."),
        )
    actor.require_region(signing.cycle.region.path)


def _rows(session: Session, signing: _Signing, now: datetime) -> list[InterestTie]:
    rows, faults = [], []
    today = now.astimezone(CHINA).date()
    for number, tie in enumerate(signing.request.ties, 1):
        found = _bodies(session, signing.cycle, tie.body.strip())
        wrong = _wrong(tie, found, today)
        if wrong:
            faults.append(_("Tie %(n)s: %(wrong)s", n=number, wrong=wrong))
            continue
        body = found[0]
        rows.append(
            InterestTie(
                vendor=body if isinstance(body, Vendor) else None,
                vendor_id=body.id if isinstance(body, Vendor) else None,
                purchaser=body if isinstance(body, Purchaser) else None,
                purchaser_id=body.id if isinstance(body, Purchaser) else None,
                kind=tie.kind.value,
                of_body=tie.of_body or signing.account is None,
                started_on=tie.started_on,
                ended_on=tie.ended_on,
                note=tie.note,
            )
        )
    if faults:
        raise Invalid(_("Some ties cannot be as they are stated; nothing was signed."), details=faults)
    return rows


def _bodies(session: Session, cycle: Cycle, text: str) -> list[Vendor | Purchaser]:
    """The vendors, and the purchasers of the cycle's branch, that a name, a code, or region and name mean."""
    vendors = session.scalars(select(Vendor).where(or_(Vendor.name == text, Vendor.credit_code == text.upper())))
    purchasers = session.scalars(
        select(Purchaser)
        .join(Purchaser.region)
        .where(or_(Purchaser.name == text, Region.name + Purchaser.name == text))
        .where(Region.path.startswith(cycle.region.path, autoescape=True))
    )
    return [*vendors, *purchasers]


def _wrong(tie: Stated, found: Sequence[object], today: date) -> str:
    """What is wrong with a tie, in words; empty for nothing."""
    said = ""
    if not found:
        said = _("no vendor or purchaser is called “%(name)s”; choose one from the list.", name=tie.body)
    elif len(found) > 1:
        said = _(
            "several are called “%(name)s”; write the credit code, or the region before the purchaser's name.",
            name=tie.body,
        )
    elif tie.started_on > today:
        said = _("it begins in the future.")
    elif tie.ended_on is not None and tie.ended_on < tie.started_on:
        said = _("it ends before it begins.")
    elif tie.kind is TieKind.OTHER and not tie.note:
        said = _("say in the note what tie it is.")
    return said


def _words(signing: _Signing, ties: Sequence[InterestTie]) -> str:
    """The text that is signed."""
    since = day(counted_from(signing.cycle))
    named = {"cycle": signing.cycle.title, "since": since, "years": YEARS, "body": signing.body.name}
    if signing.account is not None:
        head = _(
            "I, %(name)s of %(body)s, declare for “%(cycle)s”: since %(since)s, that is within %(years)s years before "
            "the cycle opens,",
            name=signing.account.name,
            **named,
        )
        nobody = _("neither I nor my organisation had a tie to a vendor or purchaser that could touch my judgement.")
        some = _("I or my organisation had the ties listed here, and no others that could touch my judgement:")
    else:
        head = _(
            "%(body)s declares for “%(cycle)s”: since %(since)s, that is within %(years)s years before the cycle "
            "opens,",
            **named,
        )
        nobody = _("it had no tie to a vendor or purchaser that could touch its judgement.")
        some = _("it had the ties listed here, and no others that could touch its judgement:")
    last = _("If this changes, it is declared anew at once.")
    lines = [f"{n}. {tie_words(tie)}" for n, tie in enumerate(ties, 1)]
    return "\n".join([head, some, *lines, last] if ties else [head, nobody, last])


def tie_words(tie: InterestTie) -> str:
    """A tie on one line."""
    whose = _("the organisation") if tie.of_body else _("the evaluator")
    until = day(tie.ended_on) if tie.ended_on else _("the present")
    said: str = _(
        "%(name)s: %(kind)s (%(whose)s), from %(first)s to %(last)s",
        name=tie.body_name,
        kind=kind_name(tie.kind),
        whose=whose,
        first=day(tie.started_on),
        last=until,
    )
    return f"{said} · {tie.note}" if tie.note else said


def effect_of(session: Session, request: Declare, draft: InterestDeclaration) -> Effect:
    """What signing the declaration would do to assignments."""
    cycle = session.get_one(Cycle, request.cycle_id)
    binds_all = any(tie.of_body for tie in draft.ties)
    people = [
        person
        for person in evaluators_of(session, cycle)
        if person.evaluator_body_id == request.body_id and (binds_all or draft.account_id in {None, person.id})
    ]
    ties = ties_of(session, cycle, people, stated=draft)
    given = session.execute(
        select(Assignment, Assessment.state)
        .join(Assignment.entry)
        .join(Entry.contract)
        .outerjoin(Assessment, and_(Assessment.entry_id == Entry.id, Assessment.account_id == Assignment.account_id))
        .where(Entry.cycle_id == cycle.id, Assignment.account_id.in_(ties))
        .options(
            contains_eager(Assignment.entry).contains_eager(Entry.contract).joinedload(Contract.vendor),
            joinedload(Assignment.account),
        )
        .order_by(Contract.reference, Assignment.id)
    ).all()
    tied = [(row, state) for row, state in given if ties[row.account_id].why(row.entry.contract)]
    return Effect(
        taken_back=[row for row, state in tied if state != AssessmentState.SUBMITTED],
        submitted=[row for row, state in tied if state == AssessmentState.SUBMITTED],
    )


def declare(session: Session, request: Declare, *, actor: Actor, now: datetime) -> Effect:
    """Sign a declaration: the first, or a further version.

    Raises:
        NotAllowed, Conflict, Invalid: as `draft_of`.
    """
    lock_assignments(session, request.cycle_id)
    draft = draft_of(session, request, actor=actor, now=now)
    effect = effect_of(session, request, draft)
    before = select(func.max(InterestDeclaration.number)).where(
        InterestDeclaration.cycle_id == request.cycle_id,
        InterestDeclaration.account_id.is_not_distinct_from(draft.account_id),
        InterestDeclaration.body_id.is_not_distinct_from(draft.body_id),
    )
    draft.number = (session.scalar(before) or 0) + 1
    signing = _signing(session, request)
    session.add(draft)
    for assignment in effect.taken_back:
        session.delete(assignment)
    session.flush()
    audit.record(
        session,
        actor=actor,
        act="collection.declare_interests",
        subject=f"cycle:{signing.cycle.code}",
        now=now,
        detail={
            "of": signing.account.username if signing.account else signing.body.credit_code,
            "version": draft.number,
            "ties": len(draft.ties),
            "taken_back": [f"{row.entry.contract.reference} {row.account.username}" for row in effect.taken_back],
        },
    )
    return effect
