"""`evalsys score`: scores from files, without a database or the web."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalsys.config import command_language
from evalsys.evaluation.file_faults import FilesFaulty, Message, _l
from evalsys.rules.loading import loads, rules_hash

if TYPE_CHECKING:
    from evalsys.evaluation.files import Scored
    from evalsys.rules.model import Rules

FAULTY = 2
"""Exit code of files that cannot be scored."""

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("ratings", type=_FILE)
@click.option("--rules", type=_FILE, required=True, help="The rules file, e.g. examples/one-party.toml.")
@click.option("--contracts", type=_FILE, help="contract, vendor, peer_group, amount, served, service_type.")
@click.option("--frame", type=_FILE, help="contract, stratum (or township, item), size: whom each contract serves.")
@click.option("--out", type=_FILE, required=True, help="Folder for scores.csv, scores.json and flags.csv.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of random draws.")
@click.option(
    "--memory", type=click.IntRange(100), default=800, show_default=True, help="MB that reading Parquet may use."
)
@click.option("--threads", type=click.IntRange(1, 256), help="Cores that reading Parquet may use.  [default: all]")
def score(
    ratings: Path,
    *,
    rules: Path,
    contracts: Path | None,
    frame: Path | None,
    out: Path,
    seed: int,
    memory: int,
    threads: int | None,
) -> None:
    """Score RATINGS, a long file, and write scores.csv, scores.json and, where the rules look for signs, flags.csv.

    RATINGS has one row a rating: contract, party, rater, criterion, value, and if wanted mode, stratum (or township and
    item), vendor and held (yes: counted nowhere). In a frame that knows only margins, township or item is empty in each
    row. Party and criterion may be left out where the rules have just one. Files are .csv (UTF-8 or GB18030) or .xlsx,
    with English or Chinese titles in the first row. A wide file becomes a long one in one line; lme4's InstEval,
    students s rating lecturers d, for examples/one-party.toml:

    \b
    awk -F, 'BEGIN{print "contract,vendor,rater,value"} NR>1{print $2","$2","$1","$7}' insteval.csv > ratings.csv

    RATINGS may also be .parquet, for 100 million ratings on a small machine (pip install 'evalsys[big]'): long like
    this, or wide with one row a respondent and, instead of criterion and value, one column for each criterion's code;
    empty = left out, 0 or na = not applicable.

    Where the rules ask whether raters are reliable, scores.json tells it. Where they look for signs of careless or
    false ratings, flags.csv lists them with the raters' labels, for those who check and not for publication; a sign
    changes no score. Files do not tell when an answer came nor how long it took, so there are no signs of that. In
    Parquet no signs are looked for: "integrity" of "steps" in scores.json is then null.

    The same files, rules and seed give the same bytes. Faulty files: every fault on stderr, exit 2, nothing written.
    """  # noqa: D301 - click reads a real backspace as "do not wrap"
    from evalsys.evaluation.files import Sources, score_files  # numpy and scipy only once there is something to score
    from evalsys.evaluation.parquet.opening import Room
    from evalsys.evaluation.score_output import write_scores

    data = rules.read_bytes()
    known = loads(data, str(rules))
    language = command_language()
    try:
        scored = score_files(
            Sources(ratings, contracts, frame),
            known,
            seed=seed,
            room=Room(memory, threads),
            progress=_told_on_a_terminal,
        )
    except FilesFaulty as error:
        click.echo("\n".join(error.lines(language)), err=True)
        raise SystemExit(FAULTY) from None
    origin = {
        "rules": {"version": known.version, "sha256": rules_hash(data)},
        "files": dict(scored.files),
        "held": scored.held,
    }
    _told_on_a_terminal(_l("writing"))
    written = write_scores(out, scored, known, origin)
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
    for message in _what_was_done(scored, known, *written):
        click.echo(message.said(language))


def _what_was_done(scored: Scored, rules: Rules, table: Path, breakdown: Path, *flags: Path) -> Iterator[Message]:
    ranks = scored.result.rank
    counts = {"scored": int((ranks > 0).sum()), "all": len(ranks)}
    yield _l(
        "Scored %(scored)s of %(all)s contracts: %(table)s, %(breakdown)s", **counts, table=table, breakdown=breakdown
    )
    if scored.held:
        yield _l("Ratings held back, counted nowhere: %(held)s", held=scored.held)
    if scored.flags is not None:
        yield _l("Signs that a person must look at: %(count)s (%(file)s)", count=len(scored.flags), file=flags[0])
    elif rules.integrity is not None:
        yield _l("Signs are not looked for in Parquet; give the ratings as .csv to see them.")


def _told_on_a_terminal(message: Message) -> None:
    """One line that is written over by the next."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{message.said(command_language())}", nl=False, err=True)
