"""Piles of forms that were keyed in another program."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evalsys.accounts.models import Account
from evalsys.base.audit import AuditEntry
from evalsys.base.db import Database
from evalsys.base.tables import Sheet, TableFaulty, write_csv, write_xlsx
from evalsys.collection.paper_batches import finish_keying, open_batch, pile_of
from evalsys.collection.paper_files import SERIAL, key_file, template
from evalsys.collection.paper_forms import Printed
from tests.collection.paper import KEYS, TYPED, Office, make_office, printed, sheet_of, staged
from tests.factories import NOW
from tests.pages import CheckedClient

Write = Callable[..., Any]
SignIn = Callable[[Account], CheckedClient]
CODES = tuple(TYPED)


def table(forms: Sequence[str], **changes: object) -> Sheet:
    """A row for each serial, with the keys as Excel keeps them; `changes` are for the last row."""
    rows: list[list[Any]] = [
        [serial, *(float(key) if key.isdigit() else key for key in TYPED.values())] for serial in forms
    ]
    for code, value in changes.items():
        rows[-1][1 + CODES.index(code)] = value
    return Sheet("x", [SERIAL.zh, *CODES], rows)


def keyed(session: Session, batch_id: int, sheet: Sheet, who: Account) -> int:
    return key_file(session, batch_id, write_xlsx([sheet]), keys=KEYS, actor=who.as_actor())


def begun(session: Session, copies: int) -> tuple[Office, int, list[Printed]]:
    office = make_office(session)
    forms = printed(session, office, copies)
    return office, open_batch(session, office.cycle, 0.1, actor=office.admin, now=NOW).id, forms


def test_a_pile_is_keyed_twice_from_files(session: Session) -> None:
    office, batch_id, forms = begun(session, 6)
    entries = session.scalar(select(func.count()).select_from(AuditEntry))
    serials = [form.serial for form in forms]
    assert keyed(session, batch_id, table(serials), office.clerk) == 6
    assert [sheet_of(session, form).number for form in forms] == [1, 2, 3, 4, 5, 6]
    assert keyed(session, batch_id, table(serials[:1], recipient_life=2.0), office.clerk) == 1  # put right
    assert session.scalar(select(func.count()).select_from(AuditEntry)) == entries
    batch = finish_keying(session, batch_id, actor=office.admin, now=NOW)
    twice = [form.serial for form in forms if sheet_of(session, form).twice]
    assert len(twice) == 5
    changed = table(twice, recipient_help=1.0)
    assert keyed(session, batch_id, changed, office.colleague) == 5
    pile = pile_of(session, batch)
    assert pile.twice == 6, "too much differs, so the last one is keyed again too"
    (sheet,) = [sheet for sheet in pile.unsettled if any(q.code == "recipient_help" for q in sheet.differing)]
    assert sheet.keyings[2].answers["recipient_help"] == 1
    assert sheet.keyings[1].answers["recipient_reachable"] is None
    assert "recipient_proxy" not in sheet.keyings[1].answers


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"recipient_help": 8.0}, "no answer to the question"),
        ({"recipient_help": ""}, "no answer to the question"),
        ({"recipient_help": "not a single key"}, "no answer to the question"),
    ],
)
def test_what_is_no_answer_is_told_by_its_cell(session: Session, changes: dict[str, object], wrong: str) -> None:
    office, batch_id, forms = begun(session, 2)
    with pytest.raises(TableFaulty) as refused:
        keyed(session, batch_id, table([form.serial for form in forms], **changes), office.clerk)
    assert [fault.row for fault in refused.value.faults if wrong in fault.wrong] == [3]
    assert all("recipient_help" in fault.column for fault in refused.value.faults)


def test_a_form_twice_and_a_wrong_serial_are_told(session: Session) -> None:
    office, batch_id, forms = begun(session, 1)
    with pytest.raises(TableFaulty) as refused:
        keyed(session, batch_id, table([forms[0].serial, forms[0].serial, "22222-22223", ""]), office.clerk)
    said = [(fault.row, fault.wrong) for fault in refused.value.faults]
    assert [row for row, _wrong in said] == [3, 4, 5]
    assert ["twice" in said[0][1], "serial" in said[1][1], "empty" in said[2][1]] == [True] * 3


def test_an_answer_to_a_question_that_is_not_on_the_form_is_told(session: Session) -> None:
    office, batch_id, forms = begun(session, 1)
    sheet = table([forms[0].serial])
    sheet = Sheet("x", [*sheet.headings, "recipient_clear"], [[*row, 4.0] for row in sheet.rows])
    with pytest.raises(TableFaulty) as refused:
        keyed(session, batch_id, sheet, office.clerk)
    (fault,) = refused.value.faults
    assert "does not stand on the form" in fault.wrong


def test_the_page_takes_a_file_or_says_what_is_wrong(write: Write, sign_in: SignIn, database: Database) -> None:
    office, batch_id, forms = write(begun, 2)
    clerk, address = sign_in(office.clerk), f"/collection/paper/{batch_id}"
    empty = clerk.get(f"{address}/template.csv").data.decode("utf-8-sig")
    assert empty.startswith(f"{SERIAL.zh},总的来说，您对这项服务满意吗？")

    def send(sheet: Sheet | None) -> Any:
        data = {"file": (io.BytesIO(write_csv(sheet)), "录入.csv")} if sheet else {}
        return clerk.post(f"{address}/file", data=data, content_type="multipart/form-data", follow_redirects=True)

    assert send(None).status_code == 422
    faulty = send(table([form.serial for form in forms], recipient_help=9.5))
    assert faulty.status_code == 422
    assert "这不是本题的答案" in faulty.text
    other = clerk.post(
        f"{address}/file", data={"file": (io.BytesIO(b"\0"), "x.csv")}, content_type="multipart/form-data"
    )
    assert other.status_code == 422
    assert staged(database)["paper_sheet"] == 0
    done = send(table([form.serial for form in forms]))
    assert "已保存 2 份问卷" in done.text
    assert sign_in(office.elsewhere).get(f"{address}/template.csv").status_code in {403, 404}


def test_the_template_asks_all_that_a_form_of_the_cycle_may_ask(session: Session) -> None:
    office, batch_id, forms = begun(session, 1)
    keyed(session, batch_id, table([forms[0].serial]), office.clerk)
    assert len(template(sheet_of(session, forms[0]).batch).headings) == 1 + len({*CODES, "recipient_clear"})
