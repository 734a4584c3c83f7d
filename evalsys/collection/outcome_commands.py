"""`evalsys outcomes`: why invitations stayed without an answer."""

from __future__ import annotations

from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.collection.codes import code_key
from evalsys.collection.outcomes import NAMES, take_in_outcomes
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code


@click.command()
@click.argument("cycle")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def outcomes(cycle: str, file: Path) -> None:
    """Record from FILE (.csv or .xlsx) why invitations of CYCLE stayed without an answer.

    Columns: code; outcome, which is refused, unreachable, moved, died or paper (拒绝, 联系不上, 迁出, 去世, 纸质). All
    rows or none.
    """
    settings = Settings.from_environment()
    key = code_key(settings.require_secret_key())
    with application(settings) as database:
        with database.transaction() as session:
            found = cycle_by_code(session, cycle)
            counted = take_in_outcomes(session, found, file.read_bytes(), key=key, actor=COMMAND_LINE, now=now())
        for outcome, name in NAMES.items():
            click.echo(_("%(name)s: %(count)s", name=name, count=counted[outcome]))
