"""Lists that only programs ask for: every edition, and every vendor of which something is published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from evalsys.base.listing import Page, Wanted, paginate
from evalsys.publication.api.shapes import Remark, VendorListed
from evalsys.publication.models import Edition, EditionScore
from evalsys.publication.queries import editions_in_force
from evalsys.publication.remarks import remarks_of
from evalsys.registry.models import Cycle


def editions(session: Session, wanted: Wanted, *, cycle: str = "", in_force: bool | None = None) -> Page[Edition]:
    """Editions, the newest first: of one cycle, or only those that hold now, or only those that do not."""
    statement = (
        select(Edition)
        .join(Edition.cycle)
        .options(contains_eager(Edition.cycle).joinedload(Cycle.region), joinedload(Edition.withdrawal))
    )
    if cycle:
        statement = statement.where(Cycle.code == cycle)
    if in_force is not None:
        held = Edition.id.in_(numbers_in_force(session))
        statement = statement.where(held if in_force else ~held)
    return paginate(
        session, statement, wanted, sorts={"at": Edition.published_at}, default_sort="-at", tie=Edition.id.desc()
    )


def numbers_in_force(session: Session) -> list[int]:
    """The ids of each cycle's newest edition."""
    return [edition.id for edition in editions_in_force(session)]


def remarks(session: Session, edition: Edition) -> dict[str, list[Remark]]:
    """What is said beside an edition's lines, by contract."""
    found: defaultdict[str, list[Remark]] = defaultdict(list)
    for remark in remarks_of(session, edition.cycle_id):
        if remark.code:
            found[remark.reference].append(Remark(code=remark.code, says=remark.says))
    return found


def vendors(session: Session, wanted: Wanted) -> Page[str]:
    """Credit codes of the vendors in the editions in force; searched by code and name."""
    named = (EditionScore.vendor_credit_code, EditionScore.vendor_name)
    statement = select(EditionScore.vendor_credit_code).where(EditionScore.edition_id.in_(numbers_in_force(session)))
    code = EditionScore.vendor_credit_code
    return paginate(
        session, statement.distinct(), wanted, sorts={"code": code}, default_sort="code", search=named, tie=code
    )


def vendors_listed(session: Session, credit_codes: Sequence[str]) -> list[VendorListed]:
    """The vendors with these codes, in this order, under the names of their newest editions."""
    line = EditionScore
    rows = session.execute(
        select(line.vendor_credit_code, Cycle.year, func.max(line.vendor_name), func.count())
        .join(line.edition)
        .join(Edition.cycle)
        .where(line.edition_id.in_(numbers_in_force(session)), line.vendor_credit_code.in_(credit_codes))
        .group_by(line.vendor_credit_code, Cycle.year, Edition.id)
        .order_by(Cycle.year.desc(), Edition.published_at.desc(), Edition.id.desc())
    )
    found: dict[str, VendorListed] = {}
    for code, year, name, count in rows:
        before = found.get(code) or VendorListed(credit_code=code, name=name, years=[], contracts=0)
        years = before.years if year in before.years else [*before.years, year]
        found[code] = before.model_copy(update={"years": years, "contracts": before.contracts + count})
    return [found[code] for code in credit_codes]
