"""`evalsys assign`: who assesses what, by a plan."""

from __future__ import annotations

from datetime import datetime

import click
from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.language import percent
from evalsys.collection.plans import SHARE, Proposal, Wish, propose
from evalsys.collection.plans import store as store_plan
from evalsys.registry.cycles import cycle_by_code


@click.command()
@click.argument("cycle")
@click.option("--share", type=click.FloatRange(0, 1), default=SHARE, show_default=True, help="Seen by two, 0 to 1.")
@click.option("--most", type=click.IntRange(min=1), help="Contracts for one evaluator at most.")
@click.option("--due", type=click.DateTime(["%Y-%m-%d"]), help="Due date; without it the day collecting closes.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), required=True, help="Settles what is equal otherwise.")
@click.option("--yes", is_flag=True, help="Store the plan; without it the plan is only shown.")
def assign(cycle: str, share: float, most: int | None, due: datetime | None, seed: int, *, yes: bool) -> None:
    """Plan who assesses the contracts of CYCLE: balanced, a share seen by two, nobody where a tie bars.

    What is assigned already stays. Only evaluators who have signed their declaration of interests get something.
    """
    wish = Wish(seed=seed, share=share, most=most, due_on=due.date() if due else None)
    with application() as database:
        with database.reading() as session:
            proposal = propose(session, cycle_by_code(session, cycle), wish, actor=COMMAND_LINE, now=now())
            _tell(proposal)
            fingerprint = proposal.fingerprint
        if not yes:
            click.echo(_("Nothing is stored; --yes stores this plan."))
            return
        with database.transaction() as session:
            found = cycle_by_code(session, cycle)
            done = store_plan(session, found, wish, fingerprint, actor=COMMAND_LINE, now=now())
            click.echo(ngettext("%(num)d contract assigned.", "%(num)d contracts assigned.", len(done.pairs)))


def _tell(proposal: Proposal) -> None:
    before, after = proposal.ground.present, proposal.overlap
    for now_seen, planned in zip(before.raters, after.raters, strict=True):
        click.echo(
            _("%(name)s: %(before)s → %(after)s contracts", name=planned.name, before=now_seen.load, after=planned.load)
        )
    click.echo(
        _(
            "Seen by two: %(n)s of %(all)s contracts (%(share)s); connected parts: %(parts)s",
            n=after.doubly,
            all=after.contracts,
            share=percent(proposal.share),
            parts=after.parts,
        )
    )
    for remark in proposal.remarks:
        click.echo(remark)
