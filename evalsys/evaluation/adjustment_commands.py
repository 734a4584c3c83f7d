"""`evalsys rules estimate-adjustment`: what the way of answering was worth, as a section for the rules file."""

from __future__ import annotations

from typing import get_args

import click

from evalsys.base.command import application
from evalsys.rules.values import Mode


@click.command("estimate-adjustment")
@click.argument("code", metavar="CYCLE")
@click.option(
    "--reference-mode",
    type=click.Choice(get_args(Mode)),
    default="self",
    show_default=True,
    help="What the other modes are compared with.",
)
@click.option("--without", multiple=True, metavar="CODE", help="A mode or criterion to leave out; may be repeated.")
def estimate_adjustment(code: str, reference_mode: str, without: tuple[str, ...]) -> None:
    """Estimate step 3 on the published cycle CYCLE, and print the section [adjustment] for later rules.

    The coefficients come from a regression within contracts; standard errors stand beside them as comments. Leave out
    what is not worth adjusting for, paste the rest into the rules file of a later cycle, and publish it beforehand.
    """
    from evalsys.evaluation.adjustment_estimate import estimated_adjustment  # numpy only once there is work
    from evalsys.registry.cycles import cycle_by_code

    with application() as database, database.reading() as session:
        cycle = cycle_by_code(session, code)
        told = estimated_adjustment(session, cycle, reference_mode=reference_mode, without=without)
    click.echo(told, nl=False)
