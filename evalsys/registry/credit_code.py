"""统一社会信用代码 (GB 32100-2015): 18 characters, the last one checks the others."""

from __future__ import annotations

import unicodedata

from flask_babel import gettext as _
from stdnum.cn import uscc

from evalsys.base.errors import Invalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # I, O, S, V and Z look like figures and are not used


class CreditCodeWrong(Invalid):
    """A text that is no credit code."""


def checked(text: str) -> str:
    """The code in capitals without blanks and full-width forms.

    Raises:
        CreditCodeWrong: it is none; says which rule it breaks.
    """
    code = uscc.compact(unicodedata.normalize("NFKC", text))
    if len(code) != 18:
        raise CreditCodeWrong(
            _("A unified social credit code has 18 characters; this one has %(n)s.", n=len(code)),
            remedy=_("Copy it from the licence of the organisation."),
        )
    strange = "".join(dict.fromkeys(c for c in code if c not in ALPHABET))
    if strange:
        raise CreditCodeWrong(
            _("“%(characters)s” does not occur in a unified social credit code.", characters=strange),
            remedy=_("It uses figures and capital letters without I, O, S, V and Z; compare 0 with O, 1 with I."),
        )
    if not code[2:8].isdecimal():
        raise CreditCodeWrong(
            _("Characters 3 to 8 of a unified social credit code are the figures of a region."),
            remedy=_("Compare it with the licence of the organisation."),
        )
    if code[-1] != uscc.calc_check_digit(code[:-1]):
        raise CreditCodeWrong(
            _("The check character does not fit: at least one character is mistyped."),
            remedy=_("Compare it with the licence of the organisation, character by character."),
        )
    return code
