"""What a contract, a vendor's year and a vendor's whole record are about, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from flask_babel import gettext as _
from flask_babel import ngettext

from evalsys.base.language import day, number, points, yuan
from evalsys.evaluation.naming import Names
from evalsys.publication.models import EditionScore
from evalsys.scoring.status import Status


def contract_told(line: EditionScore, names: Names) -> list[str]:
    """What the service did, for whom, where, when, and what it costs."""
    told = [
        _(
            "%(vendor)s provides “%(service)s” in %(region)s on behalf of %(purchaser)s, from %(start)s to %(end)s.",
            vendor=line.vendor_name,
            service=names.service_type(line.service_type),
            region=line.region_name,
            purchaser=line.purchaser_name,
            start=day(line.starts_on),
            end=day(line.ends_on),
        )
    ]
    if line.recipients_served:
        told.append(
            _(
                "It serves %(count)s recipients; the contract is worth %(amount)s.",
                count=number(line.recipients_served),
                amount=yuan(line.amount_fen),
            )
        )
    else:
        told.append(_("The contract is worth %(amount)s.", amount=yuan(line.amount_fen)))
    return told


def year_told(lines: Sequence[EditionScore], names: Names) -> list[str]:
    """What a vendor did in one edition, for whom, and how its contracts came out."""
    served = sum(line.recipients_served for line in lines)
    told = [
        ngettext(
            "One contract: %(services)s, on behalf of %(purchasers)s.",
            "%(num)s contracts: %(services)s, on behalf of %(purchasers)s.",
            len(lines),
            services=_listed(names.service_type(line.service_type) for line in lines),
            purchasers=_listed(line.purchaser_name for line in lines),
        )
    ]
    if served:
        told.append(_("Together they serve %(count)s recipients.", count=number(served)))
    return told + _outcomes(lines, names)


def _outcomes(lines: Sequence[EditionScore], names: Names) -> list[str]:
    separator: str = _(", ")
    grades, statuses = Counter(line.grade for line in lines), Counter(line.status for line in lines)
    counted = [(names.grade(grade.code), grades[grade.code]) for grade in names.rules.grades]
    counted.append((names.status(Status.WITHHELD), statuses[Status.WITHHELD]))
    shown = [_("%(result)s %(count)s", result=name, count=number(count)) for name, count in counted if count]
    told = [_("Results: %(list)s.", list=separator.join(shown))]
    scored = sorted(line.score for line in lines if line.score is not None)
    if len(scored) > 1:
        told.append(_("Its scores lie between %(low)s and %(high)s.", low=points(scored[0]), high=points(scored[-1])))
    return told


def _listed(names: Iterable[str]) -> str:
    separator: str = _(", ")
    return separator.join(dict.fromkeys(names))
