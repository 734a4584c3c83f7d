"""Signs and flags in the reader's words: what was seen, what it may mean, and whose rating it is."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_babel import gettext as _

from evalsys.base.language import day, number, percent
from evalsys.evaluation import integrity
from evalsys.evaluation.integrity import Sign
from evalsys.evaluation.models import FlagState, IntegrityFlag
from evalsys.evaluation.naming import Names
from evalsys.scoring.cells import SAMPLED


def sign_names() -> dict[str, str]:
    """What each sign is called."""
    return {
        integrity.LONG_STRING: _("The same answer throughout"),
        integrity.TOO_FAST: _("Answered too fast"),
        integrity.NEAR_DUPLICATES: _("Repeated answers"),
        integrity.PAIR: _("Favour or disfavour for one vendor"),
        integrity.SHIFT: _("One rater moves the score"),
        integrity.BUSY_DAY: _("A busy day"),
        integrity.PARTY_GAP: _("A party far off the others"),
    }


def sign_meanings() -> dict[str, str]:
    """What each sign may mean, and why it may be innocent."""
    return {
        integrity.LONG_STRING: _(
            "All questions got the same level. Perhaps nobody read them. Recipients who are content often tick the "
            "best level throughout, so that alone is no sign."
        ),
        integrity.TOO_FAST: _(
            "The whole form took less than 20 seconds. Perhaps somebody filled in forms for others; a quick reader who "
            "knows the form may manage it too."
        ),
        integrity.NEAR_DUPLICATES: _(
            "More answers are alike than on other contracts. Perhaps one hand wrote them; where a service is the same "
            "for all, answers may be alike honestly."
        ),
        integrity.PAIR: _(
            "What this evaluator gives this vendor differs from what its contracts and the evaluator's usual severity "
            "explain. Look for ties between the two; a single rating may be off by chance."
        ),
        integrity.SHIFT: _(
            "Without this rater the contract's score would be clearly another. Compare the grounds given."
        ),
        integrity.BUSY_DAY: _(
            "So many answers came on one day that chance does not explain it. Perhaps they were collected at a "
            "meeting, which is allowed, or made up."
        ),
        integrity.PARTY_GAP: _(
            "One party judges the contract quite differently from the others. The parties see different things; ask "
            "what."
        ),
    }


def state_names() -> dict[str, str]:
    """What the states of a flag are called."""
    return {
        FlagState.OPEN.value: _("To decide"),
        FlagState.HELD.value: _("Held back"),
        FlagState.RELEASED.value: _("Released"),
    }


def whose(flag: IntegrityFlag, names: Names) -> str:
    """Whose rating it is; never which recipient's."""
    if flag.assessment is not None:
        who = flag.assessment.account.name if flag.assessment.account else flag.assessment.rater_label
        return f"{names.party(flag.assessment.party)} · {who}"
    return names.party(SAMPLED) if flag.response_key else str(_("The contract as a whole"))


def sign_words(sign: Sign, names: Names) -> str:
    """A sign with its numbers and the rule it broke."""
    words = _SAID.get(sign["sign"])
    return words(sign, names) if words else str(sign["sign"])


def _long_string(sign: Sign, _names: Names) -> str:
    return str(
        _(
            "%(run)s of %(questions)s answers in a row are the same (standard deviation %(sd)s; limit %(share)s).",
            run=sign["run"],
            questions=sign["questions"],
            sd=number(sign["sd"], 2),
            share=percent(sign["share"]),
        )
    )


def _too_fast(sign: Sign, _names: Names) -> str:
    return str(_("Answered in under %(seconds)s seconds.", seconds=sign["seconds"]))


def _near_duplicates(sign: Sign, _names: Names) -> str:
    told: Any = _(
        "%(twins)s others of %(respondents)s on this contract answer alike (at least %(alike)s of the answers equal).",
        twins=sign["twins"],
        respondents=sign["respondents"],
        alike=percent(sign["alike"]),
    )
    if "usual" in sign:
        told += " " + _("From other contracts %(usual)s would be expected.", usual=number(sign["usual"], 1))
    return str(told)


def _pair(sign: Sign, _names: Names) -> str:
    return str(
        _(
            "%(points)s points off what is expected for this vendor (adjusted chance %(p)s; limit %(limit)s).",
            points=_signed(sign["points"]),
            p=number(sign["p"], 4),
            limit=number(sign["limit"], 3),
        )
    )


def _shift(sign: Sign, _names: Names) -> str:
    return str(
        _(
            "Moves the contract's score by %(points)s points (limit %(limit)s).",
            points=_signed(sign["points"]),
            limit=number(sign["limit"], 1),
        )
    )


def _busy_day(sign: Sign, _names: Names) -> str:
    return str(
        _(
            "%(day)s brought %(answers)s answers, %(usual)s a day are usual (adjusted chance %(p)s; limit %(limit)s).",
            day=day(date.fromisoformat(sign["day"])),
            answers=number(sign["answers"]),
            usual=number(sign["usual"], 1),
            p=number(sign["p"], 5),
            limit=number(sign["limit"], 3),
        )
    )


def _party_gap(sign: Sign, names: Names) -> str:
    return str(
        _(
            "%(party)s stands %(points)s points off the mean of the others (limit %(limit)s).",
            party=names.party(sign["party"]),
            points=_signed(sign["points"]),
            limit=number(sign["limit"]),
        )
    )


def _signed(points: float) -> str:
    return ("+" if points > 0 else "") + number(points, 1)


_SAID = {
    integrity.LONG_STRING: _long_string,
    integrity.TOO_FAST: _too_fast,
    integrity.NEAR_DUPLICATES: _near_duplicates,
    integrity.PAIR: _pair,
    integrity.SHIFT: _shift,
    integrity.BUSY_DAY: _busy_day,
    integrity.PARTY_GAP: _party_gap,
}
