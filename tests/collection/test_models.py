"""Each constraint of the room's tables refuses a row that breaks it, on both engines."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.db import Base
from evalsys.collection import interest_models, models
from evalsys.collection.interest_models import InterestDeclaration, InterestTie
from evalsys.collection.models import (
    Assessment,
    AssessmentRating,
    AssessmentVersion,
    Assignment,
    EntryChange,
    Evidence,
    Invitation,
    RatingsImport,
    ReceiptLeaf,
    Response,
    ResponseDay,
    ResponseRating,
)
from evalsys.registry.models import RosterMember
from tests.collection.world import World, make_world
from tests.factories import NOW, make_stratum

ABSENT = 999_999


@dataclass
class Rows:
    """Makers of one good row each; a test changes one column and sees it refused."""

    session: Session
    world: World

    def ratings_import(self, **changes: Any) -> RatingsImport:
        given = {"cycle_id": self.world.cycle.id, "hash": "a" * 64, "rows": 1, "imported_at": NOW, "imported_by": "甲"}
        return RatingsImport(**(given | changes))

    def invitation(self, **changes: Any) -> Invitation:
        return Invitation(**({"code_hmac": b"c" * 32, "entry_id": self.world.entry.id} | changes))

    def response(self, **changes: Any) -> Response:
        given = {"key": b"k" * 16, "entry_id": self.world.entry.id, "mode": "self", "time_band": "unknown"}
        return Response(**(given | changes))

    def response_rating(self, **changes: Any) -> ResponseRating:
        if self.session.get(Response, b"k" * 16) is None:
            self.session.add(self.response())
            self.session.flush()
        return ResponseRating(**({"response_key": b"k" * 16, "criterion": "x", "value": 1} | changes))

    def receipt_leaf(self, **changes: Any) -> ReceiptLeaf:
        return ReceiptLeaf(**({"leaf": b"l" * 32, "entry_id": self.world.entry.id} | changes))

    def response_day(self, **changes: Any) -> ResponseDay:
        given = {"entry_id": self.world.entry.id, "day": date(2026, 11, 2), "count": 1}
        return ResponseDay(**(given | changes))

    def assignment(self, **changes: Any) -> Assignment:
        return Assignment(**({"entry_id": self.world.entry.id, "account_id": self.world.auditor.id} | changes))

    def assessment(self, **changes: Any) -> Assessment:
        given = {
            "entry_id": self.world.entry.id,
            "party": "third_party",
            "account_id": self.world.evaluator.id,
            "state": "draft",
            "saved_at": NOW,
        }
        return Assessment(**(given | changes))

    def imported(self, **changes: Any) -> Assessment:
        kept = self.session.scalar(select(RatingsImport)) or self.ratings_import()
        self.session.add(kept)
        self.session.flush()
        given = {"account_id": None, "import_id": kept.id, "rater_label": "评委", "state": "submitted"}
        return self.assessment(**(given | {"submitted_at": NOW} | changes))

    def assessment_rating(self, **changes: Any) -> AssessmentRating:
        kept = self.session.scalar(select(Assessment)) or self.assessment()
        self.session.add(kept)
        self.session.flush()
        return AssessmentRating(**({"assessment_id": kept.id, "criterion": "x", "value": 1.0} | changes))

    def evidence(self, **changes: Any) -> Evidence:
        kept = self.session.scalar(select(Assessment)) or self.assessment()
        self.session.add(kept)
        self.session.flush()
        given = {
            "assessment_id": kept.id,
            "name": "a.pdf",
            "media_type": "application/pdf",
            "size": 1,
            "hash": "a" * 64,
            "account_id": self.world.evaluator.id,
            "added_at": NOW,
        }
        return Evidence(**(given | changes))

    def version(self, **changes: Any) -> AssessmentVersion:
        kept = self.session.scalar(select(Assessment)) or self.assessment()
        self.session.add(kept)
        self.session.flush()
        given = {"assessment_id": kept.id, "number": 1, "content": {}, "reason": "x", "returned_by": "y"}
        return AssessmentVersion(**(given | {"submitted_at": NOW, "returned_at": NOW} | changes))

    def declaration(self, **changes: Any) -> InterestDeclaration:
        given = {"cycle_id": self.world.cycle.id, "account_id": self.world.auditor.id, "number": 1, "words": "无"}
        return InterestDeclaration(**(given | {"signed_by": "甲", "signed_at": NOW} | changes))

    def of_body(self, **changes: Any) -> InterestDeclaration:
        return self.declaration(**({"account_id": None, "body_id": self.world.evaluator.evaluator_body_id} | changes))

    def tie(self, **changes: Any) -> InterestTie:
        given = {
            "declaration_id": self.session.scalars(select(InterestDeclaration.id)).one(),
            "vendor_id": self.world.contract.vendor_id,
            "kind": "shares",
            "of_body": False,
            "started_on": date(2025, 1, 1),
        }
        return InterestTie(**(given | changes))


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_ratings_import": [lambda r: [r.ratings_import(id=1), r.ratings_import(id=1, hash="b" * 64)]],
    "fk_ratings_import_cycle_id_cycle": [lambda r: [r.ratings_import(cycle_id=ABSENT)]],
    "uq_ratings_import_cycle_id_hash": [lambda r: [r.ratings_import(), r.ratings_import()]],
    "pk_invitation": [lambda r: [r.invitation(id=1), r.invitation(id=1, code_hmac=b"d" * 32)]],
    "uq_invitation_code_hmac": [lambda r: [r.invitation(), r.invitation()]],
    "uq_invitation_roster_member_id": [
        lambda r: [
            r.invitation(code_hmac=bytes([n]) * 32, roster_member_id=member)
            for member in [roster_member(r)]
            for n in (1, 2)
        ]
    ],
    "uq_invitation_stratum_id_number": [
        lambda r: [
            r.invitation(code_hmac=bytes([n]) * 32, stratum_id=stratum, number=1)
            for stratum in [make_stratum(r.session, entry=r.world.entry).id]
            for n in (1, 2)
        ]
    ],
    "ck_invitation_number_in_a_stratum": [
        lambda r: [r.invitation(number=1)],
        lambda r: [r.invitation(number=0, stratum_id=make_stratum(r.session, entry=r.world.entry).id)],
    ],
    "ck_invitation_outcome_known": [lambda r: [r.invitation(outcome="late")]],
    "fk_invitation_entry_id_entry": [lambda r: [r.invitation(entry_id=ABSENT)]],
    "fk_invitation_stratum_id_stratum": [lambda r: [r.invitation(stratum_id=ABSENT)]],
    "fk_invitation_roster_member_id_roster_member": [lambda r: [r.invitation(roster_member_id=ABSENT)]],
    "pk_response": [lambda r: [r.response(), r.response()]],
    "ck_response_key_length": [lambda r: [r.response(key=b"k" * 15)]],
    "ck_response_mode_known": [lambda r: [r.response(mode="fax")]],
    "ck_response_helper_known": [lambda r: [r.response(mode="assisted", helper="robot")]],
    "ck_response_helped_is_not_alone": [lambda r: [r.response(mode="self", helper="worker")]],
    "ck_response_time_band_known": [lambda r: [r.response(time_band="slow")]],
    "fk_response_entry_id_entry": [lambda r: [r.response(entry_id=ABSENT)]],
    "fk_response_stratum_id_stratum": [lambda r: [r.response(stratum_id=ABSENT)]],
    "fk_response_import_id_ratings_import": [lambda r: [r.response(import_id=ABSENT)]],
    "pk_response_rating": [lambda r: [r.response_rating(), r.response_rating()]],
    "fk_response_rating_response_key_response": [lambda r: [r.response_rating(response_key=b"x" * 16)]],
    "pk_receipt_leaf": [lambda r: [r.receipt_leaf(), r.receipt_leaf()]],
    "ck_receipt_leaf_leaf_length": [lambda r: [r.receipt_leaf(leaf=b"l" * 31)]],
    "fk_receipt_leaf_entry_id_entry": [lambda r: [r.receipt_leaf(entry_id=ABSENT)]],
    "pk_response_day": [lambda r: [r.response_day(), r.response_day()]],
    "ck_response_day_count_positive": [lambda r: [r.response_day(count=0)]],
    "fk_response_day_entry_id_entry": [lambda r: [r.response_day(entry_id=ABSENT)]],
    "pk_assignment": [lambda r: [r.assignment(id=77), r.assignment(id=77, account_id=r.world.purchaser.id)]],
    "uq_assignment_entry_id_account_id": [lambda r: [r.assignment(), r.assignment()]],
    "fk_assignment_entry_id_entry": [lambda r: [r.assignment(entry_id=ABSENT)]],
    "fk_assignment_account_id_account": [lambda r: [r.assignment(account_id=ABSENT)]],
    "pk_assessment": [lambda r: [r.assessment(id=1), r.assessment(id=1, party="purchaser")]],
    "uq_assessment_entry_id_party_account_id": [lambda r: [r.assessment(), r.assessment()]],
    "uq_assessment_entry_id_party_import_id_rater_label": [lambda r: [r.imported(), r.imported()]],
    "ck_assessment_state_known": [lambda r: [r.assessment(state="lost")]],
    "ck_assessment_submitted_when": [
        lambda r: [r.assessment(state="submitted")],
        lambda r: [r.assessment(submitted_at=NOW)],
    ],
    "ck_assessment_account_or_import": [
        lambda r: [r.assessment(account_id=None)],
        lambda r: [r.imported(account_id=r.world.evaluator.id)],
    ],
    "ck_assessment_label_with_import": [
        lambda r: [r.imported(rater_label=None)],
        lambda r: [r.assessment(rater_label="评委")],
    ],
    "fk_assessment_entry_id_entry": [lambda r: [r.assessment(entry_id=ABSENT)]],
    "fk_assessment_account_id_account": [lambda r: [r.assessment(account_id=ABSENT)]],
    "fk_assessment_import_id_ratings_import": [lambda r: [r.imported(import_id=ABSENT)]],
    "pk_assessment_rating": [lambda r: [r.assessment_rating(), r.assessment_rating()]],
    "ck_assessment_rating_value_or_not_applicable": [lambda r: [r.assessment_rating(not_applicable=True)]],
    "pk_entry_change": [lambda _r: [EntryChange(entry_id=ABSENT, count=n) for n in (1, 2)]],
    "pk_assessment_version": [lambda r: [r.version(), r.version()]],
    "ck_assessment_version_number_positive": [lambda r: [r.version(number=0)]],
    "ck_assessment_version_reason_given": [lambda r: [r.version(reason="")]],
    "fk_assessment_version_assessment_id_assessment": [lambda r: [r.version(assessment_id=ABSENT)]],
    "pk_evidence": [lambda r: [r.evidence(id=1), r.evidence(id=1, hash="b" * 64)]],
    "uq_evidence_assessment_id_hash": [lambda r: [r.evidence(), r.evidence()]],
    "ck_evidence_size_positive": [lambda r: [r.evidence(size=0)]],
    "ck_evidence_kind_known": [lambda r: [r.evidence(kind="rumour")]],
    "ck_evidence_hash_length": [lambda r: [r.evidence(hash="a" * 63)]],
    "fk_evidence_assessment_id_assessment": [lambda r: [r.evidence(assessment_id=ABSENT)]],
    "fk_evidence_account_id_account": [lambda r: [r.evidence(account_id=ABSENT)]],
    "pk_interest_declaration": [lambda r: [r.declaration(id=77), r.declaration(id=77, number=2)]],
    "uq_interest_declaration_cycle_id_account_id_number": [lambda r: [r.declaration(), r.declaration()]],
    "uq_interest_declaration_cycle_id_body_id_number": [lambda r: [r.of_body(), r.of_body()]],
    "ck_interest_declaration_person_or_body": [
        lambda r: [r.declaration(account_id=None)],
        lambda r: [r.of_body(account_id=r.world.auditor.id)],
    ],
    "ck_interest_declaration_number_positive": [lambda r: [r.declaration(number=0)]],
    "ck_interest_declaration_words_given": [lambda r: [r.declaration(words="")]],
    "ck_interest_declaration_signer_named": [lambda r: [r.declaration(signed_by="")]],
    "fk_interest_declaration_cycle_id_cycle": [lambda r: [r.declaration(cycle_id=ABSENT)]],
    "fk_interest_declaration_account_id_account": [lambda r: [r.declaration(account_id=ABSENT)]],
    "fk_interest_declaration_body_id_evaluator_body": [lambda r: [r.of_body(body_id=ABSENT)]],
    "pk_interest_tie": [lambda r: [r.tie(id=1), r.tie(id=1)]],
    "ck_interest_tie_vendor_or_purchaser": [
        lambda r: [r.tie(vendor_id=None)],
        lambda r: [r.tie(purchaser_id=r.world.contract.purchaser_id)],
    ],
    "ck_interest_tie_ends_after_start": [lambda r: [r.tie(ended_on=date(2024, 12, 31))]],
    "ck_interest_tie_kind_known": [lambda r: [r.tie(kind="friendship")]],
    "fk_interest_tie_declaration_id_interest_declaration": [lambda r: [r.tie(declaration_id=ABSENT)]],
    "fk_interest_tie_vendor_id_vendor": [lambda r: [r.tie(vendor_id=ABSENT)]],
    "fk_interest_tie_purchaser_id_purchaser": [lambda r: [r.tie(vendor_id=None, purchaser_id=ABSENT)]],
    "fk_assessment_rating_assessment_id_assessment": [lambda r: [r.assessment_rating(assessment_id=ABSENT)]],
}


def roster_member(rows: Rows) -> int:
    member = RosterMember(stratum_id=make_stratum(rows.session, entry=rows.world.entry).id, name="甲")
    rows.session.add(member)
    rows.session.flush()
    return member.id


def test_every_constraint_of_the_room_has_a_bad_row() -> None:
    named = {
        str(constraint.name)
        for table in Base.metadata.sorted_tables
        if table.name in {m.__tablename__ for m in own_tables()}
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint | ForeignKeyConstraint | PrimaryKeyConstraint)
    }
    assert named == set(BREAKS)


def own_tables() -> Iterator[type[Base]]:
    for module in (models, interest_models):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Base) and value.__module__ == module.__name__:
                yield value


def store(session: Session, rows: list[Base]) -> None:
    for row in rows:
        session.add(row)
        session.flush()
        session.expunge(row)  # the second must meet the first in the database, not in the session


@pytest.mark.parametrize(
    ("name", "rows_of"), [pytest.param(name, one, id=name) for name, several in BREAKS.items() for one in several]
)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str, rows_of: Break) -> None:
    rows = rows_of(Rows(session, make_world(session)))
    with pytest.raises(IntegrityError) as caught:
        store(session, rows)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:  # SQLite names the columns of a key, and no foreign key
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said


@pytest.mark.parametrize("first", ["models", "assessment_models"])
def test_the_tables_find_each_other_whichever_is_imported_first(first: str) -> None:
    """A command imports only what it needs; the web imports all, and would not notice."""
    code = f"import evalsys.collection.{first}; from sqlalchemy.orm import configure_mappers; configure_mappers()"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
