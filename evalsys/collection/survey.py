"""The recipient's survey: what a code opens, and what becomes of the answers.

The code is the capability: no cookie, no session, no account. One statement reads all that a page needs; what never
changes (the questions of a rules version) is kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from threading import Lock
from typing import NamedTuple

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from evalsys.base.db import Database
from evalsys.base.direct import Direct
from evalsys.base.language import CHINA
from evalsys.base.tokens import Seal, Sealed, derive_key
from evalsys.collection.codes import code_hash, code_key, receipt_of
from evalsys.collection.models import Helper, Mode, TimeBand
from evalsys.collection.opening import FOR_A_PAGE, Opened
from evalsys.collection.submission import Submission, SubmissionWriter, leaf_of
from evalsys.registry.models import RulesVersion
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import LevelScale, Rules, YesNoScale
from evalsys.rules.values import Text

TOKEN = "form-token"  # noqa: S105 - a field's name; its dash, as the next one's, keeps it apart from all criteria's codes
HELPED_BY = "helped-by"
NOT_APPLICABLE = "na"
RECIPIENT = "recipient"
FACES = 5

_LOOK_FOR_LEAF = "SELECT 1 FROM receipt_leaf WHERE leaf = ?"


class Way(NamedTuple):
    """How an answer comes, and who helps with it."""

    mode: Mode
    helper: Helper | None


ALONE = Way(Mode.SELF, None)
AT_HAND = (Helper.RELATIVE, Helper.WORKER, Helper.OTHER)
"""Who may have helped where a recipient opened the form; interviewers have forms of their own."""


@dataclass(frozen=True)
class Question:
    """One question with its answers, as (value sent, words). `faces`: whether five faces help to read them."""

    code: str
    text: Text
    help: Text | None
    required: bool
    options: tuple[tuple[str, Text], ...]
    faces: bool

    @cached_property
    def field(self) -> str:
        """Its name in the form: what all recipients' codes begin with would make a tenth of the page."""
        return self.code.removeprefix(f"{RECIPIENT}_")

    @cached_property
    def values(self) -> frozenset[str]:
        return frozenset(value for value, _words in self.options)


class Problem(StrEnum):
    """What can be wrong with a form; the page finds the words."""

    MISSING = "missing"
    TWO_ANSWERS = "two_answers"
    NOT_AN_ANSWER = "not_an_answer"
    NOT_ASKED = "not_asked"
    NOTHING_ANSWERED = "nothing_answered"
    BAD_TOKEN = "bad_token"  # noqa: S105 - a kind of problem


@dataclass
class Faulty:
    """Answers that were not taken.

    Attributes:
        given: every answer that stands.
        problems: what is wrong, by question.
        remarks: what is wrong with the form as a whole.
        helper: who helped, as the recipient says.
        token: the form's own while it is good, so that sending again stays one submission.
    """

    given: dict[str, str] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)
    remarks: list[Problem] = field(default_factory=list)
    helper: Helper | None = None
    token: str = ""

    def __bool__(self) -> bool:
        return bool(self.problems or self.remarks)


@dataclass(frozen=True)
class Received:
    """The answer is stored, now or when the same form was sent before."""

    receipt: str


class AlreadyAnswered:
    """Somebody else used the code first."""


class Closed:
    """The cycle does not collect, or not any more, or the form was opened too late or came back too late."""


class SurveyDesk:
    """Takes the answers of recipients; one an application, shared by its threads."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._direct = Direct(database)
        self._look_up = self._direct.native(FOR_A_PAGE)
        self._look_for_leaf = self._direct.native(_LOOK_FOR_LEAF)
        self._code_key = code_key(secret)
        self.receipt_key = derive_key(secret, "receipt")
        self._seal = Seal(derive_key(secret, "survey form"))
        self._writer = SubmissionWriter(database)
        self._questions: dict[tuple[int | None, str], tuple[Question, ...]] = {}
        self._learning = Lock()

    def open(self, code: str) -> Opened | None:
        """What a well-formed code opens; None when nobody was given it."""
        return self.open_hashed(self._hashed(code))

    def open_hashed(self, hashed: bytes) -> Opened | None:
        """What the code opens that the database keeps as this."""
        row = self._direct.first(self._look_up, (hashed,))
        return Opened(*row) if row else None

    def fresh_token(self, bound_to: str) -> str:
        """The token of a form that is handed out now, for a code or to an interviewer."""
        return self._seal.fresh(bound_to)

    def receive(self, code: str, fields: MultiDict[str, str], *, now: datetime) -> str | None:
        """Store a complete, first answer in one go.

        Returns:
            its receipt; None, with nothing stored, for anything else, which `answer` then tells apart.

        Raises:
            DatabaseAway: the database failed; the same form may be sent again.
        """
        return self._receive(self._hashed(code), code, fields, ALONE, now)

    def questions(self, opened: Opened) -> tuple[Question, ...]:
        """What recipients of this service are asked; a rules version never changes, so it is read once."""
        key = (opened.rules_id, opened.service_type)
        if key not in self._questions:
            with self._learning:  # one reads, the others wait for it
                if key not in self._questions:
                    self._questions[key] = self._read_questions(*key)
        return self._questions[key]

    def answer(
        self, code: str, fields: MultiDict[str, str], *, now: datetime
    ) -> Received | AlreadyAnswered | Closed | Faulty:
        """Take a filled-in form for a code that somebody was given.

        Args:
            fields: one value a question by its `field`, the form's token under `TOKEN`, and where somebody helped, who,
                under `HELPED_BY`.

        Raises:
            DatabaseAway: the database failed; the same form may be sent again.
        """
        return self._answer(self._hashed(code), code, fields, ALONE, now)

    def answer_with_help(
        self, hashed: bytes, bound_to: str, fields: MultiDict[str, str], *, way: Way, now: datetime
    ) -> Received | AlreadyAnswered | Closed | Faulty:
        """`answer` for an interviewer, who does not need the code.

        Args:
            hashed: the code as the database keeps it.
            bound_to: what the form's token was made for.
        """
        return self._answer(hashed, bound_to, fields, way, now)

    def handed_out(self, code: str, fields: MultiDict[str, str]) -> bool:
        """Whether a form was made for this code, so that whoever sends it did not guess the code."""
        return self._sealed(code, fields) is not None

    def receipt(self, sealed: Sealed) -> str:
        """The receipt that follows from a form's token."""
        return receipt_of(sealed.nonce, self.receipt_key)

    def _hashed(self, code: str) -> bytes:
        return code_hash(code, self._code_key)

    def _sealed(self, bound_to: str, fields: MultiDict[str, str]) -> Sealed | None:
        tokens = fields.getlist(TOKEN)
        return self._seal.opened(tokens[0], bound_to) if len(tokens) == 1 else None

    def _answer(
        self, hashed: bytes, bound_to: str, fields: MultiDict[str, str], way: Way, now: datetime
    ) -> Received | AlreadyAnswered | Closed | Faulty:
        """Look first, for who comes here has mostly something to be told, and writers wait for each other."""
        found = self._why_not(hashed, bound_to, fields, now)
        if isinstance(found, Faulty) and not found:
            receipt = self._receive(hashed, bound_to, fields, way, now)
            return Received(receipt) if receipt else self._why_not(hashed, bound_to, fields, now)
        return found

    def _receive(
        self, hashed: bytes, bound_to: str, fields: MultiDict[str, str], way: Way, now: datetime
    ) -> str | None:
        sealed = self._sealed(bound_to, fields)
        if sealed is None:
            return None
        receipt = self.receipt(sealed)
        form = _Filled(self, hashed, fields, receipt, sealed.issued_at, now, way)
        return receipt if self._writer.submit(form) else None

    def _why_not(
        self, hashed: bytes, bound_to: str, fields: MultiDict[str, str], now: datetime
    ) -> Received | AlreadyAnswered | Closed | Faulty:
        """Why a form does not count: its own double was first, another form was, the cycle closed, or it is faulty.

        A `Faulty` without a fault where it would count now.
        """
        opened, sealed = self.open_hashed(hashed), self._sealed(bound_to, fields)
        if opened is None:
            return Closed()  # withdrawn while it was being answered
        if opened.used:
            receipt = self.receipt(sealed) if sealed else ""
            return Received(receipt) if self._holds(leaf_of(opened.reference, receipt)) else AlreadyAnswered()
        if not opened.takes(sealed.issued_at if sealed else None, now):
            return Closed()
        faulty = check(self.questions(opened), fields)
        if sealed is None:
            faulty.remarks.append(Problem.BAD_TOKEN)
        faulty.token = fields[TOKEN] if sealed else ""
        return faulty

    def _holds(self, leaf: bytes) -> bool:
        return self._direct.first(self._look_for_leaf, (leaf,)) is not None

    def _read_questions(self, rules_id: int | None, service_type: str) -> tuple[Question, ...]:
        with self._database.reading() as session:
            version = session.scalars(select(RulesVersion).where(RulesVersion.id == rules_id)).one()
            return questions_of(rules_of_version(version), service_type)


@dataclass(frozen=True, slots=True)
class _Filled:
    """A form whose token is good."""

    desk: SurveyDesk
    hashed: bytes
    fields: MultiDict[str, str]
    receipt: str
    issued_at: datetime
    now: datetime
    way: Way

    def submission(self, opened: Opened) -> Submission | None:
        faulty = check(self.desk.questions(opened), self.fields)
        if faulty:
            return None
        way = Way(Mode.ASSISTED, faulty.helper) if faulty.helper else self.way
        return Submission(
            invitation_id=opened.invitation_id,
            entry_id=opened.entry_id,
            stratum_id=opened.stratum_id,
            ratings={c: None if v == NOT_APPLICABLE else float(v) for c, v in faulty.given.items()},
            time_band=_time_band(self.issued_at, self.now),
            leaf=leaf_of(opened.reference, self.receipt),
            day=self.now.astimezone(CHINA).date(),
            mode=way.mode,
            helper=way.helper,
        )


_YES_NO = (Text(zh="否", en="No"), Text(zh="是", en="Yes"))
_NOT_APPLICABLE = Text(zh="不适用（没有这种情况）", en="Not applicable (this did not come up)")


def questions_of(rules: Rules, service_type: str) -> tuple[Question, ...]:
    """The questions that the rules put to recipients of a service; what is measured is not asked."""
    found = []
    for criterion in rules.criteria_for(RECIPIENT, service_type):
        scale = rules.scale_of(criterion)
        if not isinstance(scale, LevelScale | YesNoScale):
            continue  # measured
        levels = scale.levels if isinstance(scale, LevelScale) else _YES_NO
        options = [(str(level), words) for level, words in enumerate(levels, start=1)]
        if criterion.not_applicable:
            options.append((NOT_APPLICABLE, _NOT_APPLICABLE))
        faces = len(levels) == FACES
        found.append(
            Question(criterion.code, criterion.text, criterion.help, criterion.required, tuple(options), faces)
        )
    return tuple(found)


def check(questions: Sequence[Question], fields: MultiDict[str, str]) -> Faulty:
    """Compare the fields of a form with its questions; what is right is in `given`."""
    faulty = Faulty()
    for question in questions:
        values = fields.getlist(question.field)
        if len(values) > 1:
            faulty.problems[question.code] = Problem.TWO_ANSWERS
        elif values and values[0] in question.values:
            faulty.given[question.code] = values[0]
        elif values:
            faulty.problems[question.code] = Problem.NOT_AN_ANSWER
        elif question.required:
            faulty.problems[question.code] = Problem.MISSING
    helpers = [helper for helper in fields.getlist(HELPED_BY) if helper]
    if len(helpers) == 1 and helpers[0] in AT_HAND:
        faulty.helper = Helper(helpers[0])
    elif helpers or fields.keys() - {question.field for question in questions} - {TOKEN, HELPED_BY}:
        faulty.remarks.append(Problem.NOT_ASKED)
    if not faulty and not faulty.given:
        faulty.remarks.append(Problem.NOTHING_ANSWERED)
    return faulty


def _time_band(issued_at: datetime, now: datetime) -> TimeBand:
    seconds = (now - issued_at).total_seconds()
    if seconds < 20:
        return TimeBand.UNDER_20
    return TimeBand.FROM_20_TO_60 if seconds <= 60 else TimeBand.OVER_60
