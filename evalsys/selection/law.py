"""What the law lets a plan weigh: each use of the rules says it, with its ground."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask_babel import gettext as _

from evalsys.base.errors import Invalid
from evalsys.base.language import percent, words
from evalsys.rules.model import Rules, SelectionUse


@dataclass(frozen=True)
class Weights:
    """Shares of the total, in per cent so that they add up exactly."""

    technical: Decimal
    price: Decimal
    past: Decimal

    @property
    def total(self) -> Decimal:
        return self.technical + self.price + self.past


def against_reference(use: SelectionUse) -> bool:
    """Whether prices are scored against the plan's reference; elsewhere the law prescribes the lowest offer."""
    return use.past_performance == "free"


def use_of(rules: Rules, code: str) -> SelectionUse:
    """The use with this code.

    Raises:
        Invalid: the rules name none.
    """
    for use in rules.selection.uses:
        if use.code == code:
            return use
    raise Invalid(
        _("The rules know no way of choosing called “%(code)s”.", code=code), remedy=_("Choose one from the list.")
    )


def broken_by(weights: Weights, use: SelectionUse, *, reference_fen: int | None) -> list[str]:
    """What is wrong with the weights and the reference, one sentence each; the law's ground where it is the law."""
    found = []
    if weights.total != 100:
        found.append(_("The three weights add up to %(sum)s %%; they have to make 100 %%.", sum=f"{weights.total:f}"))
    if use.past_performance == "beside" and weights.past != 0:
        found.append(
            _(
                "%(use)s: past performance has the weight 0 and stands beside the points only. Ground: %(ground)s",
                use=words(use.name),
                ground=words(use.ground),
            )
        )
    low, high = Decimal(str(use.price_minimum)) * 100, Decimal(str(use.price_maximum)) * 100
    if not low <= weights.price <= high:
        found.append(
            _(
                "%(use)s: the price weighs %(low)s to %(high)s, here %(given)s. Ground: %(ground)s",
                use=words(use.name),
                low=percent(use.price_minimum),
                high=percent(use.price_maximum),
                given=f"{weights.price:f}%",
                ground=words(use.ground),
            )
        )
    if reference_fen is None and against_reference(use) and weights.price > 0:
        found.append(
            _("%(use)s: prices are scored against a reference price; the plan names none yet.", use=words(use.name))
        )
    if reference_fen is not None and not against_reference(use):
        found.append(
            _(
                "%(use)s: the lowest offer is the basis of the price points; a reference price has no place here."
                " Ground: %(ground)s",
                use=words(use.name),
                ground=words(use.ground),
            )
        )
    return found


def require_lawful(weights: Weights, use: SelectionUse, *, reference_fen: int | None) -> None:
    """Raises Invalid with everything that is wrong."""
    found = broken_by(weights, use, reference_fen=reference_fen)
    if found:
        raise Invalid(
            _("The plan breaks a rule."),
            remedy=_("Change the weights, the reference price, or the way of choosing."),
            details=found,
        )
