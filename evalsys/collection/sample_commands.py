"""`evalsys sample`: draw the recipients to be asked, and release spare cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE
from evalsys.base.clock import now
from evalsys.base.command import application
from evalsys.collection.drawing import Design, Size
from evalsys.collection.sample_plans import FEW, Preview, Wish, plan_sample, seed_of
from evalsys.collection.sampling import draw_sample, fix_seed, release_spares
from evalsys.registry.cycles import cycle_by_code
from evalsys.registry.models import Cycle


class SizeType(click.ParamType[Size]):
    """A number, or a share in percent."""

    name = "number or share%"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Size:
        try:
            return Size.read(str(value))
        except ValueError:
            self.fail(f"{value}: write a number such as 30, or a share such as 20%", param, ctx)


class PercentType(click.ParamType[int]):
    """A share in percent, with or without its sign."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        written = str(value).removesuffix("%")
        if not written.isdecimal() or int(written) > 100:
            self.fail(f"{value}: write a number from 0 to 100", param, ctx)
        return int(written)


@click.command()
@click.argument("cycle")
@click.option("--seed", default="", help="Text to draw by; one is made where none is fixed and none is given.")
@click.option("--source", default="", help="Where the seed comes from; needed with --seed.")
@click.option("--reason", default="", help="Why there has to be another seed than the one that was fixed.")
@click.option("--design", type=click.Choice([design.value for design in Design]), default=Design.PROPORTIONAL.value)
@click.option("--size", type=SizeType(), help="Of each contract (equal: of each part), such as 30 or 20%.")
@click.option("--least", type=click.IntRange(0, 1000), default=FEW, show_default=True, help="In each part.")
@click.option("--spare", type=PercentType(), default=20, show_default=True, help="Spare cases, percent of the sample.")
@click.option("--contract", "contracts", multiple=True, help="Only this contract; may be given several times.")
@click.option("--release", is_flag=True, help="Draw nothing; release as many spare cases as ended without an answer.")
@click.option("--yes", is_flag=True, help="Do it; without it the command only says what would be done.")
def sample(cycle: str, *, release: bool, yes: bool, size: Size | None, **given: Any) -> None:
    """Draw the recipients of CYCLE who are asked; `evalsys invite` then gives codes to them alone.

    Says how many of each part would be drawn, and draws with --yes. A seed once fixed is drawn by until another is
    fixed with a reason. Contracts without a sample are asked in full. docs/sampling.md tells how to check a draw.
    """
    if release:
        _release(cycle, yes=yes)
        return
    if size is None:
        raise click.UsageError("--size is missing: how many to draw, such as 30 or 20%")
    wish = Wish(Design(given["design"]), size, least=given["least"], spare=given["spare"], contracts=given["contracts"])
    with application() as database:
        with database.transaction() as session:
            found = cycle_by_code(session, cycle)
            made_up = _fix(session, found, given)
            if not yes:
                _say(plan_sample(session, found, wish, actor=COMMAND_LINE), made_up=made_up)
                session.rollback()
        if yes:  # the seed stands in the trail before anything is drawn
            with database.transaction() as session:
                _say(draw_sample(session, cycle_by_code(session, cycle), wish, actor=COMMAND_LINE, now=now()))
        click.echo(_("Drawn.") if yes else _("Nothing was drawn. Add --yes to draw."))


def _fix(session: Session, cycle: Cycle, given: Mapping[str, str]) -> bool:
    """Fix a seed where one is given, or none is there; whether the system made it up now."""
    kept = seed_of(session, cycle)
    if kept and not given["reason"] and given["seed"].strip() in {"", kept.seed}:
        return False
    asked = {name: given[name] for name in ("seed", "source", "reason")}
    return not fix_seed(session, cycle, **asked, actor=COMMAND_LINE, now=now()).source


def _say(preview: Preview, *, made_up: bool = False) -> None:
    click.echo(_("Seed: %(seed)s", seed=_("drawn by the system") if made_up else preview.seed.seed))
    for contract, why in preview.left_out:
        click.echo(f"{contract.reference}: {why}", err=True)
    for planned in preview.planned:
        for stratum, share in planned.parts:
            place = [planned.contract.reference, stratum.township, stratum.item]
            told = _(
                "%(drawn)s of %(frame)s, %(spare)s spare", drawn=share.drawn, frame=stratum.size, spare=share.spare
            )
            click.echo(f"{' '.join(filter(None, place))}: {told}")


def _release(cycle: str, *, yes: bool) -> None:
    with application() as database, database.transaction() as session:
        released = release_spares(session, cycle_by_code(session, cycle), actor=COMMAND_LINE, now=now())
        click.echo(_("Spare cases: %(count)s", count=released))
        if not yes:
            session.rollback()
            click.echo(_("Nothing was released. Add --yes to release them."))
