"""`evalsys export ratings`."""

from __future__ import annotations

import os
from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.errors import Conflict
from evalsys.base.tables import write_csv, write_xlsx
from evalsys.collection.ratings_export import buying_again_sheet, export_ratings, ratings_sheet, too_few
from evalsys.registry.cycles import cycle_by_code


@click.command()
@click.argument("cycle")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="New file, .csv or .xlsx.")
def ratings(cycle: str, *, out: Path) -> None:
    """Write the ratings of CYCLE that count into a file, a row for each rating, once collecting is over.

    What is held back is not in it. Recipients' answers stand under numbers drawn for this file, with the township only
    where it holds five answers of it, and without mode and time; contracts with fewer than five answers are left out.
    Named raters stand under numbers too. Columns: contract, party, rater, criterion, value, stratum. A workbook has a
    second sheet: which purchasers would buy again.
    """
    if out.exists():
        raise Conflict(_("%(file)s exists.", file=out), remedy=_("Name another file after %(option)s.", option="--out"))
    with application() as database:
        with database.transaction() as session:
            export_ratings(session, cycle_by_code(session, cycle), actor=COMMAND_LINE, now=now())
        with database.reading() as session:
            found = cycle_by_code(session, cycle)
            sheet = ratings_sheet(session, found, actor=COMMAND_LINE)
            again = buying_again_sheet(session, found, actor=COMMAND_LINE)
            data = write_xlsx([sheet, again]) if out.suffix.lower() == ".xlsx" else write_csv(sheet)
            left_out = too_few(session, found, actor=COMMAND_LINE)
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as target:
            target.write(data)
        click.echo(_("The ratings: %(file)s", file=out))
        if left_out:
            click.echo(_("Contracts with fewer than 5 answers, left out: %(count)s", count=left_out))
