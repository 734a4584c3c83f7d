"""`evalsys paper`: forms on paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.typesetting import require_fonts
from evalsys.collection.paper_forms import PaperKeys, give, stratum_called
from evalsys.collection.paper_print import forms_pdf, heading_of
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code


@click.group()
def paper() -> None:
    """Forms on paper for recipients who want to answer by hand."""


@paper.command("print")
@click.argument("cycle")
@click.option("--contract", required=True, help="Number of the contract that the forms ask about.")
@click.option("--township", default="", help="Part of its frame; needed where it has several.")
@click.option("--item", default="", help="Service item of that part; needed where the township has several.")
@click.option("--copies", type=click.IntRange(min=1), required=True, help="How many forms.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New PDF file.")
@click.option("--phone", default="", help="Whom to ask.")
def print_forms(cycle: str, *, contract: str, township: str, item: str, copies: int, out: Path, phone: str) -> None:
    """Print forms for recipients of one part of a contract's frame in CYCLE.

    Each form counts one recipient as invited: first those whose code was recorded as exchanged for a form, then those
    who have no code. The file is the only place where the serials stand: print it, then delete it.
    """
    settings = Settings.from_environment()
    keys = PaperKeys.of(settings.require_secret_key())
    require_fonts(settings.fonts)
    with application(settings) as database, _new_file(out) as file:
        try:
            with database.transaction() as session:
                stratum = stratum_called(session, cycle_by_code(session, cycle), contract, township, item)
                printed = give(session, stratum, copies, keys=keys, actor=COMMAND_LINE, now=now())
                heading = heading_of(session, stratum)
            file.write(forms_pdf(heading, printed, phone=phone, fonts=settings.fonts))
        except BaseException:
            out.unlink()
            raise
    click.echo(_("%(count)s forms to print: %(file)s", count=copies, file=out))


def _new_file(path: Path) -> IO[bytes]:
    """A file that only its owner reads, opened before anything is given out that it alone will tell."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
