"""`evalsys import ratings`."""

from __future__ import annotations

from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.collection import ratings_files, ratings_import
from evalsys.registry.cycles import cycle_by_code


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--cycle", "code", required=True, metavar="CODE", help="The cycle that the ratings belong to.")
@click.option("--replace", is_flag=True, help="Replace what was imported before for the file's contracts and parties.")
@click.option("--dry-run", is_flag=True, help="Check the file and say what it would do; change nothing.")
def ratings(*, file: Path, code: str, replace: bool, dry_run: bool) -> None:
    """Take in ratings from FILE (.csv or .xlsx), a row for each contract, party, rater and criterion.

    Columns: contract, party, rater, criterion, value, and for recipients mode and stratum where known. Recipients'
    labels only group the rows of one file and are not stored. The same file again changes nothing.
    """
    with application() as database:
        with database.reading() as session, file.open("rb") as stream:
            cycle = cycle_by_code(session, code)
            ratings_import.require_importing(cycle, COMMAND_LINE)
            staging = ratings_files.stage_ratings(session, stream, cycle, actor=COMMAND_LINE, progress=_tell_progress)
        try:
            if dry_run:
                with database.reading() as session:
                    found = ratings_import.preview(session, staging, actor=COMMAND_LINE)
            else:
                with database.transaction() as session:
                    found = ratings_import.take_in(session, staging, replace=replace, actor=COMMAND_LINE, now=now())
        finally:
            staging.close()
        _tell(found, dry_run=dry_run)


def _tell_progress(rows: int) -> None:
    click.echo(_("%(rows)s rows read", rows=f"{rows:,}"), err=True)


def _tell(found: ratings_import.Preview, *, dry_run: bool) -> None:
    for count in found.counts:
        click.echo(
            _(
                "%(party)s: %(ratings)s ratings by %(raters)s raters of %(contracts)s contracts",
                party=count.party,
                ratings=f"{count.ratings:,}",
                raters=f"{count.raters:,}",
                contracts=f"{count.contracts:,}",
            )
        )
    if found.replaced and not found.unchanged:
        replaced = len(found.replaced)
        click.echo(
            _("Would be replaced, with --replace: %(count)s contracts and parties", count=replaced)
            if dry_run
            else _("Replaced: %(count)s contracts and parties", count=replaced)
        )
    if found.unchanged:
        click.echo(_("Nothing changed: the same rows are in already."))
    elif dry_run:
        click.echo(_("Only checked; nothing was saved."))
    else:
        click.echo(_("The ratings are in."))
