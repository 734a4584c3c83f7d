"""What a named rater is asked about an entry, and what they have said of it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from flask_babel import gettext as _

from evalsys.base.access import Role
from evalsys.collection.assessment_models import CosigningState, MeasuredValue
from evalsys.collection.models import Assessment, AssessmentRating, AssessmentState
from evalsys.collection.questionnaire import Question, Questionnaire
from evalsys.registry.models import Entry
from evalsys.registry.pins import rules_of
from evalsys.rules.model import Party

PARTY_OF = {Role.PURCHASER: "purchaser", Role.EVALUATOR: "third_party"}
MOST_VISITS = 10


@dataclass(frozen=True)
class Answer:
    """What a rater says to one criterion; with neither value nor "not applicable" it is still open."""

    value: float | None = None
    not_applicable: bool = False
    comment: str = ""

    @property
    def given(self) -> bool:
        return self.value is not None or self.not_applicable

    def fits(self, question: Question) -> bool:
        """Whether the question takes it; an open answer always fits."""
        if self.value is not None:
            return question.takes(self.value)
        return question.criterion.not_applicable or not self.not_applicable


@dataclass(frozen=True)
class Visit:
    """A site visit in the rater's words; `met` says functions, never a recipient's name."""

    visited_on: date | None = None
    place: str = ""
    met: str = ""
    notes: str = ""

    @property
    def complete(self) -> bool:
        return self.visited_on is not None and bool(self.place and self.notes)


@dataclass(frozen=True)
class Beside:
    """What a rater says beside the answers: whether they would buy again, and what they saw on site."""

    buy_again: bool | None = None
    visits: tuple[Visit, ...] = ()


@dataclass(frozen=True)
class Indicator:
    """A measured criterion, its value, and the document that says so."""

    question: Question
    row: MeasuredValue


@dataclass(frozen=True)
class Task:
    """An entry as one rater finds it: what is asked, what the record says, and what that rater has answered."""

    entry: Entry
    party: str
    questionnaire: Questionnaire
    assessment: Assessment | None
    measured: Mapping[str, MeasuredValue] = field(default_factory=dict)

    @property
    def answers(self) -> dict[str, Answer]:
        """An answer to every question; what was kept but no longer fits the rules counts as open.

        Until it is signed, the record's value stands where there is one.
        """
        kept = {r.criterion: r for r in self.assessment.ratings} if self.assessment else {}
        given = {q.code: _answer(q, kept.get(q.code)) for q in self.questionnaire}
        return given if self.signed else self.with_record(given)

    def with_record(self, given: Mapping[str, Answer]) -> dict[str, Answer]:
        """Answers with the record's value in the place of whatever was given to a measured question."""
        told = {code: Answer(row.value, comment=given.get(code, Answer()).comment) for code, row in self.locked.items()}
        return {**given, **told}

    @property
    def locked(self) -> dict[str, MeasuredValue]:
        """What the record says to the rater's own questions."""
        return {q.code: self.measured[q.code] for q in self.questionnaire if q.code in self.measured}

    @property
    def beside(self) -> Beside:
        """What is said beside the answers."""
        if self.assessment is None:
            return Beside()
        visits = (Visit(row.visited_on, row.place, row.met, row.notes) for row in self.assessment.visits)
        return Beside(self.assessment.buy_again, tuple(visits))

    @property
    def record(self) -> list[Indicator]:
        """What the record says of the entry, of other parties' questions too."""
        rules = rules_of(self.entry.cycle)
        known = (criterion for criterion in rules.criteria if criterion.code in self.measured)
        return [Indicator(Question(c, rules.scale_of(c)), self.measured[c.code]) for c in known]

    @property
    def missing(self) -> list[Question]:
        """The required questions that are still open."""
        answers = self.answers
        return [q for q in self.questionnaire if q.criterion.required and not answers[q.code].given]

    @property
    def uncommented(self) -> list[Question]:
        """The questions at whose lowest or highest level no comment says why."""
        answers = self.answers
        return [q for q in self.questionnaire if q.is_extreme(answers[q.code].value) and not answers[q.code].comment]

    @property
    def asks_buy_again(self) -> bool:
        """Whether the rater is asked if they would buy from this vendor again."""
        return self.party == PARTY_OF[Role.PURCHASER]

    @property
    def rules_party(self) -> Party:
        """What the cycle's rules say of the rater's party."""
        return rules_of(self.entry.cycle).party(self.party)

    @property
    def declaration(self) -> str:
        """What the rater signs at submission, in the reader's language."""
        if self.party == PARTY_OF[Role.EVALUATOR]:
            said: str = _(
                "I declare: I have looked into this contract myself; within the last 2 years neither I nor my "
                "organisation had ties to its vendor that could touch my judgement; the ratings are independent, and "
                "the evidence is true."
            )
        else:
            said = _(
                "I declare: I know this contract and its acceptance inspection; the ratings are those of my "
                "department, given by the facts; the evidence is true."
            )
        return said

    @property
    def version(self) -> str:
        """Changes with every save and with every new value that the record locks; empty before the first."""
        saved = [self.assessment.saved_at] if self.assessment else []
        recorded = [max(row.recorded_at for row in self.locked.values())] if self.locked else []
        return "+".join(moment.isoformat() for moment in (*saved, *recorded))

    @property
    def submitted(self) -> bool:
        return self.assessment is not None and self.assessment.state == AssessmentState.SUBMITTED

    @property
    def awaiting(self) -> bool:
        """Whether the rater has signed and a second person has not yet."""
        asked = self.assessment.cosigning if self.assessment else None
        return asked is not None and asked.state == CosigningState.ASKED

    @property
    def signed(self) -> bool:
        """Whether its rater may no longer change it."""
        return self.submitted or self.awaiting


def _answer(question: Question, kept: AssessmentRating | None) -> Answer:
    if kept is None:
        return Answer()
    answer = Answer(kept.value, kept.not_applicable, kept.comment)
    return answer if answer.fits(question) else Answer(comment=kept.comment)
