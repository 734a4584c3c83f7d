"""What the staff part answers: counts and results of a branch, and of nobody who was asked."""

from __future__ import annotations

from datetime import date, datetime

from evalsys.publication.api.endpoints import Answer, PageAnswer
from evalsys.publication.api.shapes import Cycle, Region, Status, Vendor


class StaffCycle(Cycle):
    """A cycle with its state."""

    state: str
    """draft, collecting, review, preliminary, published or closed."""
    opens_on: date
    closes_on: date
    simulated: bool


class StaffCycles(PageAnswer[StaffCycle]):
    """Cycles of the branch and of the regions above it."""


class Recipients(Answer):
    """How far the survey has come."""

    frame: int
    """Recipients that the frame names."""
    invited: int
    answered: int
    """Codes that were answered with."""
    response_rate: float | None
    """AAPOR RR1, from 0 to 1."""
    counted: int
    """Answers that count, those from files included."""
    held: int


class Assessments(Answer):
    """Of one party of named raters."""

    due: int
    submitted: int
    overdue: int
    counted: int
    held: int


class ContractProgress(Answer):
    """How far one contract is."""

    contract: str
    title: str
    recipients: Recipients
    purchaser: Assessments
    third_party: Assessments
    open_flags: int


class Progress(PageAnswer[ContractProgress]):
    """How far collecting is, by contract."""


class Run(Answer):
    """One scoring of a cycle."""

    id: int
    made_at: datetime
    code_version: str
    rules_hash: str
    inputs_hash: str


class StaffScore(Answer):
    """What the newest run says of a contract; nothing of it is published yet."""

    contract: str
    title: str
    vendor: Vendor
    peer_group: str
    status: Status
    score: float | None
    low: float | None
    high: float | None
    grade: str | None
    rank: int | None
    rank_low: int | None
    rank_high: int | None
    band: int | None
    moved: float | None
    """Points up or down since the run before."""


class StaffScores(PageAnswer[StaffScore]):
    """Scores of the newest run."""

    run: Run


class StaffContract(Answer):
    """A contract as it is registered."""

    contract: str
    title: str
    vendor: Vendor
    purchaser: str
    region: Region
    service_type: str
    amount_fen: int
    starts_on: date
    ends_on: date
    procurement_method: str
    recipients_served: int


class StaffContracts(PageAnswer[StaffContract]):
    """Contracts of the branch."""
