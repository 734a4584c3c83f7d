"""What one party is asked about one entry, and which values each question takes."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flask_babel import gettext as _

from evalsys.base.language import words
from evalsys.registry.models import Entry
from evalsys.registry.pins import rules_of
from evalsys.rules.model import BandScale, Criterion, Dimension, GoalpostScale, LevelScale, Rules, YesNoScale

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
MEASURED_LIMIT = 1e12  # beyond it a number is a slip of the keyboard


def number_in(text: str) -> float | None:
    """The number that a text says, full-width digits too; None when it says none."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return float(plain) if _NUMBER.fullmatch(plain) else None


@dataclass(frozen=True)
class Question:
    """A criterion with its scale."""

    criterion: Criterion
    scale: LevelScale | YesNoScale | BandScale | GoalpostScale

    @property
    def code(self) -> str:
        return self.criterion.code

    @property
    def unit(self) -> str:
        """What a measured value is counted in; empty for levels."""
        return words(self.scale.unit) if isinstance(self.scale, BandScale | GoalpostScale) else ""

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels' words, the worst first; none for a measured value."""
        if isinstance(self.scale, LevelScale):
            return tuple(words(level) for level in self.scale.levels)
        if isinstance(self.scale, YesNoScale):
            return (_("No"), _("Yes"))
        return ()

    @cached_property
    def level_count(self) -> int:
        """How many levels there are; 0 for a measured value."""
        if isinstance(self.scale, LevelScale):
            return len(self.scale.levels)
        return 2 if isinstance(self.scale, YesNoScale) else 0

    @property
    def has_extremes(self) -> bool:
        """Whether its lowest and highest level ask for a comment; yes and no are not called extreme."""
        return self.level_count > 2

    def is_extreme(self, value: float | None) -> bool:
        """Whether a level is the lowest or the highest of several."""
        return self.has_extremes and value in (1, self.level_count)

    def takes(self, value: float) -> bool:
        """Whether the scale has this value."""
        if self.level_count:
            return 1 <= value <= self.level_count and value == int(value)
        return math.isfinite(value) and abs(value) <= MEASURED_LIMIT

    def what_to_write(self) -> str:
        """The values that the question takes, in words."""
        if self.level_count:
            said: str = _("Write a whole level from 1 to %(top)s.", top=self.level_count)
        else:
            said = _("Write a number (%(unit)s).", unit=self.unit)
        return said + (" " + _("Or “na” where it does not apply.") if self.criterion.not_applicable else "")

    def answer_words(self, value: float) -> str:
        """A value as the rater chose it: the level's words, or the number with its unit."""
        return self.levels[int(value) - 1] if self.level_count else f"{value:g} · {self.unit}"


@dataclass(frozen=True)
class Section:
    """The questions of one dimension; `dimension` is None for questions that are never scored."""

    dimension: Dimension | None
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Questionnaire:
    """All that a party is asked about an entry."""

    sections: tuple[Section, ...]

    def __iter__(self) -> Iterator[Question]:
        return (question for section in self.sections for question in section.questions)

    def __len__(self) -> int:
        return sum(len(section.questions) for section in self.sections)


def questionnaire(rules: Rules, party: str, service_type: str) -> Questionnaire:
    """A party's questions for a service type, by dimension in the rules' order."""
    asked = [Question(c, rules.scale_of(c)) for c in rules.criteria_for(party, service_type)]
    sections = (
        Section(dimension, tuple(q for q in asked if q.criterion.dimension == (dimension.code if dimension else None)))
        for dimension in (*rules.dimensions, None)
    )
    return Questionnaire(tuple(section for section in sections if section.questions))


def questionnaire_of(entry: Entry, party: str) -> Questionnaire:
    """What a party is asked about an entry by the rules that its cycle has pinned."""
    return questionnaire(rules_of(entry.cycle), party, entry.contract.service_type)
