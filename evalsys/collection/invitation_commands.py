"""`evalsys invite` and `evalsys status`: codes for recipients, and how many came back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.base.errors import Conflict
from evalsys.base.typesetting import require_fonts
from evalsys.collection.codes import code_key
from evalsys.collection.counting import figures
from evalsys.collection.invitations import invite as give_codes
from evalsys.collection.invitations import links_csv, withdraw_unused
from evalsys.collection.messages.keeping import code_box
from evalsys.collection.slips import Notice, posters_pdf, slips_pdf
from evalsys.config import Settings
from evalsys.registry.cycles import cycle_by_code

PRINTED = {"--slips": slips_pdf, "--posters": posters_pdf}


@click.command()
@click.argument("cycle")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="New file for contract, code, url.")
@click.option("--slips", type=click.Path(path_type=Path), help="New PDF: slips to cut, eight a page.")
@click.option("--posters", type=click.Path(path_type=Path), help="New PDF: a poster for each contract and township.")
@click.option("--phone", default="", help="Whom to ask, for slips and posters.")
@click.option("--by-message", is_flag=True, help="Keep, locked, the codes of those who can be sent messages.")
@click.option("--replace-unused", is_flag=True, help="Withdraw the codes nobody has used, and give new ones instead.")
def invite(
    cycle: str,
    *,
    out: Path,
    slips: Path | None,
    posters: Path | None,
    phone: str,
    by_message: bool,
    replace_unused: bool,
) -> None:
    """Give a code to every recipient of CYCLE's frames, or of the samples that were drawn, who has none.

    The file, and the slips, are the only place where codes can be read: the database keeps hashes that only
    EVALSYS_SECRET_KEY makes; with --by-message it keeps some codes too, locked with it. Print or send them, then delete
    them. When they are lost, --replace-unused makes the old codes worthless and gives new ones.
    """
    settings = Settings.from_environment()
    secret = settings.require_secret_key()
    files = {option: file for option, file in (("--out", out), ("--slips", slips), ("--posters", posters)) if file}
    parts = {option: file.with_name(f".{file.name}.{os.getpid()}.part") for option, file in files.items()}
    if len(files) > 1:
        require_fonts(settings.fonts)
    with application(settings) as database:
        try:
            with database.transaction() as session:
                found = cycle_by_code(session, cycle)
                notice = Notice(settings.base_url, found.closes_on, phone, settings.fonts)
                if replace_unused:
                    withdraw_unused(session, found, actor=COMMAND_LINE, now=now())
                box = code_box(secret) if by_message else None
                invited = give_codes(session, found, key=code_key(secret), actor=COMMAND_LINE, now=now(), box=box)
                if invited:
                    for option, file in files.items():
                        _require_new(file, option)
                        _write_privately(parts[option], "")  # finds out now whether it can be written
                    _write_privately(parts["--out"], links_csv(invited, settings.base_url))
        except BaseException:
            _remove(parts.values())
            raise
        if not invited:
            click.echo(_("0 new codes: everybody who is to be asked has one. No file was written."))
            return
        parts.pop("--out").replace(out)  # after the commit: a file whose codes do not work must never be there
        click.echo(_("%(count)s new codes: %(file)s", count=len(invited), file=out))
        try:
            for option, part in parts.items():
                part.write_bytes(PRINTED[option](invited, notice))
                part.replace(files[option])
                click.echo(_("To print: %(file)s", file=files[option]))
        finally:
            _remove(parts.values())


def _remove(parts: Iterable[Path]) -> None:
    for part in parts:
        part.unlink(missing_ok=True)


def _require_new(file: Path, option: str) -> None:
    if file.exists() and file.stat().st_size:
        raise Conflict(
            _("%(file)s exists; the codes in it would be lost.", file=file),
            remedy=_("Name another file after %(option)s.", option=option),
        )


def _write_privately(file: Path, text: str) -> None:
    """Write a file that only its owner reads, and wait until it is on the disk."""
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())


@click.command()
@click.argument("cycle")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object: invited, used, received, counted.")
def status(cycle: str, *, as_json: bool) -> None:
    """Say how far the survey of CYCLE has come.

    invited: codes given out; used: codes answered with; received: receipts of answers; counted: answers that are not
    held back for review. Answers imported from files are none of these.
    """
    with application() as database, database.reading() as session:
        found = asdict(figures(session, cycle_by_code(session, cycle), actor=COMMAND_LINE))
    shown = {name: found[name] for name in ("invited", "used", "received", "counted")}
    click.echo(json.dumps(shown) if as_json else "\n".join(f"{name:10}{number:>9,}" for name, number in shown.items()))
