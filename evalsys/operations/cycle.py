"""`evalsys cycle`: a cycle's steps from the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click
from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.appeals import slots
from evalsys.appeals.notices import deadline_of, issue
from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.language import day
from evalsys.base.mixing import mix
from evalsys.evaluation.integrity_scan import scan_cycle
from evalsys.evaluation.queries import statuses_of
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication.keys import key_folder
from evalsys.publication.sealing import seal
from evalsys.publication.usecases import publish
from evalsys.registry.cycles import cycle_by_code, move, state_name
from evalsys.registry.models import Cycle, CycleState
from evalsys.scoring.status import Status

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells give it."""


@click.command()
@click.argument("code", metavar="CYCLE")
@click.argument("step", type=click.Choice(["open", "close", "scan", "run", "notify", "publish"]))
@click.option("--reason", default="", help="With publish: why a correction was needed.")
@click.option("--refit", is_flag=True, help="With run: learn the spread of ratings anew.")
@click.option("--early", is_flag=True, help="With run: do not wait for the surveys that recipients still have open.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="With run: of random draws; the cycle's own otherwise.")
def cycle(code: str, step: str, *, reason: str, refit: bool, early: bool, seed: int | None) -> None:
    """Take the cycle CYCLE a step on.

    open starts collecting; close ends it, while surveys that are open by then are still taken for 30 minutes; scan
    flags ratings that a person should look at; run scores (again, as often as needed); notify tells the vendors the
    preliminary result, to which they may object; publish makes the newest scoring public. After a publication, run and
    publish with --reason make a correction.
    """
    slots.fill()
    with application() as database:
        try:
            with database.transaction() as session:
                said = _carry_out(session, code, step, reason=reason, refit=refit, early=early, seed=seed)
        except KeyboardInterrupt:
            click.echo(_("Interrupted; nothing was saved."), err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        if step in ("close", "run"):  # from here on no answers come, or only few
            mix(database)
    click.echo(said)


def _carry_out(
    session: Session, code: str, step: str, *, reason: str, refit: bool, early: bool, seed: int | None
) -> str:
    chosen = cycle_by_code(session, code)
    match step:
        case "open":
            return _moved(session, chosen, CycleState.COLLECTING)
        case "close":
            return _moved(session, chosen, CycleState.REVIEW)
        case "scan":
            return _scanned(session, chosen)
        case "run":
            return _run(session, chosen, seed=seed, refit=refit, early=early)
        case "notify":
            return _told(session, chosen)
        case _:
            edition = publish(session, chosen, reason=reason, actor=COMMAND_LINE, now=now())
            seal(session, edition, key_folder(current_app.config["SETTINGS"]), actor=COMMAND_LINE, now=now())
            said: str = _("Edition %(number)s of %(code)s is published.", number=edition.number, code=code)
            return said


def _moved(session: Session, chosen: Cycle, to: CycleState) -> str:
    move(session, chosen, to, actor=COMMAND_LINE, now=now())
    said: str = _("%(code)s: %(state)s", code=chosen.code, state=state_name(chosen.state))
    return said


def _scanned(session: Session, chosen: Cycle) -> str:
    scan = scan_cycle(session, chosen, actor=COMMAND_LINE, now=now())
    said: str = _("%(code)s: %(added)s new flags, %(open)s to decide.", code=chosen.code, **asdict(scan))
    return said


def _told(session: Session, chosen: Cycle) -> str:
    notice = issue(session, chosen, actor=COMMAND_LINE, now=now())
    until = day(deadline_of(notice).day)
    said: str = _("%(code)s: the vendors were told; they may object until %(day)s.", code=chosen.code, day=until)
    return said


def _run(session: Session, chosen: Cycle, *, seed: int | None, refit: bool, early: bool) -> str:
    click.echo(_("Scoring %(code)s …", code=chosen.code), err=True)
    run = run_cycle(
        session, chosen, seed=seed, refit=refit, early=early, say=_tell_a_terminal, actor=COMMAND_LINE, now=now()
    )
    counts = statuses_of(session, run)
    said: str = _(
        "%(code)s: %(all)s contracts, %(rated)s rated, %(provisional)s provisional, %(withheld)s not rated.",
        code=chosen.code,
        all=sum(counts.values()),
        **{status.value: counts.get(status.value, 0) for status in Status},
    )
    return said


def _tell_a_terminal(step: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"  {step} …", err=True)
