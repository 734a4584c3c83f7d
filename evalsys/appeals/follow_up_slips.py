"""Slips by which recipients say whether a service got better: the survey's layout, with a sentence of their own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from flask_babel import force_locale
from flask_babel import gettext as _

from evalsys.base.language import day
from evalsys.base.typesetting import typeset
from evalsys.collection.codes import grouped
from evalsys.collection.slips import LONGEST_TITLE, LONGEST_VENDOR, qr_code, shortened
from evalsys.registry.models import Contract

PATH = "/better/"


def follow_up_pdf(
    contract: Contract, codes: Sequence[str], *, base_url: str, until: date, phone: str, fonts: Path | None
) -> bytes:
    """Eight slips a page. They name the service, nobody's name.

    Raises:
        Conflict: the folder of fonts has none.
    """
    slips = [
        {
            "contract": shortened(contract.title, LONGEST_TITLE),
            "vendor": shortened(contract.vendor.name, LONGEST_VENDOR),
            "code": grouped(code, 5),
            "place": "",
            "qr": qr_code(f"{base_url}{PATH}{code}"),
        }
        for code in codes
    ]
    return typeset(
        "collection/slips",
        fonts,
        words=_words(until, phone),
        address=f"{base_url}{PATH}".split("://", 1)[1],
        heaps=[{"name": contract.reference, "slips": slips}],
    )


def _words(until: date, phone: str) -> dict[str, str]:
    """In Chinese, whatever the officer reads: recipients do."""
    with force_locale("zh"):
        return {
            "title": _("Did the service get better?"),
            "scan": _("Scan the code, or open:"),
            "code": _("and type the code on your slip."),
            "until": _("Until %(day)s", day=day(until)),
            "phone": _("Questions: %(phone)s", phone=phone) if phone else "",
            "voluntary": _("One question. Voluntary. Nobody learns what you answer."),
        }
