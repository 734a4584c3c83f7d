"""What the public part answers. Codes are those of the edition's rules, which /methodology tells with their words."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from evalsys.publication.api.endpoints import Answer, PageAnswer
from evalsys.rules.model import Rules
from evalsys.rules.steps import Step

Status = Literal["rated", "provisional", "withheld"]


class Index(Answer):
    """Where to go from here."""

    title: str
    version: str
    """Of the program."""
    simulated: bool
    """Whether any cycle is made up."""
    links: dict[str, str]


class Region(Answer):
    """A city, county or township."""

    path: str
    """Codes from the root down, each followed by a slash: a branch is a prefix."""
    name: str


class Cycle(Answer):
    """One year of evaluation in one region."""

    code: str
    title: str
    year: int
    region: Region


class Edition(Answer):
    """A published result of a cycle. Nothing of it changes: a correction is another edition."""

    id: int
    number: int
    """Counts the editions of the cycle, from 1."""
    cycle: Cycle
    published_at: datetime
    reason: str
    """Why a correction was made; empty for the first edition."""
    in_force: bool
    """Whether it is the newest of its cycle that was not withdrawn."""
    withdrawn: bool
    """Whether a court or a superior had it withdrawn; its page says why, and nothing else of it is told."""
    simulated: bool
    """Whether persons, vendors and scores are made up."""


class Editions(PageAnswer[Edition]):
    """Editions, the newest first."""


class Seal(Answer):
    """What anybody can check an edition with; docs/open-data.md says how."""

    hash: str
    """SHA-256 of the statement's bytes, which are at `links.statement`."""
    root: str
    """Of the Merkle tree of received answers (RFC 9162)."""
    leaves: int
    """Answers received."""
    signed_by: list[str]
    """Fingerprints of the keys."""
    statement: dict[str, Any]
    """edition.json, read."""


class EditionTold(Edition):
    """An edition with its seal."""

    rules_version: str
    rules_hash: str
    code_version: str
    """Of the program that scored it."""
    statuses: dict[str, int]
    """Contracts by status."""
    seal: Seal | None
    """None for an edition from before seals."""
    links: dict[str, str]
    """`bundle` and `statement` only where there is a seal."""


class Reason(Answer):
    """Why a contract has its status, or what else a reader must know."""

    code: str
    party: str
    dimension: str
    have: float | None
    need: float | None


class Remark(Answer):
    """What is said beside a line. It is no part of the edition and may change while the edition does not."""

    code: str
    """`reply`: the vendor's; `under_review`: an objection is open."""
    says: str
    """The text; empty where the code says all."""


class Vendor(Answer):
    """The organisation that provides the service (承接主体)."""

    credit_code: str
    name: str


class Result(Answer):
    """One contract's line in an edition, with the names as they stood when it was published. Points are not rounded."""

    contract: str
    """Its reference."""
    title: str
    vendor: Vendor
    purchaser: str
    region: Region
    service_type: str
    amount_fen: int
    """In fen: 100 are one yuan."""
    starts_on: date
    ends_on: date
    recipients_served: int
    response_rate: float | None
    """Of the recipients (AAPOR RR1), from 0 to 1; None where nobody was invited."""
    peer_group: str
    status: Status
    score: float | None
    """Points from 0 to 100; None where it is not rated for now."""
    low: float | None
    high: float | None
    """Ends of the score's interval."""
    grade: str | None
    rank: int | None
    """In the peer group; no filter changes it."""
    rank_low: int | None
    rank_high: int | None
    """The ranks that it may have."""
    band: int | None
    shrunk: float | None
    shrunk_sd: float | None
    """The score drawn towards its peers, and its standard deviation."""
    reasons: list[Reason]
    remarks: list[Remark]


class Results(PageAnswer[Result]):
    """A ranking."""

    edition: Edition


class Part(Answer):
    """One party's say on one dimension; None where it is not told or carries no weight."""

    party: str
    n: int
    weight: float
    estimate: float | None
    low: float | None
    high: float | None
    points: float | None
    """What it brings to the score."""


class DimensionResult(Answer):
    """One dimension of a score."""

    dimension: str
    weight: float
    score: float | None
    points: float
    parts: list[Part]


class Explained(Answer):
    """A score taken apart: the points of all dimensions and `uneven` add up to it."""

    dimensions: list[DimensionResult]
    uneven: float
    """What a geometric mean takes off for uneven dimensions; else 0."""


class Published(Answer):
    """A contract's line with the edition that it stands in."""

    edition: Edition
    result: Result


class Contract(Published):
    """A contract as an edition has it, and as every cycle's edition in force has it."""

    explained: Explained | None
    """None without a score."""
    history: list[Published]


class VendorListed(Vendor):
    """A vendor of which something is published."""

    years: list[int]
    contracts: int
    """Lines in the editions in force."""


class Vendors(PageAnswer[VendorListed]):
    """Vendors by credit code."""


class VendorScore(Answer):
    """The weighted mean of a vendor's scored contracts in one edition."""

    score: float
    low: float
    high: float
    scored: int
    """Contracts with a score."""
    weighed_by: Literal["amount", "recipients", "equal"]


class VendorYear(Answer):
    """What one edition says of a vendor."""

    edition: Edition
    score: VendorScore | None
    results: list[Result]


class VendorTold(Vendor):
    """A vendor over all cycles, the latest first."""

    years: list[VendorYear]


class Methodology(Answer):
    """The rules of an edition, or those that are shipped before the first is published."""

    edition: Edition | None
    rules_hash: str
    """SHA-256 of the rules file."""
    rules: Rules
    steps: list[Step]
    """What each step of the method does with these rules."""


class Proof(Answer):
    """That a leaf stands in an edition's tree (RFC 9162, 2.1.3)."""

    edition: int
    index: int
    """Place of the leaf, from 0."""
    size: int
    root: str
    path: list[str]
    """Hashes from the leaf to the root."""


class Receipt(Answer):
    """That an answer was received; never what it said."""

    contract: str
    leaf: str
    proof: Proof | None
    """None until an edition holds it."""


class Key(Answer):
    """A key that editions are signed with (Ed25519, base64)."""

    fingerprint: str
    key: str
    made_at: datetime
    retired_at: datetime | None


class Keys(Answer):
    """Every key there ever was, the newest first."""

    items: list[Key]
