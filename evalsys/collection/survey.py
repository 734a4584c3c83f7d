"""The recipient's survey: what a code opens, and what becomes of the answers.

The code is the capability: no cookie, no session, no account. One statement reads all that a page needs; what never
changes (the questions of a rules version) is kept in memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Lock

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from evalsys.base.db import Database
from evalsys.base.direct import Direct
from evalsys.base.language import CHINA
from evalsys.base.tokens import Seal, Sealed, derive_key
from evalsys.collection.codes import code_hash, code_key, receipt_of
from evalsys.collection.models import TimeBand
from evalsys.collection.submission import Submission, SubmissionWriter, leaf_of
from evalsys.registry.models import CycleState, RulesVersion
from evalsys.registry.pins import rules_of_version
from evalsys.rules.model import LevelScale, Rules, Text, YesNoScale

TOKEN = "form-token"  # noqa: S105 - the field's name; the dash keeps it apart from every criterion's code
NOT_APPLICABLE = "na"
RECIPIENT = "recipient"

# The stratum is told only where at least five of it were asked.
_LOOK_UP = """
SELECT i.id, i.used, i.entry_id,
       (SELECT s.stratum_id FROM invitation s WHERE s.stratum_id = i.stratum_id LIMIT 1 OFFSET 4),
       c.state, c.simulated, c.rules_id, k.reference, k.title, k.service_type, v.name, g.name
FROM invitation i
JOIN entry e ON e.id = i.entry_id
JOIN cycle c ON c.id = e.cycle_id
JOIN contract k ON k.id = e.contract_id
JOIN vendor v ON v.id = k.vendor_id
JOIN region g ON g.id = c.region_id
WHERE i.code_hmac = ?"""
_LOOK_FOR_LEAF = "SELECT 1 FROM receipt_leaf WHERE leaf = ?"


@dataclass(frozen=True)
class Opened:
    """What a code opens.

    Attributes:
        stratum_id: None where fewer than five of the stratum were asked.
        reference, title, vendor: of the contract that is evaluated.
        region: whose evaluation it is.
    """

    code: str
    invitation_id: int
    used: bool
    entry_id: int
    stratum_id: int | None
    state: str
    simulated: bool
    rules_id: int | None
    reference: str
    title: str
    service_type: str
    vendor: str
    region: str


@dataclass(frozen=True)
class Question:
    """One question with its answers, as (value sent, words)."""

    code: str
    text: Text
    help: Text | None
    required: bool
    options: tuple[tuple[str, Text], ...]

    @property
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
        token: the form's own while it is good, so that sending again stays one submission.
    """

    given: dict[str, str] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)
    remarks: list[Problem] = field(default_factory=list)
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
    """The cycle does not collect, or not any more."""


class SurveyDesk:
    """Takes the answers of recipients; one an application, shared by its threads."""

    def __init__(self, database: Database, secret: str) -> None:
        self._database = database
        self._direct = Direct(database)
        self._look_up = self._direct.native(_LOOK_UP)
        self._look_for_leaf = self._direct.native(_LOOK_FOR_LEAF)
        self._code_key = code_key(secret)
        self.receipt_key = derive_key(secret, "receipt")
        self._seal = Seal(derive_key(secret, "survey form"))
        self._writer = SubmissionWriter(database)
        self._questions: dict[tuple[int | None, str], tuple[Question, ...]] = {}
        self._learning = Lock()

    def open(self, code: str) -> Opened | None:
        """What a well-formed code opens; None when nobody was given it."""
        row = self._direct.first(self._look_up, (code_hash(code, self._code_key),))
        return Opened(code, *row) if row else None

    def fresh_token(self, opened: Opened) -> str:
        """The token of a form that is handed out now."""
        return self._seal.fresh(opened.code)

    def questions(self, opened: Opened) -> tuple[Question, ...]:
        """What recipients of this service are asked; a rules version never changes, so it is read once."""
        key = (opened.rules_id, opened.service_type)
        if key not in self._questions:
            with self._learning:  # one reads, the others wait for it
                if key not in self._questions:
                    self._questions[key] = self._read_questions(*key)
        return self._questions[key]

    def answer(
        self, opened: Opened, fields: MultiDict[str, str], *, now: datetime
    ) -> Received | AlreadyAnswered | Closed | Faulty:
        """Take a filled-in form.

        Args:
            fields: one value a question by its criterion's code, and the form's token under `TOKEN`.

        Raises:
            DatabaseAway: the database failed; the same form may be sent again.
        """
        tokens = fields.getlist(TOKEN)
        token = tokens[0] if len(tokens) == 1 else ""
        sealed = self._seal.opened(token, opened.code)
        receipt = receipt_of(sealed.nonce, self.receipt_key) if sealed else ""
        leaf = leaf_of(opened.reference, receipt)
        if opened.used:
            return Received(receipt) if sealed and self._holds(leaf) else AlreadyAnswered()
        if opened.state != CycleState.COLLECTING:
            return Closed()
        faulty = check(self.questions(opened), fields)
        if sealed is None:
            faulty.remarks.append(Problem.BAD_TOKEN)
        if faulty or sealed is None:
            faulty.token = token if sealed else ""
            return faulty
        counted = self._writer.submit(
            Submission(
                invitation_id=opened.invitation_id,
                entry_id=opened.entry_id,
                stratum_id=opened.stratum_id,
                ratings={c: None if v == NOT_APPLICABLE else float(v) for c, v in faulty.given.items()},
                time_band=_time_band(sealed, now),
                leaf=leaf,
                day=now.astimezone(CHINA).date(),
            )
        )
        if counted:
            return Received(receipt)
        return self._too_late(opened, leaf, receipt)

    def _too_late(self, opened: Opened, leaf: bytes, receipt: str) -> Received | AlreadyAnswered | Closed:
        """Why a good form did not count: its own double was first, another form was, or the cycle closed."""
        if self._holds(leaf):
            return Received(receipt)
        again = self.open(opened.code)
        return AlreadyAnswered() if again and again.used else Closed()

    def _holds(self, leaf: bytes) -> bool:
        return self._direct.first(self._look_for_leaf, (leaf,)) is not None

    def _read_questions(self, rules_id: int | None, service_type: str) -> tuple[Question, ...]:
        with self._database.reading() as session:
            version = session.scalars(select(RulesVersion).where(RulesVersion.id == rules_id)).one()
            return questions_of(rules_of_version(version), service_type)


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
        found.append(Question(criterion.code, criterion.text, criterion.help, criterion.required, tuple(options)))
    return tuple(found)


def check(questions: Sequence[Question], fields: MultiDict[str, str]) -> Faulty:
    """Compare the fields of a form with its questions; what is right is in `given`."""
    faulty = Faulty()
    for question in questions:
        values = fields.getlist(question.code)
        if len(values) > 1:
            faulty.problems[question.code] = Problem.TWO_ANSWERS
        elif values and values[0] in question.values:
            faulty.given[question.code] = values[0]
        elif values:
            faulty.problems[question.code] = Problem.NOT_AN_ANSWER
        elif question.required:
            faulty.problems[question.code] = Problem.MISSING
    if fields.keys() - {question.code for question in questions} - {TOKEN}:
        faulty.remarks.append(Problem.NOT_ASKED)
    if not faulty and not faulty.given:
        faulty.remarks.append(Problem.NOTHING_ANSWERED)
    return faulty


def _time_band(sealed: Sealed, now: datetime) -> TimeBand:
    seconds = (now - sealed.issued_at).total_seconds()
    if seconds < 20:
        return TimeBand.UNDER_20
    return TimeBand.FROM_20_TO_60 if seconds <= 60 else TimeBand.OVER_60
