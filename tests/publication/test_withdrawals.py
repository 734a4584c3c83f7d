"""Withdrawing an edition: who may, what is gone, what stays."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from evalsys.base.access import COMMAND_LINE, Actor, Role
from evalsys.base.audit import AuditEntry
from evalsys.base.errors import Conflict, Invalid, NotAllowed, NotFound
from evalsys.evaluation.usecases import run_cycle
from evalsys.publication import queries
from evalsys.publication.bundle.consistency import since
from evalsys.publication.bundle.verification import verify
from evalsys.publication.growth import growth
from evalsys.publication.keys import KeyFolder
from evalsys.publication.merkle import extends
from evalsys.publication.models import Edition, EditionRecord, EditionScore, OrderedBy, Withdrawal
from evalsys.publication.queries import EditionWithdrawn
from evalsys.publication.receipts import look_up
from evalsys.publication.sealing import record_of, seal
from evalsys.publication.trees import leaves_of
from evalsys.publication.usecases import publish
from evalsys.publication.withdrawals import Order, confirm, enter, refuse, to_confirm, withdrawal, withdrawals_of
from evalsys.registry.models import Cycle, Entry
from tests.evaluation.rated import all_at, rated_cycle, respond
from tests.factories import NOW, actor, make_account, make_county
from tests.publication.test_sealing import bundled, receipt_leaf

OFFICER = actor(Role.OFFICER)
WHY = "补入漏登的纸质问卷，重新计算。"
LATER = NOW + timedelta(days=40)
ORDER = Order(OrderedBy.COURT, "甲市中级人民法院", "（2026）行终字第 1 号", NOW.date(), "判决撤销本次评价结果公告。")


@pytest.fixture(autouse=True)
def words(app: object) -> object:
    return app


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    return KeyFolder(tmp_path / "keys")


def person(session: Session, role: Role, cycle: Cycle) -> Actor:
    """Somebody with an account in the cycle's region."""
    account = make_account(session, role, region=cycle.region)
    return replace(actor(role, region=cycle.region), account_id=account.id, name=account.name)


def published(session: Session, cycle: Cycle, folder: KeyFolder, reason: str = "") -> Edition:
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, reason=reason, actor=OFFICER, now=NOW)
    seal(session, edition, folder, actor=OFFICER, now=NOW)
    return edition


def more_answers(session: Session, cycle: Cycle, count: int = 7) -> None:
    entry = session.scalars(select(Entry).where(Entry.cycle_id == cycle.id).order_by(Entry.id)).first()
    for _ in range(count):
        respond(session, entry, all_at(cycle, "recipient", "care", 1))


def withdrawn(session: Session, edition: Edition, order: Order = ORDER) -> Withdrawal:
    """By the two people that it takes."""
    entered = enter(session, edition.id, order, actor=person(session, Role.OFFICER, edition.cycle), now=LATER)
    return confirm(session, entered.id, actor=person(session, Role.AUDITOR, edition.cycle), now=LATER)


def test_nothing_changes_before_somebody_else_confirms(session: Session, folder: KeyFolder) -> None:
    edition = published(session, cycle := rated_cycle(session, contracts=1), folder)
    officer, auditor = person(session, Role.OFFICER, cycle), person(session, Role.AUDITOR, cycle)
    entered = enter(session, edition.id, ORDER, actor=officer, now=LATER)
    assert queries.edition_by_id(session, edition.id) is edition
    assert list(to_confirm(session, auditor)) == [entered] == list(withdrawals_of(session, cycle))
    with pytest.raises(NotAllowed, match="登记人不能自行确认"):
        confirm(session, entered.id, actor=officer, now=LATER)
    with pytest.raises(NotAllowed):
        confirm(session, entered.id, actor=COMMAND_LINE, now=LATER)
    with pytest.raises(Conflict, match="等待确认"):
        enter(session, edition.id, ORDER, actor=officer, now=LATER)
    confirm(session, entered.id, actor=auditor, now=LATER)
    assert to_confirm(session, auditor) == []
    with pytest.raises(EditionWithdrawn, match="甲市中级人民法院的决定撤回") as gone:
        queries.edition_by_id(session, edition.id)
    assert (gone.value.status, gone.value.edition) == (410, edition)
    acts = session.scalars(
        select(AuditEntry.act).where(AuditEntry.act.contains("withdrawal")).order_by(AuditEntry.id)
    ).all()
    assert acts == ["publication.enter_withdrawal", "publication.confirm_withdrawal"]
    for decide in (confirm, lambda *a, **k: refuse(*a, "不予撤回。", **k)):
        with pytest.raises(Conflict, match="已经处理"):
            decide(session, entered.id, actor=auditor, now=LATER)


def test_an_order_may_be_refused_and_entered_anew(session: Session, folder: KeyFolder) -> None:
    edition = published(session, cycle := rated_cycle(session, contracts=1), folder)
    officer, auditor = person(session, Role.OFFICER, cycle), person(session, Role.AUDITOR, cycle)
    entered = enter(session, edition.id, ORDER, actor=officer, now=LATER)
    with pytest.raises(Invalid, match="理由"):
        refuse(session, entered.id, " ", actor=auditor, now=LATER)
    refused = refuse(session, entered.id, "文号与原件不符。", actor=auditor, now=LATER)
    assert (refused.state, refused.decided_by) == ("refused", auditor.name)
    assert queries.edition_by_id(session, edition.id).withdrawal is None
    withdrawn(session, edition)
    with pytest.raises(EditionWithdrawn):
        enter(session, edition.id, ORDER, actor=officer, now=LATER)


@pytest.mark.parametrize(
    "order",
    [
        replace(ORDER, ground="太短"),
        replace(ORDER, ordered_on=date(2020, 1, 1)),
        replace(ORDER, ordered_on=LATER.date() + timedelta(days=2)),
    ],
)
def test_an_order_that_cannot_be(session: Session, folder: KeyFolder, order: Order) -> None:
    edition = published(session, cycle := rated_cycle(session, contracts=1), folder)
    with pytest.raises(Invalid):
        enter(session, edition.id, order, actor=person(session, Role.OFFICER, cycle), now=LATER)


def test_who_may_not(session: Session, folder: KeyFolder) -> None:
    edition = published(session, cycle := rated_cycle(session, contracts=1), folder)
    elsewhere = actor(Role.OFFICER, region=make_county(session, name="别县"))
    with pytest.raises(NotAllowed, match="其他地区"):
        enter(session, edition.id, ORDER, actor=elsewhere, now=LATER)
    with pytest.raises(NotAllowed, match="本人登记"):
        enter(session, edition.id, ORDER, actor=COMMAND_LINE, now=LATER)
    entered = enter(session, edition.id, ORDER, actor=person(session, Role.OFFICER, cycle), now=LATER)
    with pytest.raises(NotAllowed, match="其他地区"):
        withdrawal(session, entered.id, actor=elsewhere)
    with pytest.raises(NotFound):
        withdrawal(session, 99, actor=OFFICER)


def test_the_newest_that_is_left_holds(session: Session, folder: KeyFolder) -> None:
    first = published(session, cycle := rated_cycle(session), folder)
    more_answers(session, cycle)
    second = published(session, cycle, folder, WHY)
    assert second.changes
    reference = session.scalars(select(EditionScore.contract_reference)).first()
    withdrawn(session, second)
    assert queries.newest_edition(session, cycle) is first
    assert queries.editions_in_force(session) == [first]
    assert {one.edition for one in queries.in_force(session, reference=reference)} == {first}
    assert not queries.shown_edition(session, first.id).is_old
    assert [one.withdrawal is not None for one in queries.editions_of(session, cycle.id)] == [True, False]
    withdrawn(session, first)
    assert queries.newest_edition(session, cycle) is None
    assert queries.editions_in_force(session) == []
    with pytest.raises(NotFound):
        queries.contract_shown(session, reference)
    with pytest.raises(EditionWithdrawn):
        queries.contract_shown(session, reference, str(first.id))
    with pytest.raises(EditionWithdrawn):
        queries.edition_shown(session, str(second.id))


def test_later_editions_go_on_from_a_withdrawn_one(session: Session, folder: KeyFolder) -> None:
    receipt = receipt_leaf(session, cycle := rated_cycle(session))
    first = published(session, cycle, folder)
    record = record_of(session, first)
    old, leaves = bundled(record), leaves_of(record)
    withdrawn(session, first)
    assert record.bundle is None
    assert leaves_of(record) == leaves
    second = published(session, cycle, folder, WHY)
    assert (second.number, second.changes) == (2, [])  # nothing holds that it could differ from
    later = record_of(session, second)
    assert json.loads(later.statement)["previous"] == record.hash
    assert later.bundle is not None
    assert verify(later.bundle).holds
    assert all(one.holds for one in since(bundled(later), old))
    grown = growth(session, first.id, later)
    assert extends(record.leaves, later.leaves, grown.path, bytes.fromhex(record.root), bytes.fromhex(later.root))
    withdrawn(session, second)
    found = look_up(session, receipt)
    assert found is not None
    assert found.proof is not None
    assert found.proof.root.hex() == later.root
    assert [queries.compared_with(session, one) for one in (first, second)] == [None, first]


def test_what_a_correction_was_compared_with(session: Session, folder: KeyFolder) -> None:
    first = published(session, cycle := rated_cycle(session), folder)
    more_answers(session, cycle)
    second = published(session, cycle, folder, WHY)
    withdrawn(session, first)
    compared = queries.compared_with(session, second)
    assert compared is first
    assert compared.withdrawal is not None  # so the page shows no number of it
    run_cycle(session, cycle, actor=OFFICER, now=LATER)
    third = publish(session, cycle, reason=WHY, actor=OFFICER, now=LATER)
    assert queries.compared_with(session, third) is second


def test_an_edition_without_a_seal(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    assert withdrawn(session, edition).leaves is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE withdrawal SET ground = 'x'",
        "UPDATE withdrawal SET state = 'entered', decided_by_id = NULL, decided_at = NULL",
        "UPDATE withdrawal SET leaves = NULL",
        "DELETE FROM withdrawal",
        "UPDATE edition_record SET bundle = statement",
    ],
)
def test_a_withdrawal_is_permanent(session: Session, folder: KeyFolder, statement: str) -> None:
    withdrawn(session, published(session, rated_cycle(session, contracts=1), folder))
    with pytest.raises(DatabaseError, match="permanent"):
        session.execute(text(statement))


def test_a_bundle_goes_with_its_edition_only(session: Session, folder: KeyFolder) -> None:
    published(session, rated_cycle(session, contracts=1), folder)
    with pytest.raises(DatabaseError, match="permanent"):
        session.execute(text("UPDATE edition_record SET bundle = NULL"))


BAD: list[tuple[dict[str, Any], str]] = [
    ({"ordered_by": "mayor"}, "ordered_by_known"),
    ({"state": "asked", "decided_by_id": 2, "decided_at": NOW}, "state_known"),
    ({"ground": ""}, "ground_given"),
    ({"state": "confirmed"}, "decided_by_somebody"),
    ({"decided_at": NOW}, "decided_at_some_time"),
    ({"state": "confirmed", "decided_by_id": 1, "decided_at": NOW}, "decided_by_another"),
    ({"state": "refused", "decided_by_id": 2, "decided_at": NOW}, "refusal_has_reason"),
]


@pytest.mark.parametrize(("columns", "constraint"), BAD, ids=[name for _, name in BAD])
def test_bad_rows(session: Session, columns: dict[str, Any], constraint: str) -> None:
    cycle = rated_cycle(session, contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    people = [make_account(session, role, region=cycle.region).id for role in (Role.OFFICER, Role.AUDITOR)]
    if "decided_by_id" in columns:
        columns = columns | {"decided_by_id": people[columns["decided_by_id"] - 1]}
    row = vars(ORDER) | {"edition_id": edition.id, "entered_at": NOW, "entered_by": "甲", "entered_by_id": people[0]}
    session.add(Withdrawal(**row | columns))
    with pytest.raises(IntegrityError, match=constraint):
        session.flush()


def test_one_order_at_a_time(session: Session) -> None:
    cycle = rated_cycle(session, contracts=1)
    run_cycle(session, cycle, actor=OFFICER, now=NOW)
    edition = publish(session, cycle, actor=OFFICER, now=NOW)
    officer = make_account(session, Role.OFFICER, region=cycle.region)
    row = vars(ORDER) | {"edition_id": edition.id, "entered_at": NOW, "entered_by": "甲", "entered_by_id": officer.id}
    session.add_all([Withdrawal(**row), Withdrawal(**row)])
    with pytest.raises(IntegrityError, match="withdrawal"):
        session.flush()


def test_a_seal_knows_its_edition_only(session: Session, folder: KeyFolder) -> None:
    edition = published(session, rated_cycle(session, contracts=1), folder)
    other = published(session, rated_cycle(session, contracts=1), folder)
    with pytest.raises(Invalid, match="不是同一评价结果的较早版次"):
        growth(session, other.id, session.get_one(EditionRecord, edition.id))
