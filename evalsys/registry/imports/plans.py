"""What a file would change: found without changing anything, then carried out in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base import audit
from evalsys.base.access import Actor
from evalsys.base.db import Base
from evalsys.base.errors import Conflict, Invalid
from evalsys.base.tables import Column, Row, Table, read_table
from evalsys.registry.models import Cycle

SAMPLES = 20


@dataclass(frozen=True)
class Scope:
    """For whom and for which cycle a file is read."""

    session: Session
    actor: Actor
    cycle: Cycle | None = None


@dataclass(frozen=True)
class Kind:
    """A sort of file that can be taken in.

    Attributes:
        name: on the command line and in addresses.
        title: in words.
        columns: of the table.
        read: finds what a table would change.
        about: one sentence for the person who fills the file in.
        needs_cycle: whether it belongs to a cycle.
        insert: adds the new rows where that is more than inserting them.
    """

    name: str
    title: LazyString
    columns: tuple[Column, ...]
    read: Callable[[Table, Scope], Plan]
    about: LazyString
    needs_cycle: bool = False
    insert: Callable[[Session, list[dict[str, Any]]], None] | None = None


@dataclass(frozen=True)
class Known:
    """A row that is in the database already."""

    id: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Sample:
    """A row of the file as the preview shows it."""

    row: int
    label: str
    is_new: bool
    changes: tuple[str, ...] = ()


@dataclass
class Plan:
    """What a file would change.

    Attributes:
        model: the table.
        shown: a column's heading and a value of it, as a person writes them.
        new: rows to insert.
        changed: rows to update, each with its id.
        unchanged: how many rows say what is known.
        samples: the first rows that are new or changed.
        warnings: what a person should look at; nothing that stops the import.
        digest: SHA-256 of the file.
        most: how many samples are kept.
    """

    model: type[Base]
    shown: Callable[[str, Any], tuple[str, str]]
    new: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    samples: list[Sample] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    digest: str = ""
    most: int = SAMPLES

    @property
    def counts(self) -> str:
        """New, changed and unchanged in one sentence."""
        text: str = _(
            "%(new)s new, %(changed)s changed, %(unchanged)s unchanged",
            new=len(self.new),
            changed=len(self.changed),
            unchanged=self.unchanged,
        )
        return text

    @property
    def fingerprint(self) -> str:
        """Changes when the same file would change something else than it would have before."""
        return sha256(repr((self.digest, self.new, self.changed)).encode()).hexdigest()[:32]

    def take(self, row: int, label: str, values: dict[str, Any], known: Known | None) -> None:
        """Sort one row in: new, changed or unchanged."""
        if known is None:
            self.new.append(values)
            self._show(Sample(row, label, is_new=True))
            return
        differing = {name: value for name, value in values.items() if known.values[name] != value}
        if not differing:
            self.unchanged += 1
            return
        self.changed.append({"id": known.id, **known.values, **values})
        told = tuple(self._told(name, known.values[name], value) for name, value in differing.items())
        self._show(Sample(row, label, is_new=False, changes=told))

    def _told(self, name: str, before: Any, after: Any) -> str:
        heading, old = self.shown(name, before)
        return f"{heading}: {old or '—'} → {self.shown(name, after)[1] or '—'}"

    def _show(self, sample: Sample) -> None:
        if len(self.samples) < self.most:
            self.samples.append(sample)

    def warn(self, text: str) -> None:
        """Keep a warning; the first SAMPLES are enough to see what it is about."""
        if len(self.warnings) < SAMPLES:
            self.warnings.append(text)


def headed(columns: Sequence[Column]) -> Callable[[str, Any], tuple[str, str]]:
    """For `Plan.shown`, where a stored value is what the file says."""
    headings = {column.name: column.heading for column in columns}
    return lambda name, value: (headings[name], str(value))


class Seen:
    """Refuses a key that stands twice in one file."""

    def __init__(self) -> None:
        self._rows: dict[Any, int] = {}

    def refuse_again(self, row: Row, column: str, key: Any) -> None:
        first = self._rows.setdefault(key, row.number)
        if first != row.number:
            row.wrong(column, _("The same stands in row %(row)s.", row=first), _("Delete one of the two rows."))


def make_plan(data: bytes, kind: Kind, scope: Scope) -> Plan:
    """Read a file and find what it would change; changes nothing.

    Raises:
        Invalid: the file as a whole, or cells in it (TableFaulty), are at fault.
    """
    if kind.needs_cycle and scope.cycle is None:
        raise Invalid(
            _("This file belongs to a cycle."), remedy=_("Say which: --cycle CODE, or choose it on the upload page.")
        )
    table = read_table(data, kind.columns)
    plan = kind.read(table, scope)
    table.finish()
    plan.digest = sha256(data).hexdigest()
    return plan


def carry_out(session: Session, plan: Plan, kind: Kind, *, cycle: Cycle | None, actor: Actor, now: datetime) -> None:
    """Write everything a plan says; the caller's transaction makes it all or nothing.

    Raises:
        Conflict: somebody wrote the same rows meanwhile.
    """
    if not plan.new and not plan.changed:
        return
    try:
        if plan.new and kind.insert:
            kind.insert(session, plan.new)
        elif plan.new:
            session.execute(insert(plan.model), plan.new)
        if plan.changed:
            session.execute(update(plan.model), plan.changed)
    except IntegrityError as error:
        raise Conflict(
            _("Somebody changed the same rows at the same time; nothing was saved."), remedy=_("Send the file again.")
        ) from error
    audit.record(
        session,
        actor=actor,
        act=f"registry.import_{kind.name}",
        subject=f"cycle:{cycle.code}" if cycle else f"file:{plan.digest[:16]}",
        now=now,
        detail={
            "file": plan.digest,
            "new": len(plan.new),
            "changed": len(plan.changed),
            "unchanged": plan.unchanged,
        },
    )
