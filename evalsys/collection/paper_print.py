"""The form on paper: A4 on both sides, large type, a circle for each answer, a stub to tear off. In Chinese.

The QR code holds the serial for whoever keys the form, and nothing else: it opens no survey.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from evalsys.base.errors import Conflict
from evalsys.base.language import day, words
from evalsys.base.typesetting import typeset
from evalsys.collection.codes import grouped
from evalsys.collection.paper_answers import NOT_APPLICABLE_KEY
from evalsys.collection.paper_forms import Printed
from evalsys.collection.slips import qr_code
from evalsys.collection.survey import NOT_APPLICABLE, Question, questions_of
from evalsys.registry.models import Stratum
from evalsys.registry.pins import rules_of

IN_A_DOWNLOAD = 300  # forms; more keep a visitor of the page waiting, and the command makes any number
FACES = Path(__file__).parent.parent / "static" / "faces.svg"


@dataclass(frozen=True)
class Heading:
    """What all forms of a part have in common.

    Attributes:
        rules: the version of the rules that the questions are from.
        closes_on: the last day on which forms are taken back.
    """

    reference: str
    title: str
    vendor: str
    township: str
    region: str
    rules: str
    questions: tuple[Question, ...]
    closes_on: date


def heading_of(session: Session, stratum_id: int) -> Heading:
    """What stands on the forms for a part of a frame."""
    stratum = session.get_one(Stratum, stratum_id)
    contract, cycle = stratum.entry.contract, stratum.entry.cycle
    rules = rules_of(cycle)
    return Heading(
        reference=contract.reference,
        title=contract.title,
        vendor=contract.vendor.name,
        township=stratum.township,
        region=cycle.region.name,
        rules=rules.version,
        questions=questions_of(rules, contract.service_type),
        closes_on=cycle.closes_on,
    )


def forms_pdf(heading: Heading, forms: Sequence[Printed], *, phone: str, fonts: Path | None) -> bytes:
    """The forms, each on sheets of its own.

    Raises:
        Conflict: the folder of fonts has none.
    """
    with force_locale("zh"):  # whatever the administrator reads: recipients read this
        return typeset(
            "collection/paper",
            fonts,
            words=_words(heading, phone),
            heading={
                "title": heading.title,
                "vendor": _("Provider: %(vendor)s", vendor=heading.vendor),
                "foot": " · ".join(filter(None, (heading.reference, heading.township, heading.rules))),
            },
            questions=[_question(n, question) for n, question in enumerate(heading.questions, start=1)],
            forms=[
                {"serial": grouped(form.serial, 5), "qr": qr_code(form.serial), "receipt": grouped(form.receipt, 4)}
                for form in forms
            ],
        )


def require_few(copies: int) -> None:
    """Raises Conflict where printing so many would keep a browser waiting."""
    if copies > IN_A_DOWNLOAD:
        raise Conflict(
            _("%(count)s forms are too many for one download.", count=copies),
            remedy=_("Print fewer at a time, or make them with “evalsys paper print”."),
        )


def _question(number: int, question: Question) -> dict[str, Any]:
    def option(at: int, value: str, said: str) -> dict[str, str]:
        face = _faces()[at] if question.faces and value != NOT_APPLICABLE else ""
        return {"key": NOT_APPLICABLE_KEY if value == NOT_APPLICABLE else value, "words": said, "face": face}

    options = [option(at, value, words(said)) for at, (value, said) in enumerate(question.options)]
    return {
        "text": f"{number}. {words(question.text)}",
        "help": words(question.help) if question.help else "",
        "levels": [one for one in options if one["key"] != NOT_APPLICABLE_KEY],
        "others": [one for one in options if one["key"] == NOT_APPLICABLE_KEY],
    }


def _words(heading: Heading, phone: str) -> dict[str, str | list[str]]:
    until = _("Hand it back by %(day)s", day=day(heading.closes_on))
    return {
        "title": _("How is the service? Please tell us"),
        "how": _(
            "Tick one circle for each question, the one that fits best. What you do not want to answer, leave empty."
        ),
        "promises": [
            _("You decide whether to answer. What assistance you receive does not depend on it."),
            _(
                "Those who evaluate purchased services in %(region)s ask. The result is published and helps to choose"
                " next year's provider.",
                region=heading.region,
            ),
            _("Do not write your name, telephone or address on the form. The number on it says nothing of you."),
            _(
                "Fold the form and hand it to the one who gave it to you, or to the office; never to the provider. Only"
                " the ticks go into the system; who gave which answer does not."
            ),
            _("For a child under 14 a parent or guardian decides and answers."),
        ],
        "until": " · ".join(filter(None, (until, _("Questions: %(phone)s", phone=phone) if phone else ""))),
        "serial": _("Form no."),
        "over": _("Please turn over"),
        "cut": _("Tear off here and keep"),
        "receipt": _("Your receipt"),
        "stub": _(
            "With this number the office that gave you the form can tell you whether it has arrived. It does not say"
            " what you answered."
        ),
    }


@cache
def _faces() -> tuple[str, ...]:
    """The five faces of the survey's page, each a picture of its own."""
    all_five = FACES.read_text("ascii")
    return tuple(all_five.replace('width="120" height="24"', f'viewBox="{24 * at} 0 24 24"') for at in range(5))
