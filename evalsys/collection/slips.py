"""Slips that hand a recipient a code, and posters that say where it is typed: A4, in Chinese, to print and to cut.

A slip names the contract and holds a code, and in a sample a number of the township's list, but nobody's name: whoever
finds one learns of nobody that they are on assistance. A heap is what goes to one township for one contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _

from evalsys.base.errors import Conflict
from evalsys.base.language import day
from evalsys.base.typesetting import typeset
from evalsys.collection.codes import grouped
from evalsys.collection.invitations import Invited

IN_A_DOWNLOAD = 2000  # slips; more keep a visitor of the page waiting, and the command makes any number
LONGEST_TITLE, LONGEST_VENDOR, LONGEST_ITEM = 42, 25, 8  # characters for which a slip has room
MASK = 3  # of the eight patterns over a QR code; looking for the best of them takes nine tenths of the time


@dataclass(frozen=True)
class Notice:
    """What stands on every slip and poster.

    Attributes:
        base_url: where the site is reached.
        closes_on: the last day on which answers are taken.
        phone: whom to ask; empty when nobody gave one.
        fonts: a folder of fonts to use; those that came with the program when not given.
    """

    base_url: str
    closes_on: date
    phone: str = ""
    fonts: Path | None = None


def slips_pdf(invited: Iterable[Invited], notice: Notice) -> bytes:
    """Eight slips a page, heap after heap.

    Raises:
        Conflict: the folder of fonts has none.
    """
    heaps = [
        {
            "name": " · ".join(filter(None, (one.reference, one.township))),
            "slips": [
                {
                    "contract": shortened(slip.title, LONGEST_TITLE),
                    "vendor": shortened(slip.vendor, LONGEST_VENDOR),
                    "code": grouped(slip.code, 5),
                    "place": _place(slip),
                    "qr": qr_code(f"{notice.base_url}/s/{slip.code}"),
                }
                for slip in heap
            ],
        }
        for one, heap in _heaps(invited)
    ]
    return _printed("slips", notice, heaps=heaps)


def posters_pdf(invited: Iterable[Invited], notice: Notice) -> bytes:
    """A page for each heap, without a code.

    Raises:
        Conflict: the folder of fonts has none.
    """
    heaps = [{"place": one.township, "contract": one.title, "vendor": one.vendor} for one, _heap in _heaps(invited)]
    return _printed("posters", notice, heaps=heaps, qr=qr_code(f"{notice.base_url}/s/"))


def require_few(invited: Sequence[Invited]) -> None:
    """Raises Conflict where printing so many would keep a browser waiting."""
    if len(invited) > IN_A_DOWNLOAD:
        raise Conflict(
            _("%(count)s slips are too many for one download.", count=len(invited)),
            remedy=_(
                "Download the list alone, or make the slips with “evalsys invite CYCLE --out links.csv"
                " --slips slips.pdf”."
            ),
        )


def _heaps(invited: Iterable[Invited]) -> Iterable[tuple[Invited, list[Invited]]]:
    def heap(one: Invited) -> tuple[str, str]:
        return one.reference, one.township

    for _key, some in groupby(sorted(invited, key=heap), key=heap):
        slips = list(some)
        yield slips[0], slips


def _place(slip: Invited) -> str:
    """Whose slip it is, for who hands it out: a number of the township's list, nobody's name."""
    if slip.number is None:
        return ""
    with force_locale("zh"):
        number = _("No. %(number)s in the list", number=slip.number)
    return " · ".join(filter(None, (shortened(slip.item, LONGEST_ITEM), number)))


def _printed(template: str, notice: Notice, **given: Any) -> bytes:
    address = f"{notice.base_url}/s/".split("://", 1)[1]
    return typeset(f"collection/{template}", notice.fonts, words=_words(notice), address=address, **given)


def _words(notice: Notice) -> dict[str, str]:
    """In Chinese, whatever the administrator reads: recipients do."""
    with force_locale("zh"):
        return {
            "title": _("How is the service? Please tell us"),
            "scan": _("Scan the code, or open:"),
            "code": _("and type the code on your slip."),
            "until": _("Until %(day)s", day=day(notice.closes_on)),
            "phone": _("Questions: %(phone)s", phone=notice.phone) if notice.phone else "",
            "voluntary": _("Voluntary. Nobody learns what you answer; your assistance does not depend on it."),
        }


def qr_code(text: str) -> str:
    """A QR code as SVG, which stays sharp at any size."""
    import segno

    return segno.make_qr(text, error="m", mask=MASK).svg_inline(border=0, svgclass=None, lineclass=None)


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
