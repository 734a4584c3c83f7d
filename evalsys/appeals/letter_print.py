"""Sealed letters as they are printed: A4, a vendor a page, the address where an envelope has its window; in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask_babel import force_locale
from flask_babel import gettext as _

from evalsys.appeals.letters import Letter
from evalsys.base.language import day
from evalsys.base.typesetting import typeset
from evalsys.base.working_days import Deadline
from evalsys.collection.codes import grouped
from evalsys.collection.slips import qr_code


@dataclass(frozen=True)
class Sender:
    """Who writes.

    Attributes:
        office: its name, as the letter is signed.
        address: where an objection on paper is sent.
        phone: whom to ask; empty when nobody gave one.
    """

    office: str
    address: str
    phone: str = ""


@dataclass(frozen=True)
class Occasion:
    """What all letters of a heap say: which cycle, until when, whether all this is only an exercise."""

    cycle: str
    deadline: Deadline
    simulated: bool
    made_at: datetime


def letters_pdf(
    letters: Sequence[Letter], occasion: Occasion, sender: Sender, *, base_url: str, fonts: Path | None
) -> bytes:
    """A page for each vendor; one with many contracts goes on.

    Raises:
        Conflict: the folder of fonts has none.
    """
    address = f"{base_url}/notice"
    with force_locale("zh"):
        words = _words(occasion, sender)
        heap = [
            {
                "name": letter.to.vendor.name,
                "address": letter.to.vendor.address,
                "contact": _("Attn. %(name)s", name=letter.to.vendor.contact) if letter.to.vendor.contact else "",
                "code": grouped(letter.code, 5),
                "contracts": [[one.reference, one.title] for one in letter.to.contracts],
            }
            for letter in letters
        ]
    return typeset(
        "appeals/letters",
        fonts,
        words=words,
        letters=heap,
        sender=[sender.office, sender.address],
        address=address.split("://", 1)[1],
        qr=qr_code(address),
    )


def _words(occasion: Occasion, sender: Sender) -> dict[str, str]:
    until = day(occasion.deadline.day)
    return {
        "title": _("Notice of the preliminary result"),
        "simulated": _("Simulated data") if occasion.simulated else "",
        "told": _(
            "The preliminary result of “%(cycle)s” has been worked out. It concerns the contracts below. You can read "
            "it, reply to it and, until the day named below, object to it.",
            cycle=occasion.cycle,
        ),
        "reference": _("Contract no."),
        "contract": _("Contract"),
        "how": _("Open this address, or scan the code beside it, and type:"),
        "secret": _("The code opens your result to whoever has it. Keep it; a lost one is replaced by the office."),
        "until": _("Objections are taken until the end of %(day)s.", day=until)
        if occasion.deadline.certain
        else _(
            "Objections are taken until the end of %(day)s (provisional: the shifted working days of that year are "
            "not announced yet; the page tells the day that holds).",
            day=until,
        ),
        "paper": _(
            "You can also object on paper: name the contract, the ground and the facts, sign and seal it, and send it "
            "by that day to %(office)s, %(address)s.",
            office=sender.office,
            address=sender.address,
        ),
        "phone": _("Questions: %(phone)s", phone=sender.phone) if sender.phone else "",
        "day": day(occasion.made_at),
    }
