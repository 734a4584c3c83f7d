"""Reading the audit trail: whose entries a reader may see, and filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from evalsys.accounts import words
from evalsys.accounts.models import Account
from evalsys.base.access import Actor
from evalsys.base.audit import AuditEntry
from evalsys.base.language import CHINA
from evalsys.base.listing import Page, Wanted, paginate
from evalsys.base.tables import Sheet
from evalsys.registry.models import Region

EXPORTED = 100_000

SORTS = {"at": AuditEntry.at, "who": AuditEntry.actor_name, "act": AuditEntry.act, "subject": AuditEntry.subject}


@dataclass(frozen=True)
class Filter:
    """What the reader narrows the trail to; anything nonsensical has become no filter.

    Attributes:
        who: part of a name.
        act: exactly this act.
        subject: part of a subject.
        since, until: first and last day, by the calendar of China.
    """

    who: str = ""
    act: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None

    @classmethod
    def from_args(cls, args: Mapping[str, str]) -> Filter:
        return cls(
            who=args.get("who", "").strip()[:60],
            act=args.get("act", "").strip()[:60],
            subject=args.get("subject", "").strip()[:100],
            since=_day(args.get("since", "")),
            until=_day(args.get("until", "")),
        )

    def as_args(self) -> dict[str, str]:
        """The filter as an address carries it."""
        return {name: str(value) for name, value in vars(self).items() if value}

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.who:
            yield AuditEntry.actor_name.icontains(self.who, autoescape=True)
        if self.act:
            yield AuditEntry.act == self.act
        if self.subject:
            yield AuditEntry.subject.icontains(self.subject, autoescape=True)
        if self.since:
            yield AuditEntry.at >= _midnight(self.since)
        if self.until:
            yield AuditEntry.at < _midnight(self.until) + timedelta(days=1)


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 9000 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CHINA)


def entries(session: Session, *, actor: Actor) -> Select[AuditEntry]:
    """What the reader may see: acts of accounts in their branch; with the whole tree, the commands' too.

    A root city is the whole tree when it is the only one.
    """
    branch = select(Account.id).join(Account.region).where(Region.path.startswith(actor.region_path, autoescape=True))
    seen: ColumnElement[bool] = AuditEntry.account_id.in_(branch)
    elsewhere = select(Region.id).where(~Region.path.startswith(actor.region_path, autoescape=True)).limit(1)
    if session.scalar(elsewhere) is None:
        seen = or_(seen, AuditEntry.account_id.is_(None))
    return select(AuditEntry).where(seen)


def trail_page(session: Session, wanted: Wanted, narrow: Filter, *, actor: Actor) -> Page[AuditEntry]:
    """One page of the trail, the newest first unless asked otherwise."""
    statement = entries(session, actor=actor).where(*narrow.conditions())
    return paginate(session, statement, wanted, sorts=SORTS, default_sort="-at", tie=AuditEntry.id)


def acts(session: Session, *, actor: Actor) -> list[str]:
    """The acts that the trail holds for this reader."""
    seen = entries(session, actor=actor).subquery()
    return list(session.scalars(select(seen.c.act).distinct().order_by(seen.c.act)))


def as_sheet(session: Session, narrow: Filter, *, actor: Actor) -> Sheet:
    """What matches as a table to write, the newest first, at most EXPORTED rows."""
    newest = (
        entries(session, actor=actor)
        .where(*narrow.conditions())
        .order_by(AuditEntry.at.desc(), AuditEntry.id)
        .limit(EXPORTED)
        .execution_options(yield_per=1000)
    )
    return Sheet(
        name=_("Audit trail"),
        headings=[_("When"), _("Who"), _("Role"), _("Act"), _("Subject"), _("Detail")],
        rows=(
            (
                e.at,
                words.doer(e),
                str(words.role(e.role)),
                words.act(e.act),
                words.subject(e.subject),
                words.detail(e.detail),
            )
            for e in session.scalars(newest)
        ),
        widths=(18, 16, 16, 24, 36, 60),
    )
