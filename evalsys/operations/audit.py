"""`evalsys audit`: whether the trail is what it was."""

from __future__ import annotations

import json

import click
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.base.audit import record
from evalsys.base.audit_chain import VERIFIED, AuditLink, link_up, look_at_chain
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.publication.models import EditionRecord

BROKEN = 1
"""Exit code of a chain that does not hold."""


@click.group()
def audit() -> None:
    """Link the audit trail into its hash chain, or verify it."""


@audit.command()
def link() -> None:
    """Take the entries that came since into the chain, and print its head: note it down elsewhere."""
    with application() as database, database.transaction() as session:
        click.echo(link_up(session))


@audit.command()
@click.option("--head", "heads", multiple=True, help="A head noted down earlier, which must still be in the chain.")
def verify(heads: tuple[str, ...]) -> None:
    """Compute every link anew, and look for the heads that published editions name.

    That it was done is itself an entry. Exit code 1 where an entry was changed, taken out or slipped in.
    """
    with application() as database:
        with database.reading() as session:
            found = look_at_chain(session)
            missing = [head for head in (*_published(session), *heads) if not _is_linked(session, head)]
        holds = found.broken is None and not missing
        with database.transaction() as session:
            said = {"links": found.links, "head": found.head, "holds": holds}
            record(session, actor=COMMAND_LINE, act=VERIFIED, subject="audit trail", now=now(), detail=said)
        click.echo(
            ngettext("%(num)s link, head %(head)s", "%(num)s links, head %(head)s", found.links, head=found.head)
        )
        if found.unlinked:
            click.echo(
                ngettext("%(num)s entry is not linked yet", "%(num)s entries are not linked yet", found.unlinked)
            )
        if found.broken is not None:
            click.echo(_("✗ The chain is broken at link %(number)s.", number=found.broken))
        for head in missing:
            click.echo(_("✗ The chain does not hold the head %(head)s, which was published or noted down.", head=head))
        if not holds:
            raise click.exceptions.Exit(BROKEN)
        click.echo(_("✓ Nothing was changed, taken out or slipped in."))


def _published(session: Session) -> list[str]:
    """The heads that sealed editions name."""
    statements = session.scalars(select(EditionRecord.statement).order_by(EditionRecord.edition_id))
    return [head for head in (json.loads(statement).get("audit_head") for statement in statements) if head]


def _is_linked(session: Session, head: str) -> bool:
    return session.scalar(select(AuditLink.number).where(AuditLink.hash == head)) is not None
