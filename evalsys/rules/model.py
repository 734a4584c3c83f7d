"""What a rules file says, as frozen values.

Every number that decides a score stands in these classes; the scoring core holds none of its own.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field

from evalsys.rules.values import Code, Count, Days, Draws, Flag, Frozen, Mode, Number, Part, Points, Share, Text, Words


class Source(StrEnum):
    """Where a criterion's value comes from."""

    ASKED = "asked"  # a rater answers it
    MEASURED = "measured"  # read from the record
    ADJUSTER = "adjuster"  # describes the respondent; never scored


class Party(Frozen):
    """One of the bodies that rate. `minimum`: answers below which the party counts as missing."""

    code: Code
    name: Text
    minimum: Count
    acceptance: Flag = False  # a named rater submits with evidence of the acceptance inspection
    cosign: Flag = False  # ... and with the signature of a second person of the same body


class Dimension(Frozen):
    code: Code
    name: Text
    help: Text | None = None


class LevelScale(Frozen):
    """Ordered answers, the worst first: level l of L earns 100(l - 1)/(L - 1)."""

    code: Code
    kind: Literal["levels"]
    levels: tuple[Text, ...] = Field(min_length=2, max_length=11)


class YesNoScale(Frozen):
    """Level 1 is no and earns 0; level 2 is yes and earns 100."""

    code: Code
    kind: Literal["yes_no"]


class PointsFrom(Frozen):
    """From `at` upwards (up to the next entry) a measured value earns `points`."""

    at: Number
    points: Points


class BandScale(Frozen):
    """A measured value placed by a table; below the first entry it earns 0."""

    code: Code
    kind: Literal["bands"]
    unit: Text
    bands: tuple[PointsFrom, ...] = Field(min_length=1)


class GoalpostScale(Frozen):
    """A measured value between two goalposts, cut to them; `worst` above `best` where less is better."""

    code: Code
    kind: Literal["goalposts"]
    unit: Text
    worst: Number
    best: Number


Scale = Annotated[LevelScale | YesNoScale | BandScale | GoalpostScale, Field(discriminator="kind")]


class ServiceType(Frozen):
    """An entry of the catalogue. `kind`: transactional 事务性 or personal 服务性."""

    code: Code
    name: Text
    kind: Literal["transactional", "personal"]


class Criterion(Frozen):
    """One question that one party answers on one dimension. No service types named: asked for all."""

    code: Code
    party: Code
    dimension: Code | None = None  # None only for an adjuster
    text: Text
    help: Text | None = None
    anchors: tuple[Text, ...] = ()  # what each level means here, the worst first
    scale: Code
    weight: Number = Field(default=1.0, gt=0)
    service_types: tuple[Code, ...] = ()
    required: Flag = True
    not_applicable: Flag = False
    source: Source = Source.ASKED


class DimensionWeight(Frozen):
    """W_d, and V_{p|d}: each party's share of the dimension."""

    dimension: Code
    share: Share
    parties: dict[Code, Share]


class Interval(Frozen):
    """Steps 5 and 6 of the method."""

    level: Number = Field(default=0.95, gt=0.5, lt=1)
    prior_strength: Number = Field(default=8, ge=0)  # the 8 in (8 phi_pool + ...)/(n + 7)
    assumed_rater_sd: Number = Field(default=10, gt=0)  # points; used where raters do not overlap enough
    pool_minimum: Count = 10  # contracts below which a pooled term is assumed, not estimated


class Weighting(Frozen):
    """Step 2: recipients' answers weighted to the frame. Without this section every answer counts the same."""

    stratum_minimum: Count = 5  # answers below which a stratum does not stand for itself
    trim: Number = Field(default=4, ge=1)  # a weight is cut at so many times the contract's median


class Coefficient(Frozen):
    """What one circumstance of answering is worth on one dimension: a mode, or a criterion marked `adjuster`.

    `points`: against the reference mode; a criterion's best against its worst answer. `mean`: the mode's share of all
    respondents, or the mean answer from 0 to 1; learned when the cycle closes where it is not written.
    """

    dimension: Code
    mode: Mode | None = None
    criterion: Code | None = None
    points: Number = Field(ge=-100, le=100)
    mean: Part | None = None


class Adjustment(Frozen):
    """Step 3: how recipients answered, taken off with coefficients of an earlier cycle. Without it nothing is."""

    reference_mode: Mode = "self"
    ground: Text  # which cycle the coefficients were estimated on
    coefficients: tuple[Coefficient, ...] = Field(min_length=1)


class Severity(Frozen):
    """Step 4: evaluators' severity taken off where they overlap. Without it evaluators count as they are."""

    party: Code = "third_party"
    method: Literal["REML", "ML"] = "REML"


class Shrinkage(Frozen):
    """Step 7: scores drawn towards their peers. Without it past performance reads the plain score."""

    method: Literal["REML", "PM", "DL"] = "REML"


class RankSets(Frozen):
    """Step 9: which ranks a score may have. Without it plain ranks stand alone."""

    level: Number = Field(default=0.95, gt=0.5, lt=1)
    simultaneous: Flag = True
    draws: Draws = 1000


class Sensitivity(Frozen):
    """Step 10: ranks under weights drawn around the published ones."""

    concentration: Number = Field(default=50, ge=1)  # the larger, the closer to the published weights
    level: Number = Field(default=0.95, gt=0.5, lt=1)
    draws: Draws = 1000


class Reliability(Frozen):
    """Step 11: whether the raters agree, and how many a reliable mean needs."""

    target: Number = Field(default=0.8, gt=0, lt=1)
    draws: Draws = 1000  # of the bootstrap


class Integrity(Frozen):
    """Step 12: signs that hold a rating for a person to decide."""

    long_string: Share = 1.0  # share of the questions given the same answer in a row
    least_questions: Count = 5  # a questionnaire shorter than this shows neither a run nor near duplicates
    alike: Share = 0.95  # equal answers from which two are near duplicates
    twins: Count = 5  # near duplicates of one answer on one contract
    twins_chance: Share = 0.001  # chance of so many, from how often the same answers came on other contracts
    too_fast: Flag = True  # under 20 seconds
    busy_chance: Share = 0.001  # adjusted chance of so many answers of one contract on a day
    pair_chance: Share = 0.05  # adjusted chance of an evaluator's residual for a vendor
    party_gap: Number = Field(default=25, gt=0, le=100)  # points by which a party stands off the others
    shift: Number = Field(default=5, gt=0, le=100)  # points of the score that one rater moves


class Cap(Frozen):
    """The grade is at most `grade` when any dimension is below `dimension_below`."""

    dimension_below: Points
    grade: Code


class Status(Frozen):
    """When a score is rated, provisional or withheld. No half-widths: no gate."""

    rated_half_width: Number | None = Field(default=None, gt=0)
    provisional_half_width: Number | None = Field(default=None, gt=0)
    missing_party: Literal["withhold", "reproportion"] = "withhold"
    near_boundary: Share = 0.8  # a likeliest grade less probable than this is marked as near a boundary


class Grade(Frozen):
    """A half-open band [from, to) on the unrounded score; the top band includes 100."""

    code: Code
    name: Text
    start: Points = Field(alias="from")
    stop: Points = Field(alias="to")
    rectify: Flag = False  # a vendor with this grade has to put something right


class PeerGroup(Frozen):
    """Contracts compared with each other. `parent` takes them in when they are fewer than 10."""

    code: Code
    name: Text
    service_types: tuple[Code, ...] = ()
    parent: Code | None = None


class SelectionUse(Frozen):
    """A way of choosing next year's vendor, and what the law lets past performance weigh in it.

    `past_performance`: "beside" = weight 0, printed beside the official points; "free" = the plan sets the weight, and
    prices are scored against a reference that it fixes beforehand, where the law prescribes the lowest bid elsewhere.
    """

    code: Code
    name: Text
    past_performance: Literal["beside", "free"]
    price_minimum: Part = 0.0
    price_maximum: Part = 1.0
    ground: Text


class Selection(Frozen):
    """How published scores come back as past performance."""

    decay: Share = 0.7
    look_back: Count = 3
    uses: tuple[SelectionUse, ...] = ()


class Appeals(Frozen):
    """How long vendors may object to a result and answer for it, and how soon they are answered."""

    notice_working_days: Days = 5  # in which vendors may object before a result is published
    acceptance_working_days: Count = 3  # in which an objection is taken up or rejected
    decision_days: Count = 15  # in which it is decided, from taking it up
    extension_days: Count = 15  # by which that may be prolonged, once
    second_level_days: Count = 15  # in which a vendor may turn to the region above after a decision
    rectification_days: Count = 60  # in which a vendor puts right what its grade asks for


class Rules(Frozen):
    """A whole, consistent rules file; `loading.load` is the only way to one."""

    format: Literal[1]
    version: Words
    title: Text
    parties: tuple[Party, ...] = Field(min_length=1)
    dimensions: tuple[Dimension, ...] = Field(min_length=1)
    scales: tuple[Scale, ...] = Field(min_length=1)
    service_types: tuple[ServiceType, ...] = ()
    criteria: tuple[Criterion, ...] = Field(min_length=1)
    weights: tuple[DimensionWeight, ...] = Field(min_length=1)
    aggregation: Literal["arithmetic", "geometric"] = "arithmetic"
    answered_share: Share = 0.5  # of a composite's weight that must be answered
    interval: Interval = Interval()
    status: Status = Status()
    weighting: Weighting | None = None
    adjustment: Adjustment | None = None
    severity: Severity | None = None
    shrinkage: Shrinkage | None = None
    rank_sets: RankSets | None = None
    sensitivity: Sensitivity | None = None
    reliability: Reliability | None = None
    integrity: Integrity | None = None
    cap: Cap | None = None
    grades: tuple[Grade, ...] = Field(min_length=1)
    peer_groups: tuple[PeerGroup, ...] = ()
    peer_group_minimum: Count = 10  # members below which a group is compared in its parent
    vendor_weight: Literal["amount", "recipients", "equal"] = "recipients"
    appeals: Appeals = Appeals()
    selection: Selection = Selection()

    @cached_property
    def _scales(self) -> dict[str, LevelScale | YesNoScale | BandScale | GoalpostScale]:
        return {scale.code: scale for scale in self.scales}

    def scale_of(self, criterion: Criterion) -> LevelScale | YesNoScale | BandScale | GoalpostScale:
        return self._scales[criterion.scale]

    @property
    def adjusters(self) -> tuple[str, ...]:
        """Criteria that the adjustment reads, in the file's order; none where it is off."""
        named = {c.criterion for c in self.adjustment.coefficients} if self.adjustment else set()
        return tuple(c.code for c in self.criteria if c.code in named)

    def criteria_for(self, party: str, service_type: str | None = None) -> tuple[Criterion, ...]:
        """A party's criteria in file order, adjusters too; only those asked of the service type when one is given."""
        return tuple(
            c
            for c in self.criteria
            if c.party == party and (service_type is None or not c.service_types or service_type in c.service_types)
        )

    def criterion(self, code: str) -> Criterion:
        """Raises KeyError for an unknown code."""
        return {criterion.code: criterion for criterion in self.criteria}[code]

    def party(self, code: str) -> Party:
        """Raises KeyError for an unknown code."""
        return {party.code: party for party in self.parties}[code]

    def dimension(self, code: str) -> Dimension:
        """Raises KeyError for an unknown code."""
        return {dimension.code: dimension for dimension in self.dimensions}[code]

    def weight(self, dimension: str, party: str) -> float:
        """W_d V_{p|d}; 0 where the party does not judge the dimension.

        Each share is divided by its sum, so that thirds written as 0.3333333 weigh a third and the weights sum to 1.
        """
        whole = sum(row.share for row in self.weights)
        for row in self.weights:
            if row.dimension == dimension:
                return row.share / whole * (row.parties.get(party, 0.0) / sum(row.parties.values()))
        return 0.0

    def peer_group_of(self, service_type: str | None) -> str:
        """The group that names the service type, else the one that names none, else ''."""
        for group in self.peer_groups:
            if service_type is not None and service_type in group.service_types:
                return group.code
        return next((group.code for group in self.peer_groups if not group.service_types), "")
