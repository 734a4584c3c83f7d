"""What the keys mean that a clerk types off a form, which forms are keyed twice, and where two people differ.

Pure: no database. One key an answer: the digit that stands in the circle, 0 for "not applicable", and a dash or a blank
for what is empty on the paper, so that a question that was only passed over is not taken for an empty one.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

from flask_babel import gettext as _

from evalsys.base.language import words
from evalsys.collection.survey import NOT_APPLICABLE, Question

LEAST_SHARE = 0.1
LEAST_FORMS = 5
LIMIT = 0.01
"""Share of answers keyed differently above which the whole batch is keyed twice."""

EMPTY = "-"
NOT_APPLICABLE_KEY = "0"

Answers = Mapping[str, int | None]
"""Level by criterion; None: not applicable; what is empty on the paper is absent."""


def keys_of(question: Question) -> dict[str, int | None]:
    """The answer that each key stands for, the dash left out."""
    keys: dict[str, int | None] = {}
    for value, _words in question.options:
        keys[NOT_APPLICABLE_KEY if value == NOT_APPLICABLE else value] = None if value == NOT_APPLICABLE else int(value)
    if None in keys.values():
        keys.setdefault("9", None)  # where the scale has no ninth level: many know 9 as "does not apply"
    return keys


def read_keys(
    questions: Sequence[Question], typed: Mapping[str, str], *, may_be_empty: bool = False
) -> tuple[dict[str, int | None], dict[str, str]]:
    """The answers that were typed, by criterion, and what is wrong with the others, in words.

    Args:
        typed: by criterion, as it came from the keyboard: full-width and circled digits too.
        may_be_empty: whether there are other answers, so that none need be among these.
    """
    answers: dict[str, int | None] = {}
    faults: dict[str, str] = {}
    for question in questions:
        raw = typed.get(question.code, "")
        keys, key = keys_of(question), _plain(raw)
        if key in keys:
            answers[question.code] = keys[key]
        elif key != EMPTY:
            faults[question.code] = _what_to_type(question)
    if not faults and not answers and not may_be_empty:
        faults[questions[0].code] = _("Nothing is ticked on this form. It does not count: lay it aside.")
    return answers, faults


def key_said(question: Question, answers: Answers) -> str:
    """The key that was typed for an answer."""
    if question.code not in answers:
        return EMPTY
    level = answers[question.code]
    return NOT_APPLICABLE_KEY if level is None else str(level)


def answer_said(question: Question, answers: Answers) -> str:
    """An answer in words."""
    key, said = key_said(question, answers), dict(question.options)
    if key == EMPTY:
        nothing: str = _("empty on the paper")
        return nothing
    return words(said[NOT_APPLICABLE if key == NOT_APPLICABLE_KEY else key])


def differing(questions: Iterable[Question], first: Answers, second: Answers) -> list[Question]:
    """The questions to which two keyings of a form have different answers."""
    return [q for q in questions if key_said(q, first) != key_said(q, second)]


def drawn(batch_id: int, serials: Iterable[bytes], share: float) -> set[bytes]:
    """The forms to key a second time: the share of them, at least five, whose hashes with the batch are the lowest.

    Nobody without the key of the serials can tell beforehand which these are.
    """
    in_order = sorted(serials, key=lambda serial: sha256(b"%d\0" % batch_id + serial).digest())
    return set(in_order[: max(LEAST_FORMS, math.ceil(round(share * len(in_order), 6)))])


def _plain(raw: str) -> str:
    """One key as an ASCII character; empty where nothing was typed."""
    key = unicodedata.normalize("NFKC", raw).replace("—", EMPTY).replace("–", EMPTY)
    return EMPTY if key and not key.strip() else key.strip()


def _what_to_type(question: Question) -> str:
    levels = [key for key, level in keys_of(question).items() if level]
    told: str = _("Type a digit from 1 to %(top)s, or - where the paper is empty.", top=levels[-1])
    return told + (" " + _("0 stands for “not applicable”.") if None in keys_of(question).values() else "")
