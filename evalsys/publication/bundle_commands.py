"""`evalsys verify` and `evalsys keys`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import urlopen

import click
from flask import current_app
from flask_babel import gettext as _

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application, speaking
from evalsys.base.errors import Invalid
from evalsys.base.language import moment
from evalsys.config import Settings
from evalsys.publication.bundle.archive import LARGEST, unpacked
from evalsys.publication.bundle.consistency import since as compared
from evalsys.publication.bundle.findings import Finding, Report
from evalsys.publication.bundle.layout import EDITION
from evalsys.publication.bundle.tables import Unreadable
from evalsys.publication.bundle.verification import Keys
from evalsys.publication.bundle.verification import verify as look_at

FAILED = 1
"""Exit code of a bundle that does not hold."""

MARKS = {True: "✓", False: "✗", None: "–"}
TIMEOUT = 30


@click.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "keys", multiple=True, help="A public key (Base64) that is known to be the publisher's.")
@click.option(
    "--since",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The bundle of an earlier edition of the same cycle: was anything taken out that it had received?",
)
@click.option("--against", metavar="URL", help="Address of the edition's page; its site is asked what it publishes.")
def verify(bundle: Path, *, keys: Sequence[str], since: Path | None, against: str | None) -> None:
    """Look at everything that BUNDLE, the open data of an edition, claims.

    Says line by line what holds: the files, the signature, the rules, the root of the answers received; scores,
    intervals and grades, computed again from inputs.csv; rank sets, shrinkage and the space of weights. With --since
    also whether everything that an earlier edition had received is still there. With --against also whether the site
    publishes this very edition, signed with its keys. Exit code 1 where something does not hold.
    """
    with speaking(Settings.from_environment()):
        content = bundle.read_bytes()
        trusted: Keys = dict.fromkeys(keys) | (_keys_of(against) if against else {})
        report = look_at(content, trusted=trusted)
        findings = [*report.findings, *([_same(content, against)] if against and report.edition else [])]
        if since and report.holds:
            findings += _compared(content, since.read_bytes(), trusted)
        _say(report, findings)
        if any(finding.holds is False for finding in findings):
            raise click.exceptions.Exit(FAILED)


def _say(report: Report, findings: Sequence[Finding]) -> None:
    if report.edition:
        cycle = report.edition.get("cycle")
        title = cycle.get("title", "") if isinstance(cycle, dict) else ""
        click.echo(_("%(title)s, edition %(number)s", title=title, number=report.edition.get("number", "")))
    for finding in findings:
        click.echo(f"{MARKS[finding.holds]} {finding.text}" + (f" {finding.detail}" if finding.detail else ""))


def _compared(content: bytes, earlier: bytes, trusted: Keys) -> list[Finding]:
    """What the bundle says of an earlier one, which must hold by itself."""
    text = _("The older bundle holds by itself.")
    failing = [finding for finding in look_at(earlier, trusted=trusted).findings if finding.holds is False]
    if failing:
        return [Finding(text, holds=False, detail=" ".join(finding.text for finding in failing))]
    return [Finding(text, holds=True), *compared(unpacked(content), unpacked(earlier))]


def _keys_of(address: str) -> dict[str, datetime | None]:
    try:
        rows = json.loads(_fetched(urljoin(address, "/keys.json")))
        return {str(row["key"]): datetime.fromisoformat(row["retired"]) if row["retired"] else None for row in rows}
    except (ValueError, TypeError, KeyError) as error:
        raise _not_there(address) from error


def _same(content: bytes, address: str) -> Finding:
    text = _("The site publishes this very edition.")
    published = _fetched(f"{address.rstrip('/')}/{EDITION}")
    try:
        return Finding(text, unpacked(content)[EDITION] == published)
    except Unreadable:
        return Finding(text, holds=False)


def _fetched(address: str) -> bytes:
    if urlsplit(address).scheme not in ("http", "https"):
        raise Invalid(
            _("%(address)s is no web address.", address=address), remedy=_("Give one that begins with https://.")
        )
    try:
        with urlopen(address, timeout=TIMEOUT) as answer:  # noqa: S310 - http and https only, see above
            found: bytes = answer.read(LARGEST)
    except (URLError, HTTPException, OSError, ValueError) as error:
        raise _not_there(address) from error
    return found


def _not_there(address: str) -> Invalid:
    return Invalid(
        _("%(address)s does not answer as a site of evalsys.", address=address),
        remedy=_("Copy the address of the edition's page from the browser."),
    )


@click.group()
def keys() -> None:
    """Keys that editions are signed with."""


@keys.command("list")
def list_keys() -> None:
    """Say which keys there are, since when and until when they sign."""
    from evalsys.publication.keys import public_keys  # the database only once it is asked

    with application() as database, database.reading() as session:
        for key in public_keys(session):
            until = _("retired %(moment)s", moment=moment(key.retired_at)) if key.retired_at else _("in use")
            click.echo(f"{key.fingerprint}  {moment(key.made_at)}  {until}  {key.key}")


@keys.command()
def new() -> None:
    """Make another key; editions are signed with all keys in use."""
    from evalsys.publication.bundle.signature import fingerprint
    from evalsys.publication.keys import key_folder, make_key

    with application() as database, database.transaction() as session:
        folder = key_folder(current_app.config["SETTINGS"])
        made = make_key(session, folder, actor=COMMAND_LINE, now=now())
        click.echo(_("Key %(name)s signs from now on. Publish its fingerprint.", name=fingerprint(made.public)))


@keys.command()
@click.argument("fingerprint")
def retire(fingerprint: str) -> None:
    """Sign with the key FINGERPRINT no longer; what it has signed stays valid."""
    from evalsys.publication.keys import retire_key

    with application() as database, database.transaction() as session:
        retire_key(session, fingerprint, actor=COMMAND_LINE, now=now())
        click.echo(_("Key %(name)s signs no longer.", name=fingerprint))
