"""How large a contract is, by the recipients it serves.

The limits are those by which the county's plan staffs townships (300, 600) and counties (3,000): a contract that serves
as many as a township of that size. Exactly 300 belongs to the higher band, as in the staffing rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, false
from sqlalchemy.orm import InstrumentedAttribute

from evalsys.base.language import number


@dataclass(frozen=True)
class Size:
    """From `least` recipients on, below `below`; None: without end. 0 stands for a number that is not known."""

    code: str
    least: int
    below: int | None

    @property
    def name(self) -> str:
        """As a list of choices says it."""
        if self.below is None:
            return str(_("%(least)s recipients and more", least=number(self.least)))
        if self.least <= 1:
            return str(_("under %(below)s recipients", below=number(self.below)))
        return str(_("%(least)s to under %(below)s recipients", least=number(self.least), below=number(self.below)))


SIZES = (
    Size("1-299", 1, 300),
    Size("300-599", 300, 600),
    Size("600-2999", 600, 3000),
    Size("3000", 3000, None),
)


def of_size(served: InstrumentedAttribute[int], code: str) -> ColumnElement[bool]:
    """That a contract is of a size; none is of a size that there is not."""
    found = next((size for size in SIZES if size.code == code), None)
    if found is None:
        return false()
    return and_(served >= found.least, *(served < below for below in (found.below,) if below is not None))
