"""Each constraint of the tables for forms on paper refuses a row that breaks it, on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import CheckConstraint, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.db import Base
from evalsys.collection import paper_models
from evalsys.collection.paper_models import PaperBatch, PaperForm, PaperKeying, PaperSheet
from tests.collection.paper import Office, make_office
from tests.collection.test_models import ABSENT, store
from tests.factories import NOW

SERIAL = b"s" * 32


@dataclass
class Rows:
    """Makers of one good row each; what a row points to is added first."""

    session: Session
    office: Office

    def form(self, **changes: Any) -> PaperForm:
        return PaperForm(**({"serial_hmac": SERIAL, "stratum_id": self.office.stratum.id} | changes))

    def batch(self, **changes: Any) -> PaperBatch:
        given = {"id": 1, "cycle_id": self.office.cycle.id, "region_id": self.office.cycle.region_id, "share": 0.1}
        return PaperBatch(**(given | {"opened_at": NOW, "opened_by": "甲"} | changes))

    def sheet(self, **changes: Any) -> PaperSheet:
        self._kept(PaperForm, SERIAL, self.form())
        self._kept(PaperBatch, 1, self.batch())
        return PaperSheet(**({"serial_hmac": SERIAL, "batch_id": 1, "number": 1} | changes))

    def keying(self, **changes: Any) -> PaperKeying:
        self._kept(PaperSheet, SERIAL, self.sheet())
        given = {"serial_hmac": SERIAL, "turn": 1, "account_id": self.office.clerk.id, "answers": {}}
        return PaperKeying(**(given | changes))

    def other_form(self) -> bytes:
        self._kept(PaperForm, b"o" * 32, self.form(serial_hmac=b"o" * 32))
        return b"o" * 32

    def _kept(self, table: type[Base], key: Any, row: Base) -> None:
        if self.session.get(table, key) is None:
            store(self.session, [row])


Break = Callable[[Rows], list[Base]]

BREAKS: dict[str, list[Break]] = {
    "pk_paper_form": [lambda r: [r.form(), r.form()]],
    "ck_paper_form_serial_length": [lambda r: [r.form(serial_hmac=b"s" * 31)]],
    "fk_paper_form_stratum_id_stratum": [lambda r: [r.form(stratum_id=ABSENT)]],
    "pk_paper_batch": [lambda r: [r.batch(), r.batch()]],
    "ck_paper_batch_state_known": [lambda r: [r.batch(state="lost")]],
    "ck_paper_batch_share_of_some": [lambda r: [r.batch(share=0.09)], lambda r: [r.batch(share=1.1)]],
    "ck_paper_batch_released_when": [
        lambda r: [r.batch(state="released")],
        lambda r: [r.batch(released_at=NOW, released_by="甲")],
    ],
    "ck_paper_batch_released_by_whom": [lambda r: [r.batch(released_by="甲")]],
    "ck_paper_batch_parts_of_wholes": [lambda r: [r.batch(twice=1)], lambda r: [r.batch(differing=1)]],
    "fk_paper_batch_cycle_id_cycle": [lambda r: [r.batch(cycle_id=ABSENT)]],
    "fk_paper_batch_region_id_region": [lambda r: [r.batch(region_id=ABSENT)]],
    "pk_paper_sheet": [lambda r: [r.sheet(), r.sheet(number=2)]],
    "uq_paper_sheet_batch_id_number": [lambda r: [r.sheet(), r.sheet(serial_hmac=r.other_form())]],
    "ck_paper_sheet_number_positive": [lambda r: [r.sheet(number=0)]],
    "fk_paper_sheet_serial_hmac_paper_form": [lambda r: [r.sheet(serial_hmac=b"x" * 32)]],
    "fk_paper_sheet_batch_id_paper_batch": [lambda r: [r.sheet(batch_id=ABSENT)]],
    "pk_paper_keying": [lambda r: [r.keying(), r.keying()]],
    "ck_paper_keying_turn_known": [lambda r: [r.keying(turn=4)]],
    "fk_paper_keying_serial_hmac_paper_sheet": [lambda r: [r.keying(serial_hmac=b"x" * 32)]],
    "fk_paper_keying_account_id_account": [lambda r: [r.keying(account_id=ABSENT)]],
}


def test_every_constraint_has_a_bad_row() -> None:
    own = {PaperForm, PaperBatch, PaperSheet, PaperKeying}
    assert {t for t in vars(paper_models).values() if getattr(t, "__module__", "") == paper_models.__name__} >= own
    kinds = CheckConstraint | UniqueConstraint | ForeignKeyConstraint | PrimaryKeyConstraint
    tables = [Base.metadata.tables[model.__tablename__] for model in own]
    assert {str(c.name) for table in tables for c in table.constraints if isinstance(c, kinds)} == set(BREAKS)


@pytest.mark.parametrize(
    ("name", "rows_of"), [pytest.param(name, one, id=name) for name, several in BREAKS.items() for one in several]
)
def test_the_bad_row_is_refused_by_its_constraint(session: Session, name: str, rows_of: Break) -> None:
    rows = rows_of(Rows(session, make_office(session)))
    with pytest.raises(IntegrityError) as caught:
        store(session, rows)
    said = str(caught.value.orig)
    if session.get_bind().dialect.name == "postgresql" or name.startswith("ck_"):
        assert name in said
    else:  # SQLite names the columns of a key, and no foreign key
        assert ("FOREIGN KEY" if name.startswith("fk_") else "UNIQUE") in said
