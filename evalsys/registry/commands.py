"""`evalsys import`: vendors, contracts, frames and what they stand on, from files."""

from __future__ import annotations

from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.imports import Kind, Plan, Scope, carry_out, kind_named, make_plan

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_dry_run = click.option("--dry-run", is_flag=True, help="Say what would change, and change nothing.")
_cycle = click.option("--cycle", "cycle_code", required=True, help="Code of the cycle, for example 2026.")


@click.command("vendors")
@_file
@_dry_run
def vendors(file: Path, *, dry_run: bool) -> None:
    """Vendors, known by their unified social credit code."""
    _take_in("vendors", file, dry_run=dry_run)


@click.command("contracts")
@_file
@_dry_run
def contracts(file: Path, *, dry_run: bool) -> None:
    """Contracts, known by their reference; regions, purchasers and vendors must be registered."""
    _take_in("contracts", file, dry_run=dry_run)


@click.command("purchasers")
@_file
@_dry_run
def purchasers(file: Path, *, dry_run: bool) -> None:
    """Purchasers, known by their name within a region."""
    _take_in("purchasers", file, dry_run=dry_run)


@click.command("regions")
@_file
@_dry_run
def regions(file: Path, *, dry_run: bool) -> None:
    """Regions, known by their code, each after the one above it. The first thing to import."""
    _take_in("regions", file, dry_run=dry_run)


@click.command("frames")
@_file
@_cycle
@_dry_run
def frames(file: Path, *, cycle_code: str, dry_run: bool) -> None:
    """How many recipients each contract of a cycle serves, by township and service item."""
    _take_in("frames", file, cycle_code=cycle_code, dry_run=dry_run)


@click.command("roster")
@_file
@_cycle
@_dry_run
def roster(file: Path, *, cycle_code: str, dry_run: bool) -> None:
    """Names of recipients, where they are invited by name; the frame must be there."""
    _take_in("roster", file, cycle_code=cycle_code, dry_run=dry_run)


def _take_in(name: str, file: Path, *, dry_run: bool, cycle_code: str | None = None) -> None:
    kind = kind_named(name)
    data = file.read_bytes()
    slots = click.get_current_context().obj  # the registry's questions to a higher floor, answered from the top
    with application(slots=slots) as database, database.transaction() as session:
        cycle = cycle_by_code(session, cycle_code) if cycle_code else None
        plan = make_plan(data, kind, Scope(session, COMMAND_LINE, cycle))
        if not dry_run:
            carry_out(session, plan, kind, cycle=cycle, actor=COMMAND_LINE, now=now())
        _say(plan, kind, dry_run=dry_run)


def _say(plan: Plan, kind: Kind, *, dry_run: bool) -> None:
    for warning in plan.warnings:
        click.echo(warning, err=True)
    click.echo(f"{kind.title}: {plan.counts}" + (" " + _("(nothing was saved)") if dry_run else ""))
